// @ts-check
/** @file Was this picture made here? Which marks of a synthetic picture were found in it, and which were not. */

import { element } from './dom.js';

/** @typedef {import('../api/index.js').Check} Check */
/** @typedef {import('../api/index.js').FersNet} FersNet */
/** @typedef {import('../api/index.js').FoundPicture} FoundPicture */

const TEXT = {
  question: 'Was this made here?',
  looking: 'Looking for our marks …',
  failed: 'The marks could not be looked for.',
  metadata: 'metadata',
  badge: 'badge',
  watermark: 'watermark',
  found: 'found',
  notFound: 'not found',
  /** @param {string} marks */
  madeHere: (marks) => `This picture was made synthetic with FERSNet: ${marks}.`,
  none: 'None of our marks was found. Nothing found does not prove that it is genuine.',
  some: 'A mark that was taken away, or never made, is not found: that proves nothing.',
  metadataRow: 'Metadata that says that a face was synthesised here',
  badgeRow: 'The visible badge in the lower left corner',
  watermarkRow: 'The watermark in the pixels',
  /** @param {string} score @param {string} threshold */
  score: (score, threshold) => `score ${score}; found from ${threshold} on`,
  sourceRow: 'The source that its metadata states',
  noSource: 'none',
  credentialsRow: 'Content credentials (C2PA)',
  xmpRow: 'Other metadata (XMP)',
  there: 'there, not verified',
  notThere: 'none',
};

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
    TEXT.question,
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
    this.#says.textContent = '';
    this.#list.replaceChildren(element('p', { className: 'hint' }, TEXT.looking));
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
      if (!signal.aborted) this.#list.replaceChildren(element('p', { className: 'hint' }, TEXT.failed));
    }
  }

  /** @param {Check} check */
  #tell(check) {
    const { madeHere, metadata, badge, watermark, claims } = check;
    const names = [metadata && TEXT.metadata, badge.found && TEXT.badge, watermark.found && TEXT.watermark];
    this.#root.dataset.madeHere = String(madeHere);
    this.#says.hidden = !madeHere;
    this.#says.textContent = madeHere ? TEXT.madeHere(names.filter(Boolean).join(', ')) : '';
    const scores = ({ score = 0, threshold = 0 }, /** @type {number} */ digits) =>
      TEXT.score(score.toFixed(digits), threshold.toFixed(digits));
    const there = (/** @type {boolean} */ is) => (is ? TEXT.there : TEXT.notThere);
    this.#list.replaceChildren(
      element(
        'dl',
        {},
        ...row('metadata', TEXT.metadataRow, found(metadata)),
        ...row('badge', TEXT.badgeRow, `${found(badge.found)} (${scores(badge, 2)})`),
        ...row('watermark', TEXT.watermarkRow, `${found(watermark.found)} (${scores(watermark, 1)})`),
        ...row('source', TEXT.sourceRow, claims.sourceTypes.join(', ') || TEXT.noSource),
        ...row('credentials', TEXT.credentialsRow, there(claims.contentCredentials)),
        ...row('xmp', TEXT.xmpRow, there(claims.xmp)),
      ),
      element('p', { className: 'hint' }, madeHere ? TEXT.some : TEXT.none),
    );
  }

  #toggle() {
    this.#list.hidden = !this.#list.hidden;
    this.#button.setAttribute('aria-expanded', String(!this.#list.hidden));
  }
}

/** @param {boolean} is */
function found(is) {
  return is ? TEXT.found : TEXT.notFound;
}

/**
 * @param {string} name
 * @param {string} what was looked for
 * @param {string} answer
 */
function row(name, what, answer) {
  return [element('dt', {}, what), element('dd', { data: { testid: `origin-${name}` } }, answer)];
}
