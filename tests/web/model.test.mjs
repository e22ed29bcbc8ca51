// The page about the network: up to date, its numbers those of the figures, and nothing on it that does not load.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';

import { FAILURES } from '../../tools/model_page/words.mjs';
import { modelPage } from '../../tools/model_page.mjs';
import { forAllTests, ROOT, Visit } from './browser.mjs';

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const site = forAllTests();

/** A visit to the page about the network. */
const openModel = (context) => Visit.open(site.browser, site.server.origin, 'model.html', { context });

const figures = async (name) => JSON.parse(await readFile(join(ROOT, `weights/fersnet/evaluate/${name}.json`), 'utf8'));

test('the page is what its command writes', async () => {
  assert.equal(await readFile(join(ROOT, 'www/model.html'), 'utf8'), await modelPage(), 'run `node tools/model_page.mjs`');
});

test('its numbers are those of the figures, which are of the shipped weights', async () => {
  const [whole, eyes, heldOut, of] = await Promise.all(['ferplus', 'ferplus-eyes', 'held-out', 'of'].map(figures));
  const sha256 = createHash('sha256').update(await readFile(join(ROOT, 'weights/fersnet.safetensors'))).digest('hex');
  const visit = await openModel();
  const rows = new Map(
    await visit.page.locator('.table tbody tr').evaluateAll((all) => all.map((row) => [...row.children].map((cell) => cell.textContent)).map(([name, ...cells]) => [name, cells])),
  );
  const number = (text) => Number(/^[\d.]+/.exec(text)?.[0]);
  const near = (text, part, message) => assert.ok(Math.abs(number(text) - 100 * part) < 0.051, `${message}: ${text}, ${part}`);
  assert.equal(of.files['fersnet.safetensors'], sha256);
  for (const [i, one] of [whole, eyes].entries()) {
    assert.equal(of.networks[one.sha256], 'as it is shipped');
    near(rows.get('accuracy')[i], one.accuracy, 'accuracy');
    near(rows.get('macro F1')[i], one.macro_f1, 'F1');
    near(/\((.*)/.exec(rows.get('accuracy')[i])[1], one.intervals.accuracy[0], 'lower end');
  }
  const photo = heldOut.synthesis.in_photo;
  near(rows.get('recognised as meant, in the photo, seven targets')[0], photo.recognised_as_target.share, 'as meant');
  near(rows.get('teeth asked for (happiness) and seen')[0], photo.teeth_asked.share, 'teeth');
  assert.equal(rows.get('fersnet.safetensors')[1], sha256);
  assert.equal(await visit.page.locator('.curve circle').count(), eyes.reliability.filter(({ n }) => n >= 10).length);
  await visit.close();
});

test('it says what is prohibited, and shows failures that are marked where they are synthetic', async () => {
  const visit = await openModel();
  const text = await visit.page.locator('main').innerText();
  for (const words of ['Article 5(1)(f)', 'workplace', 'educational institutions', 'not legal advice']) assert.ok(text.includes(words), words);
  const shown = (await readdir(join(ROOT, 'www/model'))).sort();
  assert.deepEqual(shown, Object.keys(FAILURES).sort());
  for (const name of shown.filter((one) => FAILURES[one].meant.synthetic)) {
    const file = await readFile(join(ROOT, 'www/model', name));
    assert.ok(file.includes('digitalsourcetype/compositeWithTrainedAlgorithmicMedia'), name);
  }
  const images = visit.page.locator('img');
  await images.evaluateAll((all) => all.forEach((image) => (image.loading = 'eager')));
  await visit.page.waitForFunction(() => [...document.images].every((image) => image.naturalWidth > 0));
  assert.equal(await images.count(), shown.length);
  await visit.close();
});

test('its links lead somewhere, it asks no other host, and nothing sticks out of it, in light and dark', async () => {
  for (const [width, colorScheme] of [[390, 'light'], [1440, 'dark']]) {
    const visit = await openModel({ viewport: { width, height: 844 }, colorScheme });
    const { page } = visit;
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
    const links = await page.locator('a').evaluateAll((all) => all.map(({ href }) => href));
    assert.ok(links.length >= 6);
    for (const link of new Set(links)) assert.ok((await fetch(link)).ok, link);
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
    assert.deepEqual(violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id }) => id), []);
    assert.deepEqual([visit.violations, visit.complaints, visit.strangers()], [[], [], []]);
    await visit.close();
  }
});
