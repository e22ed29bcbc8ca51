// @ts-check
/** @file Bench `pairs`: one ConvFLU pair at each of its sizes, by our kernels and by others. */

import { graphSide } from './ort.js';
import { pairSide } from './ours.js';
import { sideBySide } from './rounds.js';
import { fetched, wave } from './inputs.js';

/** @typedef {{name: string, edition: string, side: number, width: number, channels: number, size: number}} PairAbout */

/** @param {import('./main.js').Bench} bench */
export async function pairs({ manifest: fetchManifest, budget, report }) {
  const manifest = await fetchManifest();
  const end = performance.now() + budget;
  for (const [i, about] of /** @type {PairAbout[]} */ (manifest.pairs).entries()) {
    // What earlier pairs left over goes to the later ones.
    const share = (end - performance.now()) / (manifest.pairs.length - i);
    const { name, edition, side, width, channels, size } = about;
    const weights = new Float32Array((await fetched(`/onnx/${name}.bin`)).buffer);
    const shape = [1, channels, size, size];
    const [x, y] = [wave(channels * size * size, 1.7), wave(channels * size * size, 1.2)];
    const inputs = { x: { values: x, shape }, y: { values: y, shape } };
    const sides = [
      pairSide(about, weights, [x, y], 'kernels'),
      graphSide(`${name}.onnx`, inputs, ['new_x', 'new_y'], 'webgpu'),
      pairSide(about, weights, [x, y], 'plain'),
    ];
    report({
      of: { edition, kernel: side, width, channels, size },
      sides: await sideBySide(sides, share),
    });
  }
}
