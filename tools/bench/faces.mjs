// Part `faces`: how long finding the faces of a picture takes on the page's CPU program, one thread, after a warm-up; and
// following one from frame to frame. The page's own API, called in the page.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { DIST, ROOT } from '../../tests/web/browser.mjs';
import { serve } from '../../tests/web/server.mjs';
import { withPage } from './browser.mjs';

const SAMPLES = join(ROOT, 'www/samples');

/** Repetitions that count, after those that warm up. */
const ROUNDS = 20;
const WARM = 5;

/** A large photo of many: side in pixels, faces in a row, and of how many pixels each is. */
const GROUP = { side: 1536, across: 5, portrait: 220 };

/** Measures all rows; `keep` takes them as they come. */
export async function faces(budget, keep) {
  const end = Date.now() + budget;
  const server = await serve(DIST);
  const portraits = await Promise.all(
    ['composite-f-wasian', 'composite-m-african', 'composite-f-easian', 'composite-m-white'].map((name) => base64(`${name}.jpg`)),
  );
  const astronaut = await base64('astronaut.jpg');
  const rows = [];
  try {
    await withPage(async (page, { version }) => {
      await page.goto(`${server.origin}/?embed&device=cpu`);
      await page.evaluate(prepare, { portraits, astronaut, ...GROUP });
      for (const of of ['photo', 'group', 'film']) {
        const times = [];
        let count = 0;
        for (let round = 0; round < WARM + ROUNDS && Date.now() < end; round += 1) {
          const { milliseconds, faces: found } = await page.evaluate((name) => window.find(name), of);
          if (round >= WARM) times.push(milliseconds);
          count = found;
        }
        const sorted = times.toSorted((a, b) => a - b);
        const at = (part) => sorted[Math.floor((sorted.length - 1) * part)];
        rows.push({ of, faces: count, median: at(0.5), low: at(0.25), high: at(0.75), rounds: sorted.length, version });
        keep({ rows });
      }
    });
  } finally {
    await server.close();
  }
}

async function base64(name) {
  return (await readFile(join(SAMPLES, name))).toString('base64');
}

/** In the page: `find` one of the pictures once, and tell the milliseconds and how many faces there were. */
async function prepare({ portraits, astronaut, side, across, portrait }) {
  const { FersNet } = await import('./api/index.js');
  const net = await FersNet.load({ device: 'cpu', decoder: null, painter: null });
  const blobOf = (text) => new Blob([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))]);
  const images = await Promise.all(portraits.map((text) => createImageBitmap(blobOf(text))));
  const drawn = (width, height) => {
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d');
    context.fillStyle = '#8a8f94';
    context.fillRect(0, 0, width, height);
    return { canvas, context };
  };
  const group = drawn(side, side);
  const step = side / across;
  for (let i = 0; i < across * across; i += 1) {
    const image = images[i % images.length];
    const margin = (step - portrait) / 2;
    const [x, y] = [(i % across) * step + margin, Math.floor(i / across) * step + margin];
    group.context.drawImage(image, x, y, portrait, (portrait * image.height) / image.width);
  }
  const files = { photo: blobOf(astronaut), group: await group.canvas.convertToBlob({ type: 'image/png' }) };
  const film = net.followFaces();
  const frame = drawn(640, 480);
  let time = 0;
  window.find = async (of) => {
    if (of === 'film') {
      const image = images[0];
      const width = 300 + 20 * Math.sin(time / 9);
      frame.context.drawImage(image, 150 + 60 * Math.sin(time / 7), 20, width, (width * image.height) / image.width);
      time += 1;
      const read = await film.recognise(await createImageBitmap(frame.canvas));
      net.release(read);
      return { milliseconds: read.findMilliseconds, faces: read.faces.length };
    }
    const read = await net.recognise(files[of]);
    net.release(read);
    return { milliseconds: read.findMilliseconds, faces: read.faces.length };
  };
}
