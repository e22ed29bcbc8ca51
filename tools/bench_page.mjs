#!/usr/bin/env node
// The page's benches in a real browser, side by side with the libraries that do the same.
//
//     node tools/bench_page.mjs [pairs] [network] [page] [faces] [growth] [profile]
//
// Without a part all of them run. Each part ends after BENCH_SECONDS (600), with what it has until then.
// Writes PART.json into BENCH_OUT (bench-out/), and prints the tables. Needs the built page (FERSNET_DIST,
// dist/) and the benches' (FERSNET_BENCH_DIST, dist-bench/), the graphs of tools/export_onnx.py, and npm for the libraries, whose versions are pinned in
// tools/bench/package.json. BENCH_ADAPTER is swiftshader (the default) or gpu.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { serve } from '../tests/web/server.mjs';
import { ADAPTER, BENCH_DIST, withPage } from './bench/browser.mjs';
import { faces } from './bench/faces.mjs';
import { graphs, packages, versions } from './bench/libraries.mjs';
import { machine, OUT } from './bench/machine.mjs';
import { page, photo } from './bench/page.mjs';
import { profile } from './bench/profile.mjs';
import { tables } from './bench/tables.mjs';

const BUDGET_MS = 1000 * Number(process.env.BENCH_SECONDS || 600);
/** A round that has begun is waited for, but not for ever. */
const GRACE_MS = 180_000;

const PARTS = {
  pairs: (keep) => inPage('pairs', keep),
  network: (keep) => inPage('network', keep),
  page: async (keep) => {
    keep({ photo: await photo() });
    await page(BUDGET_MS, keep);
  },
  faces: (keep) => faces(BUDGET_MS, keep),
  growth: (keep) => inPage('growth', keep),
  profile,
};

/** A part of bench.html; what it has reported is kept even if it does not end. */
async function inPage(part, keep) {
  // Growth compares with itself alone.
  const mounts = part === 'growth' ? {} : { libraries: await packages(), onnx: await graphs() };
  // The isolation that lets a page have threads.
  const headers = {
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
  };
  const server = await serve(BENCH_DIST, { mounts, headers });
  try {
    await withPage(async (tab, { complaints, version }) => {
      await tab.goto(`${server.origin}/bench.html?part=${part}&seconds=${BUDGET_MS / 1000}`);
      const end = Date.now() + BUDGET_MS + GRACE_MS;
      let state = {};
      while (!state.done && Date.now() < end && complaints.length === 0) {
        await new Promise((resolve) => setTimeout(resolve, 1000));
        // A page that computes on its own thread answers late; one that hangs never does.
        const asked = tab.evaluate(() => ({ done: 'benchResult' in window, result: window.benchSoFar }));
        asked.catch(() => {});
        state = await Promise.race([asked, later(end - Date.now(), state)]);
        if (state.result) keep({ ...state.result, version });
      }
      if (!state.done) keep({ error: complaints.join(' ') || 'the time was up' });
    });
  } finally {
    await server.close();
  }
}

function later(milliseconds, value) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds, value).unref());
}

/** Runs one part, and leaves its file whatever happens. */
async function run(part) {
  const result = {
    part,
    date: new Date().toISOString(),
    machine: { ...machine(), adapter: ADAPTER },
    versions: await versions(),
  };
  const file = join(OUT, `${part}.json`);
  try {
    await PARTS[part]((more) => Object.assign(result, more));
  } catch (error) {
    result.error = String(error.message ?? error);
  }
  await writeFile(file, `${JSON.stringify(result, null, 1)}\n`);
  console.log(tables(result));
  return !result.error;
}

const asked = process.argv.slice(2);
const unknown = asked.filter((part) => !Object.hasOwn(PARTS, part));
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(', ')}; parts are ${Object.keys(PARTS).join(', ')}`);
  process.exit(2);
}
await mkdir(OUT, { recursive: true });
let allWell = true;
for (const part of asked.length > 0 ? asked : Object.keys(PARTS)) allWell = (await run(part)) && allWell;
process.exitCode = allWell ? 0 : 1;
