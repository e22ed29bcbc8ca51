// @ts-check
/** @file The faces that were followed through a video: a row each, of which one is in the chart. */

import { time } from './clip-records.js';
import { element } from './dom.js';

/**
 * @typedef {import('./clip-records.js').ClipRecords} ClipRecords
 * @typedef {import('./clip-records.js').Track} Track
 */

const TEXT = {
  region: 'Table of the faces that were followed',
  caption:
    'A row for each face, followed as long as it is seen. After a cut every face counts as a new one, since nothing here tells reliably who somebody is: say yourself which are the same.',
  head: ['Picture', 'Face', 'Seen', 'Frames', 'Mostly', 'Same as'],
  /** @param {number} id */
  face: (id) => `Face ${id}`,
  /** @param {string} from @param {string} to */
  seen: (from, to) => `${from} to ${to}`,
  /** @param {string} expression @param {number} part */
  mostly: (expression, part) => `${expression} (${Math.round(part * 100)} %)`,
  /** @param {number} part */
  unsure: (part) => `${Math.round(part * 100)} % not sure`,
  own: 'no other',
  /** @param {number} id */
  same: (id) => `Face ${id} is the same as`,
};

/**
 * @typedef {object} FollowedEvents
 * @property {(id: number) => void} onChoose a face is wanted in the chart
 * @property {() => void} onJoin two tracks were said to be of one face, or no more
 */

/**
 * @typedef {object} Row
 * @property {HTMLTableRowElement} root
 * @property {HTMLButtonElement} name
 * @property {HTMLElement} seen
 * @property {HTMLElement} frames
 * @property {HTMLElement} mostly
 * @property {HTMLSelectElement} same
 */

/** The table, which grows. */
export class FollowedTable {
  #records;
  #events;
  #body = element('tbody', {});
  /** @type {Map<number, Row>} by track */ #rows = new Map();
  #chosen = 0;

  /**
   * @param {ClipRecords} records
   * @param {FollowedEvents} events
   */
  constructor(records, events) {
    this.#records = records;
    this.#events = events;
    const head = TEXT.head.map((text, i) =>
      element('th', { scope: 'col' }, i === 0 ? element('span', { className: 'read-aloud' }, text) : text),
    );
    const table = element(
      'table',
      { className: 'followed', data: { testid: 'followed' } },
      element('caption', {}, TEXT.caption),
      element('thead', {}, element('tr', {}, ...head)),
      this.#body,
    );
    /** @type {HTMLElement} */
    this.root = element('div', { className: 'table-scroll', tabIndex: 0, role: 'region', aria: { label: TEXT.region } }, table);
  }

  /** The face that is in the chart. */
  get chosen() {
    return this.#chosen;
  }

  /**
   * A row for a face that is seen for the first time.
   * @param {number} track
   * @param {HTMLCanvasElement} thumbnail
   */
  add(track, thumbnail) {
    const name = element('button', { type: 'button', className: 'link', data: { testid: `track-${track}` } });
    name.onclick = () => this.choose(this.#records.idOf(track));
    const same = element('select', { data: { testid: `same-${track}` }, aria: { label: TEXT.same(track) } });
    same.onchange = () => {
      this.#records.join(track, Number(same.value) || track);
      this.choose(this.#records.idOf(track));
      this.#events.onJoin();
    };
    const [seen, frames, mostly] = [element('td', {}), element('td', { className: 'number' }), element('td', { className: 'shows' })];
    const root = element(
      'tr',
      { data: { testid: 'followed-row', track } },
      element('td', { className: 'thumbnail-cell' }, thumbnail),
      element('th', { scope: 'row' }, name),
      seen,
      frames,
      mostly,
      element('td', {}, same),
    );
    this.#body.append(root);
    this.#rows.set(track, { root, name, seen, frames, mostly, same });
    if (this.#chosen === 0) this.choose(track);
  }

  /** @param {number} id of the face that goes into the chart */
  choose(id) {
    this.#chosen = id;
    this.update();
    this.#events.onChoose(id);
  }

  /** Writes what is known by now. */
  update() {
    for (const [track, row] of this.#rows) {
      const known = this.#records.tracks.get(track);
      const id = this.#records.idOf(track);
      row.name.textContent = TEXT.face(id);
      row.name.setAttribute('aria-pressed', String(id === this.#chosen));
      row.root.classList.toggle('chosen', id === this.#chosen);
      if (known) writeTrack(row, known);
      this.#offer(row.same, track);
    }
  }

  /** The other faces that this one may be. @param {HTMLSelectElement} select @param {number} track */
  #offer(select, track) {
    const id = this.#records.idOf(track);
    const others = [...this.#rows.keys()].filter((other) => other < track && this.#records.idOf(other) === other);
    const wanted = ['', ...others.map(String)];
    // Not made anew while somebody has it open.
    if (wanted.join() !== [...select.options].map(({ value }) => value).join()) {
      select.replaceChildren(...wanted.map((value) => element('option', { value }, value ? TEXT.face(Number(value)) : TEXT.own)));
    }
    select.value = id === track ? '' : String(id);
    select.hidden = others.length === 0;
  }
}

/** @param {Row} row @param {Track} track */
function writeTrack(row, { from, to, frames, unsure, shown }) {
  const [[expression, count]] = [...shown].sort((a, b) => b[1] - a[1]);
  row.seen.textContent = TEXT.seen(time(from), time(to));
  row.frames.textContent = String(frames);
  row.mostly.textContent = TEXT.mostly(expression, count / frames);
  if (unsure > 0) row.mostly.append(element('span', { className: 'which' }, TEXT.unsure(unsure / frames)));
}
