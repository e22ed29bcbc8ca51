// @ts-check
/** @file The place of a table: many pictures or a video, beside which a single picture can be opened. */

import { Batch } from './batch.js';
import { byId, element } from './dom.js';
import { isVideo } from './given.js';
import { say } from './language.js';
import { styled } from './styles.js';

/** @typedef {import('../api/index.js').FersNet} FersNet */
/** @typedef {import('./given.js').Given} Given */

/**
 * What fills the place.
 * @typedef {object} Work
 * @property {import('./language.js').Text} title
 * @property {HTMLElement} root
 * @property {() => Promise<void>} run
 * @property {() => void} close ends what is under way
 * @property {() => void} focus takes the keyboard's focus to where it was
 */

/**
 * @typedef {object} ManyEvents
 * @property {() => Promise<FersNet>} network the network, once it is loaded
 * @property {(file: File) => void} onOpen a picture is to be shown alone
 * @property {() => void} onLeave the picture that is shown makes way
 */

/** The section of the table, and the way back to it. */
export class Many {
  #events;
  #title = element('h2', { id: 'many-title', tabIndex: -1 });
  #close = element('button', { type: 'button', className: 'button small', data: { testid: 'many-close' }, onclick: () => this.#leave() }, (words) => words.many.close);
  #section = element('section', { className: 'many', data: { testid: 'many' }, aria: { labelledby: 'many-title' } });
  #back = element(
    'p',
    { className: 'many-back' },
    element('button', { type: 'button', className: 'button small', data: { testid: 'many-back' }, onclick: () => this.#return() }, (words) => words.many.back),
  );
  /** @type {Work | null} */ #work = null;
  /** Counts what was started: what ends late is told of no more. */ #starts = 0;

  /** @param {ManyEvents} events */
  constructor(events) {
    this.#events = events;
    const main = byId('main');
    main.append(this.#section);
    main.before(this.#back);
  }

  /**
   * Shows and fills a table in the place of what is shown.
   * @param {readonly Given[]} given
   */
  async start(given) {
    this.#work?.close();
    const starting = ++this.#starts;
    const events = {
      ...this.#events,
      onState: (/** @type {string} */ state) => {
        // The one before may end later than this one begins.
        if (starting === this.#starts) this.#section.dataset.state = state;
      },
    };
    const [work] = await Promise.all([workOf(given, events), styled(new URL('many.css', import.meta.url))]);
    if (starting !== this.#starts) return;
    this.#work = work;
    say(this.#title, work.title);
    this.#section.replaceChildren(element('div', { className: 'many-head' }, this.#title, this.#close), work.root);
    this.#section.hidden = false;
    this.#back.hidden = false;
    this.#show();
    this.#title.focus({ preventScroll: true });
    await work.run();
  }

  #show() {
    this.#events.onLeave();
    document.body.dataset.view = 'table';
  }

  /** From a picture back to the table. */
  #return() {
    this.#show();
    this.#work?.focus();
  }

  /** The table is gone for good. */
  #leave() {
    this.#work?.close();
    this.#work = null;
    this.#section.replaceChildren();
    this.#section.hidden = true;
    this.#back.hidden = true;
    this.#events.onLeave();
    byId('picture').focus();
  }
}

/**
 * @param {readonly Given[]} given
 * @param {import('./batch.js').BatchEvents} events
 * @returns {Promise<Work>}
 */
async function workOf(given, events) {
  if (given.length !== 1 || !isVideo(given[0].file)) return new Batch(given, events);
  const { Clip } = await import('./clip.js');
  return new Clip(given[0], events);
}
