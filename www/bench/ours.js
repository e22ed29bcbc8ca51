// @ts-check
/** @file FERSNet's program in this page, without its worker: the network alone (src/web/measure.rs). */

/** @type {Promise<any> | undefined} */
let program;

/** The program, fetched and started once. */
export function start() {
  program ??= (async () => {
    const address = new URL('../fersnet-gpu.js', import.meta.url).href;
    const wasm = await import(address);
    await wasm.default();
    return wasm;
  })();
  return program;
}

/** @typedef {'kernels' | 'plain' | 'cpu'} Way the WGSL kernels, Burn's plain tensors on WebGPU, the CPU */

/** Names of the ways, as the tables have them. */
export const NAMES = {
  kernels: 'FERSNet, WebGPU kernels',
  plain: 'Burn plain tensors, WebGPU',
  cpu: 'FERSNet, CPU',
};

/** @type {Promise<void> | undefined} */
let webgpu;

/** @param {Way} way */
async function startFor(way) {
  const wasm = await start();
  if (way !== 'cpu') await (webgpu ??= wasm.init_webgpu());
  return wasm;
}

/**
 * One ConvFLU pair as a side of the bench.
 * @param {{side: number, channels: number, size: number}} pair
 * @param {Float32Array} weights
 * @param {Float32Array[]} inputs
 * @param {Way} way
 */
export function pairSide({ side, channels, size }, weights, inputs, way) {
  return {
    name: NAMES[way],
    prepare: async () => {
      const wasm = await startFor(way);
      const pair = new wasm.MeasuredPair(side, channels, size, weights, way !== 'cpu');
      const [x, y] = inputs;
      return checked(wasm, way, () => pair.run(x, y, way === 'plain'));
    },
  };
}

/**
 * The shipped network as a side of the bench.
 * @param {Uint8Array[]} files the network and its decoder
 * @param {Float32Array} face
 * @param {boolean} redraws
 * @param {Way} way
 */
export function networkSide(files, face, redraws, way) {
  return {
    name: NAMES[way],
    prepare: async () => {
      const wasm = await startFor(way);
      const network = new wasm.MeasuredNetwork(...files, way !== 'cpu');
      const plain = way === 'plain';
      return checked(wasm, way, () =>
        redraws ? network.redraw(face, plain) : network.recognise(face, plain),
      );
    },
  };
}

/**
 * A run that refuses to be timed under a wrong name: kernels (the WGSL ones, or the CPU's) have to run
 * where they are meant to.
 * @param {any} wasm
 * @param {Way} way
 * @param {() => Promise<Float32Array>} run
 */
function checked(wasm, way, run) {
  return async () => {
    const before = wasm.kernel_launches();
    const values = await run();
    const launched = wasm.kernel_launches() > before;
    if (launched !== (way !== 'plain')) throw new Error(`kernels ${launched ? 'ran' : 'did not run'}`);
    return values;
  };
}
