// A graphics device that fails after its start is reported, with the reason: src/web/webgpu.rs. And with
// `device: 'auto'` the CPU answers until WebGPU is ready, and again when it is lost: www/api/router.js.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { launch, PATIENCE_MS, ROOT, serveDist, Visit } from './browser.mjs';

let server;
let browser;
let page;

/** Keeps the program's device, and what is reported of it. */
function record() {
  window.reported = [];
  addEventListener('error', ({ error }) => {
    window.reported.push({ code: error.code, message: error.message });
  });
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (...values) {
    window.device = await requestDevice.apply(this, values);
    return window.device;
  };
}

before(async () => {
  server = await serveDist();
  browser = await launch();
  // A file that is no page of its own: the program alone, without the network.
  ({ page } = await Visit.open(browser, server.origin, 'samples/SOURCES.md', {
    prepare: (page) => page.addInitScript(record),
  }));
  await page.evaluate(async () => {
    const program = await import('/fersnet-gpu.js');
    await program.default();
    await program.init_webgpu();
  });
}, { timeout: PATIENCE_MS });

after(async () => {
  await browser?.close();
  await server?.close();
});

/** Ends the process that all devices of a browser lie in. */
async function loseDevice(browser) {
  const session = await browser.newBrowserCDPSession();
  // The answer never comes: the process that would give it is gone.
  void session.send('Browser.crashGpuProcess').catch(() => {});
}

/** What is reported next, after `act` in the page. */
async function reportedAfter(act) {
  await page.evaluate(() => (window.reported.length = 0));
  await act();
  await page.waitForFunction(() => window.reported.length > 0);
  return page.evaluate(() => window.reported);
}

test('a step that the device refuses is reported once, with the reason', async () => {
  const act = () =>
    page.evaluate(() => {
      const { device } = window;
      device.createBuffer({ size: 4, usage: 0 });
      device.queue.submit([]); // until then Chromium keeps the error to itself
    });
  const [{ code, message }, ...more] = await reportedAfter(act);
  assert.equal(code, 'device-lost');
  assert.match(message, /refused a step \(.*usage.*\): use the CPU with \?device=cpu\.$/is);
  assert.deepEqual(more, []);
});

for (const kind of ['GPUInternalError', 'GPUOutOfMemoryError']) {
  // No step raises these at will; a driver that cannot compile a pipeline raises the first.
  test(`so is a ${kind}`, async () => {
    const act = () =>
      page.evaluate((kind) => {
        const error = new window[kind]('the driver gave up');
        const event = new GPUUncapturedErrorEvent('uncapturederror', { error });
        window.device.dispatchEvent(event);
      }, kind);
    const [{ code, message }, ...more] = await reportedAfter(act);
    assert.equal(code, 'device-lost');
    assert.match(message, /refused a step \(the driver gave up\)/);
    assert.deepEqual(more, []);
  });
}

test('a lost device is reported once, with what to do', async () => {
  const [{ code, message }, ...more] = await reportedAfter(() => loseDevice(browser));
  assert.equal(code, 'device-lost');
  assert.match(message, /^The graphics device was lost .*\?device=cpu\.$/);
  assert.deepEqual(more, []);
});

/** In the page, before its scripts: SwiftShader looks like a GPU there, and what each worker is asked is kept. */
function pretendGpu() {
  const info = { vendor: 'a', architecture: 'gpu', device: '', description: '', isFallbackAdapter: false };
  Object.defineProperty(GPUAdapter.prototype, 'info', { get: () => info });
  window.asked = [];
  let workers = 0;
  const Plain = Worker;
  window.Worker = class extends Plain {
    number = workers++;
    postMessage(message, transfer) {
      window.asked.push(`${message.type} ${this.number}`);
      super.postMessage(message, transfer);
    }
  };
}

/** A browser of its own, since its graphics process will be ended. */
async function visitWithGpu(query) {
  const browser = await launch();
  const prepare = (page) => page.addInitScript(pretendGpu);
  return { browser, visit: await Visit.open(browser, server.origin, query, { prepare }) };
}

const PHOTO = join(ROOT, 'tests/photos/turned.jpg');

test('the CPU answers until WebGPU is ready, and again once it is lost; no picture is lost', { timeout: PATIENCE_MS }, async () => {
  const { browser, visit } = await visitWithGpu('samples/SOURCES.md');
  const { page } = visit;
  const base64 = await readFile(PHOTO, 'base64');
  const early = await page.evaluate(async (base64) => {
    const { FersNet } = await import('/api/index.js');
    window.bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    window.heard = [];
    const onDevice = ({ kind, notice }) => window.heard.push({ kind, notice });
    window.net = await FersNet.load({ device: 'auto', onDevice });
    window.pixels = async (picture, changes) => (await net.compose(picture, changes)).data.join();
    const before = net.device;
    window.early = await net.recognise(bytes);
    [window.earlyFace] = await net.synthesise(early.faces[0], ['surprise']);
    window.expected = await pixels(early, [earlyFace]);
    return { before, heard: heard.length, asked: asked.filter((one) => one.startsWith('recognise')) };
  }, base64);
  assert.deepEqual(early.before, { kind: 'cpu', label: 'CPU, until WebGPU is ready', notice: null });
  assert.equal(early.heard, 0, 'the first answer did not wait for WebGPU');
  assert.deepEqual(early.asked, ['recognise 0']);

  await page.waitForFunction(() => window.heard.length > 0, null, { timeout: PATIENCE_MS });
  const joined = await page.evaluate(async () => {
    // What was opened before stays where it is; what is opened now goes to WebGPU.
    const [again] = await net.synthesise(early.faces[0], ['surprise']);
    const stays = (await pixels(early, [again])) === expected && (await pixels(early, [earlyFace])) === expected;
    window.late = await net.recognise(bytes);
    await net.recogniseWhole(late);
    [window.lateFace, window.wholeFace] = [
      ...(await net.synthesise(late.faces[0], ['surprise'])),
      ...(await net.synthesise(late.faces[1], ['surprise'])),
    ];
    window.wholePixels = await pixels(late, [wholeFace]);
    window.bothPixels = await pixels(late, [lateFace, wholeFace]);
    return { stays, kind: net.device.kind, heard, asked: asked.filter((one) => one.startsWith('recognise')) };
  });
  assert.deepEqual(joined.heard, [{ kind: 'webgpu', notice: null }]);
  assert.equal(joined.kind, 'webgpu');
  assert.ok(joined.stays);
  assert.deepEqual(joined.asked, ['recognise 0', 'recognise 1']);

  await page.evaluate(() => {
    // In flight when the device is lost.
    window.drawing = net.synthesise(late.faces[0]);
    window.reading = net.recognise(bytes);
  });
  await loseDevice(browser);
  const after = await page.evaluate(async () => {
    const drawn = await drawing;
    const read = await reading;
    const difference = (a, b) => {
      const [one, other] = [a, b].map((text) => text.split(',').map(Number));
      return one.reduce((sum, value, i) => sum + Math.abs(value - other[i]), 0) / one.length;
    };
    return {
      kind: net.device.kind,
      heard: heard.slice(1),
      drawn: drawn.length === net.classes.length,
      read: read.faces[0].expression === early.faces[0].expression,
      // Synthesised before the loss, and composed after it.
      composed: (await pixels(late, [lateFace])) === expected,
      whole: difference(await pixels(late, [wholeFace]), wholePixels),
      both: difference(await pixels(late, [lateFace, wholeFace]), bothPixels),
      saved: (await net.save(late, [lateFace])).size > 1000,
      early: (await pixels(early, [earlyFace])) === expected,
      forgotten: await net.forget(lateFace).then(() => true),
      released: await net.release(late).then(() => late.handle),
    };
  });
  assert.equal(after.kind, 'cpu');
  assert.equal(after.heard.length, 1);
  assert.match(after.heard[0].notice, /lost, so the CPU computes/);
  assert.ok(after.whole < 0.5, `the whole picture as a face is ${after.whole} levels off`);
  assert.ok(after.both < 0.5, `two synthesised faces are ${after.both} levels off`);
  const rest = [after.drawn, after.read, after.composed, after.saved, after.early, after.forgotten, after.released];
  assert.deepEqual(rest, [true, true, true, true, true, true, 0]);
  await browser.close();
});

test('the page says which device answers, and goes on with its picture when it changes', { timeout: PATIENCE_MS }, async () => {
  const { browser, visit } = await visitWithGpu('');
  const { page } = visit;
  const device = page.getByTestId('device');
  await visit.loaded();
  assert.equal(await device.innerText(), 'CPU, until WebGPU is ready');
  await page.locator('[data-kind="webgpu"]').waitFor({ timeout: PATIENCE_MS });
  assert.match(await device.innerText(), /^WebGPU/);
  assert.equal(await visit.give(PHOTO), 'ready');
  await loseDevice(browser);
  await page.locator('[data-kind="cpu"]').waitFor();
  assert.match(await page.getByTestId('notice').innerText(), /lost, so the CPU computes/);
  const before = await visit.photo();
  await page.getByTestId('synthesis-0-surprise').click();
  assert.equal(await visit.settled(), 'ready');
  assert.notDeepEqual((await visit.photo()).rgb, before.rgb);
  await browser.close();
});

test('WebGPU that does not start leaves the CPU, and says so', async () => {
  const { browser, visit } = await visitWithGpu('samples/SOURCES.md');
  await visit.page.route('**/fersnet-gpu_bg.wasm', (route) => route.fulfill({ status: 404 }));
  const seen = await visit.page.evaluate(async () => {
    const { FersNet } = await import('/api/index.js');
    let changed;
    const change = new Promise((resolve) => (changed = resolve));
    const net = await FersNet.load({ onDevice: changed });
    const { kind, notice } = await change;
    return { kind, notice, same: net.device.notice === notice };
  });
  assert.equal(seen.kind, 'cpu');
  assert.match(seen.notice, /WebGPU did not start/);
  assert.ok(seen.same);
  await browser.close();
});
