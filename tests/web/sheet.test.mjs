// One picture of a face with all expressions: labelled in the page's language, and marked as every synthetic picture.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { forAllTests, meanDifference, PATIENCE_MS, ROOT } from './browser.mjs';

const SAMPLE = join(ROOT, 'www/samples/composite-f-african.jpg');

/** As www/page/sheet.js lays it out: nine faces of 256 pixels in three columns. */
const LAYOUT = { margin: 16, gap: 12, caption: 36, foot: 44, side: 256 };

/** The watermark changes each pixel a little. */
const WATERMARK = 0.02;

const site = forAllTests();

/** The sheet of the first face: `{name, file}`. */
async function save(page) {
  const [download] = await Promise.all([
    page.waitForEvent('download', { timeout: PATIENCE_MS }),
    page.getByTestId('sheet-0').click(),
  ]);
  return { name: download.suggestedFilename(), file: await readFile(await download.path()) };
}

/** A part of a picture. */
function part({ width, rgb }, [x, y, w, h]) {
  const rows = Array.from({ length: h }, (_, i) => rgb.subarray(3 * ((y + i) * width + x), 3 * ((y + i) * width + x + w)));
  return { width: w, height: h, rgb: Buffer.concat(rows) };
}

/** Where a face and its caption lie in the sheet, from 0. */
function cell(i) {
  const { margin, gap, caption, side } = LAYOUT;
  const [x, y] = [margin + (i % 3) * (side + gap), margin + Math.floor(i / 3) * (side + caption)];
  return { face: [x, y, side, side], caption: [x, y + side, side, caption] };
}

test('the sheet shows every face of the page with its name, and the page’s check finds all marks in it', { timeout: PATIENCE_MS }, async () => {
  const visit = await site.open('?device=cpu&lang=en');
  await visit.loaded();
  const { page } = visit;
  assert.equal(await visit.give(SAMPLE), 'ready', await visit.error());
  const english = await save(page);
  assert.equal(english.name, 'fersnet-sheet.png');
  const sheet = await visit.decode(english.file);
  const { margin, gap, caption, foot, side } = LAYOUT;
  assert.deepEqual([sheet.width, sheet.height], [2 * margin + 3 * side + 2 * gap, margin + 3 * (side + caption) + foot]);

  const names = await page.evaluate(() => [...document.querySelectorAll('.tile')].map(({ dataset }) => dataset.testid));
  assert.equal(names.length, 8);
  for (const [i, name] of names.entries()) {
    const difference = meanDifference(part(sheet, cell(i + 1).face), await visit.pixels(name));
    assert.ok(difference < WATERMARK, `${name}: ${difference}`);
  }
  // The original is the face, neither empty nor one of the synthesised.
  const original = part(sheet, cell(0).face);
  const others = names.map((_, i) => meanDifference(original, part(sheet, cell(i + 1).face)));
  assert.ok(Math.min(...others) > 0.001 && Math.max(...others) < 0.15, others.join());

  await page.getByTestId('language').selectOption('de');
  await page.waitForFunction(() => document.documentElement.lang === 'de');
  const german = await visit.decode((await save(page)).file);
  for (let i = 0; i < 9; i += 1) {
    const [captions, faces] = ['caption', 'face'].map((what) => meanDifference(part(sheet, cell(i)[what]), part(german, cell(i)[what])));
    assert.ok(faces < WATERMARK / 4, `face ${i}: ${faces}`);
    // "Neutral" is both languages' word; the original's caption begins alike and shows the same.
    if (i > 1) assert.ok(captions > 0.005, `caption ${i}: ${captions}`);
  }

  await visit.give({ name: 'sheet.png', mimeType: 'image/png', buffer: english.file });
  await page.waitForSelector('#origin[data-made-here="true"]', { timeout: PATIENCE_MS });
  await page.getByTestId('language').selectOption('en');
  await page.getByTestId('origin').click();
  assert.equal(await page.getByTestId('made-here').innerText(), 'This picture was made synthetic with FERSNet: metadata, badge, watermark.');
  for (const mark of ['metadata', 'badge', 'watermark']) assert.match(await page.getByTestId(`origin-${mark}`).innerText(), /^found/, mark);
  assert.deepEqual([visit.violations, visit.complaints, visit.strangers()], [[], [], []]);
  await visit.close();
});
