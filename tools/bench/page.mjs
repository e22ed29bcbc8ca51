// Part `page`: what a visitor waits for and downloads until a page has named the expression of a photo.
// Each visit has a browser with a fresh profile; the visits of all pages come in turn.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { DIST, ROOT } from '../../tests/web/browser.mjs';
import { serve } from '../../tests/web/server.mjs';
import { withPage } from './browser.mjs';
import { bytesOf } from './bytes.mjs';
import { packages } from './libraries.mjs';

const PHOTO = join(ROOT, 'www/samples/astronaut.jpg');
const PAGES = join(ROOT, 'tools/bench/pages');

/** Visits of each page, and pictures after the first one in each visit. */
const VISITS = 3;
const MORE_PICTURES = 5;
/** One visit, in milliseconds: software adapters compile their shaders for a minute. */
const PATIENCE_MS = 240_000;

/** The pages, and on which of their backends they are visited. */
const CONTENDERS = [
  { page: 'FERSNet', backends: ['cpu', 'webgpu'], address: (backend) => `/?device=${backend}`, root: DIST },
  ...['face-api', 'human'].map((page) => ({
    page: { 'face-api': 'face-api.js', human: '@vladmandic/human' }[page],
    backends: { 'face-api': ['webgl', 'cpu'], human: ['webgl', 'wasm', 'webgpu', 'cpu'] }[page],
    address: (backend) => `/${page}.html?backend=${backend}`,
    root: PAGES,
  })),
];

/** All pages side by side, for `budget` milliseconds; `keep` takes the rows as they are after each visit. */
export async function page(budget, keep) {
  const end = Date.now() + budget;
  const libraries = await packages();
  const entries = CONTENDERS.flatMap((contender) =>
    contender.backends.map((backend) => ({ contender, backend, visits: [], error: null })),
  );
  for (let round = 0; round < VISITS; round += 1) {
    for (const entry of entries) {
      if (entry.error || Date.now() > end) continue;
      try {
        entry.visits.push(await visit(entry.contender, entry.backend, libraries));
      } catch (error) {
        entry.error = String(error.message ?? error).split('\n')[0];
      }
      const name = `${entry.contender.page} ${entry.backend}`;
      console.error(`${name}: visit ${round + 1}, ${entry.error ?? Math.round(entry.visits.at(-1).ready)}`);
      keep({ rows: entries.map(rowOf) });
    }
  }
  const rows = entries.map(rowOf);
  for (const [i, { visits }] of entries.entries()) {
    if (visits.length > 0) rows[i].bytes = await bytesOf(visits[0].served);
    keep({ rows });
  }
}

/** One visit: the milliseconds since the navigation, as the page's own clock tells them. */
async function visit({ address, root }, backend, libraries) {
  const served = [];
  const server = await serve(root, {
    // Other pages are as their makers would have them: without our policy.
    header: root === DIST,
    mounts: { libraries },
    onServed: (file) => served.push({ file, at: Date.now() }),
  });
  try {
    return await withPage(async (page, { version, complaints }) => {
      page.setDefaultTimeout(PATIENCE_MS);
      if (root === DIST) await page.addInitScript(watchOurs);
      await page.goto(`${server.origin}${address(backend)}`);
      const until = async (test, argument) => {
        // Not at each frame, the default: a browser that computes in software draws few.
        await page.waitForFunction(test, argument, { polling: 100 });
        const { error } = await page.evaluate(() => window.bench);
        if (error) throw new Error(`${error} ${complaints.join(' ')}`);
      };
      await until(() => window.bench?.error || window.bench?.ready);
      const give = () => page.getByTestId('picture').setInputFiles(PHOTO);
      await give();
      await until(() => window.bench.error || window.bench.answered.length > 0);
      for (let i = 1; i <= MORE_PICTURES; i += 1) {
        // Ours goes on to redraw the face; the next picture waits for that.
        await until(() => document.body.dataset.state !== 'busy');
        await give();
        await until((i) => window.bench.error || window.bench.answered.length > i, i);
      }
      const { ready, asked, answered, answer, drawn, origin } = await page.evaluate(() => ({
        ...window.bench,
        origin: performance.timeOrigin,
      }));
      // What was asked for after the answer is for later.
      const before = served.filter(({ at }) => at <= origin + answered[0]).map(({ file }) => file);
      const [first, ...later] = answered.map((time, i) => time - asked[i]);
      return { version, served: before, ready, first, later, answer, drawn };
    });
  } finally {
    await server.close();
  }
}

/** Runs in our page before its scripts: the same marks as pages/offer.js makes. */
function watchOurs() {
  const bench = { asked: [], answered: [] };
  window.bench = bench;
  document.addEventListener(
    'change',
    ({ target }) => {
      if (target.id === 'picture') bench.asked.push(performance.now());
    },
    true,
  );
  const look = () => {
    const { state } = document.body?.dataset ?? {};
    if (state === 'error') bench.error = document.getElementById('alert-text').textContent;
    if (state === 'ready') bench.ready ??= performance.now();
    const wished = new URLSearchParams(location.search).get('device');
    const device = document.querySelector('[data-testid="device"]')?.dataset.kind;
    if (device && device !== wished) bench.error = `${device} runs where ${wished} was asked for`;
    const waits = bench.asked.length > bench.answered.length;
    if (waits && state === 'busy') bench.begun = true;
    const expression = document.querySelector('[data-testid="expression-0"]')?.textContent;
    // The name of the picture before is gone once the new one is being read.
    if (waits && bench.begun && expression && expression !== '…') {
      bench.answered.push(performance.now());
      bench.begun = false;
      const bar = document.querySelector(`[data-testid="probability-0-${expression}"]`);
      bench.answer = { expression, probability: Number(bar?.dataset.value) };
    }
    if (state === 'ready' && bench.answered.length === 1) {
      bench.drawn ??= performance.now() - bench.asked[0];
    }
  };
  new MutationObserver(look).observe(document, {
    subtree: true,
    childList: true,
    attributes: true,
    characterData: true,
  });
}

function rowOf({ contender, backend, visits, error }) {
  const median = (values) => {
    const sorted = values.toSorted((a, b) => a - b);
    return sorted[Math.floor((sorted.length - 1) / 2)];
  };
  const of = { page: contender.page, backend };
  if (visits.length === 0) return { of, error: error ?? 'the time was up' };
  return {
    of,
    ...(error && { error }),
    visits: visits.length,
    ready: median(visits.map(({ ready }) => ready)),
    first: median(visits.map(({ first }) => first)),
    total: median(visits.map(({ ready, first }) => ready + first)),
    later: median(visits.flatMap(({ later }) => later)),
    drawn: visits[0].drawn && median(visits.map(({ drawn }) => drawn)),
    answer: visits[0].answer,
    version: visits[0].version,
  };
}

/** What was asked: the same photo of every page. */
export async function photo() {
  return { file: 'www/samples/astronaut.jpg', bytes: (await readFile(PHOTO)).length };
}
