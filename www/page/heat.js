// @ts-check
/** @file Heat maps over a face: dark where there is little, bright where there is much. */

import { alignedFace } from './aligned.js';

/** @typedef {import('../api/index.js').FoundFace} FoundFace */

/** Side of a map as it is drawn, in pixels. */
const SIDE = 192;

/** How much of the map shows over the face. */
const OPACITY = 0.62;

/** From little to much: each step is brighter than the one before, so that it reads without colours too. */
const COLOURS = [
  [12, 8, 38],
  [87, 16, 110],
  [188, 55, 84],
  [249, 142, 9],
  [252, 255, 164],
];

/**
 * The square of a face that the network sees, in grey.
 * @param {FoundFace} face
 * @returns {Float32Array} SIDE x SIDE, 0 to 255
 */
export function greyFace(face) {
  const context = alignedFace(face, SIDE);
  if (!context) return new Float32Array(SIDE * SIDE);
  const { data } = context.getImageData(0, 0, SIDE, SIDE);
  return Float32Array.from({ length: SIDE * SIDE }, (_, i) => 0.3 * data[4 * i] + 0.59 * data[4 * i + 1] + 0.11 * data[4 * i + 2]);
}

/**
 * Draws a map over a face.
 * @param {HTMLCanvasElement} canvas which takes the map's size
 * @param {Float32Array} grey the face
 * @param {ArrayLike<number>} map row by row
 * @param {[number, number]} range what is darkest and what is brightest
 */
export function drawHeat(canvas, grey, map, [low, high]) {
  const cells = Math.sqrt(map.length);
  canvas.width = SIDE;
  canvas.height = SIDE;
  const image = new ImageData(SIDE, SIDE);
  const at = (/** @type {number} */ row, /** @type {number} */ column) => map[row * cells + column];
  for (let y = 0; y < SIDE; y += 1) {
    for (let x = 0; x < SIDE; x += 1) {
      const [row, down] = between(y, cells);
      const [column, right] = between(x, cells);
      const next = Math.min(cells - 1, row + 1);
      const beside = Math.min(cells - 1, column + 1);
      const top = at(row, column) * (1 - right) + at(row, beside) * right;
      const bottom = at(next, column) * (1 - right) + at(next, beside) * right;
      const value = top * (1 - down) + bottom * down;
      const colour = colourOf((value - low) / (high - low || 1));
      const i = y * SIDE + x;
      for (let c = 0; c < 3; c += 1) image.data[4 * i + c] = grey[i] * (1 - OPACITY) + colour[c] * OPACITY;
      image.data[4 * i + 3] = 255;
    }
  }
  canvas.getContext('2d')?.putImageData(image, 0, 0);
}

/**
 * The cell whose centre lies before a pixel's, and how far it is on to the next.
 * @param {number} pixel
 * @param {number} cells
 */
function between(pixel, cells) {
  const place = Math.max(0, Math.min(cells - 1, ((pixel + 0.5) / SIDE) * cells - 0.5));
  const cell = Math.floor(place);
  return [cell, place - cell];
}

/** @param {number} part from 0 to 1 */
function colourOf(part) {
  const place = Math.max(0, Math.min(1, part)) * (COLOURS.length - 1);
  const step = Math.min(COLOURS.length - 2, Math.floor(place));
  return COLOURS[step].map((value, c) => value + (COLOURS[step + 1][c] - value) * (place - step));
}

/** Parts of the square that the network sees: eyes lie at the same places in every face. */
const PARTS = /** @type {const} */ ([
  ['eyes', 0.22, 0.48],
  ['nose', 0.48, 0.66],
  ['mouth', 0.66, 0.95],
]);

/** Left and right border of the face within the square. */
const INSIDE = [0.14, 0.86];

/** Parts whose means differ by less than this part of the map's range are called the same. */
const SAME = 0.1;

/**
 * The part of the face where a map is highest on average.
 * @param {ArrayLike<number>} map
 * @returns {import('../languages/en.js').FacePart | null} null where no part stands out
 */
export function strongestPart(map) {
  const cells = Math.sqrt(map.length);
  const means = PARTS.map(([, from, to]) => {
    let [sum, weight] = [0, 0];
    for (let i = 0; i < map.length; i += 1) {
      const [y, x] = [(Math.floor(i / cells) + 0.5) / cells, ((i % cells) + 0.5) / cells];
      if (y < from || y >= to || x < INSIDE[0] || x > INSIDE[1]) continue;
      sum += map[i];
      weight += 1;
    }
    return sum / (weight || 1);
  });
  const most = Math.max(...means);
  const range = Math.max(...Array.from(map)) - Math.min(...Array.from(map));
  return most - Math.min(...means) <= SAME * range ? null : PARTS[means.indexOf(most)][0];
}
