// Faces followed from frame to frame, and rows of a table: what needs no browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import german from '../../www/languages/de.js';
import english from '../../www/languages/en.js';
import { ClipRecords, clock } from '../../www/page/clip-records.js';
import { csvRow, guarded } from '../../www/page/csv.js';
import { stemOf } from '../../www/page/download.js';
import { FacesFollowed } from '../../www/page/faces-followed.js';
import { moment } from '../../www/page/numbers.js';
import { tableOf } from './downloads.mjs';

const STEP = 0.2;
/** A frame that is all of one grey. */
const grey = (value) => new Uint8ClampedArray(32 * 18 * 4).fill(value);
const WALL = grey(100);

/** Looks of two persons: alike to 0, and each alike to itself. */
const LOOKS = [Float32Array.of(1, 0), Float32Array.of(0, 1)];

/** A face at a place. */
function face(x, y, { side = 40, look = LOOKS[0] } = {}) {
  const box = { x, y, width: side, height: side };
  const at = (u, v) => ({ x: x + u * side, y: y + v * side });
  return { record: { box, landmarks: { left_eye: at(0.7, 0.3), right_eye: at(0.3, 0.3), nose: at(0.5, 0.6), mouth: at(0.5, 0.8) } }, look };
}

/** The ids of frame after frame. */
function idsOf(frames) {
  const followed = new FacesFollowed();
  return frames.map(([frame, ...faces], i) => followed.add(i * STEP, frame, faces));
}

test('a face that moves keeps its id', () => {
  const frames = Array.from({ length: 20 }, (_, i) => [WALL, face(10 + 15 * i, 30)]);
  assert.deepEqual(new Set(idsOf(frames).flat()), new Set([1]));
});

test('two faces that pass one another keep their ids, whatever their order', () => {
  const look = Float32Array.of(0.8, 0.6);
  const frames = Array.from({ length: 21 }, (_, i) => {
    // They look alike: where they go tells them apart.
    const both = [face(10 + 15 * i, 30), face(300 - 15 * i, 30, { look })];
    return i % 2 ? [WALL, ...both] : [WALL, ...both.reverse()];
  });
  const ids = idsOf(frames).map((pair, i) => (i % 2 ? pair : pair.reverse()));
  assert.equal(new Set(ids.map(String)).size, 1, ids.join(' '));
});

test('a face that is not seen for a moment comes back with its id, and after a second with a new one', () => {
  const seen = [WALL, face(50, 50)];
  const none = [WALL];
  assert.deepEqual(idsOf([seen, none, none, seen]).flat(), [1, 1]);
  assert.deepEqual(idsOf([seen, ...Array(7).fill(none), seen]).flat(), [1, 2]);
});

test('after a cut a face in the same place has a new id', () => {
  assert.deepEqual(idsOf([[WALL, face(50, 50)], [grey(200), face(50, 50)], [grey(200), face(50, 50)]]).flat(), [1, 2, 2]);
});

test('where there may have been a cut, a face keeps its id only if it looks the same', () => {
  const other = grey(122);
  assert.deepEqual(idsOf([[WALL, face(50, 50)], [other, face(52, 50)]]).flat(), [1, 1]);
  const alike = Float32Array.of(0.8, 0.6);
  assert.deepEqual(idsOf([[WALL, face(50, 50)], [other, face(52, 50, { look: alike })]]).flat(), [1, 2]);
  assert.deepEqual(idsOf([[WALL, face(50, 50)], [WALL, face(52, 50, { look: alike })]]).flat(), [1, 1], 'within a shot it may change');
});

test('another face in the same place has another id', () => {
  assert.deepEqual(idsOf([[WALL, face(50, 50)], [WALL, face(50, 50, { look: LOOKS[1] })]]).flat(), [1, 2]);
});

test('a face that is far away or of another size is another one', () => {
  assert.deepEqual(idsOf([[WALL, face(50, 50)], [WALL, face(150, 50)]]).flat(), [1, 2]);
  assert.deepEqual(idsOf([[WALL, face(50, 50)], [WALL, face(40, 40, { side: 90 })]]).flat(), [1, 2]);
});

test('tracks that are said to be of one face share an id, and can be parted again', () => {
  const records = new ClipRecords({ classes: ['neutral'], controls: [] });
  const seen = (track) => ({ track, expression: 'neutral', certain: true, doubts: [], probabilities: [1], controls: [] });
  [1, 2, 3].forEach((track) => records.add({ number: track, seconds: track, faces: [seen(track)] }));
  records.join(3, 2);
  records.join(2, 1);
  assert.deepEqual([1, 2, 3].map((track) => records.idOf(track)), [1, 1, 1]);
  assert.deepEqual(records.courses(1), [[1, 1, 1]]);
  records.join(3, 3);
  assert.deepEqual([records.ids(), records.courses(3)], [[1, 3], [[null, null, 1]]]);
});

test('times are as files and as people have them', () => {
  assert.deepEqual([0, 4.0004, 59.9996, 3725.5].map(clock), ['00:00:00.000', '00:00:04.000', '00:01:00.000', '01:02:05.500']);
  assert.deepEqual([0, 4.04, 59.96, 3725.5].map((seconds) => moment(english, seconds)), ['0:00.0', '0:04.0', '1:00.0', '62:05.5']);
  assert.equal(moment(german, 3725.5), '62:05,5');
});

test('cells survive commas, quotes and lines, and no text is a formula', () => {
  const cells = ['a', 'b, "c"', 'd\ne', '', '-1.5'];
  const { rows } = tableOf(csvRow(['k', 'l', 'm', 'n', 'o']) + csvRow(cells));
  assert.deepEqual(Object.values(rows[0]), cells);
  const texts = ['=1', '+1', '-1', '@a', '\t=1', '\r=1', ' =1', 'a=1', ''];
  assert.deepEqual(texts.map(guarded), ["'=1", "'+1", "'-1", "'@a", "'\t=1", "'\r=1", ' =1', 'a=1', '']);
});

test('a name that is saved has no folders', () => {
  assert.deepEqual(['../a/b c.webm', 'Läufer.MP4', '.mp4', 'x'].map(stemOf), ['b_c', 'Läufer', 'video', 'x']);
});
