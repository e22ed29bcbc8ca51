// Makes a release of a built page, that it can be kept whole for offline use:
//
//     node tools/release.mjs [FOLDER]     # dist/, where none is given; Trunk runs it on what it has built
//
// FOLDER/release.json lists every file with its SHA-256 and size, offline.js (the service worker) is told the list's
// own SHA-256, and index.html the version, which follows from all files: the same files are the same version.
// It may be repeated, and must be after any file was changed.

import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

/** What is written into files, and where; each is empty in the sources. */
const STAMPS = [
  { name: 'index.html', place: /(<meta name="?release"? content=")[^"]*(")/ },
  { name: 'offline.js', place: /(const MANIFEST = ')[^']*(')/ },
];

/** Files that a page only loads where the device has a use for them. */
const OPTIONAL = /^fersnet-gpu/;

const folder = process.argv[2] ?? process.env.TRUNK_STAGING_DIR ?? 'dist';

/** @param {string | Buffer} bytes */
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** @param {{name: string, place: RegExp}} stamp @param {string} value */
async function stamped({ name, place }, value) {
  const text = await readFile(join(folder, name), 'utf8');
  if (!place.test(text)) throw new Error(`${join(folder, name)} has no place for the release: ${place}`);
  return text.replace(place, (_, before, after) => before + value + after);
}

/** All files of the folder by name, sorted, with forward slashes; hidden ones are no part of the page. */
async function filesOf() {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)));
  const names = files.map((name) => name.split(sep).join('/'));
  return names.filter((name) => name !== 'release.json' && !/(^|\/)\./.test(name)).sort();
}

const names = await filesOf();
if (!names.includes('offline.js')) {
  // Trunk builds the bench's page too, which is never kept.
  console.log(`release: the page in ${folder} has no offline.js, so it is none`);
} else {
  const [page, worker] = STAMPS;
  const version = createHash('sha256');
  for (const name of names) {
    const stamp = STAMPS.find((one) => one.name === name);
    version.update(`${name}\n${sha256(stamp ? await stamped(stamp, '') : await readFile(join(folder, name)))}\n`);
  }
  const id = version.digest('hex').slice(0, 16);
  await writeFile(join(folder, page.name), await stamped(page, id));
  /** @type {Record<string, {sha256: string, bytes: number, optional?: true}>} */
  const files = {};
  for (const name of names.filter((one) => one !== worker.name)) {
    const bytes = await readFile(join(folder, name));
    files[name] = { sha256: sha256(bytes), bytes: bytes.length, ...(OPTIONAL.test(name) && { optional: true }) };
  }
  const list = `${JSON.stringify({ version: id, files }, null, 1)}\n`;
  await writeFile(join(folder, 'release.json'), list);
  await writeFile(join(folder, worker.name), await stamped(worker, sha256(list)));
  const bytes = Object.values(files).reduce((sum, file) => sum + file.bytes, 0);
  console.log(`release ${id}: ${Object.keys(files).length} files, ${(bytes / 1e6).toFixed(1)} MB`);
}
