// Several faces of one photo: each keeps what it was given, and all of them can be moved alike.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { parseTarget } from '../../www/page/target.js';
import { serious } from './axe.mjs';
import { forAllTests, meanDifference, PATIENCE_MS, ROOT } from './browser.mjs';

const GROUP = join(ROOT, 'tests/photos/several.jpg');
const FACES = 6;

const site = forAllTests();

/** Keeps which faces the page asks its worker to synthesise, and how many of that are under way at once. */
function countSyntheses() {
  window.syntheses = { asked: [], open: new Set(), most: 0 };
  window.Worker = class extends Worker {
    constructor(...given) {
      super(...given);
      const { open } = window.syntheses;
      this.addEventListener('message', ({ data }) => {
        if (data.type === 'done' || data.type === 'failed') open.delete(data.id);
      });
    }

    postMessage(message, ...rest) {
      if (message.type === 'synthesise') {
        const { open, asked } = window.syntheses;
        open.add(message.id);
        asked.push({ face: message.face, target: message.targets.at(-1) });
        window.syntheses.most = Math.max(window.syntheses.most, open.size);
      }
      super.postMessage(message, ...rest);
    }
  };
}

/** The page with the group, the sliders of all its faces, and a face chosen by its frame. */
async function openGroup(chosen = 0) {
  const visit = await site.open('?device=cpu', { prepare: (page) => page.addInitScript(countSyntheses) });
  await visit.loaded();
  assert.equal(await visit.give(GROUP), 'ready', await visit.error());
  for (let face = 0; face < FACES; face += 1) {
    await visit.page.getByTestId(`sliders-${face}`).waitFor({ state: 'attached', timeout: PATIENCE_MS });
  }
  await visit.page.evaluate(() => document.querySelectorAll('.part').forEach((part) => (part.open = true)));
  await choose(visit, chosen);
  return visit;
}

async function choose({ page }, face) {
  await page.getByTestId(`face-${face}`).click();
  assert.ok(await page.getByTestId(`sliders-${face}`).isVisible());
}

/** Sets a slider of the chosen face as a drag does, in percent. */
async function slide(visit, testId, percent) {
  await visit.page.getByTestId(testId).fill(String(percent));
  await visit.settled();
}

/** What the text field of a face says. */
const text = ({ page }, face) => page.getByTestId(`target-${face}`).inputValue();

/** What the text field of each face says once it is chosen. */
async function texts(visit) {
  const all = [];
  for (let face = 0; face < FACES; face += 1) {
    await choose(visit, face);
    all.push(await text(visit, face));
  }
  return all;
}

/** A strip through the mouth of each face: its rows of pixels in the photo, or in another picture of that size. */
async function mouths(visit, picture) {
  const photo = picture ?? (await visit.photo());
  return (await visit.faces()).map(({ box }) => {
    const x = [0.2, 0.8].map((part) => Math.min(photo.width, Math.round(box.x + part * box.width)));
    const y = [0.65, 0.95].map((part) => Math.min(photo.height, Math.round(box.y + part * box.height)));
    const rows = Array.from({ length: y[1] - y[0] }, (_, i) => {
      const row = (y[0] + i) * photo.width;
      return photo.rgb.subarray(3 * (row + x[0]), 3 * (row + x[1]));
    });
    return { width: x[1] - x[0], height: rows.length, rgb: Buffer.concat(rows) };
  });
}

/** The faces whose mouths differ. */
const differing = (before, after) => before.flatMap((strip, face) => (meanDifference(strip, after[face]) > 0 ? [face] : []));

const ALL = Array.from({ length: FACES }, (_, face) => face);

test('faces are moved one after the other, each keeps what it was given, and one goes back alone', async () => {
  const visit = await openGroup(1);
  const { page } = visit;
  const original = await mouths(visit);
  await slide(visit, 'control-1-jawOpen', 90);
  const one = await mouths(visit);
  assert.deepEqual(differing(original, one), [1]);
  await choose(visit, 0);
  await page.getByTestId('synthesis-0-surprise').click();
  await visit.settled();
  const two = await mouths(visit);
  assert.deepEqual(differing(original, two), [0, 1], 'both are in the photo');
  assert.deepEqual(differing(one, two), [0], 'the first is as it was');
  await choose(visit, 1);
  assert.deepEqual([await text(visit, 1), await page.getByTestId('control-1-jawOpen').inputValue()], ['own=1,jawOpen=0.9', '90']);
  assert.match(await page.getByTestId('face-0').getAttribute('aria-label'), /^Face 1: surprise, synthetic/);

  await page.getByTestId('compare').hover();
  await page.mouse.down();
  assert.deepEqual(differing(original, await mouths(visit)), [], 'the original of both');
  await page.mouse.up();
  assert.deepEqual(differing(two, await mouths(visit)), []);

  await choose(visit, 0);
  await page.getByTestId('reset-0').click();
  await visit.settled();
  const back = await mouths(visit);
  assert.deepEqual(differing(original, back), [1]);
  assert.deepEqual(differing(one, back), []);
  await page.getByTestId('animate').click();
  await page.locator('#player-gif:not([disabled])').waitFor({ timeout: PATIENCE_MS });
  assert.equal(await page.getByTestId('face-1').getAttribute('aria-pressed'), 'true', 'the face that moves is the chosen one');
  await page.getByTestId('player-close').click();
  assert.deepEqual([visit.violations, visit.complaints], [[], []]);
  await visit.close();
});

test('all faces take an expression, a slider and a text alike, are saved together and go back together', async () => {
  const visit = await openGroup(1);
  const { page } = visit;
  const original = await mouths(visit);
  await page.getByRole('checkbox', { name: 'All faces alike' }).focus();
  await page.keyboard.press('Space');
  assert.match(await page.getByTestId('all-status-1').innerText(), /goes to all 6 faces/);
  assert.ok(await page.getByRole('heading', { name: 'Move all faces' }).isVisible());
  await page.getByTestId('synthesis-1-surprise').click();
  await visit.settled();
  assert.equal(await page.getByTestId('all-status-1').innerText(), 'All 6 faces are moved.');
  const surprised = await mouths(visit);
  assert.deepEqual(differing(original, surprised), ALL);
  assert.deepEqual(await texts(visit), ALL.map(() => 'surprise=1'));
  assert.equal(await page.getByTestId('synthesis-4-surprise').getAttribute('aria-pressed'), 'true');

  await choose(visit, 2);
  await slide(visit, 'intensity-2', 40);
  assert.deepEqual(differing(surprised, await mouths(visit)), ALL);
  assert.deepEqual(await texts(visit), ALL.map(() => 'own=0.6,surprise=0.4'), 'each from what it shows itself');
  await choose(visit, 3);
  await page.getByTestId('target-3').fill('jawOpen=7');
  await page.getByTestId('take-3').click();
  await visit.settled();
  assert.match(await page.getByTestId('target-message-3').innerText(), /jawOpen/);
  assert.deepEqual(await texts(visit), ALL.map((face) => (face === 3 ? 'jawOpen=7' : 'own=0.6,surprise=0.4')), 'refused for all');
  await choose(visit, 3);
  await page.getByTestId('target-3').fill('own=1,jawOpen=0.7');
  await page.getByTestId('take-3').click();
  await visit.settled();
  assert.deepEqual(await texts(visit), ALL.map(() => 'own=1,jawOpen=0.7'));
  assert.deepEqual(await serious(page), []);

  const [download] = await Promise.all([page.waitForEvent('download', { timeout: PATIENCE_MS }), page.getByTestId('save').click()]);
  const png = await readFile(await download.path());
  const saved = await mouths(visit, await visit.decode(png));
  const photo = await mouths(visit);
  // The watermark is in the saved one alone.
  const away = ALL.map((face) => meanDifference(saved[face], photo[face]) / meanDifference(saved[face], original[face]));
  assert.ok(away.every((part) => part < 0.5), `all are in the file: ${away}`);

  await page.getByTestId('reset-5').click();
  await visit.settled();
  assert.deepEqual(differing(original, await mouths(visit)), []);
  assert.deepEqual(await texts(visit), ALL.map(() => ''));
  await visit.give({ name: 'saved.png', mimeType: 'image/png', buffer: png });
  await page.waitForSelector('#origin[data-made-here="true"]', { timeout: PATIENCE_MS });
  assert.deepEqual([visit.violations, visit.complaints], [[], []]);
  await visit.close();
});

test('a drag with all faces moves the chosen one; the others follow once, with the last position, unless they are moved', async () => {
  const visit = await openGroup(1);
  const { page } = visit;
  const original = await mouths(visit);
  await page.getByTestId('all-1').check();
  const during = await page.evaluate(async () => {
    Object.assign(window.syntheses, { asked: [], most: 0 });
    const slider = document.querySelector('[data-testid="control-1-jawOpen"]');
    for (let i = 1; i <= 30; i += 1) {
      slider.value = String(4 * i);
      slider.dispatchEvent(new Event('input', { bubbles: true }));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return window.syntheses.asked.map(({ face }) => face);
  });
  assert.deepEqual([...new Set(during)], [1], 'nobody else while it is dragged');
  // Before the others are done, one of them is moved by itself.
  await page.getByTestId('all-1').uncheck();
  await choose(visit, 5);
  assert.equal(await text(visit, 5), 'own=1,jawOpen=1.2', 'its sliders stand where it is going to be');
  await page.getByTestId('control-5-jawOpen').fill('30');
  await visit.settled();
  const { asked, most } = await page.evaluate(() => window.syntheses);
  assert.ok(most <= 2, `${most} at once`);
  const last = ALL.map((face) => asked.filter((one) => one.face === face).at(-1)?.target.jawOpen);
  assert.deepEqual(last, [1.2, 1.2, 1.2, 1.2, 1.2, 0.3]);
  for (const face of [0, 2, 3, 4]) assert.equal(asked.filter((one) => one.face === face).length, 1, `face ${face}`);
  assert.deepEqual(differing(original, await mouths(visit)), ALL);
  assert.deepEqual((await texts(visit)).map((one) => parseTarget(one).jawOpen), [1.2, 1.2, 1.2, 1.2, 1.2, 0.3]);
  await page.getByTestId('original').click();
  await visit.settled();
  assert.deepEqual(differing(original, await mouths(visit)), []);
  await visit.close();
});

test('a photo of one face has no switch for all faces', async () => {
  const visit = await site.open('?device=cpu');
  await visit.loaded();
  assert.equal(await visit.give(join(ROOT, 'www/samples/astronaut.jpg')), 'ready');
  await visit.page.getByTestId('sliders-0').waitFor({ timeout: PATIENCE_MS });
  assert.equal(await visit.page.getByRole('checkbox', { name: 'All faces alike' }).count(), 0);
  assert.equal(await visit.page.getByTestId('all-status-0').count(), 0);
  await visit.close();
});
