// Many pictures become a table: a row a face, files of it, and no file stops the others.

import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';

import { serious } from './axe.mjs';
import { forAllTests, PATIENCE_MS, ROOT } from './browser.mjs';
import { saved, tableOf } from './downloads.mjs';
import { predictTable } from './native.mjs';

const sample = (name) => join(ROOT, 'www/samples', name);
const photo = (name) => join(ROOT, 'tests/photos', name);

/** One on the CPU in the page and one natively: sums are taken in another order. */
const TOLERANCE = { place: 1, part: 0.02 };

const site = forAllTests();

/** @type {string} a folder with pictures, and with files that are none */
let folder;
const NAMES = ['astronaut.jpg', 'broken, "half".jpg', 'composite-m-white.jpg', 'no-face.jpg', 'several.jpg'];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fersnet-many-'));
  const jpeg = await readFile(sample('hopper.jpg'));
  await cp(sample('astronaut.jpg'), join(folder, 'astronaut.jpg'));
  await writeFile(join(folder, 'broken, "half".jpg'), jpeg.subarray(0, jpeg.length / 2));
  await cp(sample('composite-m-white.jpg'), join(folder, 'composite-m-white.jpg'));
  for (const name of ['no-face.jpg', 'several.jpg']) await cp(photo(name), join(folder, name));
});

after(() => rm(folder, { recursive: true }));

async function openLoaded(options) {
  const visit = await site.open('?device=cpu', options);
  await visit.loaded();
  return visit;
}

/** Gives several files and waits for one of the table's states. */
async function giveMany(visit, files, state = 'done') {
  await visit.page.getByTestId('picture').setInputFiles(files);
  await many(visit, state);
}

async function many({ page }, state) {
  await page.locator(`[data-testid="many"][data-state="${state}"]`).waitFor({ timeout: PATIENCE_MS });
}

/** The table as it is shown: the texts of each row's cells. */
function shownRows({ page }) {
  return page.getByTestId('face-row').evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.innerText.trim())));
}

const clean = (visit) => assert.deepEqual([visit.violations, visit.complaints, visit.strangers()], [[], [], []]);

test('several pictures are a table whose files say what it shows, and what the command line says', async () => {
  const visit = await openLoaded();
  const { page } = visit;
  await giveMany(visit, NAMES.map((name) => join(folder, name)));
  const shown = await shownRows(visit);
  assert.equal(shown.length, 4 + 6);
  assert.equal(await page.getByTestId('work-status').innerText(), '5 files: 8 faces, and 1 file that could not be read.');

  const csv = await saved(page, 'save-csv');
  assert.equal(csv.name, 'fersnet-faces.csv');
  const { head, rows } = tableOf(csv.text);
  assert.equal(rows.length, shown.length);
  rows.forEach((row, i) => {
    const [, file, expression, probability] = shown[i];
    assert.equal(file.split('\n')[0].trim(), row.file);
    if (row.error) {
      assert.equal(expression.toLowerCase().startsWith(row.error.slice(0, 10).toLowerCase()), true, `${expression}: ${row.error}`);
      assert.equal(row.expression, '');
      return;
    }
    assert.ok(expression.startsWith(row.expression), expression);
    assert.equal(/not sure/.test(expression), row.certain === 'false' || / or /.test(expression), expression);
    assert.ok(Math.abs(Number(row.confidence) * 100 - Number.parseFloat(probability)) < 0.06, probability);
    assert.equal(row.confidence, row[`p_${row.expression}`]);
  });
  assert.match(rows[1].error, /ends before|damaged|truncated|whole/i);
  assert.deepEqual([rows[3].file, rows[3].error], ['no-face.jpg', 'no face was found']);

  const json = await saved(page, 'save-json');
  assert.equal(json.name, 'fersnet-faces.json');
  const { pictures } = JSON.parse(json.text);
  assert.deepEqual(pictures.map(({ file }) => file), NAMES);
  const faces = pictures.flatMap((picture) => picture.faces);
  assert.deepEqual(faces.map(({ expression }) => expression), rows.filter((row) => !row.error).map((row) => row.expression));
  assert.ok(Math.abs(faces[0].controls.mouthSmileLeft - Number(rows[0].mouthSmileLeft)) < 1e-4);
  assert.deepEqual([pictures[3].faces, pictures[3].error, typeof pictures[1].error], [[], undefined, 'string']);

  const native = tableOf(await predictTable(folder, NAMES));
  assert.deepEqual(head, native.head, 'the columns of `fersnet predict --csv --controls`');
  assert.equal(native.rows.length, rows.length);
  native.rows.forEach((row, i) => {
    for (const name of ['file', 'face', 'expression', 'certain', 'doubts']) assert.equal(rows[i][name], row[name], `${row.file} ${name}`);
    assert.equal(Boolean(rows[i].error), Boolean(row.error), row.file);
    for (const name of row.expression ? head.filter((one) => !/^(file|face|expression|certain|doubts|error)$/.test(one)) : []) {
      const tolerance = /^(x|y|width|height)$/.test(name) ? TOLERANCE.place : TOLERANCE.part;
      assert.ok(Math.abs(Number(rows[i][name]) - Number(row[name])) <= tolerance, `${row.file} ${name}: ${rows[i][name]}, ${row[name]}`);
    }
  });
  clean(visit);
  await visit.close();
});

test('a name that begins like a formula is a text in the table', async () => {
  const visit = await openLoaded();
  const buffer = await readFile(sample('astronaut.jpg'));
  const names = ['=HYPERLINK("x").jpg', '+1.jpg', '-1.jpg', '@a.jpg', 'a=1.jpg'];
  await giveMany(visit, names.map((name) => ({ name, mimeType: 'image/jpeg', buffer })));
  const { rows } = tableOf((await saved(visit.page, 'save-csv')).text);
  assert.deepEqual(rows.map(({ file }) => file), [...names.slice(0, 4).map((name) => `'${name}`), 'a=1.jpg']);
  assert.deepEqual((await shownRows(visit)).map(([, file]) => file), names, 'shown as it is');
  await visit.close();
});

test('a row opens its picture in the usual view, and the way back leads to the same row', async () => {
  const visit = await openLoaded();
  const { page } = visit;
  await giveMany(visit, ['astronaut.jpg', 'composite-m-white.jpg'].map(sample));
  const before = await shownRows(visit);
  assert.equal(await page.locator('#photo').isVisible(), false);
  await page.getByTestId('open-1').focus();
  await page.keyboard.press('Enter');
  await page.getByTestId('synthesis-0-happiness').waitFor({ timeout: PATIENCE_MS });
  await visit.settled();
  assert.equal((await visit.faces())[0].expression, 'neutral');
  assert.equal(await page.getByTestId('face-rows').isVisible(), false);
  await page.getByTestId('many-back').click();
  assert.equal(await page.evaluate(() => document.activeElement.dataset.testid), 'open-1');
  assert.deepEqual(await shownRows(visit), before);
  assert.equal(await page.locator('#photo').isVisible(), false);
  // Anywhere in a row is its picture.
  await page.getByTestId('face-row').nth(0).locator('.probability').click();
  await visit.state('busy');
  await page.locator('[data-testid="probability-0-happiness"]').waitFor({ timeout: PATIENCE_MS });
  assert.equal((await visit.faces())[0].expression, 'happiness');
  await page.getByTestId('many-back').click();
  await page.getByTestId('many-close').click();
  assert.equal(await page.getByTestId('many').isVisible(), false);
  assert.equal(await page.getByTestId('samples').isVisible(), true);
  assert.equal(await visit.settled(), 'ready');
  clean(visit);
  await visit.close();
});

test('what was recognised before a cancel stays, and can be saved', async () => {
  const visit = await openLoaded();
  const { page } = visit;
  const files = Array.from({ length: 40 }, (_, i) => sample(i % 2 ? 'astronaut.jpg' : 'composite-m-white.jpg'));
  await giveMany(visit, files, 'running');
  await page.getByTestId('face-row').nth(2).waitFor({ timeout: PATIENCE_MS });
  await page.getByTestId('batch-cancel').click();
  await many(visit, 'cancelled');
  const shown = await shownRows(visit);
  assert.ok(shown.length >= 3 && shown.length < 40, `${shown.length} rows`);
  assert.equal(await page.getByTestId('work-status').innerText(), `Cancelled after ${shown.length} of 40 files.`);
  assert.equal(await page.getByTestId('batch-cancel').isVisible(), false);
  assert.equal(tableOf((await saved(page, 'save-csv')).text).rows.length, shown.length);
  // The network is free for the next picture.
  assert.equal(await visit.give(sample('astronaut.jpg')), 'ready', await visit.error());
  await visit.close();
});

/** Counts the questions that the worker hears; for files of `bad` bytes it breaks down. */
function watched(bad) {
  return (page) =>
    page.route('**/api/worker.js', async (route) => {
      const response = await route.fetch();
      const broken = { type: 'broken', code: 'program-crashed', message: 'The program stopped.' };
      const line = `globalThis.heard = { recognise: 0, release: 0 };
        addEventListener('message', (event) => {
          const { type, bytes } = event.data;
          if (type in heard) heard[type] += 1;
          if (type !== 'recognise' || bytes.byteLength !== ${bad}) return;
          event.stopImmediatePropagation();
          postMessage(${JSON.stringify(broken)});
        });`;
      await route.fulfill({ response, body: `${line}\n${await response.text()}` });
    });
}

test('every picture is released after its row', async () => {
  const visit = await openLoaded({ prepare: watched(0) });
  await giveMany(visit, Array.from({ length: 6 }, () => sample('astronaut.jpg')));
  const heard = await visit.page.workers()[0].evaluate(() => globalThis.heard);
  assert.deepEqual(heard, { recognise: 6, release: 6 });
  await visit.close();
});

test('a picture that ends the program does not end the table', async () => {
  const bad = await readFile(sample('hopper.jpg'));
  const visit = await openLoaded({ prepare: watched(bad.length) });
  await giveMany(visit, ['astronaut.jpg', 'hopper.jpg', 'composite-m-white.jpg'].map(sample));
  const shown = await shownRows(visit);
  assert.equal(shown.length, 3);
  assert.match(shown[1].join(), /program stopped/i);
  assert.match(shown[2].join(), /neutral/);
  await visit.close();
});

test('a dropped folder is a table of the pictures in it', async () => {
  const visit = await openLoaded();
  const { page } = visit;
  const dropped = join(folder, 'dropped');
  await mkdir(join(dropped, 'inner'), { recursive: true });
  await cp(sample('astronaut.jpg'), join(dropped, '10.jpg'));
  await cp(sample('astronaut.jpg'), join(dropped, '9.jpg'));
  await cp(sample('composite-m-white.jpg'), join(dropped, 'inner/a.JPG'));
  await writeFile(join(dropped, 'notes.txt'), 'no picture');
  await writeFile(join(dropped, '.hidden.jpg'), 'no picture');
  // A real drag of the system, which alone has folders.
  const session = await visit.context.newCDPSession(page);
  const data = { items: [], files: [dropped], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop']) await session.send('Input.dispatchDragEvent', { type, x: 200, y: 300, data });
  await many(visit, 'done');
  const name = basename(dropped);
  assert.deepEqual((await shownRows(visit)).map(([, file]) => file), ['9.jpg', '10.jpg', 'inner/a.JPG'].map((file) => `${name}/${file}`));
  await visit.close();
});

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing serious in the ${colorScheme} table, and nothing sticks out`, async () => {
    for (const width of [390, 1440]) {
      const visit = await openLoaded({ context: { colorScheme, viewport: { width, height: 844 } } });
      await giveMany(visit, [join(folder, NAMES[1]), photo('no-face.jpg'), photo('several.jpg')]);
      assert.deepEqual(await serious(visit.page), []);
      assert.equal(await visit.page.evaluate(() => document.documentElement.scrollWidth), width);
      await visit.page.getByTestId('open-1').click();
      await visit.page.getByTestId('whole-picture').waitFor({ timeout: PATIENCE_MS });
      await visit.settled();
      assert.deepEqual(await serious(visit.page), [], 'with the way back');
      await visit.close();
    }
  });
}
