// One face by kernel, on the GPU's clock: the network as the page runs it, and on Burn's plain tensors.

import { fileURLToPath } from 'node:url';

import { serve } from '../../tests/web/server.mjs';
import { BENCH_DIST, withPage } from './browser.mjs';

const TIMESTAMPS = fileURLToPath(new URL('timestamps.js', import.meta.url));
/** Runs that are profiled; before them one warms up. */
const RUNS = 5;

/** Keeps a row for each task and way: `{of, way, kernels: [{kernel, launches, milliseconds}]}`. */
export async function profile(keep) {
  const server = await serve(BENCH_DIST);
  try {
    await withPage(async (tab, { version }) => {
      await tab.addInitScript({ path: TIMESTAMPS });
      await tab.goto(`${server.origin}/bench.html`);
      const rows = [];
      for (const task of ['recognise', 'redraw']) {
        for (const plain of [false, true]) {
          const runs = await tab.evaluate(runsOf, [task, plain, RUNS]);
          rows.push({ of: NAMES[task], way: plain ? 'plain' : 'kernels', kernels: byKernel(runs) });
          keep({ rows, version });
        }
      }
    });
  } finally {
    await server.close();
  }
}

const NAMES = { recognise: 'recognition', redraw: 'recognition and all faces' };

/** In the page: the dispatches of each run. */
async function runsOf([task, plain, count]) {
  globalThis.measured ??= (async () => {
    const program = await import('./fersnet-gpu.js');
    await program.default();
    await program.init_webgpu();
    const fetched = async (name) => new Uint8Array(await (await fetch(`weights/${name}.safetensors`)).arrayBuffer());
    return new program.MeasuredNetwork(await fetched('fersnet'), await fetched('fersnet-decoder'), true);
  })();
  const network = await globalThis.measured;
  const face = Float32Array.from({ length: 3 * 96 * 96 }, (_, i) => 0.5 + 0.5 * Math.sin(i * 0.013));
  await network[task](face.slice(), plain);
  const runs = [];
  for (let i = 0; i < count; i += 1) {
    globalThis.profiler.start();
    await network[task](face.slice(), plain);
    runs.push(await globalThis.profiler.stop());
  }
  return runs;
}

/** The median run's time of each kernel, and how often it ran; the longest first. */
function byKernel(runs) {
  const kernels = new Map();
  for (const [i, run] of runs.entries()) {
    for (const { kernel, milliseconds } of run) {
      if (!kernels.has(kernel)) kernels.set(kernel, { launches: 0, sums: runs.map(() => 0) });
      const of = kernels.get(kernel);
      if (i === 0) of.launches += 1;
      of.sums[i] += milliseconds;
    }
  }
  return [...kernels]
    .map(([kernel, { launches, sums }]) => ({ kernel, launches, milliseconds: median(sums) }))
    .sort((a, b) => b.milliseconds - a.milliseconds);
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
