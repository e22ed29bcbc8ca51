// @ts-check
/** @file Bench `growth`: 1 to 16 faces in a picture of one size; the time a face should not grow. */

import { FersNet } from '../api/index.js';
import { fetched } from './inputs.js';
import { ROUNDS, summary, WARM_UP } from './rounds.js';

const COUNTS = [1, 2, 4, 8, 16];
/** Tiles along one side of the picture, and their side in pixels. */
const TILES = 4;
const TILE = 384;
const PORTRAITS = ['astronaut', 'hopper', 'composite-f-easian', 'composite-m-african'];

/** @param {import('./main.js').Bench} bench */
export async function growth({ budget, report }) {
  const portraits = await Promise.all(
    PORTRAITS.map(async (name) => {
      const bytes = await fetched(new URL(`../samples/${name}.jpg`, import.meta.url).href);
      return createImageBitmap(new Blob([bytes], { type: 'image/jpeg' }));
    }),
  );
  const pictures = await Promise.all(COUNTS.map((count) => picture(portraits, count)));
  const devices = ['cpu', 'webgpu'];
  const end = performance.now() + budget;
  for (const [i, device] of devices.entries()) {
    const net = await FersNet.load({ device, program: new URL('../fersnet-gpu.js', import.meta.url) });
    if (net.device.kind !== device) {
      report({ of: { device }, error: net.device.notice });
    } else {
      const share = (end - performance.now()) / (devices.length - i);
      for (const row of await inTurn(net, pictures, share)) report(row);
    }
    net.close();
  }
}

/**
 * @param {ImageBitmap[]} portraits
 * @param {number} count of faces
 */
async function picture(portraits, count) {
  const canvas = new OffscreenCanvas(TILES * TILE, TILES * TILE);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d'));
  context.fillStyle = '#808080';
  context.fillRect(0, 0, canvas.width, canvas.height);
  for (let i = 0; i < count; i += 1) {
    const image = portraits[i % portraits.length];
    const side = Math.min(image.width, image.height);
    const [x, y] = [(i % TILES) * TILE, Math.floor(i / TILES) * TILE];
    context.drawImage(image, (image.width - side) / 2, 0, side, side, x, y, TILE, TILE);
  }
  return canvas.convertToBlob({ type: 'image/jpeg', quality: 0.9 });
}

/**
 * All pictures in turn, so that other work on the machine falls on all alike.
 * @param {FersNet} net
 * @param {Blob[]} pictures
 * @param {number} budget milliseconds
 */
async function inTurn(net, pictures, budget) {
  const begun = performance.now();
  /** @type {{find: number[], read: number[], redraw: number[], found?: number}[]} */
  const rows = pictures.map(() => ({ find: [], read: [], redraw: [] }));
  for (let round = 0; round < WARM_UP + ROUNDS; round += 1) {
    for (const [i, row] of rows.entries()) {
      // Asked at each picture: a software adapter needs minutes for a round of all of them.
      if (performance.now() - begun > budget) break;
      const picture = await net.recognise(pictures[i]);
      const { faces } = picture;
      row.found = faces.length;
      row.find.push(picture.findMilliseconds);
      row.read.push(faces.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / faces.length);
      let redraw = 0;
      for (const face of faces) {
        const [{ milliseconds }] = await net.synthesise(face, net.classes);
        redraw += milliseconds;
      }
      row.redraw.push(redraw / faces.length);
      await net.release(picture);
    }
  }
  return rows.map(({ find, read, redraw, found }, i) => ({
    of: { device: net.device.kind, label: net.device.label, faces: COUNTS[i], found },
    find: summary(find),
    'read a face': summary(read),
    'redraw a face': summary(redraw),
  }));
}
