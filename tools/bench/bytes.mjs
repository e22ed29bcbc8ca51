// How many bytes a visit costs: the files that were really asked for, as they are and after brotli -11.

import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';

import { SIZES } from './libraries.mjs';

const compress = promisify(brotliCompress);

/** `{files, raw, brotli}` of a list of paths; each path counts once, as a browser keeps what it has. */
export async function bytesOf(paths) {
  // Compressing a large program at the highest level takes a minute: what is known is kept.
  const known = JSON.parse(await readFile(SIZES, 'utf8').catch(() => '{}'));
  const total = { files: 0, raw: 0, brotli: 0 };
  for (const path of new Set(paths)) {
    const content = await readFile(path);
    const hash = createHash('sha256').update(content).digest('hex');
    known[hash] ??= (await compress(content, { params: options(content) })).length;
    total.files += 1;
    total.raw += content.length;
    // A host sends what does not shrink as it is.
    total.brotli += Math.min(content.length, known[hash]);
  }
  await writeFile(SIZES, JSON.stringify(known));
  return total;
}

/** Level 11 with the window that browsers accept. */
function options(content) {
  return {
    [constants.BROTLI_PARAM_QUALITY]: 11,
    [constants.BROTLI_PARAM_LGWIN]: 24,
    [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
  };
}
