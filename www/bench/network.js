// @ts-check
/** @file Bench `network`: recognition, and recognition with every expression redrawn. */

import { graphSide } from './ort.js';
import { networkSide } from './ours.js';
import { sideBySide } from './rounds.js';
import { fetched, wave } from './inputs.js';

/** @param {import('./main.js').Bench} bench */
export async function network({ manifest: fetchManifest, budget, report }) {
  const manifest = await fetchManifest();
  const { config, files } = manifest.network;
  const [file, decoder] = await Promise.all(
    ['fersnet', 'fersnet-decoder'].map((name) =>
      fetched(new URL(`../weights/${name}.safetensors`, import.meta.url).href),
    ),
  );
  if ((await hashOf(file)) !== manifest.network.sha256) {
    throw new Error('the graphs are of other weights than the page: run tools/export_onnx.py');
  }
  const shape = [1, config.channels, 96, 96];
  const face = { values: wave(config.channels * 96 * 96, 0.5).map((value) => value + 0.5), shape };
  const count = config.classes.length;
  // Each expression's preset over the controls, or one-hot where there are none.
  const names = config.controls ?? config.classes;
  const expression = (/** @type {string} */ name) => config.presets?.[name] ?? { [name]: 1 };
  const rows = config.classes.flatMap((/** @type {string} */ name) =>
    names.map((/** @type {string} */ part) => expression(name)[part] ?? 0),
  );
  const target = { values: Float32Array.from(rows), shape: [count, names.length] };
  /** @type {{ what: string, graph: string, inputs: Record<string, { values: Float32Array, shape: number[] }>, outputs: string[] }[]} */
  const graphs = [
    { what: 'recognition', graph: 'recognise.onnx', inputs: { face }, outputs: ['logits'] },
    {
      what: `recognition and ${count} faces`,
      graph: 'redraw.onnx',
      inputs: { face, target },
      outputs: ['logits', 'faces'],
    },
  ];
  const whats = graphs.filter(({ graph }) => graph in files);
  const end = performance.now() + budget;
  for (const [i, { what, graph, inputs, outputs }] of whats.entries()) {
    const ours = (/** @type {import('./ours.js').Way} */ way) =>
      networkSide([file, decoder], face.values, outputs.length > 1, way);
    const theirs = (/** @type {import('./ort.js').Way} */ way) => graphSide(graph, inputs, outputs, way);
    const sides = [
      ours('kernels'),
      theirs('webgpu'),
      ours('plain'),
      ours('cpu'),
      theirs('one-thread'),
      // Without isolation the library has one thread whatever it would like.
      ...(crossOriginIsolated ? [theirs('threads')] : []),
    ];
    const share = (end - performance.now()) / (whats.length - i);
    report({ of: { what, width: config.width }, sides: await sideBySide(sides, share) });
  }
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
async function hashOf(bytes) {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
