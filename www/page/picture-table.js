// @ts-check
/** @file The table of many pictures: a row a face, or why there is none. */

import { element } from './dom.js';
import { sayError } from './failures.js';
import { expressionIn, follow } from './language.js';
import { percent } from './numbers.js';
import { confidenceOf, probabilitiesOf } from './records.js';
import { doubtfulness, surenessOf } from './sure.js';

/**
 * @typedef {import('./records.js').FaceRecord} FaceRecord
 * @typedef {import('./records.js').Names} Names
 * @typedef {import('./records.js').PictureRecord} PictureRecord
 */

/** The table, which grows. */
export class PictureTable {
  #rows = element('tbody', {});
  #onOpen;
  #opened = -1;

  /** @param {(picture: number) => void} onOpen a picture is wanted, by its number in the order of the files */
  constructor(onOpen) {
    this.#onOpen = onOpen;
    /** @type {import('./language.js').Text[]} */
    const heads = [({ many }) => many.picture, ({ many }) => many.file, ({ many }) => many.expression, ({ many }) => many.probability];
    const head = heads.map((text, i) =>
      element('th', { scope: 'col' }, i === 0 ? element('span', { className: 'read-aloud' }, text) : text),
    );
    const table = element(
      'table',
      { className: 'face-rows', data: { testid: 'face-rows' } },
      element('caption', {}, (words) => words.many.caption),
      element('thead', {}, element('tr', {}, ...head)),
      this.#rows,
    );
    /** @type {HTMLElement} */
    this.root = element('div', { className: 'table-scroll', tabIndex: 0, role: 'region', aria: { label: (words) => words.many.region } }, table);
  }

  /**
   * @param {number} number of the picture
   * @param {PictureRecord} picture
   * @param {Names} names
   * @param {(HTMLCanvasElement | null)[]} thumbnails one a row
   * @param {unknown} [failure] the error for which it could not be read
   */
  add(number, picture, names, thumbnails, failure) {
    const { faces } = picture;
    const cells = faces.length > 0 ? faces.map((face) => faceCells(face, names)) : [reasonCells(failure)];
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
    const which = faces.length > 1 ? element('span', { className: 'which' }, (words) => words.many.faceOf(face + 1, faces.length)) : '';
    return element('th', { scope: 'row' }, name, which);
  }
}

/** @param {FaceRecord} face @param {Names} names */
function faceCells(face, names) {
  const { expression, certain, doubts } = face;
  const probabilities = probabilitiesOf(face, names);
  const shows = element('td', { className: 'shows' });
  follow(shows, '', (words) => {
    const { sure, other } = surenessOf({ expression, certain, probabilities }, words);
    shows.replaceChildren(expressionIn(words, expression) + (other ? words.sure.or(other) : ''));
    if (!sure) shows.append(' ', element('span', { className: 'unsure' }, words.sure.notSure));
    if (doubts.length > 0) shows.append(element('span', { className: 'which' }, doubtfulness(doubts, words)));
  });
  const confidence = confidenceOf(face, names);
  const fill = element('span', { className: 'bar-fill' });
  fill.style.width = `${confidence * 100}%`;
  return [
    shows,
    element('td', { className: 'probability' }, (words) => percent(words, confidence), element('span', { className: 'bar', aria: { hidden: true } }, fill)),
  ];
}

/** Why a picture has no face. @param {unknown} failure undefined where there simply is none */
function reasonCells(failure) {
  if (failure === undefined) return [element('td', { colSpan: 2, className: 'row-none' }, (words) => words.many.noFace)];
  const cell = element('td', { colSpan: 2, className: 'row-error' });
  sayError(cell, failure);
  return [cell];
}
