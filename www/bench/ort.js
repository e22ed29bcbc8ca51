// @ts-check
/** @file onnxruntime-web as a side of the bench, from where tools/bench_page.mjs serves it. */

const FOLDER = new URL('/libraries/onnxruntime-web/dist/', location.href).href;

/** @typedef {'webgpu' | 'one-thread' | 'threads'} Way */

/** Build of the library, its provider, and its number of threads (0: as it likes). */
const WAYS = {
  webgpu: { build: 'ort.webgpu.min.mjs', provider: 'webgpu', threads: 1 },
  'one-thread': { build: 'ort.wasm.min.mjs', provider: 'wasm', threads: 1 },
  threads: { build: 'ort.wasm.min.mjs', provider: 'wasm', threads: 0 },
};

/** Names of the ways, as the tables have them. */
export const NAMES = {
  webgpu: 'onnxruntime-web, WebGPU',
  'one-thread': 'onnxruntime-web, wasm, one thread',
  threads: 'onnxruntime-web, wasm, its own threads',
};

/** @type {Map<Way, Promise<any>>} */
const libraries = new Map();

/** @param {Way} way */
export function library(way) {
  let loading = libraries.get(way);
  if (!loading) {
    loading = load(way);
    libraries.set(way, loading);
  }
  return loading;
}

/** @param {Way} way */
async function load(way) {
  const { build, threads } = WAYS[way];
  // Each way has an instance of the module of its own: the threads are chosen once for one.
  const ort = await import(`${FOLDER}${build}?${way}`);
  ort.env.wasm.wasmPaths = FOLDER;
  ort.env.wasm.numThreads = threads;
  ort.env.logLevel = 'error';
  return ort;
}

/**
 * A graph as a side of the bench; its inputs are uploaded and its outputs read back in each run.
 * @param {string} graph name of the file in /onnx
 * @param {Record<string, {values: Float32Array, shape: number[]}>} inputs
 * @param {string[]} outputs
 * @param {Way} way
 */
export function graphSide(graph, inputs, outputs, way) {
  return {
    name: NAMES[way],
    prepare: async () => {
      const ort = await library(way);
      const session = await ort.InferenceSession.create(`/onnx/${graph}`, {
        executionProviders: [WAYS[way].provider],
        graphOptimizationLevel: 'all',
      });
      return async () => {
        const feeds = Object.fromEntries(
          Object.entries(inputs).map(([name, { values, shape }]) => [
            name,
            new ort.Tensor('float32', values, shape),
          ]),
        );
        const found = await session.run(feeds);
        return joined(await Promise.all(outputs.map((name) => found[name].getData())));
      };
    },
  };
}

/** @param {Float32Array[]} parts */
function joined(parts) {
  if (parts.length === 1) return parts[0];
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
