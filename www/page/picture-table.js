// @ts-check
/** @file The table of many pictures: a row a face, or why there is none. */

import { element, percent } from './dom.js';
import { confidenceOf, probabilitiesOf } from './records.js';
import { surenessOf } from './sure.js';

/**
 * @typedef {import('./records.js').FaceRecord} FaceRecord
 * @typedef {import('./records.js').Names} Names
 * @typedef {import('./records.js').PictureRecord} PictureRecord
 */

const TEXT = {
  region: 'Table of the faces',
  caption: 'A row for each face. The name of a file opens its picture.',
  picture: 'Picture',
  file: 'File',
  expression: 'Expression',
  probability: 'Probability',
  unsure: 'not sure',
  /** @param {number} face @param {number} of */
  face: (face, of) => (of > 1 ? `face ${face} of ${of}` : ''),
  /** @param {string} first @param {string} second */
  either: (first, second) => `${first} or ${second}`,
  noFace: 'No face was found.',
};

/** The table, which grows. */
export class PictureTable {
  #rows = element('tbody', {});
  #onOpen;
  #opened = -1;

  /** @param {(picture: number) => void} onOpen a picture is wanted, by its number in the order of the files */
  constructor(onOpen) {
    this.#onOpen = onOpen;
    const head = [TEXT.picture, TEXT.file, TEXT.expression, TEXT.probability].map((text, i) =>
      element('th', { scope: 'col' }, i === 0 ? element('span', { className: 'read-aloud' }, text) : text),
    );
    const table = element(
      'table',
      { className: 'face-rows', data: { testid: 'face-rows' } },
      element('caption', {}, TEXT.caption),
      element('thead', {}, element('tr', {}, ...head)),
      this.#rows,
    );
    /** @type {HTMLElement} */
    this.root = element('div', { className: 'table-scroll', tabIndex: 0, role: 'region', aria: { label: TEXT.region } }, table);
  }

  /**
   * @param {number} number of the picture
   * @param {PictureRecord} picture
   * @param {Names} names
   * @param {(HTMLCanvasElement | null)[]} thumbnails one a row
   */
  add(number, picture, names, thumbnails) {
    const { faces } = picture;
    const cells = faces.length > 0 ? faces.map((face) => faceCells(face, names)) : [reasonCells(picture)];
    this.#rows.append(
      ...cells.map((own, i) =>
        this.#row(number, element('td', { className: 'thumbnail-cell' }, thumbnails[i] ?? ''), this.#file(number, picture, i), own),
      ),
    );
  }

  /** Takes the keyboard's focus back to the row that was opened last. */
  focus() {
    const row = /** @type {HTMLElement | null} */ (this.#rows.querySelector(`[data-picture="${this.#opened}"] button`));
    (row ?? this.root).focus();
  }

  /**
   * @param {number} number
   * @param {HTMLElement} thumbnail
   * @param {HTMLElement} file
   * @param {HTMLElement[]} cells
   */
  #row(number, thumbnail, file, cells) {
    return element(
      'tr',
      {
        data: { picture: number, testid: 'face-row' },
        onclick: () => {
          // Who selects text does not open anything.
          if (getSelection()?.isCollapsed === false) return;
          this.#opened = number;
          this.#onOpen(number);
        },
      },
      thumbnail,
      file,
      ...cells,
    );
  }

  /** @param {number} number @param {PictureRecord} picture @param {number} face */
  #file(number, { file, faces }, face) {
    // One button a picture: the rows of its other faces are reached by the pointer.
    const name = face === 0 ? element('button', { type: 'button', className: 'link', data: { testid: `open-${number}` } }, file) : file;
    const which = TEXT.face(face + 1, faces.length);
    return element('th', { scope: 'row' }, name, which ? element('span', { className: 'which' }, which) : '');
  }
}

/** @param {FaceRecord} face @param {Names} names */
function faceCells(face, names) {
  const { expression, certain } = face;
  const { sure, other } = surenessOf({ expression, certain, probabilities: probabilitiesOf(face, names) });
  const unsure = element('span', { className: 'unsure' }, TEXT.unsure);
  const confidence = confidenceOf(face, names);
  const fill = element('span', { className: 'bar-fill' });
  fill.style.width = `${confidence * 100}%`;
  return [
    element('td', { className: 'shows' }, other ? TEXT.either(expression, other) : expression, ...(sure ? [] : [' ', unsure])),
    element('td', { className: 'probability' }, percent(confidence), element('span', { className: 'bar', aria: { hidden: true } }, fill)),
  ];
}

/** @param {PictureRecord} picture without a face */
function reasonCells({ error }) {
  return [element('td', { colSpan: 2, className: error ? 'row-error' : 'row-none' }, error ?? TEXT.noFace)];
}
