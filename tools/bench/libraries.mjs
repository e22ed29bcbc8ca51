// What the page is compared with: npm packages of pinned versions and exported graphs, outside of the tree.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const HERE = dirname(fileURLToPath(import.meta.url));
const HOME = join(process.env.FERSNET_HOME || join(homedir(), '.cache/fersnet'), 'bench');

/** Where sizes of compressed files are kept between runs. */
export const SIZES = join(HOME, 'sizes.json');

/** The graphs of tools/export_onnx.py; a clear error where there are none. */
export async function graphs() {
  const folder = join(HOME, 'onnx');
  await access(join(folder, 'manifest.json')).catch(() => {
    throw new Error(`${folder} has no graphs: run tools/export_onnx.py`);
  });
  return folder;
}

/** The folder of the packages, installed anew where tools/bench/package-lock.json has changed. */
export async function packages() {
  const lock = await readFile(join(HERE, 'package-lock.json'));
  const hash = createHash('sha256').update(lock).digest('hex');
  const folder = join(HOME, 'libraries');
  const stamp = join(folder, 'installed');
  if ((await readFile(stamp, 'utf8').catch(() => '')) !== hash) {
    console.error('fetching the libraries of the comparison with npm');
    await mkdir(folder, { recursive: true });
    for (const name of ['package.json', 'package-lock.json']) {
      await copyFile(join(HERE, name), join(folder, name));
    }
    const options = ['ci', '--silent', '--no-audit', '--no-fund', '--ignore-scripts'];
    await promisify(execFile)('npm', options, { cwd: folder });
    await writeFile(stamp, hash);
  }
  return join(folder, 'node_modules');
}

/** The pinned versions, by package. */
export async function versions() {
  return JSON.parse(await readFile(join(HERE, 'package.json'), 'utf8')).dependencies;
}
