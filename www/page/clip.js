// @ts-check
/** @file A video that is recognised frame by frame: what starts, pauses and cancels it, and the files it gives. */

import { aborted } from './aborted.js';
import { ClipRecords } from './clip-records.js';
import { ClipResults } from './clip-results.js';
import { ClipRun } from './clip-run.js';
import { element } from './dom.js';
import { download, stemOf } from './download.js';
import { say } from './language.js';
import { fixed, moment } from './numbers.js';
import { Video } from './video.js';
import { WorkLine } from './work-line.js';

/**
 * @typedef {import('./batch.js').BatchEvents} BatchEvents
 * @typedef {import('./given.js').Given} Given
 * @typedef {import('./language.js').Text} Text
 * @typedef {import('./records.js').Names} Names
 */

/** Frames a second that are offered, where the video has more. */
const RATES = [1, 5, 10, 25];
const USUAL_RATE = 5;

/** The video and all that is made of it. */
export class Clip {
  /** @type {Text} */ title = ({ clip }) => clip.title;
  #given;
  #events;
  #line = new WorkLine();
  #facts = element('p', { className: 'hint', data: { testid: 'clip-facts' } });
  #rate = element('select', { disabled: true, data: { testid: 'clip-rate' } });
  #start = button(({ clip }) => clip.start, 'clip-start', () => void this.#recognise(), 'button primary');
  #pause = button(({ clip }) => clip.pause, 'clip-pause', () => this.#togglePause());
  #cancel = button(({ many }) => many.cancel, 'clip-cancel', () => this.#controller.abort());
  #saves = [
    button(({ many }) => many.csv, 'save-csv', () => this.#save('csv')),
    button(({ many }) => many.json, 'save-json', () => this.#save('json')),
  ];
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
    const label = element('label', { className: 'clip-rate' }, ({ clip }) => clip.rate, ' ', this.#rate);
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
    this.#line.say(({ clip }) => clip.opening);
    try {
      const video = await Video.open(this.#given.file);
      if (this.#isClosed) {
        video.close();
        return;
      }
      this.#video = video;
      say(this.#facts, (words) =>
        words.clip.facts(moment(words, video.duration), `${video.width} x ${video.height}`, fixed(words, video.rate, 2, 0)),
      );
      this.#offerRates(video);
      this.#line.say(({ clip }) => clip.ready);
      this.#show('ready');
      this.#start.focus();
    } catch (error) {
      this.#line.fail(error);
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
      element('option', { value: String(one) }, ({ clip }) => clip.some(one, Math.ceil(duration * one - 0.5))),
    );
    this.#rate.replaceChildren(...some, element('option', { value: '' }, ({ clip }) => clip.all(frames)));
    this.#rate.value = some.length > 1 ? String(USUAL_RATE) : '';
  }

  async #recognise() {
    const video = this.#video;
    if (!video) return;
    this.#controller = new AbortController();
    const { signal } = this.#controller;
    this.#show('running');
    this.#pause.focus();
    this.#line.say(({ many }) => many.waits);
    const net = await Promise.race([this.#events.network(), aborted(signal)]);
    let isWhole = false;
    if (net) {
      this.#prepare(video, net);
      this.#show('running');
      this.#line.say(({ clip }) => clip.recognising);
      try {
        isWhole = (await this.#run?.go(Number(this.#rate.value) || video.rate, signal)) ?? false;
      } catch (error) {
        this.#line.fail(error);
        this.#finish('failed');
        return;
      }
    }
    const [frames, faces] = [this.#records.frames.length, this.#records.ids().length];
    this.#line.end(({ clip }) => (isWhole ? clip.done : clip.cancelled)(frames, faces));
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
        this.#line.count(done, of, ({ clip }) => clip.at(done, of, Math.ceil(left / 1000)));
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
    const { isPaused } = run;
    this.#line.say(({ clip }) => (isPaused ? clip.paused : clip.recognising));
    this.#show(isPaused ? 'paused' : 'running');
    if (isPaused) this.#results?.refresh();
  }

  /** @param {'opening' | 'ready' | 'running' | 'paused' | 'done' | 'cancelled' | 'failed'} state */
  #show(state) {
    const isRunning = state === 'running' || state === 'paused';
    this.#start.hidden = isRunning;
    this.#start.disabled = !this.#video;
    const isAgain = this.#results !== null;
    say(this.#start, ({ clip }) => (isAgain ? clip.again : clip.start));
    this.#rate.disabled = isRunning || !this.#video;
    this.#pause.hidden = !isRunning;
    say(this.#pause, ({ clip }) => (state === 'paused' ? clip.goOn : clip.pause));
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
 * @param {Text} text
 * @param {string} testid
 * @param {() => void} onclick
 * @param {string} [className]
 */
function button(text, testid, onclick, className = 'button') {
  return element('button', { type: 'button', className, data: { testid }, onclick }, text);
}
