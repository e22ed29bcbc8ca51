// The page stays within its budget of bytes, budget.json.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';

import { DIST, launch, PATIENCE_MS, ROOT, serveDist, Visit } from './browser.mjs';

const budget = JSON.parse(await readFile(new URL('budget.json', import.meta.url), 'utf8'));

const PARAMETERS = {
  [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
  [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
};

/** Raw and compressed bytes of one file. */
async function bytesOf(file) {
  const raw = await readFile(file);
  const compressed = await promisify(brotliCompress)(raw, { params: PARAMETERS });
  return { raw: raw.length, brotli: compressed.length };
}

/** What only synthesises. */
const LATER = ['/weights/fersnet-decoder.safetensors', '/weights/fersnet-painter.safetensors'];

/** @type {Map<string, {raw: number, brotli: number}>} by path, all that reading and redrawing needed */
const asked = new Map();

/** The files that were kept back while the face was recognised. */
const keptBack = new Set();

/** Keeps back what synthesises until the page shows what it has recognised. */
async function prepare(page) {
  for (const path of LATER) {
    await page.route(`**${path}`, async (route) => {
      await page.locator('[data-testid^="probability-0-"]').first().waitFor({ timeout: PATIENCE_MS });
      keptBack.add(path);
      await route.continue();
    });
  }
}

before(async () => {
  const server = await serveDist();
  const browser = await launch();
  try {
    const visit = await Visit.open(browser, server.origin, '?device=cpu', { prepare });
    await visit.loaded();
    assert.equal(await visit.give(join(ROOT, 'tests/photos/turned.jpg')), 'ready', await visit.error());
    assert.ok((await visit.faces()).length > 0, 'a face was read');
    for (const address of visit.requests) {
      const { pathname, origin } = new URL(address);
      if (origin !== server.origin || asked.has(pathname)) continue;
      asked.set(pathname, await bytesOf(join(DIST, pathname === '/' ? 'index.html' : pathname)));
    }
  } finally {
    await browser.close();
    await server.close();
  }
}, { timeout: PATIENCE_MS });

/** @type {string[]} lines of the report */
const report = [];

after(() => console.log(report.join('\n')));

/** @param {keyof typeof budget} item @param {{raw: number, brotli: number}[]} files */
function withinBudget(item, files) {
  const sum = (kind) => files.reduce((total, file) => total + file[kind], 0);
  const brotli = sum('brotli');
  report.push(`# ${budget[item].of}: ${brotli} bytes (${sum('raw')} raw), budget ${budget[item].bytes}`);
  assert.ok(brotli <= budget[item].bytes, `${brotli} bytes are more than ${budget[item].bytes}`);
}

test('the program for the CPU is within its budget, and the only one that is asked for', () => {
  const programs = [...asked.keys()].filter((path) => path.endsWith('.wasm'));
  assert.deepEqual(programs, ['/fersnet-cpu_bg.wasm']);
  withinBudget('program', [asked.get(programs[0])]);
});

test('the program with WebGPU is within its budget', { timeout: PATIENCE_MS }, async () => {
  withinBudget('gpu-program', [await bytesOf(join(DIST, 'fersnet-gpu_bg.wasm'))]);
});

test('what the first recognition needs is within its budget', () => {
  assert.ok([...asked.keys()].some((path) => path.endsWith('.safetensors')), 'the weights are counted');
  assert.deepEqual([...keptBack].sort(), LATER, 'asked for, and a face is recognised without them');
  const first = [...asked].filter(([path]) => !LATER.includes(path));
  withinBudget('first-recognition', first.map(([, file]) => file));
});

test('what synthesises is within its budget', () => {
  withinBudget('synthesis', LATER.map((path) => asked.get(path)));
});
