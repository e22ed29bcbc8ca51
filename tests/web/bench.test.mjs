// How the benches count: rounds, ratios, differences and what a table says of them.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { tables } from '../../tools/bench/tables.mjs';
import { sideBySide, summary } from '../../www/bench/rounds.js';
import { ROOT } from './browser.mjs';

/** A way that gives these values and counts its runs. */
function way(name, values, { failsAt = Infinity } = {}) {
  const side = {
    name,
    runs: 0,
    prepare: async () => async () => {
      side.runs += 1;
      if (side.runs > failsAt) throw new Error('out of memory');
      return Float32Array.from(values);
    },
  };
  return side;
}

test('the bench page has the policy of the page', async () => {
  const [page, bench] = await Promise.all(
    ['index.html', 'bench.html'].map(async (name) => {
      const text = await readFile(join(ROOT, 'www', name), 'utf8');
      return /<meta http-equiv="Content-Security-Policy".*>/.exec(text)?.[0];
    }),
  );
  assert.ok(page);
  assert.equal(bench, page);
});

test('the rounds before do not count', () => {
  const slowAtFirst = [900, 900, 900, 900, 900, ...Array(20).fill(7)];
  assert.deepEqual(summary(slowAtFirst), { median: 7, low: 7, high: 7, rounds: 20 });
});

test('two rounds are no median', () => {
  assert.deepEqual(summary([1, 2, 3, 4]), { rounds: 2 });
  assert.equal(summary([1, 2, 3, 4, 5, 6]).median, 5);
});

test('all ways run equally often, first once cold and then 25 times', async () => {
  const sides = [way('ours', [1]), way('theirs', [1])];
  const timed = await sideBySide(sides, 60_000);
  assert.deepEqual(sides.map(({ runs }) => runs), [26, 26]);
  assert.deepEqual(timed.map(({ rounds }) => rounds), [20, 20]);
  assert.equal(timed[0].ratio, 1);
});

test('no round begins when the time is up', async () => {
  const side = way('ours', [1]);
  const [timed] = await sideBySide([side], 0);
  assert.equal(side.runs, 1);
  assert.equal(timed.median, undefined);
});

test('a way that fails says why, and the others go on', async () => {
  const [ours, theirs] = await sideBySide([way('ours', [1]), way('theirs', [1], { failsAt: 20 })], 60_000);
  assert.equal(ours.rounds, 20);
  assert.equal(theirs.error, 'out of memory');
  assert.equal(theirs.median, undefined, 'what a broken way has computed is no time');
});

test('values that differ are told, and values that are no numbers are no result', async () => {
  const sides = [way('ours', [1, 2]), way('near', [1, 2.5]), way('broken', [NaN, 2]), way('short', [1])];
  const [, near, broken, short] = await sideBySide(sides, 0);
  assert.equal(near.difference, 0.5);
  assert.equal(broken.error, 'value 0 is NaN');
  assert.match(short.error, /1 values, not 2/);
});

test('a table has the reason of a failure in place of its numbers, and the load', () => {
  const text = tables({
    part: 'network',
    date: '2030-01-02T03:04:05Z',
    machine: { cpu: 'A processor', cores: 4, load: 0.1, adapter: 'gpu' },
    rows: [
      {
        of: { what: 'recognition', width: 12 },
        sides: [
          { name: 'ours', ratio: 1, median: 2.345, low: 2, high: 3, cold: 100, prepare: 10_500, rounds: 20, difference: 0 },
          { name: 'theirs', error: 'no | adapter' },
        ],
      },
    ],
  });
  assert.match(text, /2030-01-02; A processor, 4 cores, load 0.1 before; adapter: gpu\./);
  assert.match(text, /\| recognition, width 12 \| ours \| 1\.00 × \| 2\.3 ms \| 2\.0 ms to 3\.0 ms \| 100 ms \| 10\.5 s \| 20 \|/);
  assert.match(text, /theirs \| failed: no \/ adapter \|/);
});

test('ways that compute something else are named under the table', () => {
  const of = { what: 'recognition' };
  const sides = [
    { name: 'ours', difference: 0 },
    { name: 'near', difference: 1e-5 },
    { name: 'other', difference: 0.2 },
  ];
  const text = tables({ part: 'network', rows: [{ of, sides }] });
  assert.match(text, /\*\*Not the same work\*\* as the first way of the row: other \(recognition\)\./);
});
