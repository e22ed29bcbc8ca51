// What the page's head asks for ahead is what its scripts will ask for, no more and no less.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

import { forAllTests, ROOT } from './browser.mjs';

const site = forAllTests();

const WWW = join(ROOT, 'www');

/** The modules that a module imports before it runs, and theirs, itself first. */
async function imported(path, seen = new Set()) {
  if (seen.has(path)) return seen;
  seen.add(path);
  const text = await readFile(join(WWW, path), 'utf8');
  for (const [, name] of text.matchAll(/^(?:import|export)\s[^;]*?from '(\.[^']+)'/gm)) {
    await imported(normalize(join(dirname(path), name)), seen);
  }
  return seen;
}

test('every module of the page is asked for ahead, and none beside', async () => {
  const head = await readFile(join(WWW, 'index.html'), 'utf8');
  const links = [...head.matchAll(/<link rel="modulepreload" href="([^"]+)">/g)].map(([, path]) => path);
  assert.deepEqual(links.toSorted(), [...(await imported('page/main.js'))].toSorted());
});

test('the program and the weights that are asked for ahead are the ones that load, each once', async () => {
  const visit = await site.open('?device=cpu');
  await visit.loaded();
  const paths = visit.requests.map((address) => new URL(address).pathname);
  const files = paths.filter((path) => /\.(wasm|safetensors)$/.test(path));
  assert.deepEqual(files.toSorted(), [
    '/fersnet-cpu_bg.wasm',
    '/weights/blazeface.safetensors',
    '/weights/facemesh.safetensors',
    '/weights/fersnet.safetensors',
  ]);
  await visit.close();
});
