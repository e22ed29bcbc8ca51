// @ts-check
/** @file What the sliders of one face stand at, and the target that they make. */

import { weightsOf } from './target.js';

/** @typedef {import('../api/index.js').Target} Target */

/** The largest weight of a control, and of the expressions together (src/network). */
const MOST_WITH_CONTROLS = 1.2;

/** The control of the mouth painter: the share of an open mouth that shows teeth. */
export const TEETH = 'teethShown';

/**
 * The sliders' values. Expressions are added by their weights, then single controls set to theirs; without
 * an expression the other controls stay as the face itself shows them.
 */
export class Pose {
  /** @type {readonly string[]} */ classes;
  /** @type {readonly string[]} the names of single controls; empty for weights without them */ controls;
  /** The largest sum of the expressions' weights. */
  most;
  /** @type {Map<string, number>} the expressions' weights above 0 */ mixture = new Map();
  /** @type {Map<string, number>} the controls that were moved */ moved = new Map();
  #own;
  /** Whether the face's own controls hold where no expression and no slider says another thing. */
  #onOwn = true;

  /**
   * @param {readonly string[]} classes
   * @param {Record<string, number>} own what the face shows of each control
   */
  constructor(classes, own) {
    const names = Object.keys(own);
    this.classes = classes;
    this.controls = names.length > 0 ? [...names, TEETH] : [];
    this.most = names.length > 0 ? MOST_WITH_CONTROLS : 1;
    this.#own = new Map(Object.entries(own).map(([name, value]) => [name, hundredths(Math.min(value, this.most))]));
  }

  /** @param {string} control */
  mostOf(control) {
    return control === TEETH ? 1 : this.most;
  }

  /**
   * Where the slider of a control stands; null where the expressions or the painter decide.
   * @param {string} control
   */
  valueOf(control) {
    const moved = this.moved.get(control);
    if (moved !== undefined) return moved;
    if (this.mixture.size > 0 || control === TEETH) return null;
    return this.#onOwn ? (this.#own.get(control) ?? 0) : 0;
  }

  /**
   * Sets an expression's weight; the others give way where the sum would be too large.
   * @param {string} name
   * @param {number} weight
   */
  mix(name, weight) {
    this.mixture.set(name, 0);
    const others = [...this.mixture.values()].reduce((sum, part) => sum + part, 0);
    const scale = Math.min(1, (this.most - weight) / (others || 1));
    // Rounded down, so that the sum stays within its limit.
    for (const [other, part] of this.mixture) this.mixture.set(other, downToHundredths(part * scale));
    this.mixture.set(name, weight);
    for (const [one, part] of this.mixture) if (part === 0) this.mixture.delete(one);
    this.#onOwn = true;
  }

  /**
   * @param {readonly string[]} controls
   * @param {number} value
   */
  move(controls, value) {
    for (const control of controls) this.moved.set(control, value);
  }

  /** Back to the face itself. */
  reset() {
    this.mixture.clear();
    this.moved.clear();
    this.#onOwn = true;
  }

  /**
   * Stands where a target says. Without an expression, what it does not name is 0.
   * @param {Target} target
   */
  take(target) {
    const weights = Object.entries(weightsOf(target));
    const isExpression = (/** @type {string} */ name) => this.classes.includes(name);
    this.mixture = new Map(weights.filter(([name, weight]) => isExpression(name) && weight > 0));
    this.moved = new Map(weights.filter(([name]) => !isExpression(name)));
    this.#onOwn = this.mixture.size > 0;
  }

  /**
   * The target; null where nothing was moved and the photo stays as it is.
   * @returns {Target | null}
   */
  target() {
    if (this.mixture.size === 0 && this.moved.size === 0) return null;
    if (this.mixture.size === 1 && this.moved.size === 0) {
      const [[name, weight]] = this.mixture;
      if (weight === 1) return name;
    }
    if (this.mixture.size > 0) return Object.fromEntries([...this.mixture, ...this.moved]);
    const values = this.controls.map((name) => /** @type {const} */ ([name, this.valueOf(name)]));
    // What is not named is 0; a control that was moved to 0 is named, so that there is a target.
    const named = values.filter(([name, value]) => value || this.moved.has(name));
    return Object.fromEntries(named.map(([name, value]) => [name, value ?? 0]));
  }
}

/** @param {number} value */
function hundredths(value) {
  return Math.round(value * 100) / 100;
}

/** @param {number} value */
function downToHundredths(value) {
  // 0.29 * 100 is 28.999999999999996.
  return Math.floor(value * 100 + 1e-6) / 100;
}
