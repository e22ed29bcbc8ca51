// @ts-check
/**
 * @file What was recognised, as it is kept and written: the rows of a table as CSV and JSON. Names, order and digits
 * of the columns are those of `fersnet predict --csv --controls` and `--json` (src/bin/fersnet/report.rs).
 */

import { csvRow, guarded } from './csv.js';

/**
 * @typedef {import('../api/index.js').ReadFace} ReadFace
 * @typedef {import('../api/protocol.js').Box} Box
 * @typedef {import('../api/protocol.js').Point} Point
 */

/** @typedef {{classes: readonly string[], controls: readonly string[]}} Names of the network's columns */

/**
 * A face, without its picture.
 * @typedef {object} FaceRecord
 * @property {number} face its number within the picture, from 0
 * @property {Box} box
 * @property {Record<string, Point> | null} landmarks
 * @property {string} expression
 * @property {boolean} certain
 * @property {readonly import('../api/protocol.js').Doubt[]} doubts
 * @property {Float32Array} probabilities in the order of the classes
 * @property {Float32Array} controls in the order of the controls
 */

/**
 * @typedef {object} PictureRecord
 * @property {string} file
 * @property {number} [width]
 * @property {number} [height]
 * @property {string} [error] why it could not be read
 * @property {FaceRecord[]} faces the largest first
 */

/**
 * What a table's error column and row say of a picture without a face, as the command line does.
 * Not translated: it is part of the file's form.
 */
const NO_FACE = 'no face was found';

/**
 * @param {ReadFace} face
 * @param {Names} names
 * @param {number} [scale] what its places are multiplied by
 * @returns {FaceRecord}
 */
export function recordOf({ index, box, landmarks, expression, certain, doubts, probabilities, controls }, names, scale = 1) {
  const { x, y, width, height } = box;
  const places = Object.entries(landmarks ?? {}).map(([name, at]) => [name, { x: at.x * scale, y: at.y * scale }]);
  return {
    face: index,
    box: { x: x * scale, y: y * scale, width: width * scale, height: height * scale },
    landmarks: landmarks && Object.fromEntries(places),
    expression,
    certain,
    doubts,
    probabilities: Float32Array.from(names.classes, (name) => probabilities[name]),
    controls: Float32Array.from(names.controls, (name) => controls[name]),
  };
}

/** @param {FaceRecord} face @param {Names} names */
export function confidenceOf({ expression, probabilities }, { classes }) {
  return probabilities[classes.indexOf(expression)];
}

/** @param {FaceRecord} face @param {Names} names @returns {Record<string, number>} */
export function probabilitiesOf({ probabilities }, { classes }) {
  return Object.fromEntries(classes.map((name, i) => [name, probabilities[i]]));
}

/** The head of the columns that tell a face. @param {Names} names */
export function faceHead({ classes, controls }) {
  return [...'x y width height expression confidence certain doubts'.split(' '), ...classes.map((name) => `p_${name}`), ...controls];
}

/** @param {FaceRecord} face @param {Names} names @returns {string[]} */
export function faceCells(face, names) {
  const { box, expression, certain, doubts, probabilities, controls } = face;
  return [
    ...[box.x, box.y, box.width, box.height].map((value) => value.toFixed(1)),
    guarded(expression),
    confidenceOf(face, names).toFixed(4),
    String(certain),
    doubts.join(' '),
    ...[...probabilities, ...controls].map((value) => value.toFixed(4)),
  ];
}

/** The cells of the same columns where there is no face. @param {Names} names */
export function noFaceCells(names) {
  return faceHead(names).map(() => '');
}

/** Why a row has no face. @param {string | undefined} error */
export function errorCell(error) {
  return guarded(error ?? NO_FACE);
}

/**
 * A face as JSON has it.
 * @param {FaceRecord} face
 * @param {Names} names
 */
export function faceJson({ box, landmarks, expression, certain, doubts, probabilities, controls }, names) {
  /** @param {readonly string[]} of @param {Float32Array} values */
  const named = (of, values) => Object.fromEntries(of.map((name, i) => [name, Number(values[i].toFixed(6))]));
  return {
    box,
    landmarks,
    expression,
    certain,
    doubts,
    probabilities: named(names.classes, probabilities),
    controls: named(names.controls, controls),
  };
}

/**
 * Pictures as CSV: a row a face, and one that says why for each picture without.
 * @param {readonly PictureRecord[]} pictures
 * @param {Names} names
 * @returns {Blob}
 */
export function picturesCsv(pictures, names) {
  const rows = pictures.flatMap(({ file, error, faces }) =>
    faces.length > 0
      ? faces.map((face) => csvRow([guarded(file), String(face.face), ...faceCells(face, names), '']))
      : [csvRow([guarded(file), '', ...noFaceCells(names), errorCell(error)])],
  );
  const head = csvRow(['file', 'face', ...faceHead(names), 'error']);
  return new Blob([head, ...rows], { type: 'text/csv' });
}

/**
 * @param {readonly PictureRecord[]} pictures
 * @param {Names} names
 * @returns {Blob}
 */
export function picturesJson(pictures, names) {
  const all = pictures.map(({ faces, ...picture }) => ({ ...picture, faces: faces.map((face) => faceJson(face, names)) }));
  return new Blob([JSON.stringify({ pictures: all }, null, 2), '\n'], { type: 'application/json' });
}
