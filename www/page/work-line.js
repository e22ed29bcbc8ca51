// @ts-check
/** @file How far a long piece of work is: a line that is read aloud when it changes its kind, a bar, a count. */

import { element } from './dom.js';
import { sayError } from './failures.js';
import { say } from './language.js';

/** @typedef {import('./language.js').Text} Text */

/** The line and its bar. */
export class WorkLine {
  #line = element('p', { role: 'status', data: { testid: 'work-status' } });
  // What changes many times a second is not read aloud.
  #count = element('p', { className: 'work-count', data: { testid: 'work-count' }, aria: { hidden: true } });
  #bar = element('progress', { aria: { label: (words) => words.many.progress }, data: { testid: 'work-progress' } });

  constructor() {
    /** @type {HTMLElement} */
    this.root = element('div', { className: 'work-line' }, this.#line, this.#count, this.#bar);
    this.#bar.hidden = true;
  }

  /** @param {Text} text read aloud; the bar stays as it is */
  say(text) {
    say(this.#line, text);
  }

  /**
   * @param {number} done
   * @param {number} of
   * @param {Text} text where it is
   */
  count(done, of, text) {
    this.#bar.hidden = false;
    this.#bar.max = Math.max(of, 1);
    this.#bar.value = done;
    say(this.#bar, text, 'aria-valuetext');
    say(this.#count, text);
  }

  /** @param {Text} text read aloud: the work has ended */
  end(text) {
    this.#rest();
    this.say(text);
  }

  /** @param {unknown} error that ended the work */
  fail(error) {
    this.#rest();
    sayError(this.#line, error);
  }

  #rest() {
    this.#bar.hidden = true;
    say(this.#count, '');
  }
}
