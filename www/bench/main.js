// @ts-check
/**
 * @file The benches of the page: `bench.html?part=pairs&seconds=600`, as tools/bench_page.mjs opens it.
 * The result is the text of #result, and window.benchResult once the part is over.
 */

import { fetched } from './inputs.js';
import { network } from './network.js';
import { growth } from './growth.js';
import { pairs } from './pairs.js';

/**
 * @typedef {object} Bench
 * @property {() => Promise<any>} manifest of tools/export_onnx.py
 * @property {number} budget milliseconds for all of it
 * @property {(row: object) => void} report takes a finished row
 */

/** @type {Record<string, (bench: Bench) => Promise<void>>} */
const PARTS = { pairs, network, growth };

const query = new URLSearchParams(location.search);
const part = query.get('part') ?? '';
const budget = 1000 * Number(query.get('seconds') ?? 600);
const status = /** @type {HTMLElement} */ (document.getElementById('status'));
const shown = /** @type {HTMLElement} */ (document.getElementById('result'));

/** @type {{part: string, browser: object, rows: object[], error?: string}} */
const result = { part, browser: {}, rows: [] };

function show() {
  shown.textContent = JSON.stringify(result, null, 1);
  Object.assign(window, { benchSoFar: result });
}

async function run() {
  if (!(part in PARTS)) throw new Error(`choose a part: ${Object.keys(PARTS).map((name) => `?part=${name}`).join(', ')}`);
  result.browser = await browser();
  await PARTS[part]({
    manifest: async () => JSON.parse(new TextDecoder().decode(await fetched('/onnx/manifest.json'))),
    budget,
    report: (row) => {
      result.rows.push(row);
      show();
    },
  });
}

/** What computes here. */
async function browser() {
  const gpu = /** @type {any} */ (navigator).gpu;
  const adapter = await gpu?.requestAdapter({ powerPreference: 'high-performance' });
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter?.info ?? {};
  return {
    userAgent: navigator.userAgent,
    cores: navigator.hardwareConcurrency,
    isolated: crossOriginIsolated,
    adapter: adapter ? { vendor, architecture, device, description, isFallbackAdapter } : null,
    features: adapter ? [...adapter.features] : [],
  };
}

status.textContent = `running ${part}`;
run()
  .catch((error) => {
    result.error = String(error?.message ?? error);
  })
  .finally(() => {
    status.textContent = result.error ?? 'done';
    show();
    Object.assign(window, { benchResult: result });
  });
