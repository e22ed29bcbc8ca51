// The page in an iframe of another site: the photo and its panels alone.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { forAllTests, PATIENCE_MS, ROOT, Visit } from './browser.mjs';
import { serve } from './server.mjs';

const ASTRONAUT = join(ROOT, 'www/samples/astronaut.jpg');

const site = forAllTests();

/** A page of another origin with the page in an iframe, and that frame. */
async function openEmbedded(query, options) {
  const folder = await mkdtemp(join(tmpdir(), 'fersnet-embed-'));
  const frame = `<iframe src="${site.server.origin}/${query}" width="420" height="700" allow="camera"></iframe>`;
  await writeFile(join(folder, 'index.html'), `<!doctype html><link rel="icon" href="data:,"><title>A page about faces</title>${frame}`);
  const host = await serve(folder, { header: false });
  const visit = await Visit.open(site.browser, host.origin, '', options);
  const [, embedded] = visit.page.frames();
  const state = (...states) =>
    embedded.waitForSelector(states.map((name) => `body[data-state="${name}"]`).join(), { timeout: PATIENCE_MS, state: 'attached' });
  const close = async () => {
    await visit.close();
    await host.close();
    await rm(folder, { recursive: true });
  };
  return { visit, embedded, state, close };
}

test('in an iframe the photo panel stands alone, and does what it does on the page', async () => {
  const { visit, embedded, state, close } = await openEmbedded('?embed&device=cpu&lang=de');
  await state('ready');
  for (const part of ['.top', '.notice', 'footer']) assert.equal(await embedded.locator(part).isVisible(), false, part);
  for (const part of ['.sources', '.samples', '.embed-credit']) assert.ok(await embedded.locator(part).isVisible(), part);
  const links = embedded.locator('a:visible:not(.skip)');
  assert.equal(await links.count(), 1, 'one credit link');
  assert.equal(await links.evaluate((link) => link.href), `${site.server.origin}/`);
  assert.match(await embedded.locator('.embed-credit').innerText(), /^FERSNet: was es kann und was nicht/);

  await embedded.getByTestId('picture').setInputFiles(ASTRONAUT);
  await state('ready', 'error');
  assert.equal(await embedded.getByTestId('expression-0').innerText(), 'Freude');
  await embedded.getByTestId('synthesis-0-surprise').click();
  await embedded.locator('#photo-badge').waitFor({ timeout: PATIENCE_MS });
  await state('ready');
  assert.ok(await embedded.getByTestId('save').isVisible());
  assert.equal(await embedded.evaluate(() => document.documentElement.scrollWidth), 420);
  const own = (address) => address.startsWith(site.server.origin) || address.startsWith(visit.origin) || address.startsWith('blob:');
  assert.deepEqual(visit.requests.filter((address) => !own(address)), []);
  assert.deepEqual([visit.violations, visit.complaints], [[], []]);
  await close();
});

test('an iframe that may store nothing works as well', async () => {
  const prepare = (page) =>
    page.addInitScript(() => {
      Object.defineProperty(window, 'localStorage', {
        get: () => {
          throw new DOMException('denied', 'SecurityError');
        },
      });
    });
  const { embedded, state, close } = await openEmbedded('?embed&device=cpu', { prepare });
  await state('ready');
  assert.equal(await embedded.getByTestId('status').innerText(), 'Ready: choose a picture.');
  await close();
});

test('without the word in the address there is no credit line', async () => {
  const visit = await site.open('?device=cpu');
  await visit.loaded();
  assert.equal(await visit.page.locator('.embed-credit').isVisible(), false);
  assert.ok(await visit.page.locator('footer').isVisible());
  await visit.close();
});
