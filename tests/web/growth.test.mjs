// Nothing is compiled once the network is ready, and nothing grows with the faces that are read and
// redrawn: pipelines, GPU buffers, pages of WebAssembly memory.
//
// FERSNET_READS and FERSNET_REDRAWS ask for a longer run than CI's.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { forAllTests, PATIENCE_MS, ROOT } from './browser.mjs';

/** Faces by device: SwiftShader takes a second or more for what the CPU path does in milliseconds. */
const RUNS = {
  webgpu: { reads: count('FERSNET_READS', 12), redraws: count('FERSNET_REDRAWS', 4) },
  cpu: { reads: count('FERSNET_READS', 300), redraws: count('FERSNET_REDRAWS', 60) },
};
/** Faces after which nothing may grow: pools have found their sizes. */
const SETTLED = 3;

function count(name, usual) {
  return Number(process.env[name] ?? usual);
}

/** Counts in the worker what could grow. */
function countInWorker() {
  globalThis.made = { pipelines: 0, shaders: 0, buffers: 0, bytes: 0 };
  const { made } = globalThis;
  const watch = (Class, name, seen) => {
    const method = Class.prototype[name];
    Class.prototype[name] = function (...values) {
      seen(values);
      return method.apply(this, values);
    };
  };
  watch(GPUDevice, 'createShaderModule', () => (made.shaders += 1));
  watch(GPUDevice, 'createComputePipeline', () => (made.pipelines += 1));
  watch(GPUDevice, 'createComputePipelineAsync', () => (made.pipelines += 1));
  watch(GPUDevice, 'createBuffer', ([{ size }]) => {
    made.buffers += 1;
    made.bytes += size;
  });
  for (const name of ['instantiate', 'instantiateStreaming']) {
    const instantiate = WebAssembly[name];
    WebAssembly[name] = async (...values) => {
      const result = await instantiate.apply(WebAssembly, values);
      globalThis.memory = (result.instance ?? result).exports.memory;
      return result;
    };
  }
}

async function prepare(page) {
  await page.route('**/api/worker.js', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `(${countInWorker})();\n${await response.text()}` });
  });
}

const site = forAllTests();

/** A page with the network on a device, and one picture that was read. */
async function open(device) {
  // The page's own network stays on the CPU: the one under test is a second one.
  const visit = await site.open('?device=cpu', { prepare });
  await visit.loaded();
  const workers = new Set(visit.page.workers());
  const photo = await readFile(join(ROOT, 'tests/photos/turned.jpg'), 'base64');
  const loaded = await visit.page.evaluate(async ([device, photo]) => {
    const { FersNet } = await import('./api/index.js');
    window.net = await FersNet.load({ device });
    window.photo = Uint8Array.from(atob(photo), (letter) => letter.charCodeAt(0));
    return window.net.device;
  }, [device, photo]);
  assert.equal(loaded.kind, device, loaded.notice);
  const worker = visit.page.workers().find((worker) => !workers.has(worker));
  const counts = () => worker.evaluate(() => ({
    ...globalThis.made,
    pages: globalThis.memory.buffer.byteLength / 65536,
  }));
  return { visit, counts };
}

for (const device of /** @type {const} */ (['webgpu', 'cpu'])) {
  const { reads, redraws } = RUNS[device];
  // A longer run than CI's takes its time.
  const timeout = PATIENCE_MS + 1000 * (reads + redraws);
  test(`nothing grows on ${device}`, { timeout }, async (t) => {
    const { visit, counts } = await open(device);
    const { page } = visit;
    const ready = await counts();

    // Once of everything: several targets of an odd number, one target, the whole picture.
    await page.evaluate(async () => {
      window.picture = await window.net.recognise(window.photo);
      const [face] = window.picture.faces;
      await window.net.synthesise(face);
      await window.net.synthesise(face, window.net.classes.slice(0, 3));
      await window.net.synthesise(face, [window.net.classes[1]]);
      const [control] = window.net.controls;
      if (control) await window.net.synthesise(face, [{ [control]: 0.5 }]);
    });
    const used = await counts();
    assert.equal(used.pipelines, ready.pipelines, 'a pipeline was compiled after ready');
    assert.equal(used.shaders, ready.shaders, 'a shader was compiled after ready');

    const rounds = async (reads, redraws) => {
      await page.evaluate(async ([reads, redraws]) => {
        const face = await window.net.recogniseWhole(window.picture);
        for (let i = 1; i < reads; i += 1) await window.net.recogniseWhole(window.picture);
        for (let i = 0; i < redraws; i += 1) {
          const redrawn = await window.net.synthesise(face);
          await Promise.all(redrawn.map((one) => window.net.forget(one)));
        }
      }, [reads, redraws]);
      return counts();
    };
    const settled = await rounds(SETTLED, SETTLED);
    const last = await rounds(reads, redraws);
    t.diagnostic(`${device}: ${reads} reads and ${redraws} redraws of ${await page.evaluate('net.classes.length')} faces`);
    t.diagnostic(`at ready ${JSON.stringify(ready)}, then ${JSON.stringify(settled)}, at the end ${JSON.stringify(last)}`);
    assert.deepEqual(last, settled);
    await visit.close();
  });
}
