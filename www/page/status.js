// @ts-check
/** @file The state of the page in words: status, progress, device, times, errors. */

import { byId } from './dom.js';

/** @typedef {import('../api/index.js').DeviceReport} DeviceReport */
/** @typedef {import('../api/index.js').LoadStage} LoadStage */
/** @typedef {import('../api/index.js').ReadPicture} ReadPicture */
/** @typedef {'loading' | 'ready' | 'busy' | 'error'} State */

/** @type {Record<LoadStage, string>} */
const STAGES = {
  program: 'Loading the program',
  weights: 'Loading the weights',
  device: 'Starting the graphics device',
  'warm-up': 'Preparing the graphics device',
};

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
    this.#set('loading', 'Loading the program and the weights');
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
      this.#line.textContent = STAGES[stage];
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
      this.#count(`${megabytes(sum)} of ${megabytes(all)} MB`);
    } else {
      this.#unknown();
      this.#count(`${megabytes(sum)} MB`);
    }
  }

  /** @param {DeviceReport} device */
  loaded(device) {
    this.device(device);
    this.#set('ready', 'Ready: choose a picture.');
  }

  /** @param {DeviceReport} device that answers from now on */
  device({ kind, label, notice }) {
    this.#device.textContent = label;
    this.#device.dataset.kind = kind;
    this.#notice.textContent = notice;
    this.#notice.hidden = !notice;
  }

  /** @param {string} text */
  busy(text) {
    this.#set('busy', text);
    this.#unknown();
  }

  /** @param {string} text */
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
    byId('alert-text').textContent = error instanceof Error ? error.message : String(error);
    this.#alert.dataset.code = /** @type {{code?: string}} */ (error)?.code ?? 'internal';
    byId('retry').hidden = !retry;
    byId('retry-cpu').hidden = !cpu;
    if (this.#base === 'loading') this.#device.textContent = 'none';
    this.#set('error', retry || cpu ? 'Not running.' : 'Ready for another picture.');
    this.#alert.hidden = false;
  }

  /** @param {ReadPicture} picture */
  recognised({ decodeMilliseconds, findMilliseconds, faces }) {
    const recognising = faces.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    const recognition = decodeMilliseconds + findMilliseconds + recognising;
    Object.assign(this.#times.dataset, {
      decode: decodeMilliseconds,
      find: findMilliseconds,
      recognising,
      recognition,
    });
    delete this.#times.dataset.synthesis;
    this.#times.textContent = `recognised in ${time(recognition)}`;
  }

  /**
   * @param {number} milliseconds
   * @param {number} count
   */
  synthesised(milliseconds, count) {
    const { recognition } = this.#times.dataset;
    this.#times.dataset.synthesis = String(milliseconds);
    this.#times.textContent = `recognised in ${time(Number(recognition))}, ${count} synthesised in ${time(milliseconds)}`;
  }

  /** @param {State} state @param {string} text */
  #set(state, text) {
    this.#base = state;
    this.#alert.hidden = true;
    this.#line.textContent = text;
    this.#loaded.textContent = '';
    this.#show();
  }

  /** The bar only shows that something happens. */
  #unknown() {
    this.#progress.removeAttribute('value');
    this.#progress.removeAttribute('aria-valuetext');
    this.#loaded.textContent = '';
  }

  /**
   * Shows the bytes beside the line that screen readers announce, which stays as it is.
   * @param {string} text
   */
  #count(text) {
    this.#progress.setAttribute('aria-valuetext', text);
    this.#loaded.textContent = text;
  }

  #show() {
    const beside = this.#beside > 0 && this.#base === 'ready';
    document.body.dataset.state = beside ? 'busy' : this.#base;
  }
}

/** @param {number} bytes */
function megabytes(bytes) {
  return (bytes / 1e6).toFixed(1);
}

/** @param {number} milliseconds */
function time(milliseconds) {
  return milliseconds < 10_000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}
