// @ts-check
/** @file What was recognised in a video: frames with faces, the faces that were followed, both as CSV and JSON. */

import { csvRow, guarded } from './csv.js';
import { errorCell, faceCells, faceHead, faceJson, noFaceCells, probabilitiesOf } from './records.js';
import { isSure } from './sure.js';

/**
 * @typedef {import('./records.js').FaceRecord} FaceRecord
 * @typedef {import('./records.js').Names} Names
 */

/** @typedef {FaceRecord & {track: number}} TrackedFace `track`: the id under which it was followed, from 1 */

/**
 * @typedef {object} FrameRecord
 * @property {number} number from 0, as the frame rate counts
 * @property {number} seconds
 * @property {TrackedFace[]} faces
 * @property {string} [error] why it was not recognised
 * @property {unknown} [failure] the same, to be told in the visitor's language
 */

/**
 * A face as it was followed through one shot.
 * @typedef {object} Track
 * @property {number} track its id
 * @property {number} from in seconds
 * @property {number} to
 * @property {number} frames it was seen in
 * @property {number} unsure of these
 * @property {Map<string, number>} shown frames by expression
 */

/** @typedef {{file: string, width: number, height: number, seconds: number, rate: number}} ClipFacts */

/** All that is known of a video. */
export class ClipRecords {
  #names;
  /** @type {FrameRecord[]} in the order of time */ frames = [];
  /** @type {Map<number, Track>} by id */ tracks = new Map();
  /** @type {Map<number, number>} tracks that the visitor says are the face of another one */ #same = new Map();

  /** @param {Names} names of the columns */
  constructor(names) {
    this.#names = names;
  }

  /** @param {FrameRecord} frame later than those before */
  add(frame) {
    this.frames.push(frame);
    for (const face of frame.faces) {
      const { track, expression, certain } = face;
      const known = this.tracks.get(track) ?? { track, from: frame.seconds, to: 0, frames: 0, unsure: 0, shown: new Map() };
      known.to = frame.seconds;
      known.frames += 1;
      known.unsure += isSure({ expression, certain, probabilities: probabilitiesOf(face, this.#names) }) ? 0 : 1;
      known.shown.set(expression, (known.shown.get(expression) ?? 0) + 1);
      this.tracks.set(track, known);
    }
  }

  /** The id of the face that a track is of. @param {number} track */
  idOf(track) {
    return this.#same.get(track) ?? track;
  }

  /**
   * Says that a track is of the same face as another one.
   * @param {number} track
   * @param {number} other the track itself, where it is a face of its own
   */
  join(track, other) {
    const id = other === track ? track : this.idOf(other);
    for (const each of this.tracks.keys()) {
      // Those that were said to be of this one stay with it.
      if (each === track || this.idOf(each) === track) this.#same.set(each, id);
    }
  }

  /** The ids of all faces. @returns {number[]} */
  ids() {
    return [...new Set([...this.tracks.keys()].map((track) => this.idOf(track)))];
  }

  /**
   * A face's probabilities, frame by frame; null where it is not seen.
   * @param {number} id
   * @returns {(number | null)[][]} one a class
   */
  courses(id) {
    const seen = this.frames.map(({ faces }) => faces.find(({ track }) => this.idOf(track) === id));
    return this.#names.classes.map((_, i) => seen.map((face) => face?.probabilities[i] ?? null));
  }

  /**
   * A row a face of a frame, and one that says why for each frame without.
   * @param {ClipFacts} facts
   */
  csv({ file }) {
    const names = this.#names;
    const head = csvRow(['file', 'time', 'seconds', 'frame', 'id', 'face', ...faceHead(names), 'error']);
    const rows = this.frames.flatMap(({ number, seconds, faces, error }) => {
      const when = [guarded(file), clock(seconds), seconds.toFixed(3), String(number)];
      return faces.length > 0
        ? faces.map((face) => csvRow([...when, String(this.idOf(face.track)), String(face.face), ...faceCells(face, names), '']))
        : [csvRow([...when, '', '', ...noFaceCells(names), errorCell(error)])];
    });
    return new Blob([head, ...rows], { type: 'text/csv' });
  }

  /** @param {ClipFacts} facts */
  json(facts) {
    const names = this.#names;
    // Frame by frame: the whole as one text would be many times as large.
    const frames = this.frames.map(({ number, seconds, faces, error }, i) => {
      const of = faces.map((face) => ({ id: this.idOf(face.track), ...faceJson(face, names) }));
      const text = JSON.stringify({ time: clock(seconds), seconds: rounded(seconds), frame: number, error, faces: of });
      return `${i > 0 ? ',\n' : ''}    ${text}`;
    });
    const video = JSON.stringify({ ...facts, seconds: rounded(facts.seconds), rate: rounded(facts.rate) });
    return new Blob([`{\n  "video": ${video},\n  "frames": [\n`, ...frames, '\n  ]\n}\n'], { type: 'application/json' });
  }
}

/** A time as files have it: `00:01:02.345`. @param {number} seconds */
export function clock(seconds) {
  const all = Math.round(seconds * 1000);
  const parts = [Math.floor(all / 3_600_000), Math.floor(all / 60_000) % 60, Math.floor(all / 1000) % 60];
  return `${parts.map((part) => String(part).padStart(2, '0')).join(':')}.${String(all % 1000).padStart(3, '0')}`;
}

/** @param {number} value */
function rounded(value) {
  return Number(value.toFixed(3));
}
