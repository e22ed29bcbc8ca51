// @ts-check
/** @file The faces that were followed through a video: a row each, of which one is in the chart. */

import { element } from './dom.js';
import { expressionIn, follow, say } from './language.js';
import { moment, percent } from './numbers.js';

/**
 * @typedef {import('./clip-records.js').ClipRecords} ClipRecords
 * @typedef {import('./clip-records.js').Track} Track
 */

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
    /** @type {import('./language.js').Text[]} */
    const heads = [
      ({ many }) => many.picture,
      ({ clip }) => clip.oneFace,
      ({ clip }) => clip.seenHead,
      ({ clip }) => clip.framesHead,
      ({ clip }) => clip.mostlyHead,
      ({ clip }) => clip.sameHead,
    ];
    const head = heads.map((text, i) =>
      element('th', { scope: 'col' }, i === 0 ? element('span', { className: 'read-aloud' }, text) : text),
    );
    const table = element(
      'table',
      { className: 'followed', data: { testid: 'followed' } },
      element('caption', {}, ({ clip }) => clip.caption),
      element('thead', {}, element('tr', {}, ...head)),
      this.#body,
    );
    /** @type {HTMLElement} */
    this.root = element('div', { className: 'table-scroll', tabIndex: 0, role: 'region', aria: { label: ({ clip }) => clip.region } }, table);
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
    const same = element('select', { data: { testid: `same-${track}` }, aria: { label: ({ clip }) => clip.same(track) } });
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
      say(row.name, ({ clip }) => clip.face(id));
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
      select.replaceChildren(...wanted.map((value) => element('option', { value }, ({ clip }) => (value ? clip.face(Number(value)) : clip.own))));
    }
    select.value = id === track ? '' : String(id);
    select.hidden = others.length === 0;
  }
}

/** @param {Row} row @param {Track} track */
function writeTrack(row, { from, to, frames, unsure, shown }) {
  const [[expression, count]] = [...shown].sort((a, b) => b[1] - a[1]);
  say(row.seen, (words) => words.clip.seen(moment(words, from), moment(words, to)));
  say(row.frames, String(frames));
  follow(row.mostly, '', (words) => {
    row.mostly.replaceChildren(words.clip.mostly(expressionIn(words, expression), percent(words, count / frames, 0)));
    if (unsure > 0) row.mostly.append(element('span', { className: 'which' }, words.clip.unsure(percent(words, unsure / frames, 0))));
  });
}
