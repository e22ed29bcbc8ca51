// @ts-check
/** @file Where one face's answer came from: the gates between the branches, and what covering the face changes. */

import { element } from './dom.js';
import { sayError } from './failures.js';
import { expressionIn, say } from './language.js';
import { fixed, percent } from './numbers.js';
import { drawHeat, greyFace, strongestPart } from './heat.js';

/** @typedef {import('../api/index.js').FersNet} FersNet */
/** @typedef {import('../api/index.js').GateMap} GateMap */
/** @typedef {import('../api/index.js').ReadFace} ReadFace */
/** @typedef {import('./language.js').Text} Text */
/** @typedef {import('./language.js').Words} Words */

/** A fall of the probability below this is called small. */
const SMALL = 0.05;

/** The range of a map that would be empty. */
const LEAST = 0.001;

/** The panel of one face. */
export class Why {
  #net;
  #face;
  #onBusy;
  #grey;
  /** Ends the look at the gates. */
  #current = new AbortController();
  /** @type {AbortController | null} ends the covering, while that is under way */
  #covering = null;
  #gates = element('div', { className: 'why-gates' }, hint((words) => words.why.looking));
  #cover;
  #coverText = element('p', { className: 'hint', role: 'status' });
  #coverMap = element('div', {});

  /**
   * @param {FersNet} net
   * @param {ReadFace} face
   * @param {() => () => void} onBusy something is computed, until the returned function is called
   */
  constructor(net, face, onBusy) {
    this.#net = net;
    this.#face = face;
    this.#onBusy = onBusy;
    this.#grey = greyFace(face);
    this.#cover = element(
      'button',
      { type: 'button', className: 'button small', data: { testid: `cover-${face.index}` }, onclick: () => void this.#toggleCover() },
      (words) => words.why.cover,
    );
    /** @type {HTMLElement} */
    this.root = element(
      'div',
      { className: 'why', id: `why-panel-${face.index}`, data: { testid: `why-panel-${face.index}` } },
      element('h3', {}, (words) => words.why.restsOn),
      hint((words) => words.why.covering(expressionIn(words, face.expression))),
      element('div', { className: 'row' }, this.#cover, this.#coverText),
      this.#coverMap,
      element('h3', {}, (words) => words.why.tookTitle),
      this.#gates,
    );
    void this.#showGates();
  }

  /** Ends what is being computed. */
  close() {
    this.#current.abort();
    this.#covering?.abort();
  }

  async #showGates() {
    const done = this.#onBusy();
    try {
      const maps = await this.#net.gates(this.#face, { signal: this.#current.signal });
      this.#gates.replaceChildren(...(maps.length > 0 ? this.#gateParts(maps) : [hint((words) => words.why.noGates)]));
    } catch (error) {
      if (!this.#current.signal.aborted) this.#gates.replaceChildren(failure(error));
    } finally {
      done();
    }
  }

  /** @param {GateMap[]} maps */
  #gateParts(maps) {
    const levels = Math.max(...maps.map(({ level }) => level));
    /** @type {HTMLElement[]} */
    const parts = [hint((words) => words.why.gates)];
    for (const receiver of /** @type {const} */ (['recognition', 'synthesis'])) {
      const rows = maps.filter((map) => map.receiver === receiver).map((map) => this.#gateRow(map, levels));
      parts.push(element('h4', {}, (words) => words.why.took(receiver)), element('ul', { className: 'gates' }, ...rows));
    }
    return parts;
  }

  /** @param {GateMap} map @param {number} levels */
  #gateRow(map, levels) {
    const { level, receiver, side, letIn, taken } = map;
    /** @type {Text} */
    const name = ({ why }) => (levels === why.fineness.length ? why.fineness[level - 1] : why.level(level));
    const [letInAt, takenAt] = [strongestPart(letIn), strongestPart(taken)];
    /** @type {Text} */
    const sentence = (words) => words.why.gate(receiver, share(words, mean(letIn)), letInAt, share(words, mean(taken)), takenAt);
    const id = `${this.#face.index}-${receiver}-${level}`;
    return element(
      'li',
      { data: { testid: `gates-${id}` } },
      this.#map(letIn, (words) => words.why.letInLabel(name(words), receiver)),
      this.#map(taken, (words) => words.why.takenLabel(name(words), receiver)),
      element('p', {}, element('strong', {}, (words) => words.why.map(name(words), side)), element('br'), sentence),
    );
  }

  /**
   * A map with its scale.
   * @param {ArrayLike<number>} values
   * @param {Text} label
   * @param {[number, number]} [range]
   */
  #map(values, label, range = rangeOf(values)) {
    /** @type {Text[]} */
    const [low, high] = range.map((end) => (/** @type {Words} */ words) => share(words, end));
    const canvas = element('canvas', { role: 'img' });
    say(canvas, (words) => words.why.range(label(words), low(words), high(words)), 'aria-label');
    drawHeat(canvas, this.#grey, values, range);
    const scale = element('span', { className: 'scale', aria: { hidden: true } }, low, element('span', { className: 'ramp' }), high);
    return element('div', { className: 'heat' }, canvas, scale);
  }

  async #toggleCover() {
    if (this.#covering) {
      this.#covering.abort();
      return;
    }
    const covering = new AbortController();
    const { signal } = covering;
    this.#covering = covering;
    say(this.#cover, (words) => words.why.stop);
    say(this.#coverText, (words) => words.why.coverBegins);
    const done = this.#onBusy();
    try {
      const { fall } = await this.#net.cover(this.#face, {
        signal,
        onProgress: (rows, of) => say(this.#coverText, (words) => words.why.covered(percent(words, rows / of, 0))),
      });
      this.#showFall(fall);
    } catch (error) {
      if (signal.aborted) say(this.#coverText, (words) => words.why.stopped);
      else sayError(this.#coverText, error);
    } finally {
      this.#covering = null;
      say(this.#cover, (words) => words.why.cover);
      done();
    }
  }

  /** @param {Float32Array} fall of the probability, by cell */
  #showFall(fall) {
    const { expression, probabilities } = this.#face;
    const highest = Math.max(...fall);
    const part = strongestPart(fall);
    /** @type {Text} */
    const sentence = (words) => {
      const told = highest < SMALL ? words.why.fallSmall : words.why.fall;
      return told(expressionIn(words, expression), percent(words, probabilities[expression]), points(words, highest), part);
    };
    say(this.#coverText, '');
    const label = (/** @type {Words} */ words) => words.why.fallLabel(expressionIn(words, expression));
    const map = this.#map(fall, label, [0, Math.max(highest, LEAST)]);
    this.#coverMap.replaceChildren(
      element('div', { className: 'fall', data: { testid: `fall-${this.#face.index}` } }, map, element('p', {}, sentence)),
    );
  }
}

/** @param {Text} text */
function hint(text) {
  return element('p', { className: 'hint' }, text);
}

/** @param {unknown} error */
function failure(error) {
  const made = element('p', { className: 'hint' });
  sayError(made, error);
  return made;
}

/** @param {ArrayLike<number>} values */
function mean(values) {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}

/** @param {ArrayLike<number>} values @returns {[number, number]} */
function rangeOf(values) {
  const all = Array.from(values);
  return [Math.min(...all), Math.max(...all)];
}

/** @param {Words} words @param {number} part */
function share(words, part) {
  return percent(words, part, part > 0 && part < 0.095 ? 1 : 0);
}

/** @param {Words} words @param {number} part */
function points(words, part) {
  return words.points(fixed(words, Math.max(0, part * 100), part < 0.095 ? 1 : 0));
}
