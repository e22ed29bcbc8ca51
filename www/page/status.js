// @ts-check
/** @file The state of the page in words: status, progress, device, times, errors. */

import { CPU_MEANWHILE, WEBGPU_FAILED, WEBGPU_LOST, WEBGPU_NONE, WEBGPU_NOT_OFFERED, WEBGPU_SOFTWARE } from '../api/device.js';
import { byId } from './dom.js';
import { codeOf, sayError } from './failures.js';
import { say } from './language.js';
import { megabytes, time } from './numbers.js';

/** @typedef {import('../api/index.js').DeviceReport} DeviceReport */
/** @typedef {import('../api/index.js').LoadStage} LoadStage */
/** @typedef {import('../api/index.js').ReadPicture} ReadPicture */
/** @typedef {'loading' | 'ready' | 'busy' | 'error'} State */

/** @typedef {import('./language.js').Text} Text */
/** @typedef {import('./language.js').Words} Words */

/** What the API's notices are called in the language files. @type {Map<string, keyof Words['device']>} */
const NOTICES = new Map([
  [WEBGPU_FAILED, 'failed'],
  [WEBGPU_LOST, 'lost'],
  [WEBGPU_NOT_OFFERED, 'notOffered'],
  [WEBGPU_NONE, 'none'],
  [WEBGPU_SOFTWARE, 'software'],
]);

/** Everything outside of the answers that tells how things stand. */
export class Status {
  #line = byId('status');
  #progress = /** @type {HTMLProgressElement} */ (byId('progress'));
  #loaded = byId('loaded');
  #alert = byId('alert');
  #device = /** @type {HTMLElement} */ (document.querySelector('[data-testid="device"]'));
  #times = /** @type {HTMLElement} */ (document.querySelector('[data-testid="milliseconds"]'));
  #notice = /** @type {HTMLElement} */ (document.querySelector('[data-testid="notice"]'));
  /** @type {State} what holds when nothing is done beside it */
  #base = 'loading';
  /** How the shown picture's file became it, where that is worth a word. @type {Text} */
  #note = () => '';
  /** Things done beside the main one: composing, saving. */
  #beside = 0;
  /** @type {Map<LoadStage, {loaded: number, total: number | null}>} */
  #bytes = new Map();

  /** @returns {State} */
  get state() {
    return this.#base;
  }

  loading() {
    this.#bytes.clear();
    this.#set('loading', (words) => words.page.loading);
    this.#unknown();
  }

  /** Takes the keyboard's focus here, from a button that hides. */
  focus() {
    this.#line.focus({ preventScroll: true });
  }

  /**
   * @param {LoadStage} stage
   * @param {number} loaded
   * @param {number | null} total
   */
  progress(stage, loaded, total) {
    if (stage === 'device' || stage === 'warm-up') {
      say(this.#line, (words) => words.status[stage]);
      this.#unknown();
      return;
    }
    this.#bytes.set(stage, { loaded, total });
    const parts = [...this.#bytes.values()];
    const sum = parts.reduce((all, part) => all + part.loaded, 0);
    const totals = parts.map((part) => part.total);
    // One line for both downloads; without a total the bar only shows that something happens.
    if (parts.length === 2 && totals.every((part) => part !== null)) {
      const all = totals.reduce((/** @type {number} */ a, b) => a + (b ?? 0), 0);
      this.#progress.max = all;
      this.#progress.value = sum;
      this.#count((words) => words.status.loaded(megabytes(words, sum), megabytes(words, all)));
    } else {
      this.#unknown();
      this.#count((words) => words.status.loaded(megabytes(words, sum), null));
    }
  }

  /** @param {DeviceReport} device */
  loaded(device) {
    this.device(device);
    this.#set('ready', (words) => words.status.ready);
  }

  /** @param {DeviceReport} device that answers from now on */
  device({ kind, label, notice }) {
    say(this.#device, label === CPU_MEANWHILE.label ? (words) => words.device.cpuMeanwhile : label);
    this.#device.dataset.kind = kind;
    const known = NOTICES.get(notice ?? '');
    say(this.#notice, known ? (words) => words.device[known] : (notice ?? ''));
    this.#notice.hidden = !notice;
  }

  /** @param {Text} text */
  busy(text) {
    this.#set('busy', text);
    this.#unknown();
  }

  /** @param {Text} text */
  ready(text) {
    this.#set('ready', text);
  }

  /**
   * Something is done beside, and the page is not ready until the returned function is called.
   * @returns {() => void}
   */
  alsoBusy() {
    this.#beside += 1;
    this.#show();
    return () => {
      this.#beside -= 1;
      this.#show();
    };
  }

  /**
   * Tells an error, and offers what can be done here.
   * @param {unknown} error
   * @param {{retry?: boolean, cpu?: boolean}} offers
   */
  failed(error, { retry = false, cpu = false }) {
    sayError(byId('alert-text'), error);
    this.#alert.dataset.code = codeOf(error);
    byId('retry').hidden = !retry;
    byId('retry-cpu').hidden = !cpu;
    if (this.#base === 'loading') say(this.#device, (words) => words.status.noDevice);
    this.#set('error', ({ status }) => (retry || cpu ? status.notRunning : status.readyForAnother));
    this.#alert.hidden = false;
  }

  /** @param {ReadPicture} picture */
  recognised({ decodeMilliseconds, findMilliseconds, faces, file, width, height }) {
    const recognising = faces.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    const recognition = decodeMilliseconds + findMilliseconds + recognising;
    Object.assign(this.#times.dataset, {
      decode: decodeMilliseconds,
      find: findMilliseconds,
      recognising,
      recognition,
    });
    delete this.#times.dataset.synthesis;
    this.#note = (words) => {
      if (file?.scaledFrom) return words.status.scaled(file.scaledFrom.join(' x '), `${width} x ${height}`);
      return file?.onlyByBrowser ? words.status.decodedByBrowser(file.format) : '';
    };
    this.#sayTimes((words) => words.status.recognisedIn(time(words, recognition)));
  }

  /** @param {Text} text */
  #sayTimes(text) {
    const note = this.#note;
    say(this.#times, (words) => [text(words), note(words)].filter((part) => part !== '').join(' · '));
  }

  /**
   * @param {number} milliseconds
   * @param {number} count
   */
  synthesised(milliseconds, count) {
    const recognition = Number(this.#times.dataset.recognition);
    this.#times.dataset.synthesis = String(milliseconds);
    this.#sayTimes((words) => words.status.synthesisedIn(time(words, recognition), count, time(words, milliseconds)));
  }

  /** @param {State} state @param {Text} text */
  #set(state, text) {
    this.#base = state;
    this.#alert.hidden = true;
    say(this.#line, text);
    say(this.#loaded, '');
    this.#show();
  }

  /** The bar only shows that something happens. */
  #unknown() {
    this.#progress.removeAttribute('value');
    say(this.#progress, '', 'aria-valuetext');
    this.#progress.removeAttribute('aria-valuetext');
    say(this.#loaded, '');
  }

  /**
   * Shows the bytes beside the line that screen readers announce, which stays as it is.
   * @param {Text} text
   */
  #count(text) {
    say(this.#progress, text, 'aria-valuetext');
    say(this.#loaded, text);
  }

  #show() {
    const beside = this.#beside > 0 && this.#base === 'ready';
    document.body.dataset.state = beside ? 'busy' : this.#base;
  }
}
