// @ts-check
/** @file One face's answers: its expression, all probabilities, and the face synthesised. */

import { draw, element } from './dom.js';
import { expressionIn, follow, say } from './language.js';
import { percent } from './numbers.js';
import { doubtfulness, surenessOf } from './sure.js';
import { textOf } from './target.js';

/** @typedef {import('../api/index.js').FoundFace} FoundFace */
/** @typedef {import('../api/index.js').ReadFace} ReadFace */
/** @typedef {import('../api/index.js').SynthesisedFace} SynthesisedFace */
/** @typedef {import('../api/index.js').Target} Target */
/** @typedef {import('./language.js').Text} Text */
/** @typedef {import('./sliders.js').Sliders} Sliders */
/** @typedef {import('./why.js').Why} Why */

/**
 * @typedef {object} PanelEvents
 * @property {(step: -1 | 1) => void} onStep another face is wanted
 * @property {(synthesised: SynthesisedFace) => void} onPut a synthesised face goes into the photo, or out of it
 * @property {(all: boolean) => void} onAll what is done to this face is to be done to all, or to it alone
 * @property {(face: ReadFace) => Promise<Why>} onWhy where the answer came from is asked for
 * @property {(synthesised: SynthesisedFace[]) => Promise<void>} onSheet all synthesised faces are to be saved as one picture
 */

/** The panel of one face. */
export class Panel {
  #face;
  #events;
  #bars;
  #tiles;
  #expression;
  #other = element('span', {});
  #unsure = element('span', { className: 'unsure', hidden: true }, (words) => words.sure.notSure);
  #doubt;
  #quality;
  #all;
  #allStatus;
  #whyButton;
  /** @type {Promise<Why> | null} once it was asked for */ #why = null;
  #sheetButton;
  /** @type {Sliders | null} come after the thumbnails */ #sliders = null;

  /**
   * @param {FoundFace} face
   * @param {readonly string[]} classes
   * @param {boolean} synthesises whether synthesised faces will come
   * @param {PanelEvents} events
   */
  constructor(face, classes, synthesises, events) {
    this.#face = face;
    this.#events = events;
    const { index } = face;
    const count = face.picture.faces.length;
    this.#expression = element('span', { data: { testid: `expression-${index}` } }, '…');
    this.#doubt = element('p', { className: 'doubt', hidden: true, data: { testid: `doubt-${index}` } });
    this.#quality = element('p', { className: 'doubt', hidden: true, data: { testid: `quality-${index}` } });
    this.#bars = element('ul', { className: 'bars', aria: { label: (words) => words.face.probabilities } });
    this.#whyButton = element(
      'button',
      { type: 'button', className: 'button small', disabled: true, aria: { expanded: false }, data: { testid: `why-${index}` } },
      (words) => words.face.why,
    );
    this.#sheetButton = element(
      'button',
      { type: 'button', className: 'button small', disabled: true, data: { testid: `sheet-${index}` } },
      (words) => words.face.sheet,
    );
    this.#tiles = element(
      'ul',
      { className: 'tiles' },
      ...(synthesises ? classes : []).map(() => element('li', {}, element('div', { className: 'tile-waits' }))),
    );
    this.#all = element('input', { type: 'checkbox', data: { testid: `all-${index}` }, onchange: () => events.onAll(this.#all.checked) });
    this.#allStatus = element('p', { className: 'hint', role: 'status', data: { testid: `all-status-${index}` } });
    /** @type {HTMLElement} */
    this.root = element(
      'section',
      { className: 'panel', id: `panel-${index}`, aria: { label: (words) => words.face.number(index + 1, count) } },
      element('div', { className: 'panel-head' }, this.#title(count), this.#pager(count), this.#doubt, this.#quality),
      this.#bars,
      element(
        'div',
        { className: 'row' },
        this.#whyButton,
        element('p', { className: 'hint' }, (words) => words.face.calibrated),
      ),
    );
    if (synthesises) {
      this.root.append(
        element(
          'div',
          { className: 'synthesised' },
          element('h3', {}, (words) => words.face.synthesised),
          element('p', { className: 'hint' }, (words) => words.face.chooseOne),
          ...(count > 1 ? this.#allSwitch() : []),
          this.#tiles,
          element('div', { className: 'row' }, this.#sheetButton),
        ),
      );
    }
  }

  /**
   * Writes the expression and the probabilities of the face.
   * @param {ReadFace} face
   */
  showRecognised(face) {
    const { index, expression, probabilities } = face;
    say(this.#expression, (words) => expressionIn(words, expression));
    follow(this.root, 'sureness', (words) => {
      const { sure, other, reason } = surenessOf(face, words);
      Object.assign(this.#expression.dataset, { expression, certain: String(sure) });
      this.#other.textContent = other ? words.sure.or(other) : '';
      this.#unsure.hidden = sure;
      this.#doubt.hidden = sure;
      this.#doubt.textContent = reason;
      this.#quality.textContent = doubtfulness(face.doubts, words);
    });
    this.#quality.hidden = face.doubts.length === 0;
    this.#whyButton.disabled = false;
    this.#whyButton.onclick = () => void this.#toggleWhy(face);
    this.#bars.replaceChildren(
      ...Object.entries(probabilities).map(([name, value]) => {
        const fill = element('span', { className: 'bar-fill' });
        fill.style.width = `${value * 100}%`;
        return element(
          'li',
          {
            className: name === expression ? 'top-class' : '',
            data: { testid: `probability-${index}-${name}`, value },
          },
          element('span', {}, (words) => expressionIn(words, name)),
          element('span', { className: 'bar', aria: { hidden: true } }, fill),
          element('span', { className: 'bar-value' }, (words) => percent(words, value)),
        );
      }),
    );
  }

  /**
   * Shows the synthesised faces.
   * @param {SynthesisedFace[]} synthesised
   */
  showSynthesised(synthesised) {
    this.#tiles.replaceChildren(...synthesised.map((one) => element('li', {}, this.#tile(one))));
    this.#sheetButton.disabled = false;
    this.#sheetButton.onclick = () => void this.#saveSheet(synthesised);
  }

  /**
   * Marks the synthesised face that is in the photo.
   * @param {SynthesisedFace | undefined} put
   */
  press(put) {
    for (const tile of this.#tiles.querySelectorAll('button')) {
      const is = put !== undefined && tile.dataset.target === textOf(put.target);
      tile.setAttribute('aria-pressed', String(is));
    }
  }

  /**
   * @param {Sliders} sliders
   * @param {Target | null} target what the photo's face shows; null: the photo's own
   */
  addSliders(sliders, target) {
    this.#sliders = sliders;
    sliders.follow(target);
    sliders.moveAll(this.#all.checked);
    this.root.append(sliders.root);
  }

  /** The sliders could not be fetched. */
  lackSliders() {
    this.root.append(element('p', { className: 'hint' }, (words) => words.face.noSliders));
  }

  /**
   * The sliders stand where the photo's face was put without them.
   * @param {Target | null} target
   * @returns {boolean} whether there are sliders
   */
  follow(target) {
    this.#sliders?.follow(target);
    return this.#sliders !== null;
  }

  /** What is done here is done to all faces, or to this one alone. @param {boolean} all */
  moveAll(all) {
    this.#all.checked = all;
    this.#sliders?.moveAll(all);
    const { length } = this.#face.picture.faces;
    say(this.#allStatus, all ? (words) => words.face.allAlike(length) : '');
  }

  /** All faces show what this one was given. @param {boolean} moved false: they are the photo's own again */
  tellFollowed(moved) {
    const { length } = this.#face.picture.faces;
    say(this.#allStatus, (words) => (moved ? words.face.allMoved(length) : words.face.allOwn(length)));
  }

  /** Ends what is being computed for it. */
  close() {
    void this.#why?.then((why) => why.close()).catch(() => {});
  }

  /** @param {ReadFace} face */
  async #toggleWhy(face) {
    const isNew = !this.#why;
    this.#why ??= this.#events.onWhy(face);
    try {
      const { root } = await this.#why;
      // Below the button that opens it.
      if (isNew) this.#whyButton.parentElement?.after(root);
      else root.hidden = !root.hidden;
      this.#whyButton.setAttribute('aria-controls', root.id);
      this.#whyButton.setAttribute('aria-expanded', String(!root.hidden));
    } catch {
      this.#why = null;
      this.#whyButton.after(element('p', { className: 'hint', role: 'status' }, (words) => words.face.noWhy));
    }
  }

  /** @param {SynthesisedFace[]} synthesised */
  async #saveSheet(synthesised) {
    this.#sheetButton.disabled = true;
    try {
      await this.#events.onSheet(synthesised);
    } catch {
      this.#sheetButton.after(element('p', { className: 'hint', role: 'status' }, (words) => words.face.noSheet));
    } finally {
      this.#sheetButton.disabled = false;
    }
  }

  #allSwitch() {
    return [element('label', { className: 'switch' }, this.#all, (words) => words.face.all), this.#allStatus];
  }

  /** @param {number} count */
  #title(count) {
    const { index } = this.#face;
    return element(
      'div',
      {},
      element('p', { className: 'panel-count' }, ({ face }) => (count > 1 ? face.numberShows(index + 1, count) : face.shows)),
      element('h2', {}, this.#expression, this.#other, ' ', this.#unsure),
    );
  }

  /** @param {number} count */
  #pager(count) {
    /** @param {-1 | 1} step @param {string} sign @param {Text} label */
    const button = (step, sign, label) =>
      element(
        'button',
        { type: 'button', className: 'button', aria: { label }, onclick: () => this.#events.onStep(step) },
        sign,
      );
    return count > 1
      ? element('div', { className: 'pager' }, button(-1, '‹', (words) => words.face.previous), button(1, '›', (words) => words.face.next))
      : '';
  }

  /** @param {SynthesisedFace} synthesised */
  #tile(synthesised) {
    const name = String(synthesised.target);
    const canvas = element('canvas', { aria: { hidden: true } });
    draw(canvas, synthesised.image);
    return element(
      'button',
      {
        type: 'button',
        className: 'tile',
        data: { testid: `synthesis-${this.#face.index}-${name}`, target: textOf(name) },
        aria: { pressed: false },
        onclick: () => this.#events.onPut(synthesised),
      },
      canvas,
      element('span', { className: 'tile-name' }, (words) => expressionIn(words, name)),
      ' ',
      element('span', { className: 'badge' }, (words) => words.page.synthetic),
    );
  }
}
