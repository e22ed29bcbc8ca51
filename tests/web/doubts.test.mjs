// A face that is seen badly says so beside its answer, in every language, in the table and in the files.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { forAllTests, PATIENCE_MS, ROOT } from './browser.mjs';
import { saved, tableOf } from './downloads.mjs';

const ASTRONAUT = join(ROOT, 'www/samples/astronaut.jpg');

const site = forAllTests();

/** The astronaut's photo, drawn with a filter of the canvas, as a file. */
async function drawn(page, name, filter) {
  const base64 = await page.evaluate(
    async ({ base64, filter }) => {
      const bytes = Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
      const photo = await createImageBitmap(new Blob([bytes]));
      const canvas = Object.assign(document.createElement('canvas'), { width: photo.width, height: photo.height });
      const context = canvas.getContext('2d');
      context.filter = filter;
      context.drawImage(photo, 0, 0);
      return canvas.toDataURL('image/png').split(',')[1];
    },
    { base64: (await readFile(ASTRONAUT)).toString('base64'), filter },
  );
  return { name, mimeType: 'image/png', buffer: Buffer.from(base64, 'base64') };
}

test('a dark face says so in one sentence, and a clear one says nothing', async () => {
  for (const [query, sentence] of [
    ['?device=cpu', 'The face is poorly lit: the answer may be wrong.'],
    ['?device=cpu&lang=de', 'Das Gesicht ist schlecht beleuchtet: Die Antwort kann falsch sein.'],
    ['?device=cpu&lang=zh', '这张脸光线太暗，结果可能不准。'],
  ]) {
    const visit = await site.open(query);
    await visit.loaded();
    const { page } = visit;
    assert.equal(await visit.give(ASTRONAUT), 'ready', await visit.error());
    assert.equal(await page.getByTestId('quality-0').isVisible(), false);
    assert.equal(await visit.give(await drawn(page, 'dark.png', 'brightness(0.06)')), 'ready', await visit.error());
    assert.equal(await page.getByTestId('quality-0').innerText(), sentence);
    assert.deepEqual([visit.violations, visit.complaints], [[], []]);
    await visit.close();
  }
});

test('the table and its files name what makes an answer doubtful', async () => {
  const visit = await site.open('?device=cpu');
  await visit.loaded();
  const { page } = visit;
  const clear = { name: 'clear.jpg', mimeType: 'image/jpeg', buffer: await readFile(ASTRONAUT) };
  const dark = await drawn(page, 'dark.png', 'brightness(0.06)');
  await page.getByTestId('picture').setInputFiles([clear, dark]);
  await page.locator('[data-testid="many"][data-state="done"]').waitFor({ timeout: PATIENCE_MS });
  const cells = await page.getByTestId('face-row').locator('.shows').allInnerTexts();
  assert.doesNotMatch(cells[0], /may be wrong/);
  assert.match(cells[1], /The face is poorly lit: the answer may be wrong\./);
  const { rows } = tableOf((await saved(page, 'save-csv')).text);
  assert.deepEqual(rows.map(({ doubts }) => doubts), ['', 'dark']);
  const { pictures } = JSON.parse((await saved(page, 'save-json')).text);
  assert.deepEqual(pictures.map(({ faces: [face] }) => face.doubts), [[], ['dark']]);
  await visit.close();
});
