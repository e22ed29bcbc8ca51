// A video becomes a table of its faces, a chart and files: two persons, a cut between them, moving.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { serious } from './axe.mjs';
import { forAllTests, PATIENCE_MS, ROOT } from './browser.mjs';
import { CLIP, clips } from './clip.mjs';
import { saved, tableOf } from './downloads.mjs';

/** The detector's places tremble by less than a frame's way, which is up to 4 pixels. */
const TREMBLE_PX = 3;

const site = forAllTests();
/** @type {Awaited<ReturnType<typeof clips>>} */
let made;
/** @type {string} */
let webm;

before(async () => {
  made = await clips();
  webm = await made.make('clip.webm');
});

after(() => made?.remove());

async function openLoaded(options) {
  const visit = await site.open('?device=cpu', options);
  await visit.loaded();
  return visit;
}

async function state({ page }, ...states) {
  const wanted = states.map((one) => `[data-testid="many"][data-state="${one}"]`).join();
  await page.locator(wanted).waitFor({ timeout: PATIENCE_MS });
}

/** Gives a video and waits until it can be started. */
async function give(visit, file) {
  await visit.page.getByTestId('picture').setInputFiles(file);
  await state(visit, 'ready', 'failed');
}

/** Recognises a video at a rate. */
async function recognise(visit, file, rate) {
  await give(visit, file);
  await visit.page.getByTestId('clip-rate').selectOption(rate);
  await visit.page.getByTestId('clip-start').click();
  await state(visit, 'done');
}

/** The rows of the table of faces that were followed: the texts of their cells. */
function followedRows({ page }) {
  return page.getByTestId('followed-row').evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.innerText.trim())));
}

const shotAt = (seconds) => CLIP.shots.findIndex(({ to }) => seconds < to);

test('a video is a table, a chart and files of the faces that were followed', async () => {
  const visit = await openLoaded();
  const { page } = visit;
  await give(visit, webm);
  assert.equal(await page.getByTestId('clip-facts').innerText(), '0:20.0 long, 320 x 240, 25 frames a second');
  const rates = await page.getByTestId('clip-rate').locator('option').allInnerTexts();
  assert.deepEqual(rates, ['1 a second (20 frames)', '5 a second (100 frames)', '10 a second (200 frames)', 'every frame (500)']);
  assert.ok(!visit.requests.some((address) => address.includes('uPlot')), 'the chart is fetched when it is shown');
  await page.getByTestId('clip-start').click();
  await state(visit, 'done');
  assert.equal(await page.getByTestId('work-status').innerText(), '100 frames recognised, 4 faces followed.');

  // One face in the first two shots, two in the third; across a cut each has a new id.
  const csv = await saved(page, 'save-csv');
  assert.equal(csv.name, 'clip-faces.csv');
  const { head, rows } = tableOf(csv.text);
  assert.deepEqual(head.slice(0, 14), ['file', 'time', 'seconds', 'frame', 'id', 'face', 'x', 'y', 'width', 'height', 'expression', 'confidence', 'certain', 'doubts']);
  assert.deepEqual([head.at(-1), head.includes('p_contempt'), head.includes('mouthSmileLeft')], ['error', true, true]);
  assert.equal(rows.length, 40 + 30 + 2 * 30);
  assert.deepEqual([...new Set(rows.map(({ seconds }) => seconds))], Array.from({ length: 100 }, (_, i) => (i / 5).toFixed(3)));
  const ids = CLIP.shots.map(() => new Map());
  for (const row of rows) {
    const seconds = Number(row.seconds);
    assert.equal(Number(row.frame), Math.round(seconds * CLIP.rate));
    assert.equal(row.time, `00:00:${row.seconds.padStart(6, '0')}`);
    const known = ids[shotAt(seconds)];
    const before = known.get(row.id) ?? { count: 0, x: Number(row.x) };
    assert.ok(Math.abs(before.x - Number(row.x)) < 40, `a face does not jump: ${row.time}`);
    known.set(row.id, { count: before.count + 1, x: Number(row.x), expression: row.expression });
    assert.ok(CLIP.shots[shotAt(seconds)].expressions.includes(row.expression), `${row.time}: ${row.expression}`);
    assert.equal(row.confidence, row[`p_${row.expression}`]);
  }
  assert.deepEqual(ids.map((known) => [...known.values()].map(({ count }) => count)), [[40], [30], [30, 30]]);
  assert.equal(new Set(ids.flatMap((known) => [...known.keys()])).size, 4, 'no id outlives a cut');
  const both = [...ids[2].values()].sort((a, b) => a.x - b.x);
  assert.deepEqual(both.map(({ expression }) => expression), ['happiness', 'neutral'], 'each id stays with its face');

  // Every row is of the frame whose time it tells: the clip's face was there then.
  const first = rows.filter(({ id }) => id === rows[0].id);
  const away = first.map(({ x, width, seconds }) => Number(x) + Number(width) / 2 - CLIP.way(Number(seconds)));
  const mean = away.reduce((sum, value) => sum + value, 0) / away.length;
  const worst = Math.max(...away.map((value) => Math.abs(value - mean)));
  assert.ok(worst < TREMBLE_PX, `up to ${worst.toFixed(2)} pixels away`);

  // The table says what the rows say.
  const shown = await followedRows(visit);
  assert.equal(shown.length, 4);
  for (const [, name, seen, frames, mostly] of shown) {
    const own = rows.filter(({ id }) => name === `Face ${id}`);
    assert.equal(Number(frames), own.length);
    assert.equal(seen, `0:${own[0].time.slice(6, 10)} to 0:${own.at(-1).time.slice(6, 10)}`);
    assert.ok(mostly.startsWith(`${own[0].expression} (`), mostly);
  }

  const json = JSON.parse((await saved(page, 'save-json')).text);
  assert.deepEqual([json.video.file, json.video.rate, json.frames.length], ['clip.webm', 25, 100]);
  const faces = json.frames.flatMap(({ time, frame, faces }) => faces.map((face) => ({ time, frame, ...face })));
  assert.deepEqual(
    faces.map(({ time, frame, id, expression }) => [time, frame, id, expression].join()),
    rows.map(({ time, frame, id, expression }) => [time, frame, id, expression].join()),
  );
  assert.ok(Math.abs(faces[0].controls.mouthSmileLeft - Number(rows[0].mouthSmileLeft)) < 1e-4);
  assert.ok(faces[0].landmarks.left_eye.x > faces[0].box.x);

  // A click in the chart shows the frame.
  const chart = page.getByTestId('chart').locator('.u-over');
  await chart.waitFor({ timeout: PATIENCE_MS });
  const { width } = await chart.boundingBox();
  await chart.click({ position: { x: Math.round((15 / 19.8) * width), y: 40 } });
  assert.equal(await page.getByTestId('moment-when').innerText(), '00:00:15.000, frame 375');
  const words = page.getByTestId('moment-faces');
  await words.filter({ hasText: /Face 3.*\n*.*Face 4|Face 4.*\n*.*Face 3/s }).waitFor({ timeout: PATIENCE_MS });
  assert.match(await words.innerText(), /happiness/);
  assert.match(await words.innerText(), /neutral/);
  const seen = await page.getByTestId('moment-frame').evaluate((canvas) => {
    const [r, g, b] = canvas.getContext('2d').getImageData(canvas.width / 2, 4, 1, 1).data;
    return { width: canvas.width, green: g > r && g > b };
  });
  assert.deepEqual(seen, { width: 320, green: true }, 'the third shot is before a green wall');
  // So does the keyboard.
  await page.getByTestId('moment').focus();
  await page.keyboard.press('Home');
  await words.filter({ hasText: /^Face 1: happiness \(\d+\.\d %\)$/ }).waitFor({ timeout: PATIENCE_MS });

  // What the visitor says of who is who is in the table and in the files.
  const [happy] = both.map(({ x }) => [...ids[2]].find(([, one]) => one.x === x)[0]);
  await page.getByTestId(`same-${happy}`).selectOption('1');
  const joined = tableOf((await saved(page, 'save-csv')).text).rows;
  assert.equal(joined.filter(({ id }) => id === '1').length, 70);
  assert.equal(joined.filter(({ id }) => id === happy).length, 0);
  assert.equal((await followedRows(visit)).filter(([, name]) => name === 'Face 1').length, 2);
  await page.getByTestId(`same-${happy}`).selectOption('');
  assert.equal(tableOf((await saved(page, 'save-csv')).text).rows.filter(({ id }) => id === happy).length, 30);

  assert.deepEqual([visit.violations, visit.complaints, visit.strangers()], [[], [], []]);
  assert.ok(visit.requests.some((address) => address.endsWith('vendor/uplot/uPlot.esm.js')));
  await visit.close();
});

test('every frame is recognised once, and a video can be paused, gone on with and cancelled', async () => {
  const visit = await openLoaded();
  const { page } = visit;
  await give(visit, webm);
  await page.getByTestId('clip-rate').selectOption('');
  await page.getByTestId('clip-start').click();
  const done = async () => Number.parseInt(await page.getByTestId('work-count').innerText(), 10);
  await page.waitForFunction(() => Number.parseInt(document.querySelector('[data-testid="work-count"]').textContent, 10) >= 12, null, { timeout: PATIENCE_MS });
  await page.getByTestId('clip-pause').click();
  await state(visit, 'paused');
  // The frame that was under way comes to its end.
  await page.waitForTimeout(1500);
  const paused = await done();
  await page.waitForTimeout(1500);
  assert.equal(await done(), paused, 'nothing goes on while it is paused');
  assert.equal(tableOf((await saved(page, 'save-csv')).text).rows.length, paused, 'what is done can be saved');
  await page.getByTestId('clip-pause').click();
  await page.waitForFunction((n) => Number.parseInt(document.querySelector('[data-testid="work-count"]').textContent, 10) > n + 3, paused, { timeout: PATIENCE_MS });
  await page.getByTestId('clip-cancel').click();
  await state(visit, 'cancelled');
  const { rows } = tableOf((await saved(page, 'save-csv')).text);
  assert.ok(rows.length > paused && rows.length < 200, `${rows.length} rows`);
  assert.deepEqual(rows.map(({ frame }) => Number(frame)), rows.map((_, i) => i), 'none is missing, none is there twice');
  assert.match(await page.getByTestId('work-status').innerText(), new RegExp(`^Cancelled: ${rows.length} frames`));
  // Another start begins anew, and a picture is answered as ever.
  await page.getByTestId('clip-rate').selectOption('1');
  await page.getByTestId('clip-start').click();
  await state(visit, 'done');
  assert.equal(tableOf((await saved(page, 'save-csv')).text).rows.at(-1).seconds, '19.000');
  assert.equal(await visit.give(join(ROOT, 'www/samples/astronaut.jpg')), 'ready', await visit.error());
  assert.deepEqual([visit.violations, visit.complaints], [[], []]);
  await visit.close();
});

test('a file that is no video says so, and the page goes on', async () => {
  const visit = await openLoaded();
  const text = join(made.folder, 'diary.mp4');
  await writeFile(text, 'Dear diary, today I was renamed to a video.\n'.repeat(50));
  await give(visit, text);
  assert.match(await visit.page.getByTestId('work-status').innerText(), /cannot decode this video/);
  assert.ok(await visit.page.getByTestId('clip-start').isDisabled());
  await visit.page.getByTestId('many-close').click();
  assert.equal(await visit.give(join(ROOT, 'www/samples/astronaut.jpg')), 'ready', await visit.error());
  await visit.close();
});

test('an MP4 is recognised, where the browser decodes H.264', async (t) => {
  const visit = await openLoaded();
  if (!(await visit.page.evaluate(() => document.createElement('video').canPlayType('video/mp4; codecs="avc1.42E01E"')))) {
    t.skip('this browser has no H.264');
    return;
  }
  await recognise(visit, await made.make('clip.mp4', ['-t', '4', '-r', '30000/1001']), '1');
  assert.match(await visit.page.getByTestId('clip-facts').innerText(), /, 29\.97 frames a second$/);
  const { rows } = tableOf((await saved(visit.page, 'save-csv')).text);
  assert.deepEqual(rows.map(({ frame, expression }) => [Number(frame), expression]), [0, 30, 60, 90].map((frame) => [frame, 'happiness']));
  await visit.close();
});

test('a video that does not tell its length, as browsers record them, is recognised to its end', async () => {
  const visit = await openLoaded();
  await recognise(visit, await made.live(webm, 'live.webm'), '1');
  assert.match(await visit.page.getByTestId('clip-facts').innerText(), /^0:03\.0 long, 320 x 240, 25 frames a second$/);
  assert.equal(tableOf((await saved(visit.page, 'save-csv')).text).rows.length, 3);
  await visit.close();
});

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing serious beside a ${colorScheme} chart, and nothing sticks out`, async () => {
    for (const width of [390, 1440]) {
      const visit = await openLoaded({ context: { colorScheme, viewport: { width, height: 844 } } });
      const { page } = visit;
      await recognise(visit, webm, '1');
      await page.getByTestId('chart').locator('.u-over').waitFor({ timeout: PATIENCE_MS });
      assert.deepEqual(await serious(page), []);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
      const small = await page.locator('.many :is(button, select, input)').evaluateAll((parts) =>
        parts.filter((part) => part.getClientRects().length > 0 && part.getBoundingClientRect().height < 24).map((part) => part.outerHTML.slice(0, 80)),
      );
      assert.deepEqual(small, []);
      await visit.close();
    }
  });
}
