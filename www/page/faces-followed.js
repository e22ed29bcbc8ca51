// @ts-check
/**
 * @file Faces followed from frame to frame: one id each.
 *
 * Within a shot a face keeps its id by where it is (its box and landmarks, moved on as before) and by how it looks.
 * Across a cut every face gets a new id: nothing here tells reliably who somebody is. Of the sample portraits' ten
 * persons two look alike to 0.93 in what `Looks.face` sees of them, and one person with another expression may look
 * alike to no more than 0.92.
 */

import { difference, likeness } from './shot.js';

/** @typedef {import('./records.js').FaceRecord} FaceRecord */
/** @typedef {import('../api/protocol.js').Box} Box */
/** @typedef {{record: FaceRecord, look: Float32Array}} Seen a face of a frame; its look as of `Looks.face` */

/** Frames that differ more than this are of two shots. */
const CUT = 0.18;
/** Frames that differ more than this may be. */
const PERHAPS_CUT = 0.06;

/** How alike a face must look to the one before: within a shot, and where there may have been a cut. */
const SAME_LOOK = 0.6;
const SURELY_SAME_LOOK = 0.9;

/** A face that is not seen for longer than this is lost, in seconds. */
const KEEP_SECONDS = 1;

/** How far a face goes on as it moved, in seconds. */
const MOVES_ON_SECONDS = 0.5;

/** Where a face may be: how much its box overlaps, or how far its landmarks are, in sides of its box. */
const OVERLAP = 0.3;
const REACH = 0.5;

/** How much larger or smaller it may be than before. */
const GROWTH = 1.8;

/**
 * A face that is followed.
 * @typedef {object} Followed
 * @property {number} id
 * @property {FaceRecord} record where it was seen last
 * @property {Float32Array} look how it looked then
 * @property {number} seconds when that was
 * @property {{x: number, y: number}} speed in pixels a second
 */

/** Gives the faces of frame after frame their ids. */
export class FacesFollowed {
  /** @type {Followed[]} */ #followed = [];
  /** @type {Uint8ClampedArray | null} */ #before = null;
  #ids = 0;

  /**
   * @param {number} seconds later than those before
   * @param {Uint8ClampedArray} frame as of `Looks.frame`
   * @param {readonly Seen[]} faces
   * @returns {number[]} an id a face, from 1
   */
  add(seconds, frame, faces) {
    const change = this.#before ? difference(this.#before, frame) : 1;
    this.#before = frame;
    this.#followed = this.#followed.filter((one) => change < CUT && seconds - one.seconds <= KEEP_SECONDS);
    const alike = change < PERHAPS_CUT ? SAME_LOOK : SURELY_SAME_LOOK;
    const same = matched(this.#followed, faces, seconds, alike);
    return faces.map((face, i) => this.#keep(same.get(i), face, seconds));
  }

  /**
   * @param {Followed | undefined} before
   * @param {Seen} face
   * @param {number} seconds
   */
  #keep(before, { record, look }, seconds) {
    if (!before) {
      this.#followed.push({ id: ++this.#ids, record, look, seconds, speed: { x: 0, y: 0 } });
      return this.#ids;
    }
    const [from, to] = [centreOf(before.record.box), centreOf(record.box)];
    const passed = Math.max(seconds - before.seconds, 1e-3);
    const speed = { x: (to.x - from.x) / passed, y: (to.y - from.y) / passed };
    Object.assign(before, { record, look, seconds, speed });
    return before.id;
  }
}

/**
 * Which face is which: the pairs that fit best first.
 * @param {readonly Followed[]} followed
 * @param {readonly Seen[]} faces
 * @param {number} seconds
 * @param {number} alike
 * @returns {Map<number, Followed>} by the number of the face
 */
function matched(followed, faces, seconds, alike) {
  const pairs = followed.flatMap((one) =>
    faces.map((face, i) => ({ one, i, far: likeness(one.look, face.look) < alike ? Infinity : farness(one, face.record, seconds) })),
  );
  pairs.sort((a, b) => a.far - b.far);
  /** @type {Map<number, Followed>} */
  const same = new Map();
  const taken = new Set();
  for (const { one, i, far } of pairs) {
    if (far === Infinity || same.has(i) || taken.has(one)) continue;
    same.set(i, one);
    taken.add(one);
  }
  return same;
}

/**
 * How far a face is from where one that is followed should be; Infinity where it cannot be the same.
 * @param {Followed} one
 * @param {FaceRecord} face
 * @param {number} seconds
 */
function farness({ record, seconds: before, speed }, face, seconds) {
  const growth = sideOf(face.box) / sideOf(record.box);
  if (growth > GROWTH || growth < 1 / GROWTH) return Infinity;
  const on = Math.min(seconds - before, MOVES_ON_SECONDS);
  // It may have stopped or turned: where it was counts as much as where it was going.
  const ways = [
    { x: 0, y: 0 },
    { x: speed.x * on, y: speed.y * on },
  ];
  return Math.min(
    ...ways.map((way) => {
      const overlap = overlapOf(movedBox(record.box, way), face.box);
      const apart = landmarksApart(record, face, way) / sideOf(face.box);
      return overlap > OVERLAP || apart < REACH ? apart + 1 - overlap : Infinity;
    }),
  );
}

/**
 * The mean way between the landmarks of two faces, in pixels.
 * @param {FaceRecord} a
 * @param {FaceRecord} b
 * @param {{x: number, y: number}} way that the first is moved by
 */
function landmarksApart(a, b, way) {
  const [from, to] = [a.landmarks ?? { centre: centreOf(a.box) }, b.landmarks ?? { centre: centreOf(b.box) }];
  const names = Object.keys(from).filter((name) => name in to);
  const apart = names.map((name) => Math.hypot(from[name].x + way.x - to[name].x, from[name].y + way.y - to[name].y));
  return apart.reduce((sum, value) => sum + value, 0) / Math.max(names.length, 1);
}

/** @param {Box} box */
function centreOf({ x, y, width, height }) {
  return { x: x + width / 2, y: y + height / 2 };
}

/** @param {Box} box */
function sideOf({ width, height }) {
  return Math.max(Math.sqrt(Math.max(width * height, 0)), 1);
}

/** @param {Box} box @param {{x: number, y: number}} way */
function movedBox(box, { x, y }) {
  return { ...box, x: box.x + x, y: box.y + y };
}

/** The part of two boxes' union that both cover. @param {Box} a @param {Box} b */
function overlapOf(a, b) {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  const both = width * height;
  return both / (a.width * a.height + b.width * b.height - both);
}
