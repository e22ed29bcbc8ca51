// @ts-check
/** @file The sliders of one face: how much of each expression, and each control by part of the face. */

import { pairsOf, partsOf } from './controls.js';
import { element } from './dom.js';
import { expressionIn, say } from './language.js';
import { Pose } from './pose.js';
import { Slider } from './slider.js';
import { TargetText } from './target-text.js';

/** @typedef {import('../api/index.js').ReadFace} ReadFace */
/** @typedef {import('../api/index.js').Target} Target */
/** @typedef {import('./language.js').Text} Text */

/**
 * @typedef {object} SlidersEvents
 * @property {(target: Target | null) => Promise<boolean>} onMove the face is to show this; null: what it
 *   shows in the photo. Resolves with false when a newer move took its place
 */

/** The part of the face that is open at first. */
const FIRST_OPEN = 'mouth';

/** The sliders of one face. */
export class Sliders {
  #pose;
  #onMove;
  #index;
  /** Counts the moves, so that a late answer does not undo a newer one. */
  #moves = 0;
  /** @type {Slider[]} */ #mixture;
  /** @type {Slider[]} */ #controls = [];
  #intensity;
  #chosen;
  #parts = element('div', { className: 'parts' });
  #apart = element('input', { type: 'checkbox', onchange: () => this.#showParts() });
  #reset = element('button', { type: 'button', className: 'button small', onclick: () => this.#back() });
  #title = element('h3', {});
  #text;

  /**
   * @param {ReadFace} face
   * @param {import('./pose.js').Known} known
   * @param {SlidersEvents} events
   */
  constructor(face, known, { onMove }) {
    const { classes } = known;
    this.#index = face.index;
    this.#onMove = onMove;
    this.#pose = new Pose(known, face.controls);
    this.#apart.dataset.testid = `apart-${face.index}`;
    this.#chosen = element(
      'select',
      { aria: { label: (words) => words.sliders.expression }, data: { testid: `chosen-${face.index}` }, onchange: () => this.#choose() },
      ...classes.map((name) => element('option', { value: name }, (words) => expressionIn(words, name))),
    );
    this.#chosen.value = classes.find((name) => name !== 'neutral' && name !== face.expression) ?? classes[0];
    this.#mixture = classes.map((name) => this.#mixSlider((words) => expressionIn(words, name), name, `mix-${face.index}-${name}`));
    this.#intensity = this.#mixSlider((words) => words.sliders.intensity, null, `intensity-${face.index}`);
    this.#reset.dataset.testid = `reset-${face.index}`;
    this.#text = new TargetText(face.index, (target) => this.#take(target));
    /** @type {HTMLElement} */
    this.root = element(
      'div',
      { className: 'sliders', role: 'group', data: { testid: `sliders-${face.index}` } },
      element('div', { className: 'sliders-head' }, this.#title, this.#reset),
      element('p', { className: 'hint' }, (words) => words.sliders.hint),
      element('div', { className: 'intensity' }, this.#chosen, this.#intensity.root),
      element('div', {}, details((words) => words.sliders.mix, this.#mixture), this.#parts),
      ...this.#ends(),
      this.#text.root,
    );
    this.moveAll(false);
    this.#showParts();
    this.#refresh();
  }

  /** Says that all faces are moved, or this one alone. @param {boolean} all */
  moveAll(all) {
    const title = (/** @type {import('./language.js').Words} */ { sliders }) => (all ? sliders.titleAll : sliders.title);
    say(this.#title, title);
    say(this.root, title, 'aria-label');
    say(this.#reset, ({ sliders }) => (all ? sliders.resetAll : sliders.reset));
  }

  /**
   * Stands where the photo's face was put by other means.
   * @param {Target | null | undefined} target
   */
  follow(target) {
    this.#moves += 1;
    if (target) this.#pose.take(target);
    else this.#pose.reset();
    this.#showChosen();
    this.#refresh();
  }

  /**
   * A slider for the weight of an expression.
   * @param {Text} label
   * @param {string | null} expression null: the chosen one
   * @param {string} testid
   */
  #mixSlider(label, expression, testid) {
    return new Slider(label, expression ? [expression] : [], this.#pose.most, testid, (weight) => {
      this.#pose.mix(expression ?? this.#chosen.value, weight);
      if (expression && weight > 0) this.#chosen.value = expression;
      void this.#moved();
    });
  }

  /** What stands below the parts of the face, for weights with controls. */
  #ends() {
    if (this.#pose.controls.length === 0) return [];
    const label = element('label', { className: 'switch' }, this.#apart, (words) => words.sliders.apart);
    return [
      element('div', {}, label, element('p', { className: 'hint' }, (words) => words.sliders.sides)),
    ];
  }

  /** Another expression is chosen: it takes the intensity of the one before, unless several are mixed. */
  #choose() {
    const { mixture } = this.#pose;
    if (mixture.size !== 1) {
      this.#refresh();
      return;
    }
    const [weight] = mixture.values();
    mixture.clear();
    this.#pose.mix(this.#chosen.value, weight);
    void this.#moved();
  }

  /** Chooses the expression that weighs most. */
  #showChosen() {
    const [strongest] = [...this.#pose.mixture].sort((a, b) => b[1] - a[1]);
    if (strongest) this.#chosen.value = strongest[0];
  }

  /** Makes the sliders of the parts, linked or apart. */
  #showParts() {
    const open = [...this.#parts.querySelectorAll('details')].filter((part) => part.open).map(({ id }) => id);
    const isFirst = this.#parts.childElementCount === 0;
    this.#controls = [];
    const parts = partsOf(this.#pose.controls, this.#apart.checked).map(({ name, rows }) => {
      const sliders = rows.map(({ label, controls }) => this.#controlSlider(label, controls));
      this.#controls.push(...sliders);
      const made = details((words) => words.parts[name], sliders);
      made.id = `part-${this.#index}-${name}`;
      made.open = isFirst ? name === FIRST_OPEN : open.includes(made.id);
      return made;
    });
    this.#parts.replaceChildren(...parts);
    this.#refresh();
  }

  /** @param {Text} label @param {string[]} controls */
  #controlSlider(label, controls) {
    const most = Math.min(...controls.map((name) => this.#pose.mostOf(name)));
    return new Slider(label, controls, most, `control-${this.#index}-${controls.join('-')}`, (value) => {
      this.#pose.move(controls, value);
      void this.#moved();
    });
  }

  #back() {
    this.#pose.reset();
    void this.#moved();
  }

  /**
   * A target that was given as text, which the network may refuse.
   * @param {Target} target
   */
  async #take(target) {
    const move = ++this.#moves;
    if (!(await this.#onMove(target)) || move !== this.#moves) return;
    this.#pose.take(target);
    const { moved } = this.#pose;
    const differ = pairsOf(this.#pose.controls).some(([left, right]) => moved.get(left) !== moved.get(right));
    if (differ && !this.#apart.checked) {
      this.#apart.checked = true;
      this.#showParts();
    }
    this.#showChosen();
    this.#refresh();
  }

  async #moved() {
    this.#moves += 1;
    this.#refresh();
    try {
      await this.#onMove(this.#pose.target());
    } catch (error) {
      this.#text.refuse(error);
    }
  }

  /** Writes where everything stands. */
  #refresh() {
    const pose = this.#pose;
    const target = pose.target();
    this.#intensity.show(pose.mixture.get(this.#chosen.value) ?? 0, true);
    this.#mixture.forEach((slider) => slider.show(pose.mixture.get(slider.names[0]) ?? 0, pose.mixture.has(slider.names[0])));
    for (const slider of this.#controls) {
      const values = slider.names.map((name) => pose.valueOf(name));
      const known = values.filter((value) => value !== null);
      const mean = known.length > 0 ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
      slider.show(mean, slider.names.some((name) => pose.moved.has(name)));
    }
    this.#reset.disabled = !target;
    this.#text.show(target);
  }
}

/**
 * @param {Text} title
 * @param {Slider[]} sliders
 */
function details(title, sliders) {
  return element('details', { className: 'part' }, element('summary', {}, title), ...sliders.map(({ root }) => root));
}
