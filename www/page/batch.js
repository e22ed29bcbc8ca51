// @ts-check
/** @file Many pictures, one after the other, as a table. */

import { aborted } from './aborted.js';
import { element } from './dom.js';
import { download } from './download.js';
import { PageError } from './failures.js';
import { isVideo } from './given.js';
import { PictureTable } from './picture-table.js';
import { picturesCsv, picturesJson, recordOf } from './records.js';
import { onCanvas, thumbnailOf } from './thumbnail.js';
import { WorkLine } from './work-line.js';

/**
 * @typedef {import('../api/index.js').FersNet} FersNet
 * @typedef {import('../api/index.js').ReadPicture} ReadPicture
 * @typedef {import('./given.js').Given} Given
 * @typedef {import('./language.js').Text} Text
 * @typedef {import('./records.js').PictureRecord} PictureRecord
 */

/**
 * @typedef {object} BatchEvents
 * @property {() => Promise<FersNet>} network the network, once it is loaded
 * @property {(file: File) => void} onOpen a picture is to be shown alone
 * @property {(state: string) => void} onState `running`, `paused`, `done`, `cancelled` or `failed`
 */

/** The table of many pictures and what fills it. */
export class Batch {
  /** @type {Text} */ title = (words) => words.many.pictures;
  #given;
  #events;
  #controller = new AbortController();
  #line = new WorkLine();
  #table;
  /** @type {PictureRecord[]} */ #records = [];
  #names = /** @type {import('./records.js').Names} */ ({ classes: [], controls: [] });
  #scratch = document.createElement('canvas');
  #cancel = element('button', { type: 'button', className: 'button', data: { testid: 'batch-cancel' }, onclick: () => this.close() }, (words) => words.many.cancel);
  #saves;

  /**
   * @param {readonly Given[]} given
   * @param {BatchEvents} events
   */
  constructor(given, events) {
    this.#given = given;
    this.#events = events;
    this.#table = new PictureTable((number) => events.onOpen(given[number].file));
    /** @param {Text} text @param {'csv' | 'json'} form */
    const save = (text, form) =>
      element('button', { type: 'button', className: 'button', disabled: true, data: { testid: `save-${form}` }, onclick: () => this.#save(form) }, text);
    this.#saves = [save((words) => words.many.csv, 'csv'), save((words) => words.many.json, 'json')];
    /** @type {HTMLElement} */
    this.root = element(
      'div',
      { className: 'batch' },
      element('div', { className: 'work-head' }, this.#line.root, element('div', { className: 'row' }, this.#cancel, ...this.#saves)),
      this.#table.root,
    );
  }

  /** Recognises all pictures; one that cannot be read has its own row. */
  async run() {
    const { signal } = this.#controller;
    const stopped = aborted(signal);
    const of = this.#given.length;
    this.#events.onState('running');
    this.#line.say((words) => (of > 0 ? words.many.waits : words.many.none));
    for (const [number, given] of this.#given.entries()) {
      // A loading that failed waits for the visitor: cancelling does not wait for it.
      const net = await Promise.race([this.#events.network(), stopped]);
      if (!net || signal.aborted) break;
      if (number === 0) this.#line.say((words) => words.many.recognising);
      this.#names = net;
      this.#line.count(number, of, (words) => words.many.at(number + 1, of, given.name));
      await this.#recognise(net, number, given, signal);
    }
    this.#end();
  }

  /** Ends what is under way; what is done stays. */
  close() {
    this.#controller.abort();
  }

  /** Takes the keyboard's focus to where it was. */
  focus() {
    this.#table.focus();
  }

  /**
   * @param {FersNet} net
   * @param {number} number
   * @param {Given} given
   * @param {AbortSignal} signal
   */
  async #recognise(net, number, { name, file }, signal) {
    try {
      if (isVideo(file)) throw new PageError((words) => words.many.isVideo, 'This is a video: give it to the page alone.');
      const picture = await net.recognise(file, { signal });
      this.#add(number, this.#recordOf(name, picture), thumbnailsOf(picture, this.#scratch));
      // The next one is not opened before this one is gone.
      await net.release(picture);
    } catch (error) {
      if (signal.aborted) return;
      const message = error instanceof Error ? error.message : String(error);
      this.#add(number, { file: name, error: message, faces: [] }, [], error);
    }
  }

  /** @param {string} file @param {ReadPicture} picture @returns {PictureRecord} */
  #recordOf(file, { width, height, faces }) {
    return { file, width, height, faces: faces.map((face) => recordOf(face, this.#names)) };
  }

  /** @param {number} number @param {PictureRecord} record @param {HTMLCanvasElement[]} thumbnails @param {unknown} [failure] */
  #add(number, record, thumbnails, failure) {
    this.#records.push(record);
    this.#table.add(number, record, this.#names, thumbnails, failure);
    this.#saves.forEach((save) => (save.disabled = false));
  }

  #end() {
    const records = this.#records;
    const isWhole = records.length === this.#given.length;
    const faces = records.reduce((sum, record) => sum + record.faces.length, 0);
    const errors = records.filter(({ error }) => error !== undefined).length;
    const of = this.#given.length;
    this.#line.end(({ many }) => {
      if (!isWhole) return many.cancelled(records.length, of);
      return of === 0 ? many.none : many.done(of, faces, errors);
    });
    const focused = document.activeElement === this.#cancel;
    this.#cancel.hidden = true;
    if (focused) this.#table.focus();
    this.#events.onState(isWhole ? 'done' : 'cancelled');
  }

  /** @param {'csv' | 'json'} form */
  #save(form) {
    const file = (form === 'csv' ? picturesCsv : picturesJson)(this.#records, this.#names);
    download(file, `fersnet-faces.${form}`);
  }
}

/**
 * @param {ReadPicture} picture
 * @param {HTMLCanvasElement} scratch
 */
function thumbnailsOf({ preview, width, faces }, scratch) {
  const shown = onCanvas(preview, scratch);
  const scale = preview.width / width;
  const boxes = faces.map(({ box }) => ({ x: box.x * scale, y: box.y * scale, width: box.width * scale, height: box.height * scale }));
  return boxes.length > 0 ? boxes.map((box) => thumbnailOf(shown, box)) : [thumbnailOf(shown)];
}
