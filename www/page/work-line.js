// @ts-check
/** @file How far a long piece of work is: a line that is read aloud when it changes its kind, a bar, a count. */

import { element } from './dom.js';

const TEXT = {
  progress: 'Progress of the table',
};

/** The line and its bar. */
export class WorkLine {
  #line = element('p', { role: 'status', data: { testid: 'work-status' } });
  // What changes many times a second is not read aloud.
  #count = element('p', { className: 'work-count', data: { testid: 'work-count' }, aria: { hidden: true } });
  #bar = element('progress', { aria: { label: TEXT.progress }, data: { testid: 'work-progress' } });

  constructor() {
    /** @type {HTMLElement} */
    this.root = element('div', { className: 'work-line' }, this.#line, this.#count, this.#bar);
    this.#bar.hidden = true;
  }

  /** @param {string} text read aloud; the bar stays as it is */
  say(text) {
    this.#line.textContent = text;
  }

  /**
   * @param {number} done
   * @param {number} of
   * @param {string} text where it is
   */
  count(done, of, text) {
    this.#bar.hidden = false;
    this.#bar.max = Math.max(of, 1);
    this.#bar.value = done;
    this.#bar.setAttribute('aria-valuetext', text);
    this.#count.textContent = text;
  }

  /** @param {string} text read aloud: the work has ended, well or not */
  end(text) {
    this.#bar.hidden = true;
    this.#count.textContent = '';
    this.say(text);
  }
}
