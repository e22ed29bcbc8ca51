// A graphics device that fails after its start is reported, with the reason: src/web/webgpu.rs.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch, PATIENCE_MS, serveDist, Visit } from './browser.mjs';

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
    const program = await import('/fersnet.js');
    await program.default();
    await program.init_webgpu();
  });
}, { timeout: PATIENCE_MS });

after(async () => {
  await browser?.close();
  await server?.close();
});

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
  const session = await browser.newBrowserCDPSession();
  // The answer never comes: the process that would give it is gone.
  const crash = () => void session.send('Browser.crashGpuProcess').catch(() => {});
  const [{ code, message }, ...more] = await reportedAfter(crash);
  assert.equal(code, 'device-lost');
  assert.match(message, /^The graphics device was lost .*\?device=cpu\.$/);
  assert.deepEqual(more, []);
});
