#!/usr/bin/env node
// Fills the tables of docs/performance.md from the results in BENCH_OUT, so that no number is typed:
//
//     node tools/bench/fill.mjs
//
// A table stands between `<!-- bench PART -->` and `<!-- end -->`. A part without a result is left as it is.

import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { OUT } from './machine.mjs';
import { tables } from './tables.mjs';

const PAGE = join(dirname(fileURLToPath(import.meta.url)), '../../docs/performance.md');
const PLACE = /(<!-- bench (\w+) -->\n)[^]*?(<!-- end -->)/g;

const page = await readFile(PAGE, 'utf8');
const parts = [...page.matchAll(PLACE)].map(([, , part]) => part);
const filled = new Map();
for (const part of parts) {
  const text = await readFile(join(OUT, `${part}.json`), 'utf8').catch(() => null);
  if (text) filled.set(part, tables(JSON.parse(text)));
}
// The page has headings of its own.
const withoutHeading = (text) => text.replace(/^### .*\n\n/, '');
const next = page.replace(PLACE, (whole, begin, part, end) =>
  filled.has(part) ? `${begin}${withoutHeading(filled.get(part))}\n${end}` : whole,
);
await writeFile(PAGE, next);
console.log(`filled: ${[...filled.keys()].join(', ') || 'nothing'}, of ${parts.join(', ')}`);
