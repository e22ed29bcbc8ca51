// The command line's answers on the CPU, against which the page's are held.

import { execFile } from 'node:child_process';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { DIST } from './browser.mjs';

const run = promisify(execFile);

/** The CPU, and the weights that the page has. */
const OPTIONS = [
  ...['--device', 'cpu'],
  ...['--weights', join(DIST, 'weights/fersnet.safetensors')],
  ...['--painter', join(DIST, 'weights/fersnet-painter.safetensors')],
];

/** Where `make test` has built the command line. */
async function binary() {
  const home = process.env.FERSNET_HOME || join(homedir(), '.cache/fersnet');
  const target = process.env.FERSNET_NATIVE_TARGET || join(home, 'native');
  const path = process.env.FERSNET_BIN || join(target, 'release/fersnet');
  await access(path).catch(() => {
    throw new Error(`${path} is missing: run \`make test\`, or set FERSNET_BIN to a built fersnet`);
  });
  return path;
}

/** Faces of a picture, as `fersnet predict --json` tells them. */
export async function predict(picture) {
  let text;
  try {
    const options = ['predict', '--json', ...OPTIONS, picture];
    text = (await run(await binary(), options, { maxBuffer: 1 << 26 })).stdout;
  } catch (error) {
    // Exit code 4 says that there is no face, which the JSON says too.
    if (error.code !== 4) throw error;
    text = error.stdout;
  }
  return JSON.parse(text).pictures[0].faces;
}

/** Pictures of a folder as a table: the CSV of `fersnet predict --csv --controls`. */
export async function predictTable(folder, names) {
  const options = ['predict', '--csv', '--controls', ...OPTIONS, ...names];
  try {
    return (await run(await binary(), options, { cwd: folder, maxBuffer: 1 << 26 })).stdout;
  } catch (error) {
    // Some pictures without a face, or that cannot be read: the table says so.
    if (error.code !== 3 && error.code !== 4) throw error;
    return error.stdout;
  }
}

/** The sheet of one face with all expressions, as `fersnet synthesize --target all` writes it: PNG. */
export async function sheetOf(picture, face) {
  const folder = await mkdtemp(join(tmpdir(), 'fersnet-sheet-'));
  try {
    const sheet = join(folder, 'sheet.png');
    const options = ['synthesize', ...OPTIONS, '--target', 'all', '--face', String(face)];
    await run(await binary(), [...options, '--output', sheet, picture]);
    return await readFile(sheet);
  } finally {
    await rm(folder, { recursive: true });
  }
}
