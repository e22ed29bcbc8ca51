// @ts-check
/** @file Where one face's answer came from: the gates between the branches, and what covering the face changes. */

import { element, percent } from './dom.js';
import { drawHeat, greyFace, strongestPart } from './heat.js';

/** @typedef {import('../api/index.js').FersNet} FersNet */
/** @typedef {import('../api/index.js').GateMap} GateMap */
/** @typedef {import('../api/index.js').ReadFace} ReadFace */

/** What each branch does, and the other one. */
const BRANCHES = /** @type {const} */ ({
  recognition: ['recognising', 'synthesising'],
  synthesis: ['synthesising', 'recognising'],
});

const FINENESS = ['Fine', 'Middle', 'Coarse'];

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
  #gates = element('div', { className: 'why-gates' }, element('p', { className: 'hint' }, 'Looking at the gates …'));
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
      'Cover the face part by part',
    );
    const covering =
      `A grey patch covers one part of the face after the other, and each time the face is recognised anew: ` +
      `bright where ${face.expression} loses most.`;
    /** @type {HTMLElement} */
    this.root = element(
      'div',
      { className: 'why', id: `why-panel-${face.index}`, data: { testid: `why-panel-${face.index}` } },
      element('h3', {}, 'Which parts of the face it rests on'),
      element('p', { className: 'hint' }, covering),
      element('div', { className: 'row' }, this.#cover, this.#coverText),
      this.#coverMap,
      element('h3', {}, 'What the two tasks took from each other'),
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
      this.#gates.replaceChildren(...(maps.length > 0 ? this.#gateParts(maps) : [hint('This network has no gates: its tasks share all or nothing.')]));
    } catch (error) {
      if (!this.#current.signal.aborted) this.#gates.replaceChildren(hint(textOf(error)));
    } finally {
      done();
    }
  }

  /** @param {GateMap[]} maps */
  #gateParts(maps) {
    const levels = Math.max(...maps.map(({ level }) => level));
    /** @type {HTMLElement[]} */
    const parts = [
      hint(
        'The network has a branch that recognises and one that synthesises. Where they meet, gates open and close. ' +
          'Left: where a branch let in features of the other one. Right: where the mixture took the place of its own. ' +
          'Bright is much. Gates say what was let in, not that the answer came from it.',
      ),
    ];
    for (const receiver of /** @type {const} */ (['recognition', 'synthesis'])) {
      const [own, other] = BRANCHES[receiver];
      const rows = maps.filter((map) => map.receiver === receiver).map((map) => this.#gateRow(map, levels));
      parts.push(element('h4', {}, `What ${own} took from ${other}`), element('ul', { className: 'gates' }, ...rows));
    }
    return parts;
  }

  /** @param {GateMap} map @param {number} levels */
  #gateRow(map, levels) {
    const { level, receiver, side, letIn, taken } = map;
    const [own, other] = BRANCHES[receiver];
    const name = levels === FINENESS.length ? FINENESS[level - 1] : `Level ${level}`;
    const words =
      `${own} let in ${share(mean(letIn))} of what ${other} has here${most(letIn)}; the mixture took the place of ` +
      `${share(mean(taken))} of its own${most(taken)}.`;
    const id = `${this.#face.index}-${receiver}-${level}`;
    return element(
      'li',
      { data: { testid: `gates-${id}` } },
      this.#map(letIn, `${name}: where ${own} let in features of ${other}`),
      this.#map(taken, `${name}: where the mixture took the place of what ${own} had`),
      element('p', {}, element('strong', {}, `${name} (${side} × ${side})`), element('br'), words[0].toUpperCase() + words.slice(1)),
    );
  }

  /**
   * A map with its scale.
   * @param {ArrayLike<number>} values
   * @param {string} label
   * @param {[number, number]} [range]
   */
  #map(values, label, range = rangeOf(values)) {
    const canvas = element('canvas', { role: 'img', aria: { label: `${label}, from ${share(range[0])} to ${share(range[1])}` } });
    drawHeat(canvas, this.#grey, values, range);
    const scale = element('span', { className: 'scale', aria: { hidden: true } }, share(range[0]), element('span', { className: 'ramp' }), share(range[1]));
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
    this.#cover.textContent = 'Stop';
    this.#coverText.textContent = 'Covering …';
    const done = this.#onBusy();
    try {
      const { fall } = await this.#net.cover(this.#face, {
        signal,
        onProgress: (rows, of) => (this.#coverText.textContent = `Covering: ${Math.round((100 * rows) / of)} %`),
      });
      this.#showFall(fall);
    } catch (error) {
      this.#coverText.textContent = signal.aborted ? 'Stopped.' : textOf(error);
    } finally {
      this.#covering = null;
      this.#cover.textContent = 'Cover the face part by part';
      done();
    }
  }

  /** @param {Float32Array} fall of the probability, by cell */
  #showFall(fall) {
    const { expression, probabilities } = this.#face;
    const highest = Math.max(...fall);
    const part = strongestPart(fall);
    const whole = percent(probabilities[expression]);
    const name = expression[0].toUpperCase() + expression.slice(1);
    const where = part ? `, most at ${part}` : '';
    const words =
      highest < SMALL
        ? `${name} stands at ${whole}, and no patch changes much: ${points(highest)} at most${where}.`
        : `${name} stands at ${whole} and falls by up to ${points(highest)}${where}.`;
    this.#coverText.textContent = '';
    const map = this.#map(fall, `What ${expression} loses where the face is covered`, [0, Math.max(highest, LEAST)]);
    this.#coverMap.replaceChildren(
      element('div', { className: 'fall', data: { testid: `fall-${this.#face.index}` } }, map, element('p', {}, words)),
    );
  }
}

/** @param {string} text */
function hint(text) {
  return element('p', { className: 'hint' }, text);
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

/** @param {ArrayLike<number>} values */
function most(values) {
  const part = strongestPart(values);
  return part ? `, most at ${part}` : ', about alike over the face';
}

/** @param {number} part */
function share(part) {
  return `${(part * 100).toFixed(part > 0 && part < 0.095 ? 1 : 0)} %`;
}

/** @param {number} part */
function points(part) {
  return `${Math.max(0, part * 100).toFixed(part < 0.095 ? 1 : 0)} percentage points`;
}

/** @param {unknown} error */
function textOf(error) {
  return error instanceof Error ? error.message : String(error);
}
