// The face in the photo on its way to another expression: shown, saved, stopped.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { frameAt } from '../../www/page/animator.js';
import { forAllTests, PATIENCE_MS, ROOT } from './browser.mjs';

const ASTRONAUT = join(ROOT, 'www/samples/astronaut.jpg');
const TERM = 'digitalsourcetype/compositeWithTrainedAlgorithmicMedia';

const site = forAllTests();

/** The page with a surprised astronaut in the photo. */
async function openSurprised(options = {}) {
  const visit = await site.open('?device=cpu', options);
  await visit.loaded();
  assert.equal(await visit.give(ASTRONAUT), 'ready', await visit.error());
  await visit.page.getByTestId('synthesis-0-surprise').click();
  await visit.settled();
  return visit;
}

/** Waits for all frames. */
const drawn = (page) => page.locator('#player-gif:not([disabled])').waitFor({ timeout: PATIENCE_MS });

/** Width, height and delays of a GIF's frames, read block by block; and its comment. */
function gifOf(bytes) {
  assert.equal(bytes.subarray(0, 6).toString(), 'GIF89a');
  const gif = { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8), delays: [], comment: '' };
  let at = 13 + (bytes[10] & 0x80 ? 3 * 2 ** ((bytes[10] & 7) + 1) : 0);
  const blocks = () => {
    const parts = [];
    for (let size = bytes[at]; size > 0; size = bytes[at]) {
      parts.push(bytes.subarray(at + 1, at + 1 + size));
      at += 1 + size;
    }
    at += 1;
    return Buffer.concat(parts);
  };
  while (bytes[at] !== 0x3b) {
    const [kind, label] = [bytes[at], bytes[at + 1]];
    if (kind === 0x21) {
      at += 2;
      const data = blocks();
      if (label === 0xf9) gif.delays.push(data.readUInt16LE(1));
      if (label === 0xfe) gif.comment += data.toString();
    } else {
      assert.equal(kind, 0x2c, `a block at ${at}`);
      const flags = bytes[at + 9];
      at += 10 + (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0) + 1;
      blocks();
    }
  }
  return gif;
}

test('a face is animated there and back, and saved as a marked GIF and a WebM', async () => {
  const visit = await openSurprised();
  const { page } = visit;
  await page.getByTestId('animate').click();
  await page.getByTestId('player').waitFor();
  await drawn(page);
  await visit.settled();
  assert.equal(await page.locator('#player-play').innerText(), 'Pause', 'it plays');

  // The visible mark: a dark band in the lower left corner of every frame.
  const place = page.getByTestId('place');
  const corners = [];
  for (const index of [0, 12, 24]) {
    await place.fill(String(index));
    corners.push(
      await page.evaluate(() => {
        const canvas = document.querySelector('#player-canvas');
        const { data } = canvas.getContext('2d').getImageData(0, canvas.height - 1, 20, 1);
        return Math.max(...data.filter((_, i) => i % 4 < 3));
      }),
    );
  }
  assert.ok(corners.every((value) => value < 40), `the band is dark: ${corners}`);

  const save = async (testId) => {
    const [download] = await Promise.all([
      page.waitForEvent('download', { timeout: PATIENCE_MS }),
      page.getByTestId(testId).click(),
    ]);
    await visit.settled();
    return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
  };
  const gif = await save('save-gif');
  assert.equal(gif.name, 'fersnet-surprise.gif');
  assert.ok(gif.bytes.includes(TERM), 'metadata');
  const read = gifOf(gif.bytes);
  assert.equal(read.delays.length, 48, '24 steps there, 24 back');
  assert.ok(read.delays[0] > 50 && read.delays[24] > 50 && read.delays[12] < 10, 'it rests at both ends');
  assert.match(read.comment, /SYNTHETIC EXPRESSION/);
  assert.ok(Math.max(read.width, read.height) <= 480 && gif.bytes.length < 6e6, `${gif.bytes.length} bytes`);
  const webm = await save('save-webm');
  assert.equal(webm.name, 'fersnet-surprise.webm');
  assert.deepEqual([...webm.bytes.subarray(0, 4)], [0x1a, 0x45, 0xdf, 0xa3], 'an EBML file');
  assert.ok(webm.bytes.length > 5000);
  assert.deepEqual([visit.violations, visit.complaints, visit.strangers()], [[], [], []]);
  await visit.close();
});

test('an animation gives way to a newer wish, and can be closed', async () => {
  const visit = await openSurprised();
  const { page } = visit;
  await page.getByTestId('animate').click();
  await page.getByTestId('synthesis-0-anger').click();
  await visit.settled();
  assert.equal(await page.getByTestId('player').isVisible(), false, 'the photo is shown again');
  assert.equal(await page.locator('#photo').getAttribute('data-synthetic'), 'anger');
  await page.getByTestId('animate').click();
  await page.getByTestId('player-close').click();
  assert.equal(await page.getByTestId('player').isVisible(), false);
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'animate', 'the focus goes back');
  await visit.settled();
  assert.ok(await page.getByTestId('save').isVisible());
  await visit.close();
});

test('where less motion is wished, nothing plays by itself', async () => {
  const visit = await openSurprised({ context: { reducedMotion: 'reduce' } });
  const { page } = visit;
  await page.getByTestId('animate').click();
  await drawn(page);
  await visit.settled();
  assert.equal(await page.getByTestId('play').innerText(), 'Play');
  const frame = () => page.locator('#player-canvas').getAttribute('data-frame');
  assert.equal(await frame(), '24');
  await page.waitForTimeout(300);
  assert.equal(await frame(), '24');
  await page.getByTestId('place').focus();
  await page.keyboard.press('ArrowLeft');
  assert.equal(await frame(), '23');
  await visit.close();
});

test('every frame has its time, there and back', () => {
  const seen = [];
  for (let time = 0; time < 1400 + 2 * 23 * 40; time += 40) seen.push(frameAt(time, 25));
  assert.equal(seen[0], 0);
  assert.equal(Math.max(...seen), 24);
  assert.equal(seen.at(-1), 1);
  assert.ok(seen.every((frame, i) => i === 0 || Math.abs(frame - seen[i - 1]) <= 1), seen.join());
});
