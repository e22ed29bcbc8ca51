// After one visit the page works without a network, from one whole release; a newer one waits until it is taken.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFile, cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { DIST, forAllTests, PATIENCE_MS, ROOT, Visit } from './browser.mjs';
import { serve } from './server.mjs';

const PHOTO = join(ROOT, 'tests/photos/rendered-S1004-neutral.jpg');

/** A file that the page does not need for its answers. */
const ASIDE = 'samples/hopper.jpg';

/** What every visit asks the server for: the worker and its list. */
const ALWAYS = ['index.html', 'offline.js', 'release.json'];

const site = forAllTests();

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

const listOf = async (folder) => JSON.parse(await readFile(join(folder, 'release.json'), 'utf8'));

const release = (folder) => promisify(execFile)(process.execPath, [join(ROOT, 'tools/release.mjs'), folder]);

/**
 * A copy of the built page as a release of its own on a server of its own; what that server sent, by name, and what of
 * it the worker asked for again. A photo is given while the page still loads;
 * `damage` gets the folder, once its release is made.
 */
async function openRelease(photo, damage) {
  const folder = await mkdtemp(join(tmpdir(), 'fersnet-offline-'));
  await cp(DIST, folder, { recursive: true });
  await release(folder);
  await damage?.(folder);
  const sent = new Map();
  /** How often each was sent before the worker was. @type {Map<string, number>} */
  let before = new Map();
  const onServed = (file) => {
    const name = relative(folder, file);
    if (name === 'offline.js' && !sent.has(name)) before = new Map(sent);
    sent.set(name, (sent.get(name) ?? 0) + 1);
  };
  const server = await serve(folder, { onServed });
  const visit = await Visit.open(site.browser, server.origin, '?device=cpu&offline');
  visit.context.setDefaultTimeout(PATIENCE_MS);
  if (photo) assert.equal(await visit.give(photo), 'ready', await visit.error());
  else await visit.loaded();
  const close = async () => {
    await visit.close();
    await server.close();
    await rm(folder, { recursive: true });
  };
  const again = () => [...before].filter(([name, times]) => sent.get(name) > times).map(([name]) => name);
  return { folder, sent, before: () => before, again, server, visit, page: visit.page, close };
}

/** The text that says whether the page works offline; it waits until it does. */
async function works(page) {
  const line = page.getByTestId('offline');
  await line.waitFor({ timeout: PATIENCE_MS });
  return line.innerText();
}

/** Asks for a newer release, as the browser does at each visit; true where one was fetched whole. */
function update(page) {
  return page.evaluate(async () => {
    const registration = await navigator.serviceWorker.getRegistration();
    const next = (await registration.update()).installing ?? registration.waiting;
    while (next && !['installed', 'redundant'].includes(next.state)) {
      await new Promise((resolve) => next.addEventListener('statechange', resolve, { once: true }));
    }
    return next?.state === 'installed';
  });
}

/** The SHA-256 of each of these files as the page gets it. */
function hashesOf(page, names) {
  return page.evaluate(async (all) => {
    const hash = async (name) => {
      const response = await fetch(name === 'index.html' ? './' : name);
      const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', await response.arrayBuffer()));
      return [name, Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')];
    };
    return Object.fromEntries(await Promise.all(all.map(hash)));
  }, names);
}

/** Asserts that every file the page gets is of this release. */
async function assertWhole(page, { files }, what) {
  const wanted = Object.entries(files).filter(([, { optional }]) => !optional);
  const hashes = await hashesOf(page, wanted.map(([name]) => name));
  assert.deepEqual(hashes, Object.fromEntries(wanted.map(([name, file]) => [name, file.sha256])), what);
}

async function synthesised(visit, testId = 'synthesis-0-surprise') {
  await visit.page.getByTestId(testId).click({ timeout: PATIENCE_MS });
  await visit.page.locator('#photo-badge').waitFor({ timeout: PATIENCE_MS });
  await visit.settled();
}

test('the built page comes with the list of its files, and its worker knows the list', async () => {
  const { files } = await listOf(DIST);
  const entries = await readdir(DIST, { recursive: true, withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile()).map((entry) => relative(DIST, join(entry.parentPath, entry.name)));
  assert.deepEqual(Object.keys(files), names.filter((name) => !ALWAYS.slice(1).includes(name)).sort(), 'run tools/release.mjs after files of dist/ were changed');
  for (const [name, { sha256: hash, bytes }] of Object.entries(files)) {
    const content = await readFile(join(DIST, name));
    assert.deepEqual([sha256(content), content.length], [hash, bytes], `${name}: run tools/release.mjs after files of dist/ were changed`);
  }
  const worker = await readFile(join(DIST, 'offline.js'), 'utf8');
  assert.ok(worker.includes(`const MANIFEST = '${sha256(await readFile(join(DIST, 'release.json')))}'`));
});

test('after the first answer all is kept, nothing is fetched twice, and the page answers and synthesises offline', { timeout: PATIENCE_MS }, async () => {
  const { visit, page, server, sent, before, again, close } = await openRelease(PHOTO);
  const [first] = await visit.faces();
  assert.equal(await works(page), 'Works offline');
  assert.ok(before().has('weights/fersnet-painter.safetensors'), 'the worker came after all that the first answer needs');
  assert.deepEqual(again().filter((name) => !ALWAYS.includes(name)), [], 'what the browser had already was not asked for again');
  assert.equal(sent.has('fersnet-gpu_bg.wasm'), false, 'nor what this device does not use');

  await visit.context.setOffline(true);
  await server.close();
  // Fetched only now, in the page that came from the server.
  await page.getByTestId('why-0').click();
  await page.getByTestId('gates-0-synthesis-3').waitFor({ timeout: PATIENCE_MS });

  await page.reload();
  await visit.loaded();
  assert.equal(await visit.give(PHOTO), 'ready', await visit.error());
  assert.deepEqual((await visit.faces())[0].probabilities, first.probabilities);
  await synthesised(visit);
  await page.locator('[data-sample="samples/composite-m-african.jpg"]').click();
  await visit.settled();
  assert.equal(await page.getByTestId('expression-0').getAttribute('data-expression'), 'neutral');
  assert.equal(await works(page), 'Works offline');

  await page.goto(`${server.origin}/?device=cpu&offline&lang=de`);
  await visit.loaded();
  assert.equal(await works(page), 'Funktioniert ohne Internet');
  await page.goto(`${server.origin}/model.html`);
  assert.match(await page.title(), /what the network can and cannot do/);
  assert.deepEqual([visit.violations, visit.strangers()], [[], []]);
  await close();
});

test('without a picture the page keeps itself when nothing is asked of it, and goes on where the network ends', { timeout: PATIENCE_MS }, async () => {
  const { visit, page, server, sent, close } = await openRelease();
  await works(page);
  assert.ok(sent.has('weights/fersnet-decoder.safetensors'), 'with what the first synthesis needs');
  await visit.context.setOffline(true);
  await server.close();
  assert.equal(await visit.give(PHOTO), 'ready', await visit.error());
  await synthesised(visit);
  await close();
});

test('a damaged file is refused, and with it the whole release', { timeout: PATIENCE_MS }, async () => {
  const { visit, page, sent, close } = await openRelease(PHOTO, (folder) => appendFile(join(folder, ASIDE), 'x'));
  while (!sent.has(ASIDE)) await page.waitForTimeout(100);
  await page.waitForFunction(
    async () => {
      const registration = await navigator.serviceWorker.getRegistration();
      return !(registration?.installing || registration?.waiting || registration?.active);
    },
    null,
    { timeout: PATIENCE_MS, polling: 200 },
  );
  const kept = await page.evaluate(async (names) => {
    const are = await Promise.all(names.map((name) => caches.match(name)));
    return are.map(Boolean);
  }, [ASIDE, 'release.json']);
  assert.deepEqual(kept, [false, false]);
  assert.equal(await page.getByTestId('offline').isVisible(), false);
  await page.reload();
  await visit.loaded();
  assert.equal(await page.evaluate(() => navigator.serviceWorker.controller), null, 'the page comes from the server');
  await close();
});

test('a newer release is announced and waits for the visitor; no page has files of two', { timeout: PATIENCE_MS }, async () => {
  const { folder, visit, page, server, sent, close } = await openRelease(PHOTO);
  const announcement = page.locator('.update');
  const choose = () => page.locator('[data-say="choose"]').innerText();
  const first = await listOf(folder);
  await works(page);
  await page.reload();
  await visit.loaded();
  await assertWhole(page, first, 'first');

  // A release that is not whole: a file of it is missing on the server.
  const words = join(folder, 'languages/en.js');
  await writeFile(words, (await readFile(words, 'utf8')).replace("choose: 'Choose a picture'", "choose: 'Choose a portrait'"));
  await appendFile(join(folder, 'page/why.js'), '\n// Newer.\n');
  await release(folder);
  const aside = await readFile(join(folder, ASIDE));
  await writeFile(join(folder, ASIDE), aside.subarray(0, 1000));
  // The sample itself is the same as before, so its bytes are known: what is new is damaged.
  await appendFile(join(folder, 'page/why.js'), 'x');
  assert.equal(await update(page), false, 'refused');
  assert.equal(await announcement.count(), 0);
  await assertWhole(page, first, 'after a damaged update');

  await writeFile(join(folder, ASIDE), aside);
  await release(folder);
  const second = await listOf(folder);
  assert.notEqual(second.version, first.version);
  sent.clear();
  assert.equal(await update(page), true);
  assert.deepEqual(
    [...sent.keys()].filter((name) => name !== 'index.html' && first.files[name]?.sha256 === second.files[name]?.sha256 && !ALWAYS.includes(name)),
    [],
    'what did not change is taken from the release before',
  );
  await announcement.filter({ hasText: 'A new version of this page is here.' }).waitFor({ timeout: PATIENCE_MS });
  await assertWhole(page, first, 'while the newer one waits');
  await page.reload();
  await visit.loaded();
  assert.equal(await choose(), 'Choose a picture', 'a reload of the visitor’s own takes nothing');
  await visit.give(PHOTO);
  await announcement.filter({ hasText: 'A new version' }).waitFor({ timeout: PATIENCE_MS });

  const other = await visit.context.newPage();
  await other.goto(`${server.origin}/?device=cpu&offline`);
  await page.getByTestId('update-take').click();
  await announcement.filter({ hasText: 'open elsewhere' }).waitFor({ timeout: PATIENCE_MS });
  await assertWhole(other, first, 'the page beside it');
  await other.close();

  await Promise.all([page.waitForEvent('load', { timeout: PATIENCE_MS }), page.getByTestId('update-take').click()]);
  await visit.loaded();
  assert.equal(await choose(), 'Choose a portrait');
  await assertWhole(page, second, 'once it was taken');
  assert.equal((await page.evaluate(() => caches.keys())).length, 1, 'the release before is gone');
  assert.deepEqual([visit.violations, visit.strangers()], [[], []]);
  await close();
});

test('where the page is worked on nothing is kept unless it is asked for, nor in an iframe', { timeout: PATIENCE_MS }, async () => {
  const { visit, page, server, close } = await openRelease(PHOTO);
  const kept = () => page.evaluate(async () => [(await navigator.serviceWorker.getRegistrations()).length, (await caches.keys()).length]);
  await works(page);
  assert.deepEqual(await kept(), [1, 1]);
  await page.goto(`${server.origin}/?device=cpu`);
  await visit.loaded();
  await visit.give(PHOTO);
  await page.waitForFunction(async () => (await caches.keys()).length === 0, null, { timeout: PATIENCE_MS });
  assert.deepEqual(await kept(), [0, 0], 'a visit without the word ends it');
  await page.goto(`${server.origin}/?device=cpu&offline&embed`);
  await visit.loaded();
  await visit.give(PHOTO);
  await page.waitForRequest(/page\/offline\.js/, { timeout: 5000 }).catch(() => {});
  assert.deepEqual(await kept(), [0, 0]);
  await close();
});

test('the page can be installed, with icons of the sizes that it names', async () => {
  const visit = await site.open('?device=cpu');
  await visit.loaded();
  const { page } = visit;
  const session = await visit.context.newCDPSession(page);
  const { errors } = await session.send('Page.getAppManifest');
  assert.deepEqual(errors, []);
  const found = await page.evaluate(async () => {
    const link = document.querySelector('link[rel="manifest"]').href;
    const { icons, ...rest } = await (await fetch(link)).json();
    const sizeOf = async ({ src }) => {
      const image = Object.assign(new Image(), { src: new URL(src, link) });
      await image.decode();
      return `${image.naturalWidth}x${image.naturalHeight}`;
    };
    const sizes = await Promise.all(icons.filter(({ sizes }) => sizes !== 'any').map(async (icon) => [icon.purpose, icon.sizes, await sizeOf(icon)]));
    return { rest, sizes };
  });
  assert.equal(found.rest.start_url, './');
  assert.deepEqual(found.sizes.map(([, named]) => named), found.sizes.map(([, , real]) => real));
  assert.deepEqual(found.sizes.filter(([purpose]) => purpose === 'maskable').map(([, named]) => named), ['512x512']);
  assert.deepEqual([visit.violations, visit.complaints, visit.strangers()], [[], [], []]);
  await visit.close();
});
