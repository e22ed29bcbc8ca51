// @ts-check
/** @file One slider: its label, a range from 0 to 120 %, its value. */

import { element } from './dom.js';
import { say } from './language.js';
import { percent } from './numbers.js';

let count = 0;

/** A slider with its label and its value in percent. */
export class Slider {
  #input;
  #output = element('output', {});

  /**
   * @param {import('./language.js').Text} label
   * @param {string[]} names what it sets, as the network calls it
   * @param {number} most the largest value
   * @param {string} testid
   * @param {(value: number) => void} onInput
   */
  constructor(label, names, most, testid, onInput) {
    this.names = names;
    const id = `slider-${++count}`;
    const title = names.join(', ');
    this.#input = element('input', {
      type: 'range',
      id,
      title,
      min: '0',
      max: String(Math.round(most * 100)),
      step: '1',
      data: { testid },
      oninput: () => onInput(Number(this.#input.value) / 100),
    });
    this.#output.htmlFor.add(id);
    this.root = element('div', { className: 'slider' }, element('label', { htmlFor: id, title }, label), this.#input, this.#output);
  }

  /**
   * @param {number | null} value null where something else decides
   * @param {boolean} moved
   */
  show(value, moved) {
    const hundredths = Math.round((value ?? 0) * 100);
    this.#input.value = String(hundredths);
    say(this.#input, (words) => (value === null ? words.sliders.automatic : percent(words, hundredths / 100, 0)), 'aria-valuetext');
    say(this.#output, (words) => (value === null ? words.sliders.auto : percent(words, hundredths / 100, 0)));
    this.root.classList.toggle('auto', value === null);
    this.root.classList.toggle('moved', moved && hundredths > 0);
  }
}
