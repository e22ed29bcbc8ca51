// @ts-check
/** @file A face's probabilities over time, drawn by uPlot (vendor/uplot), which is fetched with the first chart. */

import { element } from './dom.js';
import { expressionIn, follow, say } from './language.js';
import { moment, percent } from './numbers.js';
import { styled } from './styles.js';

/** @typedef {import('uplot')} Plot */
/** @typedef {import('./language.js').Words} Words */

const VENDOR = new URL('../vendor/uplot/', import.meta.url);

/** Height of the chart, in pixels. */
const HEIGHT = 240;

/** A chart with one line an expression. */
export class Chart {
  #Plot;
  #classes;
  #onMoment;
  #place = element('div', { className: 'chart-place', role: 'img', data: { testid: 'chart' } });
  #keys;
  /** @type {Plot | null} */ #plot = null;
  /** @type {number[]} */ #seconds = [];
  /** @type {(number | null)[][]} one a class */ #courses = [];
  /** The moment that is marked, in seconds. @type {number | null} */ #marked = null;
  #hidden = new Set();
  /** @type {Words | null} */ #words = null;
  #sizes = new ResizeObserver(() => this.#resize());
  #closed = new AbortController();

  /**
   * @param {typeof import('uplot')} Plot
   * @param {readonly string[]} classes
   * @param {(seconds: number) => void} onMoment a moment was chosen
   */
  constructor(Plot, classes, onMoment) {
    this.#Plot = Plot;
    this.#classes = classes;
    this.#onMoment = onMoment;
    this.#keys = element('div', { className: 'chart-keys', role: 'group', aria: { label: ({ clip }) => clip.legend } }, ...classes.map((name, i) => this.#key(name, i)));
    const licence = element('a', { href: new URL('LICENSE', VENDOR).href }, 'uPlot (MIT)');
    /** @type {HTMLElement} */
    this.root = element('div', { className: 'chart' }, this.#keys, this.#place, element('p', { className: 'hint' }, ({ clip }) => clip.chartHint, ' ', licence));
    this.#sizes.observe(this.#place);
    // Its colours and its numbers are written when it is made.
    follow(this.#place, 'axes', (words) => {
      this.#words = words;
      if (this.#plot) this.#make();
    });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#make(), { signal: this.#closed.signal });
  }

  /**
   * Fetches the library.
   * @param {readonly string[]} classes
   * @param {(seconds: number) => void} onMoment
   */
  static async load(classes, onMoment) {
    const [{ default: Plot }] = await Promise.all([
      import(new URL('uPlot.esm.js', VENDOR).href),
      styled(new URL('uPlot.min.css', VENDOR)),
    ]);
    return new Chart(Plot, classes, onMoment);
  }

  /**
   * @param {number} id of the face
   * @param {number[]} seconds of the frames
   * @param {(number | null)[][]} courses one a class; null where the face is not seen
   */
  show(id, seconds, courses) {
    say(this.#place, ({ clip }) => clip.chart(id), 'aria-label');
    this.#seconds = seconds;
    this.#courses = courses;
    if (this.#plot) this.#plot.setData(this.#data());
    else this.#make();
  }

  /** @param {number} seconds that are marked in the chart */
  mark(seconds) {
    this.#marked = seconds;
    this.#plot?.redraw(false);
  }

  /** Frees what it draws with. */
  close() {
    this.#closed.abort();
    this.#sizes.disconnect();
    this.#plot?.destroy();
    this.#plot = null;
  }

  /** @returns {import('uplot').AlignedData} */
  #data() {
    return [this.#seconds, ...this.#courses];
  }

  #make() {
    const words = this.#words;
    if (!words) return;
    this.#plot?.destroy();
    const style = getComputedStyle(this.#place);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
    const axis = { stroke: colour('--soft'), grid: { stroke: colour('--line'), width: 1 }, ticks: { stroke: colour('--line'), width: 1 } };
    const plot = new this.#Plot(
      {
        width: Math.max(this.#place.clientWidth, 200),
        height: HEIGHT,
        legend: { show: false },
        cursor: { drag: { x: false, y: false }, points: { show: false } },
        scales: { x: { time: false }, y: { range: [0, 1] } },
        axes: [
          { ...axis, size: 32, values: (_, values) => namedMoments(words, values) },
          { ...axis, size: 56, values: (_, values) => values.map((value) => percent(words, value, 0)) },
        ],
        series: [{}, ...this.#classes.map((label, i) => ({ label, stroke: colour(`--class-${i % 8}`), width: 2, show: !this.#hidden.has(i) }))],
        hooks: { draw: [(drawn) => this.#drawMark(drawn, colour('--ink'))] },
      },
      this.#data(),
      this.#place,
    );
    plot.over.addEventListener('click', () => {
      const { left } = plot.cursor;
      if (left !== undefined && left >= 0) this.#onMoment(plot.posToVal(left, 'x'));
    });
    this.#plot = plot;
  }

  /** @param {Plot} plot @param {string} colour */
  #drawMark({ ctx, bbox, valToPos }, colour) {
    if (this.#marked === null) return;
    const x = Math.round(valToPos(this.#marked, 'x', true));
    ctx.save();
    ctx.fillStyle = colour;
    ctx.fillRect(x - 1, bbox.top, 2, bbox.height);
    ctx.restore();
  }

  #resize() {
    const width = this.#place.clientWidth;
    if (this.#plot && width > 0 && width !== this.#plot.width) this.#plot.setSize({ width, height: HEIGHT });
  }

  /** @param {string} name @param {number} i */
  #key(name, i) {
    const swatch = element('span', { className: `swatch class-${i % 8}`, aria: { hidden: true } });
    const key = element('button', { type: 'button', className: 'chart-key', aria: { pressed: true }, data: { testid: `key-${name}` } }, swatch, (words) => expressionIn(words, name));
    key.onclick = () => {
      const show = this.#hidden.has(i);
      if (show) this.#hidden.delete(i);
      else this.#hidden.add(i);
      key.setAttribute('aria-pressed', String(show));
      this.#plot?.setSeries(i + 1, { show });
    };
    return key;
  }
}

/** Moments as an axis names them, without tenths where all are whole seconds. @param {Words} words @param {number[]} values */
function namedMoments(words, values) {
  const named = values.map((value) => moment(words, value));
  return values.every(Number.isInteger) ? named.map((text) => text.slice(0, -2)) : named;
}
