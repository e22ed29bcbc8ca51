// @ts-check
/** @file Was this picture made here? Which marks of a synthetic picture were found in it, and which were not. */

import { element } from './dom.js';
import { say } from './language.js';
import { fixed } from './numbers.js';

/** @typedef {import('../api/index.js').Check} Check */
/** @typedef {import('../api/index.js').FersNet} FersNet */
/** @typedef {import('../api/index.js').FoundPicture} FoundPicture */
/** @typedef {import('./language.js').Text} Text */
/** @typedef {import('./language.js').Words} Words */

/** The question below the photo, and its answer. */
export class Origin {
  #root;
  #says = element('p', { className: 'origin-says', role: 'status', data: { testid: 'made-here' }, hidden: true });
  #list = element('div', { className: 'origin-list', id: 'origin-list', data: { testid: 'origin-list' }, hidden: true });
  #button = element(
    'button',
    {
      type: 'button',
      className: 'button small',
      aria: { expanded: false, controls: 'origin-list' },
      data: { testid: 'origin' },
      onclick: () => this.#toggle(),
    },
    (words) => words.origin.question,
  );

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
    root.append(this.#says, this.#button, this.#list);
    this.clear();
  }

  /** Forgets the picture. */
  clear() {
    this.#root.hidden = true;
    this.#says.hidden = true;
    say(this.#says, '');
    this.#list.replaceChildren(element('p', { className: 'hint' }, (words) => words.origin.looking));
    delete this.#root.dataset.madeHere;
  }

  /**
   * Looks for the marks of a picture that has been answered.
   * @param {FersNet} net
   * @param {FoundPicture} picture
   * @param {AbortSignal} signal
   */
  async show(net, picture, signal) {
    this.#root.hidden = false;
    try {
      const check = await net.check(picture, { signal });
      if (!signal.aborted) this.#tell(check);
    } catch {
      // What was asked for is answered already: the page goes on, and says here that this is not.
      if (!signal.aborted) this.#list.replaceChildren(element('p', { className: 'hint' }, (words) => words.origin.failed));
    }
  }

  /** @param {Check} check */
  #tell(check) {
    const { madeHere, metadata, badge, watermark, claims } = check;
    const marks = /** @type {const} */ (['metadata', 'badge', 'watermark']).filter(
      (mark) => ({ metadata, badge: badge.found, watermark: watermark.found })[mark],
    );
    this.#root.dataset.madeHere = String(madeHere);
    this.#says.hidden = !madeHere;
    say(this.#says, madeHere ? (words) => words.origin.madeHere(words.list(marks.map((mark) => words.origin[mark]))) : '');
    const there = (/** @type {boolean} */ is) => (/** @type {Words} */ { origin }) => (is ? origin.there : origin.notThere);
    this.#list.replaceChildren(
      element(
        'dl',
        {},
        ...row('metadata', ({ origin }) => origin.metadataRow, (words) => found(words, metadata)),
        ...row('badge', ({ origin }) => origin.badgeRow, (words) => scored(words, badge, 2)),
        ...row('watermark', ({ origin }) => origin.watermarkRow, (words) => scored(words, watermark, 1)),
        ...row('source', ({ origin }) => origin.sourceRow, ({ origin }) => claims.sourceTypes.join(', ') || origin.notThere),
        ...row('credentials', ({ origin }) => origin.credentialsRow, there(claims.contentCredentials)),
        ...row('xmp', ({ origin }) => origin.xmpRow, there(claims.xmp)),
      ),
      element('p', { className: 'hint' }, ({ origin }) => (madeHere ? origin.some : origin.none)),
    );
  }

  #toggle() {
    this.#list.hidden = !this.#list.hidden;
    this.#button.setAttribute('aria-expanded', String(!this.#list.hidden));
  }
}

/** @param {Words} words @param {boolean} is */
function found({ origin }, is) {
  return is ? origin.found : origin.notFound;
}

/**
 * @param {Words} words
 * @param {Check['badge']} mark
 * @param {number} digits
 */
function scored(words, { found: is, score = 0, threshold = 0 }, digits) {
  return words.origin.scored(found(words, is), fixed(words, score, digits), fixed(words, threshold, digits));
}

/**
 * @param {string} name
 * @param {Text} what was looked for
 * @param {Text} answer
 */
function row(name, what, answer) {
  return [element('dt', {}, what), element('dd', { data: { testid: `origin-${name}` } }, answer)];
}
