// @ts-check
/** @file What the sliders of one face stand at, and the target that they make. */

import { entry } from './language.js';
import { weightsOf } from './target.js';

/** @typedef {import('../api/index.js').Target} Target */

/** What the sliders know of a network. @typedef {Pick<import('../api/index.js').FersNet, 'classes' | 'presets'>} Known */

/** The largest weight of a control, and of the expressions together, where there are controls (src/network). */
const MOST_WITH_CONTROLS = 1.2;

/** The control of the mouth painter: the share of an open mouth that shows teeth. */
export const TEETH = 'teethShown';

/** The name under which a target weighs what the face itself shows. */
const OWN = 'own';

/**
 * The sliders' values. Expressions are added by their weights, from where the face is: what they leave of 1 is
 * the face's own expression. Then single controls are set to theirs.
 */
export class Pose {
  /** @type {readonly string[]} */ classes;
  /** @type {readonly string[]} the names of single controls; empty for weights without them */ controls;
  /** The largest sum of the expressions' weights. */
  most;
  /** @type {Map<string, number>} the expressions' weights above 0 */ mixture = new Map();
  /** @type {Map<string, number>} the controls that were moved */ moved = new Map();
  #face;
  #known;
  /** The weight of the face's own expression; null: what the expressions leave of 1. @type {number | null} */
  #own = null;

  /**
   * @param {Known} known
   * @param {Record<string, number>} face what the face shows of each control
   */
  constructor(known, face) {
    const names = Object.keys(face);
    this.#known = known;
    this.#face = face;
    this.classes = known.classes;
    this.controls = names.length > 0 ? [...names, TEETH] : [];
    this.most = names.length > 0 ? MOST_WITH_CONTROLS : 1;
  }

  /** @param {string} control */
  mostOf(control) {
    return control === TEETH ? 1 : this.most;
  }

  /** The weight of what the face itself shows. */
  get own() {
    if (this.controls.length === 0) return 0;
    const sum = [...this.mixture.values()].reduce((all, part) => all + part, 0);
    return this.#own ?? Math.max(0, hundredths(1 - sum));
  }

  /**
   * Where the slider of a control stands, beyond its end where an expression sets more; null where the mouth painter decides.
   * @param {string} control
   */
  valueOf(control) {
    const moved = this.moved.get(control);
    if (moved !== undefined) return moved;
    const { own } = this;
    const presets = [...this.mixture].map(([name, weight]) => ({ weight, preset: entry(this.#known.presets, name) ?? {} }));
    if (control === TEETH) {
      // A mouth that is still the face's own in part shows its own teeth in that part.
      const shown = own > 0 ? [] : presets.filter(({ preset }) => preset[TEETH] !== undefined);
      if (shown.length === 0) return null;
      return hundredths(Math.min(1, shown.reduce((sum, { weight, preset }) => sum + weight * preset[TEETH], 0)));
    }
    const mixed = presets.reduce((sum, { weight, preset }) => sum + weight * (preset[control] ?? 0), 0);
    return hundredths(mixed + own * (this.#face[control] ?? 0));
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
    this.#own = null;
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
    this.#own = null;
  }

  /**
   * Stands where a target says: what it does not name is 0, the face's own expression too.
   * @param {Target} target
   */
  take(target) {
    const weights = Object.entries(weightsOf(target));
    const isExpression = (/** @type {string} */ name) => this.classes.includes(name);
    this.mixture = new Map(weights.filter(([name, weight]) => isExpression(name) && weight > 0));
    this.moved = new Map(weights.filter(([name]) => !isExpression(name) && name !== OWN));
    this.#own = weightsOf(target)[OWN] ?? 0;
  }

  /**
   * The target; null where nothing was moved and the photo stays as it is.
   * @returns {Target | null}
   */
  target() {
    const { own } = this;
    const isFace = this.mixture.size === 0 && (own === 1 || this.controls.length === 0);
    if (isFace && this.moved.size === 0) return null;
    if (this.mixture.size === 1 && this.moved.size === 0 && own === 0) {
      const [[name, weight]] = this.mixture;
      if (weight === 1) return name;
    }
    const named = [...(own > 0 ? [/** @type {const} */ ([OWN, own])] : []), ...this.mixture, ...this.moved];
    return Object.fromEntries(named);
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
