// What people do with the page, on the CPU device: hostile files, saving, samples, keyboard, camera.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { DIST, forAllTests, launch, meanDifference, PATIENCE_MS, ROOT, serveDist, Visit } from './browser.mjs';
import { damagedWeights, hostilePictures } from './hostile.mjs';
import { policyOf } from './server.mjs';

const SAMPLE = join(ROOT, 'tests/photos/rendered-S1004-neutral.jpg');
const WEIGHTS = '**/weights/fersnet.safetensors';
const DETECTOR = '**/weights/blazeface.safetensors';

const site = forAllTests();

const { open } = site;

async function openLoaded(query = '?device=cpu', options = {}) {
  const visit = await open(query, options);
  await visit.loaded();
  return visit;
}

test('the CPU is taken where WebGPU is only software, with a notice', async () => {
  const visit = await openLoaded('');
  assert.equal(await visit.page.getByTestId('device').getAttribute('data-kind'), 'cpu');
  assert.match(await visit.page.getByTestId('notice').innerText(), /software/);
  await visit.close();
});

test('the CPU that was asked for needs no notice', async () => {
  const visit = await openLoaded();
  assert.equal(await visit.page.getByTestId('device').innerText(), 'CPU');
  assert.equal(await visit.page.getByTestId('notice').isVisible(), false);
  await visit.close();
});

test('the development server sends the policy of the page, so that it binds the worker too', async () => {
  const config = await readFile(join(ROOT, 'Trunk.toml'), 'utf8');
  const header = /^\[serve\.headers\]\nContent-Security-Policy = "(.+)"$/m.exec(config)?.[1];
  assert.equal(header, await policyOf(join(ROOT, 'www')));
});

test('a host that sends no policy serves a page that works and asks no other host', async () => {
  const plain = await serveDist({ header: false });
  const visit = await Visit.open(site.browser, plain.origin, '?device=cpu');
  await visit.loaded();
  await visit.give(SAMPLE);
  assert.equal((await visit.faces()).length, 1);
  assert.ok(visit.requests.some((address) => address.endsWith('.wasm')), 'the worker is watched');
  assert.deepEqual([visit.strangers(), visit.violations, visit.complaints], [[], [], []]);
  await visit.close();
  await plain.close();
});

test('every file that the page links to is there', async () => {
  const visit = await openLoaded();
  const missing = await visit.page.evaluate(async () => {
    const links = [...document.querySelectorAll('footer a')].map(({ href }) => href);
    const found = await Promise.all(links.map(async (link) => (await fetch(link)).ok));
    return [links.length, links.filter((_, i) => !found[i])];
  });
  assert.ok(missing[0] >= 4);
  assert.deepEqual(missing[1], []);
  await visit.close();
});

test('after a lost device a retry answers the picture again', async () => {
  // The worker says that its device is lost when it is asked for a photo with a redrawn face.
  const lost = { type: 'broken', code: 'device-lost', message: 'The graphics device was lost.' };
  const prepare = (page) =>
    page.route('**/api/worker.js', async (route) => {
      const response = await route.fetch();
      const line = `addEventListener('message', (event) => {
        if (event.data.type !== 'compose') return;
        event.stopImmediatePropagation();
        postMessage(${JSON.stringify(lost)});
      });`;
      await route.fulfill({ response, body: `${line}\n${await response.text()}` });
    });
  const visit = await openLoaded('?device=cpu', { prepare });
  const { page } = visit;
  await visit.give(SAMPLE);
  const before = await visit.faces();
  await page.getByTestId('synthesis-0-surprise').click();
  await visit.state('error');
  assert.equal(await visit.code(), 'device-lost');
  assert.deepEqual(await visit.faces(), [], 'nothing of the lost worker is left');
  const [again, onTheCpu] = [page.getByTestId('retry'), page.getByTestId('retry-cpu')];
  assert.ok((await again.isVisible()) && (await onTheCpu.isVisible()));
  assert.ok(await again.evaluate((button) => button === document.activeElement));

  await page.unroute('**/api/worker.js');
  await onTheCpu.click();
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'status');
  await page.waitForSelector('[data-testid="synthesis-0-surprise"]', { timeout: PATIENCE_MS });
  await visit.settled();
  assert.deepEqual(await visit.faces(), before);
  await page.getByTestId('synthesis-0-surprise').click();
  await visit.settled();
  assert.ok(await page.locator('#photo-badge').isVisible());
  await page.getByTestId('original').click();
  await visit.settled();
  const focused = await page.evaluate(() => document.activeElement?.dataset.testid);
  assert.equal(focused, 'face-0', 'the focus stays in the photo');
  await visit.close();
});

test('an unknown device is refused with the names of those that are known', async () => {
  const visit = await open('?device=abacus');
  assert.equal(await visit.settled(), 'error');
  assert.equal(await visit.code(), 'device-unknown');
  assert.match(await visit.error(), /abacus.*device=webgpu.*device=cpu/);
  await visit.close();
});

test('hostile pictures each get their own error, and the page goes on', async () => {
  const visit = await openLoaded();
  const texts = new Set();
  for (const { code, ...file } of await hostilePictures()) {
    await visit.give(file);
    assert.equal(await visit.code(), code, file.name);
    texts.add(await visit.error());
    assert.equal((await visit.faces()).length, 0, 'no answer of a picture before is left');
  }
  assert.equal(texts.size, 4, [...texts].join('\n'));
  await visit.give(SAMPLE);
  assert.equal(await visit.error(), '');
  assert.equal((await visit.faces()).length, 1);
  await visit.close();
});

test('damaged weights each get an error, and whole ones can be loaded after them', async () => {
  const whole = await readFile(join(DIST, 'weights/fersnet.safetensors'));
  const texts = new Set();
  let body;
  const prepare = (page) => page.route(WEIGHTS, (route) => route.fulfill({ body }));
  const damaged = Object.entries(damagedWeights(whole));
  body = damaged[0][1];
  const visit = await open('?device=cpu', { prepare });
  for (const [name, bytes] of damaged) {
    if (bytes !== body) {
      body = bytes;
      await visit.page.getByTestId('retry').click();
    }
    assert.equal(await visit.settled(), 'error', name);
    assert.equal(await visit.code(), 'weights-damaged', name);
    texts.add(await visit.error());
  }
  assert.ok(texts.size >= 3, [...texts].join('\n'));
  await visit.page.unroute(WEIGHTS);
  await visit.page.getByTestId('retry').click();
  await visit.loaded();
  await visit.give(SAMPLE);
  assert.equal((await visit.faces()).length, 1);
  await visit.close();
});

test("a damaged detector is an error, and a whole one can be loaded after it", async () => {
  const body = Buffer.from('<!doctype html><title>sign in to this network</title>');
  const prepare = (page) => page.route(DETECTOR, (route) => route.fulfill({ body }));
  const visit = await open('?device=cpu', { prepare });
  assert.equal(await visit.settled(), 'error');
  assert.equal(await visit.code(), 'weights-damaged');
  assert.match(await visit.error(), /detector/);
  await visit.page.unroute(DETECTOR);
  await visit.page.getByTestId('retry').click();
  await visit.loaded();
  await visit.close();
});

test('missing files are named, and a second try helps', async () => {
  for (const [pattern, code] of [
    [WEIGHTS, 'weights-missing'],
    [DETECTOR, 'weights-missing'],
    ['**/fersnet-cpu_bg.wasm', 'program-missing'],
    ['**/fersnet-cpu.js', 'program-missing'],
    ['**/api/worker.js', 'worker-missing'],
  ]) {
    const prepare = (page) => page.route(pattern, (route) => route.fulfill({ status: 404 }));
    const visit = await open('?device=cpu', { prepare });
    assert.equal(await visit.settled(), 'error', pattern);
    assert.equal(await visit.code(), code, pattern);
    await visit.page.unroute(pattern);
    await visit.page.getByTestId('retry').click();
    await visit.loaded();
    await visit.close();
  }
});

test('a picture that comes before the network is ready is answered when it is', async () => {
  let release;
  const held = new Promise((resolve) => (release = resolve));
  const prepare = (page) =>
    page.route(WEIGHTS, async (route) => {
      await held;
      await route.continue();
    });
  const visit = await open('?device=cpu', { prepare });
  await visit.page.getByTestId('picture').setInputFiles(SAMPLE);
  release();
  await visit.page.waitForSelector('[data-testid="synthesis-0-happiness"]', { timeout: PATIENCE_MS });
  await visit.settled();
  assert.equal((await visit.faces()).length, 1);
  await visit.close();
});

test('a newer picture takes the place of an older one', async () => {
  const visit = await openLoaded();
  await visit.give(SAMPLE);
  const alone = await visit.faces();
  const input = visit.page.getByTestId('picture');
  await input.setInputFiles(join(ROOT, 'tests/photos/several.jpg'));
  await input.setInputFiles(join(ROOT, 'tests/photos/turned.jpg'));
  await visit.give(SAMPLE);
  assert.deepEqual(await visit.faces(), alone);
  await visit.close();
});

test('a redrawn face goes into the photo, out of it, and is saved with its mark', async () => {
  const visit = await openLoaded();
  const { page } = visit;
  await visit.give(SAMPLE);
  const before = await visit.photo();
  const tile = page.getByTestId('synthesis-0-surprise');
  await tile.click();
  await visit.settled();
  assert.equal(await tile.getAttribute('aria-pressed'), 'true');
  assert.ok(await page.locator('#photo-badge').isVisible(), 'the photo is labelled as synthetic');
  const changed = await visit.photo();
  assert.ok(meanDifference(before, changed) > 0);

  const [download] = await Promise.all([
    page.waitForEvent('download', { timeout: PATIENCE_MS }),
    page.getByTestId('save').click(),
  ]);
  assert.equal(download.suggestedFilename(), 'fersnet-surprise.png');
  const file = await readFile(await download.path());
  assert.equal(file.subarray(1, 4).toString(), 'PNG');
  const term = 'digitalsourcetype/compositeWithTrainedAlgorithmicMedia';
  assert.ok(file.includes(term), 'the metadata says what the picture is');
  const saved = await visit.decode(file);
  assert.deepEqual([saved.width, saved.height], [changed.width, changed.height]);
  const marked = meanDifference(saved, changed);
  assert.ok(marked > 0, 'the visible mark is there');
  assert.ok(marked < 0.05, 'and the rest is the photo as shown');

  await tile.click();
  await visit.settled();
  assert.equal(meanDifference(before, await visit.photo()), 0);
  assert.equal(await page.getByTestId('save').isVisible(), false);
  await visit.close();
});

test('every sample portrait is answered', async () => {
  const visit = await openLoaded();
  const samples = visit.page.getByTestId('samples').getByRole('button');
  const count = await samples.count();
  assert.equal(count, 10);
  assert.equal(await samples.locator('img').evaluateAll((all) => all.filter((img) => !img.naturalWidth).length), 0);
  for (let i = 0; i < count; i += 1) {
    await samples.nth(i).click();
    assert.equal(await visit.settled(), 'ready', await visit.error());
    assert.equal((await visit.faces()).length, 1, `faces of sample ${i}`);
    const tiles = await visit.page.locator('[data-testid^="synthesis-0-"]').count();
    const bars = await visit.page.locator('[data-testid^="probability-0-"]').count();
    assert.ok(tiles >= 6 && tiles === bars, `${tiles} redrawn faces, ${bars} probabilities`);
  }
  await visit.close();
});

test('whoever made a sample is named on the page, and a sample is small', async () => {
  const visit = await openLoaded();
  const credits = await visit.page.locator('.credits').innerText();
  for (const name of ['Collins', 'Hopper', 'Lisa DeBruine', 'CC BY 4.0']) assert.ok(credits.includes(name), name);
  for (const address of await visit.page.locator('[data-sample]').evaluateAll((all) => all.map((one) => one.dataset.sample))) {
    const { length } = await readFile(join(DIST, address));
    assert.ok(length < 62_000, `${address} has ${length} bytes`);
  }
  await visit.close();
});

test('the keyboard is enough', async () => {
  const visit = await openLoaded();
  const { page } = visit;
  const focused = () => page.evaluate(() => document.activeElement?.outerHTML.slice(0, 200) ?? '');
  const tabTo = async (mark) => {
    for (let i = 0; i < 60; i += 1) {
      await page.keyboard.press('Tab');
      if ((await focused()).includes(mark)) return;
    }
    assert.fail(`the tabulator does not reach ${mark}`);
  };
  await tabTo('data-testid="picture"');
  await tabTo('samples/composite-m-white.jpg');
  await page.keyboard.press('Enter');
  await visit.settled();
  await page.evaluate(() => document.querySelector('.skip').focus());
  await tabTo('data-testid="face-0"');
  await page.keyboard.press('Enter');
  await tabTo('data-testid="synthesis-0-happiness"');
  await page.keyboard.press('Space');
  await visit.settled();
  const tile = page.getByTestId('synthesis-0-happiness');
  assert.equal(await tile.getAttribute('aria-pressed'), 'true');
  await visit.close();
});

test('a picture can be dropped and pasted', async () => {
  const visit = await openLoaded();
  const bytes = (await readFile(SAMPLE)).toString('base64');
  for (const kind of ['drop', 'paste']) {
    await visit.page.evaluate(
      ([kind, base64]) => {
        const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
        const transfer = new DataTransfer();
        transfer.items.add(new File([bytes], 'face.jpg', { type: 'image/jpeg' }));
        const init = { bubbles: true, cancelable: true };
        const event =
          kind === 'drop'
            ? new DragEvent('drop', { ...init, dataTransfer: transfer })
            : new ClipboardEvent('paste', { ...init, clipboardData: transfer });
        document.body.dispatchEvent(event);
      },
      [kind, bytes],
    );
    assert.equal(await visit.settled(), 'ready', kind);
    assert.equal((await visit.faces()).length, 1, kind);
  }
  await visit.close();
});

test('a camera that is denied is told of, with what to do', async () => {
  const visit = await openLoaded();
  await visit.page.getByTestId('camera').click();
  const status = visit.page.getByTestId('camera-status');
  await status.filter({ hasText: /choose a picture instead/ }).waitFor({ timeout: PATIENCE_MS });
  await visit.close();
});

test('a frame of the camera is read, and none is kept open', async () => {
  const flags = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];
  const other = await launch(flags);
  const context = { permissions: ['camera'] };
  const visit = await Visit.open(other, site.server.origin, '?device=cpu', { context });
  await visit.loaded();
  const { page } = visit;
  await page.getByTestId('camera').click();
  const take = page.getByTestId('camera-take');
  await page.waitForFunction(
    () => !document.querySelector('[data-testid="camera-take"]').disabled,
    null,
    { timeout: PATIENCE_MS },
  );
  await page.getByTestId('camera-live').click();
  const status = page.getByTestId('camera-status');
  // Chromium's test picture shows no face.
  await status.filter({ hasText: /no face in view/i }).waitFor({ timeout: PATIENCE_MS });
  await take.click();
  await page.waitForSelector('#photo:not([hidden])', { timeout: PATIENCE_MS });
  await visit.settled();
  assert.ok(await page.getByTestId('whole-picture').isVisible());
  assert.equal(await page.evaluate(() => document.querySelector('video').srcObject), null);
  assert.deepEqual([visit.violations, visit.complaints], [[], []]);
  await other.close();
});

test('the camera is a mirror with another expression, marked, which stops when the page is hidden', async () => {
  // A camera that sees the astronaut.
  const prepare = (page) =>
    page.addInitScript(() => {
      navigator.mediaDevices.getUserMedia = async () => {
        const image = await createImageBitmap(await (await fetch('samples/astronaut.jpg')).blob());
        const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height });
        setInterval(() => canvas.getContext('2d').drawImage(image, 0, 0), 50);
        return canvas.captureStream();
      };
    });
  const visit = await openLoaded('?device=cpu', { prepare });
  const { page } = visit;
  await page.getByTestId('camera').click();
  const mirror = page.getByTestId('camera-mirror');
  await page.waitForFunction(() => !document.querySelector('[data-testid="camera-mirror"]').disabled, null, { timeout: PATIENCE_MS });
  await mirror.selectOption('surprise');
  const mirrored = page.getByTestId('mirrored');
  await mirrored.waitFor({ timeout: PATIENCE_MS });
  assert.equal(await mirrored.locator('.camera-line').innerText(), 'Synthetic: surprise');
  assert.match(await page.getByTestId('camera-status').innerText(), /happiness/, 'the camera’s own face is recognised');
  const canvas = await page.evaluate(() => window.packCanvas(document.querySelector('#camera-canvas')));
  assert.ok(canvas.width > 100 && canvas.height > 100);
  await mirror.selectOption('anger');
  await mirrored.filter({ hasText: 'Synthetic: anger' }).waitFor({ timeout: PATIENCE_MS });
  await page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { get: () => true, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  assert.equal(await mirrored.isVisible(), false);
  assert.match(await page.getByTestId('camera-status').innerText(), /hidden/);
  assert.deepEqual([visit.violations, visit.complaints, visit.strangers()], [[], [], []]);
  await visit.close();
});
