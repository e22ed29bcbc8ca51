// @ts-check
/** @file What is shown of a video: the faces that were followed, the chart of one, and the frame at a moment. */

import { element } from './dom.js';
import { FollowedTable } from './followed-table.js';
import { Moment } from './moment.js';

/**
 * @typedef {import('./chart.js').Chart} Chart
 * @typedef {import('./clip-records.js').ClipRecords} ClipRecords
 * @typedef {import('./records.js').Names} Names
 * @typedef {import('./video.js').Video} Video
 */

/** How often table and chart are written anew while frames come, in milliseconds. */
const REFRESH_MS = 700;

/** The results, which grow. */
export class ClipResults {
  #records;
  #names;
  #table;
  #moment;
  #chartPlace = element('div', {});
  /** @type {Promise<Chart | null> | null} once there is something to show */ #chart = null;
  #refreshed = 0;

  /**
   * @param {ClipRecords} records
   * @param {Names} names
   * @param {() => Promise<Video>} open opens the file a second time
   */
  constructor(records, names, open) {
    this.#records = records;
    this.#names = names;
    this.#table = new FollowedTable(records, { onChoose: () => void this.#draw(), onJoin: () => this.#moment.again() });
    this.#moment = new Moment(records, names, open, (seconds) => void this.#chart?.then((chart) => chart?.mark(seconds)));
    /** @type {HTMLElement} */
    this.root = element('div', { className: 'clip-results', hidden: true }, this.#table.root, this.#chartPlace, this.#moment.root);
  }

  /** A face is seen for the first time. @param {number} track @param {HTMLCanvasElement} thumbnail */
  add(track, thumbnail) {
    this.#table.add(track, thumbnail);
    this.refresh();
  }

  /** Writes what is known by now, unless that was done just before. */
  refreshSoon() {
    if (performance.now() - this.#refreshed > REFRESH_MS) this.refresh();
  }

  refresh() {
    this.#refreshed = performance.now();
    this.root.hidden = this.#records.frames.length === 0;
    this.#table.update();
    this.#moment.grow();
    void this.#draw();
  }

  /** Takes the keyboard's focus. */
  focus() {
    this.#table.root.focus();
  }

  /** Frees the file. */
  close() {
    this.#moment.close();
    void this.#chart?.then((chart) => chart?.close());
  }

  /** Draws the chosen face's chart. */
  async #draw() {
    const id = this.#table.chosen;
    if (id === 0) return;
    this.#chart ??= this.#loadChart();
    const chart = await this.#chart;
    const { frames } = this.#records;
    if (id !== this.#table.chosen) return;
    chart?.show(id, frames.map(({ seconds }) => seconds), this.#records.courses(id));
  }

  /** @returns {Promise<Chart | null>} null where it cannot be fetched */
  async #loadChart() {
    try {
      const { Chart } = await import('./chart.js');
      const chart = await Chart.load(this.#names.classes, (seconds) => this.#moment.show(seconds));
      this.#chartPlace.replaceChildren(chart.root);
      return chart;
    } catch {
      this.#chartPlace.replaceChildren(element('p', { className: 'hint' }, (words) => words.clip.noChart));
      return null;
    }
  }
}
