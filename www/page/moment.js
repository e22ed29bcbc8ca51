// @ts-check
/** @file One frame of a video that was recognised, with its faces: chosen by a slider, or in the chart. */

import { clock } from './clip-records.js';
import { element } from './dom.js';
import { sayError } from './failures.js';
import { say } from './language.js';
import { Latest } from './latest.js';
import { moment, percent } from './numbers.js';
import { confidenceOf, probabilitiesOf } from './records.js';
import { surenessOf } from './sure.js';
import { Video } from './video.js';

/**
 * @typedef {import('./clip-records.js').ClipRecords} ClipRecords
 * @typedef {import('./clip-records.js').FrameRecord} FrameRecord
 * @typedef {import('./clip-records.js').TrackedFace} TrackedFace
 * @typedef {import('./records.js').Names} Names
 */

/** The frame and what chooses it. */
export class Moment {
  #records;
  #names;
  #onMoment;
  #open;
  /** @type {Promise<Video> | null} the file once more, since the other one may be at work */ #video = null;
  #slider = element('input', { type: 'range', min: '0', max: '0', value: '0', step: '1', data: { testid: 'moment' }, aria: { label: ({ clip }) => clip.moment } });
  #when = element('p', { className: 'moment-when', data: { testid: 'moment-when' } });
  #canvas = element('canvas', { role: 'img', aria: { label: ({ clip }) => clip.frame }, data: { testid: 'moment-frame' } });
  #frames = element('div', { className: 'frames', aria: { hidden: true } });
  #faces = element('ul', { className: 'moment-faces', data: { testid: 'moment-faces' }, aria: { live: 'polite' } });
  #latest = new Latest((/** @type {FrameRecord} */ frame) => this.#draw(frame));

  /**
   * @param {ClipRecords} records
   * @param {Names} names
   * @param {() => Promise<Video>} open opens the file a second time
   * @param {(seconds: number) => void} onMoment another moment is shown
   */
  constructor(records, names, open, onMoment) {
    this.#records = records;
    this.#names = names;
    this.#open = open;
    this.#onMoment = onMoment;
    this.#slider.oninput = () => this.#show(Number(this.#slider.value));
    /** @type {HTMLElement} */
    this.root = element(
      'div',
      { className: 'moment' },
      element('div', { className: 'moment-choice' }, this.#slider, this.#when),
      element('div', { className: 'moment-view' }, element('div', { className: 'photo' }, this.#canvas, this.#frames), this.#faces),
    );
    this.grow();
  }

  /** There are more frames. */
  grow() {
    const { length } = this.#records.frames;
    this.#slider.max = String(Math.max(length - 1, 0));
    if (length > 0 && !this.#when.textContent) this.#show(0);
  }

  /** Shows the frame that is nearest. @param {number} seconds */
  show(seconds) {
    const { frames } = this.#records;
    let nearest = 0;
    frames.forEach((frame, i) => {
      if (Math.abs(frame.seconds - seconds) < Math.abs(frames[nearest].seconds - seconds)) nearest = i;
    });
    if (frames.length > 0) this.#show(nearest);
  }

  /** Shows the same frame anew. */
  again() {
    this.#show(Number(this.#slider.value));
  }

  /** Frees the file. */
  close() {
    void this.#video?.then((video) => video.close()).catch(() => {});
    this.#video = null;
  }

  /** @param {number} index of the frame */
  #show(index) {
    const frame = this.#records.frames[index];
    if (!frame) return;
    this.#slider.value = String(index);
    say(this.#slider, (words) => moment(words, frame.seconds), 'aria-valuetext');
    say(this.#when, ({ clip }) => clip.when(clock(frame.seconds), frame.number));
    this.#onMoment(frame.seconds);
    this.#latest.wish(frame).catch((error) => this.#faces.replaceChildren(failureLine(error)));
  }

  /** @param {FrameRecord} frame */
  async #draw(frame) {
    this.#video ??= this.#open();
    const video = await this.#video;
    const { canvas } = await video.frame(frame.number);
    Object.assign(this.#canvas, { width: canvas.width, height: canvas.height });
    this.#canvas.getContext('2d')?.drawImage(canvas, 0, 0);
    this.#frames.replaceChildren(...frame.faces.map((face) => this.#box(face, video)));
    const lines = frame.faces.map((face) => element('li', {}, this.#line(face)));
    const none = frame.error === undefined ? element('li', {}, ({ many }) => many.noFace) : failureLine(frame.failure);
    this.#faces.replaceChildren(...(lines.length > 0 ? lines : [none]));
  }

  /** @param {TrackedFace} face @param {{width: number, height: number}} video */
  #box({ track, box }, { width, height }) {
    const frame = element('div', { className: 'frame' }, element('span', { className: 'frame-name' }, String(this.#records.idOf(track))));
    frame.style.left = `${(box.x / width) * 100}%`;
    frame.style.top = `${(box.y / height) * 100}%`;
    frame.style.width = `${(box.width / width) * 100}%`;
    frame.style.height = `${(box.height / height) * 100}%`;
    frame.classList.toggle('at-top', box.y / height < 0.12);
    return frame;
  }

  /** @param {TrackedFace} face @returns {import('./language.js').Text} */
  #line(face) {
    const { track, expression, certain } = face;
    const id = this.#records.idOf(track);
    const probabilities = probabilitiesOf(face, this.#names);
    const confidence = confidenceOf(face, this.#names);
    return (words) => words.clip.shows(id, surenessOf({ expression, certain, probabilities }, words).words, percent(words, confidence));
  }
}

/** @param {unknown} error */
function failureLine(error) {
  const line = element('li', {});
  sayError(line, error);
  return line;
}
