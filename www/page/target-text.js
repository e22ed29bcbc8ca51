// @ts-check
/** @file What the sliders make as a line of text, to copy and to paste. */

import { element } from './dom.js';
import { sayError } from './failures.js';
import { say } from './language.js';
import { parseTarget, textOf } from './target.js';

/** @typedef {import('../api/index.js').Target} Target */

/** The line of text of one face's target. */
export class TargetText {
  #onTake;
  #field;
  #copy;
  #message;

  /**
   * @param {number} index of the face
   * @param {(target: Target) => Promise<void>} onTake a target was given as text; rejects when it is refused
   */
  constructor(index, onTake) {
    this.#onTake = onTake;
    const id = `target-${index}`;
    this.#field = element('input', {
      type: 'text',
      id,
      placeholder: 'happiness=0.6,jawOpen=0.4',
      autocomplete: 'off',
      spellcheck: false,
      data: { testid: id },
      onpaste: (/** @type {ClipboardEvent} */ event) => this.#paste(event),
    });
    this.#copy = element(
      'button',
      { type: 'button', className: 'button small', data: { testid: `copy-${index}` }, onclick: () => void this.#copied() },
      (words) => words.sliders.copy,
    );
    this.#message = element('p', { className: 'message', role: 'status', data: { testid: `target-message-${index}` } });
    const take = element('button', { className: 'button small', data: { testid: `take-${index}` } }, (words) => words.sliders.apply);
    const onsubmit = (/** @type {Event} */ event) => {
      event.preventDefault();
      void this.#take();
    };
    /** @type {HTMLElement} */
    this.root = element(
      'form',
      { className: 'target-text', onsubmit },
      element('label', { htmlFor: id }, (words) => words.sliders.asText),
      element('div', { className: 'row' }, this.#field, this.#copy, take),
      this.#message,
    );
  }

  /** @param {Target | null} target */
  show(target) {
    this.#field.value = target ? textOf(target) : '';
    this.#copy.disabled = !target;
    this.#tell('');
  }

  /** @param {unknown} error */
  refuse(error) {
    this.#message.classList.add('refused');
    sayError(this.#message, error);
    this.#message.scrollIntoView({ block: 'nearest' });
  }

  /** Pasted text takes the place of what stands there. @param {ClipboardEvent} event */
  #paste(event) {
    const text = event.clipboardData?.getData('text/plain').trim();
    if (!text) return;
    event.preventDefault();
    this.#field.value = text;
    void this.#take();
  }

  async #take() {
    try {
      await this.#onTake(parseTarget(this.#field.value));
    } catch (error) {
      this.refuse(error);
    }
  }

  async #copied() {
    try {
      await navigator.clipboard.writeText(this.#field.value);
      this.#tell((words) => words.sliders.copied);
    } catch {
      this.#field.select();
      this.#tell((words) => words.sliders.cannotCopy);
    }
  }

  /** @param {import('./language.js').Text | string} text */
  #tell(text) {
    this.#message.classList.remove('refused');
    say(this.#message, text);
  }
}
