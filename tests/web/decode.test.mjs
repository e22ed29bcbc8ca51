// Picture files that the browser decodes: colours, turns, formats and sizes.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { deflateSync } from 'node:zlib';

import { forAllTests, ROOT } from './browser.mjs';
import { chunk } from './hostile.mjs';

const run = promisify(execFile);
const SAMPLE = join(ROOT, 'tests/photos/rendered-S1004-neutral.jpg');

const site = forAllTests();
let folder;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fersnet-decode-'));
});

after(async () => rm(folder, { recursive: true, force: true }));

/** The sample in another form, by ffmpeg. */
async function made(name, ...options) {
  const file = join(folder, name);
  await run('ffmpeg', ['-v', 'error', '-i', SAMPLE, ...options, file]);
  return file;
}

/** A PNG of one colour, with a chunk that says in which space it is. */
function pngOf([red, green, blue], space) {
  const side = 32;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const row = Buffer.from([0, ...Array.from({ length: side }, () => [red, green, blue]).flat()]);
  const rows = Buffer.concat(Array.from({ length: side }, () => row));
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  const parts = [chunk('IHDR', header), ...space, chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([signature, ...parts]);
}

/** Opens a file by the API: its size, its first pixel, how it became a picture, how many faces. */
async function opened(visit, bytes) {
  const base64 = bytes.toString('base64');
  return visit.page.evaluate(async (text) => {
    const { FersNet } = await import('./api/index.js');
    window.net ??= await FersNet.load({ device: 'cpu' });
    const file = new Blob([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))]);
    const { width, height, preview, file: note, faces, handle } = await window.net.recognise(file);
    window.net.release({ handle });
    return { width, height, pixel: [...preview.data.slice(0, 3)], note, faces: faces.length };
  }, base64);
}

test('a wide-gamut picture is brought to sRGB', async () => {
  const visit = await site.open('?device=cpu');
  await visit.loaded();
  const colour = [180, 100, 60];
  // Display P3 in sRGB's curve, full range (ITU-T H.273: 12, 13).
  const wide = await opened(visit, pngOf(colour, [chunk('cICP', Buffer.from([12, 13, 0, 1]))]));
  const plain = await opened(visit, pngOf(colour, []));
  assert.deepEqual(plain.pixel, colour);
  assert.ok(wide.pixel[0] > colour[0] + 5 && wide.pixel[2] < colour[2] - 3, `${wide.pixel}`);
  assert.equal(wide.note.byBrowser, true);
  await visit.close();
});

test('an AVIF picture is read as the browser decodes it, and the page says so', async () => {
  const avif = await made('face.avif', '-c:v', 'libaom-av1', '-still-picture', '1', '-crf', '20', '-cpu-used', '8');
  const visit = await site.open('?device=cpu');
  await visit.loaded();
  const { faces, note } = await opened(visit, await readFile(avif));
  assert.deepEqual([faces, note.format, note.onlyByBrowser], [1, 'AVIF', true]);
  await visit.give(avif);
  assert.equal((await visit.faces()).length, 1);
  assert.match(await visit.page.getByTestId('milliseconds').innerText(), /Decoded by the browser: AVIF/);
  await visit.close();
});

test('a HEIC file that this browser does not read is refused by its name', async () => {
  const visit = await site.open('?device=cpu');
  await visit.loaded();
  const buffer = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypheic\0\0\0\0mif1heic', 'latin1'), Buffer.alloc(64)]);
  await visit.give({ name: 'IMG_0001.HEIC', mimeType: 'image/heic', buffer });
  assert.equal(await visit.page.locator('#alert').getAttribute('data-code'), 'picture-format');
  await visit.close();
});

test('a photo of fifty megapixels is made smaller while it is decoded', async () => {
  const huge = await made('huge.jpg', '-vf', 'scale=5774:-2,pad=8660:ih:(ow-iw)/2:0', '-q:v', '12');
  const visit = await site.open('?device=cpu');
  await visit.loaded();
  await visit.give(huge);
  assert.equal((await visit.faces()).length, 1);
  assert.match(await visit.page.getByTestId('milliseconds').innerText(), /Made smaller .*8660 x 5774 to 4330 x 2887/);
  await visit.close();
});

test('a canvas that does not give back what was drawn is not believed', async () => {
  const visit = await site.open('?device=cpu', {
    // The worker of a browser that hides what it is: each pixel read is off by one.
    prepare: (page) =>
      page.route('**/api/decode.js', async (route) => {
        const response = await route.fetch();
        const lies = `const read = OffscreenCanvasRenderingContext2D.prototype.getImageData;
          OffscreenCanvasRenderingContext2D.prototype.getImageData = function (...place) {
            const image = read.apply(this, place);
            image.data.forEach((value, i) => (image.data[i] = value ^ 1));
            return image;
          };\n`;
        await route.fulfill({ response, body: lies + (await response.text()) });
      }),
  });
  await visit.loaded();
  const { note, pixel } = await opened(visit, pngOf([180, 100, 60], []));
  assert.equal(note.byBrowser, false);
  assert.deepEqual(pixel, [180, 100, 60]);
  await visit.close();
});
