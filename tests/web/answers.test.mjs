// The page on WebGPU answers as the command line does on the CPU, and asks no other host.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { launch, meanDifference, PATIENCE_MS, ROOT, serveDist, Visit } from './browser.mjs';
import { predict, sheetOf } from './native.mjs';

/** What the page promises: the command line's probabilities to 0.02; f32 on two devices differs by far less. */
const PROBABILITY_TOLERANCE = 0.02;
/** What the page promises of redrawn faces: the command line's, to a mean of 0.01 of the range. */
const PIXEL_TOLERANCE = 0.01 + 0.007; // the sheet's watermark: 1.9 levels of standard deviation
/** The detector runs on the CPU in both; sums are taken in another order. */
const BOX_TOLERANCE_PX = 1;
/**
 * How far a surprised face is from its neutral and from its sad self, in parts of the range: a mean of
 * two 8-bit steps. Rounding gives at most half a step, and an open mouth and raised brows give 4 to 8
 * over the whole tile.
 */
const EXPRESSION_CHANGE = 2 / 255;
/** The sheet's layout in src/bin/fersnet/synthesize.rs; its tiles are as large as the page's. */
const SHEET = { columns: 3, tile: 256, label: 24 };

const photo = (name) => join(ROOT, 'tests/photos', name);
const SEVERAL = photo('several.jpg');
const TURNED = photo('turned.jpg');
const NO_FACE = photo('no-face.jpg');

let server;
let browser;
/** One visit for all of this file: SwiftShader compiles for long. */
let visit;

/**
 * Counts in the worker the dispatches of pipelines that are made of shaders/convflu_*.wgsl, which all
 * say in their first line what they compute, and keeps the program's device.
 */
function countConvFlu() {
  globalThis.convfluDispatches = 0;
  const [modules, pipelines, current] = [new WeakSet(), new WeakSet(), new WeakMap()];
  /** Calls back with the arguments and the result of each call of a method. */
  const watch = (Class, name, seen) => {
    const method = Class.prototype[name];
    Class.prototype[name] = function (...values) {
      const result = method.apply(this, values);
      seen(this, values, result);
      return result;
    };
  };
  const made = ([{ compute }], pipeline) => modules.has(compute.module) && pipelines.add(pipeline);
  watch(GPUDevice, 'createShaderModule', (device, [{ code }], module) => {
    globalThis.device = device;
    if (code.includes('ConvFLU pair')) modules.add(module);
  });
  watch(GPUDevice, 'createComputePipeline', (_, values, pipeline) => made(values, pipeline));
  watch(GPUDevice, 'createComputePipelineAsync', (_, values, coming) => {
    void coming.then((pipeline) => made(values, pipeline));
  });
  watch(GPUComputePassEncoder, 'setPipeline', (pass, [pipeline]) => current.set(pass, pipeline));
  for (const name of ['dispatchWorkgroups', 'dispatchWorkgroupsIndirect']) {
    watch(GPUComputePassEncoder, name, (pass) => {
      if (pipelines.has(current.get(pass))) globalThis.convfluDispatches += 1;
    });
  }
}

/** The worker with `countConvFlu` before its own first line. */
async function prepare(page) {
  await page.route('**/api/worker.js', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `(${countConvFlu})();\n${await response.text()}` });
  });
}

before(async () => {
  server = await serveDist();
  browser = await launch();
  visit = await Visit.open(browser, server.origin, '?device=webgpu', { prepare });
  await visit.loaded();
}, { timeout: PATIENCE_MS });

after(async () => {
  await browser?.close();
  await server?.close();
});

test('it computes on WebGPU when that is asked for', async () => {
  const device = visit.page.getByTestId('device');
  assert.equal(await device.getAttribute('data-kind'), 'webgpu');
  assert.match(await device.innerText(), /WebGPU/);
});

/** The largest differences that were seen, for the record. */
const largest = { probability: 0, pixels: 0 };

async function agreesWithTheCommandLine(picture) {
  assert.equal(await visit.give(picture), 'ready', await visit.error());
  const [seen, expected] = [await visit.faces(), await predict(picture)];
  assert.equal(seen.length, expected.length, 'number of faces');
  expected.forEach((face, i) => {
    assert.equal(seen[i].expression, face.expression, `expression of face ${i}`);
    for (const side of ['x', 'y', 'width', 'height']) {
      const difference = Math.abs(seen[i].box[side] - face.box[side]);
      assert.ok(difference < BOX_TOLERANCE_PX, `${side} of face ${i} differs by ${difference}`);
    }
    for (const [name, probability] of Object.entries(face.probabilities)) {
      const difference = Math.abs(seen[i].probabilities[name] - probability);
      largest.probability = Math.max(largest.probability, difference);
      assert.ok(difference < PROBABILITY_TOLERANCE, `${name} of face ${i} differs by ${difference}`);
    }
  });
  return expected;
}

async function redrawsAsTheCommandLine(picture) {
  for (const [i, { probabilities }] of (await visit.faces()).entries()) {
    const sheet = await visit.decode(await sheetOf(picture, i));
    for (const [place, name] of Object.keys(probabilities).entries()) {
      const tile = await visit.pixels(`synthesis-${i}-${name}`);
      const difference = meanDifference(tile, tileOf(sheet, place + 1));
      largest.pixels = Math.max(largest.pixels, difference);
      assert.ok(difference < PIXEL_TOLERANCE, `${name} of face ${i} differs by ${difference}`);
    }
  }
}

/** One picture of the sheet; the first is the face as it is. */
function tileOf(sheet, place) {
  const left = (place % SHEET.columns) * SHEET.tile;
  const top = Math.floor(place / SHEET.columns) * (SHEET.tile + SHEET.label);
  const rows = [];
  for (let y = top; y < top + SHEET.tile; y += 1) {
    const start = (y * sheet.width + left) * 3;
    rows.push(sheet.rgb.subarray(start, start + SHEET.tile * 3));
  }
  return { width: SHEET.tile, height: SHEET.tile, rgb: Buffer.concat(rows) };
}

test('several faces are read and redrawn as by the command line', async () => {
  const faces = await agreesWithTheCommandLine(SEVERAL);
  assert.ok(faces.length > 1);
  await redrawsAsTheCommandLine(SEVERAL);
});

test('a photo that EXIF turns is read and redrawn as by the command line', async () => {
  const faces = await agreesWithTheCommandLine(TURNED);
  assert.ok(faces.length > 0);
  await redrawsAsTheCommandLine(TURNED);
});

test('the redrawn faces of one face show expressions that can be told apart', async () => {
  await visit.give(TURNED);
  const surprised = await visit.pixels('synthesis-0-surprise');
  for (const name of ['neutral', 'sadness']) {
    const change = meanDifference(surprised, await visit.pixels(`synthesis-0-${name}`));
    assert.ok(change > EXPRESSION_CHANGE, `surprise differs from ${name} by ${255 * change} steps`);
  }
});

test('our own WGSL kernels compute the answers, and not their reference implementations', async (t) => {
  const dispatches = () => visit.page.workers()[0].evaluate(() => globalThis.convfluDispatches);
  const before = await dispatches();
  await visit.give(TURNED);
  const after = await dispatches();
  t.diagnostic(`dispatches of ConvFLU shaders: ${after - before} of one picture, ${before} before it`);
  assert.ok(before > 0 && after > before, `${before} dispatches, then ${after}`);
});

test('a photo without a face says so and offers the whole picture', async () => {
  assert.deepEqual(await agreesWithTheCommandLine(NO_FACE), []);
  assert.match(await visit.page.getByTestId('status').innerText(), /no face/i);
  await visit.page.getByTestId('whole-picture').click();
  assert.equal(await visit.settled(), 'ready', await visit.error());
  const [face, ...others] = await visit.faces();
  assert.equal(others.length, 0);
  const sum = Object.values(face.probabilities).reduce((a, b) => a + b);
  assert.ok(Math.abs(sum - 1) < 1e-4, `the probabilities sum to ${sum}`);
  assert.ok((await visit.pixels('synthesis-0-happiness')).rgb.some((value) => value > 0));
});

test('the times of the last answer are shown', async (t) => {
  t.diagnostic(`largest difference of a probability: ${largest.probability.toExponential(1)}`);
  t.diagnostic(`largest mean difference of a redrawn face: ${largest.pixels.toExponential(1)}`);
  const times = visit.page.getByTestId('milliseconds');
  assert.match(await times.innerText(), /recognised in .+ synthesised in/);
  assert.ok(Number(await times.getAttribute('data-recognition')) > 0);
  assert.ok(Number(await times.getAttribute('data-synthesis')) > 0);
});

test('nothing was asked of another host, and the CSP was not hit', async () => {
  assert.ok(visit.requests.some((address) => address.endsWith('.wasm')), 'the worker is watched');
  assert.deepEqual(visit.strangers(), []);
  assert.deepEqual(visit.violations, []);
  assert.deepEqual(visit.complaints, []);
});

test('a request to another host would have been noticed', async () => {
  const control = await Visit.open(browser, server.origin, '?device=cpu');
  await control.page.evaluate(() => fetch('http://127.0.0.2:9/').catch(() => {}));
  await control.page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'document.body.dataset.inline = "ran"';
    document.body.append(script);
  });
  const inline = await control.page.evaluate(() => document.body.dataset.inline);
  assert.equal(inline, undefined, 'an inline script ran');
  assert.ok(control.violations.some((text) => text.startsWith('connect-src')));
  assert.ok(control.violations.some((text) => text.startsWith('script-src')));
  await control.close();
});

// The last one: it ends the worker of this file's visit.
test('a step that the graphics device refuses ends in an error, and the CPU is offered', async () => {
  const [worker] = visit.page.workers();
  await worker.evaluate(() => {
    const { device } = globalThis;
    device.createBuffer({ size: 4, usage: 0 });
    device.queue.submit([]); // until then Chromium keeps the error to itself
  });
  await visit.state('error');
  assert.equal(await visit.code(), 'device-lost');
  assert.match(await visit.error(), /refused a step/);
  assert.ok(await visit.page.getByTestId('retry-cpu').isVisible());
});
