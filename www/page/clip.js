// @ts-check
/** @file A video that is recognised frame by frame: what starts, pauses and cancels it, and the files it gives. */

import { aborted } from './aborted.js';
import { ClipRecords, time } from './clip-records.js';
import { ClipResults } from './clip-results.js';
import { ClipRun } from './clip-run.js';
import { counted, element } from './dom.js';
import { download, stemOf } from './download.js';
import { Video } from './video.js';
import { WorkLine } from './work-line.js';

/**
 * @typedef {import('./batch.js').BatchEvents} BatchEvents
 * @typedef {import('./given.js').Given} Given
 * @typedef {import('./records.js').Names} Names
 */

const TEXT = {
  title: 'Faces in a video',
  opening: 'Opening the video',
  ready: 'Ready: choose how many frames are recognised, then start.',
  waits: 'Waiting for the network',
  running: 'Recognising the frames',
  paused: 'Paused',
  /** @param {number} done @param {number} of @param {number} seconds left */
  at: (done, of, seconds) => `${done} of ${of} frames, about ${seconds < 100 ? `${seconds} s` : `${Math.round(seconds / 60)} min`} left`,
  /** @param {number} frames @param {number} faces */
  done: (frames, faces) => `${counted(frames, 'frame')} recognised, ${counted(faces, 'face')} followed.`,
  /** @param {number} frames @param {number} faces */
  cancelled: (frames, faces) => `Cancelled: ${counted(frames, 'frame')} recognised, ${counted(faces, 'face')} followed.`,
  /** @param {Video} video */
  facts: ({ duration, width, height, rate }) => `${time(duration)} long, ${width} x ${height}, ${Number(rate.toFixed(2))} frames a second`,
  rate: 'Recognise',
  /** @param {number} rate @param {number} frames */
  some: (rate, frames) => `${rate} a second (${counted(frames, 'frame')})`,
  /** @param {number} frames */
  all: (frames) => `every frame (${frames})`,
  start: 'Start',
  again: 'Start again',
  pause: 'Pause',
  goOn: 'Go on',
  cancel: 'Cancel',
  csv: 'Save as CSV',
  json: 'Save as JSON',
};

/** Frames a second that are offered, where the video has more. */
const RATES = [1, 5, 10, 25];
const USUAL_RATE = 5;

/** The video and all that is made of it. */
export class Clip {
  title = TEXT.title;
  #given;
  #events;
  #line = new WorkLine();
  #facts = element('p', { className: 'hint', data: { testid: 'clip-facts' } });
  #rate = element('select', { disabled: true, data: { testid: 'clip-rate' } });
  #start = button(TEXT.start, 'clip-start', () => void this.#recognise(), 'button primary');
  #pause = button(TEXT.pause, 'clip-pause', () => this.#togglePause());
  #cancel = button(TEXT.cancel, 'clip-cancel', () => this.#controller.abort());
  #saves = [button(TEXT.csv, 'save-csv', () => this.#save('csv')), button(TEXT.json, 'save-json', () => this.#save('json'))];
  #place = element('div', {});
  #controller = new AbortController();
  /** @type {Video | null} */ #video = null;
  #records = new ClipRecords({ classes: [], controls: [] });
  /** @type {ClipRun | null} what is under way */ #run = null;
  /** @type {ClipResults | null} */ #results = null;
  #isClosed = false;

  /**
   * @param {Given} given
   * @param {BatchEvents} events
   */
  constructor(given, events) {
    this.#given = given;
    this.#events = events;
    this.#show('opening');
    const label = element('label', { className: 'clip-rate' }, TEXT.rate, ' ', this.#rate);
    /** @type {HTMLElement} */
    this.root = element(
      'div',
      { className: 'clip' },
      element('div', {}, element('p', { className: 'clip-name' }, given.name), this.#facts),
      element('div', { className: 'row' }, label, this.#start, this.#pause, this.#cancel, ...this.#saves),
      this.#line.root,
      this.#place,
    );
  }

  /** Opens the file; the visitor starts what follows. */
  async run() {
    this.#line.say(TEXT.opening);
    try {
      const video = await Video.open(this.#given.file);
      if (this.#isClosed) {
        video.close();
        return;
      }
      this.#video = video;
      this.#facts.textContent = TEXT.facts(video);
      this.#offerRates(video);
      this.#line.say(TEXT.ready);
      this.#show('ready');
      this.#start.focus();
    } catch (error) {
      this.#line.end(error instanceof Error ? error.message : String(error));
      this.#show('failed');
    }
  }

  /** Ends what is under way and frees the file. */
  close() {
    this.#isClosed = true;
    this.#controller.abort();
    this.#results?.close();
    if (!this.#run) this.#video?.close();
  }

  /** Takes the keyboard's focus to where it was. */
  focus() {
    if (this.#results) this.#results.focus();
    else this.#start.focus();
  }

  /** @param {Video} video */
  #offerRates({ rate, frames, duration }) {
    const some = RATES.filter((one) => one < rate * 0.99).map((one) =>
      element('option', { value: String(one) }, TEXT.some(one, Math.ceil(duration * one - 0.5))),
    );
    this.#rate.replaceChildren(...some, element('option', { value: '' }, TEXT.all(frames)));
    this.#rate.value = some.length > 1 ? String(USUAL_RATE) : '';
  }

  async #recognise() {
    const video = this.#video;
    if (!video) return;
    this.#controller = new AbortController();
    const { signal } = this.#controller;
    this.#show('running');
    this.#pause.focus();
    this.#line.say(TEXT.waits);
    const net = await Promise.race([this.#events.network(), aborted(signal)]);
    let isWhole = false;
    if (net) {
      this.#prepare(video, net);
      this.#show('running');
      this.#line.say(TEXT.running);
      try {
        isWhole = (await this.#run?.go(Number(this.#rate.value) || video.rate, signal)) ?? false;
      } catch (error) {
        this.#line.end(error instanceof Error ? error.message : String(error));
        this.#finish('failed');
        return;
      }
    }
    const faces = this.#records.ids().length;
    this.#line.end((isWhole ? TEXT.done : TEXT.cancelled)(this.#records.frames.length, faces));
    this.#finish(isWhole ? 'done' : 'cancelled');
  }

  /** Empty places for what comes. @param {Video} video @param {Names} net */
  #prepare(video, { classes, controls }) {
    this.#results?.close();
    // Not the network itself, which may be loaded anew.
    const names = { classes, controls };
    this.#records = new ClipRecords(names);
    const results = new ClipResults(this.#records, names, () => Video.open(this.#given.file, video));
    this.#results = results;
    this.#place.replaceChildren(results.root);
    this.#run = new ClipRun(video, this.#records, names, {
      network: this.#events.network,
      onTrack: (track, thumbnail) => results.add(track, thumbnail),
      onFrame: (done, of, milliseconds) => {
        const left = (milliseconds / done) * (of - done);
        this.#line.count(done, of, TEXT.at(done, of, Math.ceil(left / 1000)));
        results.refreshSoon();
      },
    });
  }

  /** @param {'done' | 'cancelled' | 'failed'} state */
  #finish(state) {
    this.#run = null;
    this.#results?.refresh();
    const hadFocus = document.activeElement === this.#pause || document.activeElement === this.#cancel;
    this.#show(state);
    if (hadFocus) this.#start.focus();
    if (this.#isClosed) this.#video?.close();
  }

  #togglePause() {
    const run = this.#run;
    if (!run) return;
    if (run.isPaused) run.goOn();
    else run.pause();
    this.#line.say(run.isPaused ? TEXT.paused : TEXT.running);
    this.#show(run.isPaused ? 'paused' : 'running');
    if (run.isPaused) this.#results?.refresh();
  }

  /** @param {'opening' | 'ready' | 'running' | 'paused' | 'done' | 'cancelled' | 'failed'} state */
  #show(state) {
    const isRunning = state === 'running' || state === 'paused';
    this.#start.hidden = isRunning;
    this.#start.disabled = !this.#video;
    this.#start.textContent = this.#results ? TEXT.again : TEXT.start;
    this.#rate.disabled = isRunning || !this.#video;
    this.#pause.hidden = !isRunning;
    this.#pause.textContent = state === 'paused' ? TEXT.goOn : TEXT.pause;
    this.#cancel.hidden = !isRunning;
    for (const save of this.#saves) save.disabled = !this.#results;
    this.#events.onState(state);
  }

  /** @param {'csv' | 'json'} form */
  #save(form) {
    const video = this.#video;
    if (!video) return;
    const facts = { file: this.#given.name, width: video.width, height: video.height, seconds: video.duration, rate: video.rate };
    download(this.#records[form](facts), `${stemOf(this.#given.name)}-faces.${form}`);
  }
}

/**
 * @param {string} text
 * @param {string} testid
 * @param {() => void} onclick
 * @param {string} [className]
 */
function button(text, testid, onclick, className = 'button') {
  return element('button', { type: 'button', className, data: { testid }, onclick }, text);
}
