// @ts-check
/** @file What was given to the page: files, and the pictures within folders. */

/** @typedef {{name: string, file: File}} Given a file by its path within what was given */

const VIDEO = /\.(mp4|m4v|mov|webm|mkv|ogv|avi)$/i;
const PICTURE = /\.(jpe?g|png|webp|bmp|gif|hei[cf]|avif|jxl)$/i;

/** @param {File} file */
export function isVideo({ type, name }) {
  return type ? type.startsWith('video/') : VIDEO.test(name);
}

/**
 * Whether these open a table in place of one picture.
 * @param {readonly Given[]} given
 */
export function areMany(given) {
  return given.length !== 1 || isVideo(given[0].file);
}

/**
 * Files as they were chosen or pasted.
 * @param {Iterable<File>} files
 * @returns {Given[]}
 */
export function givenOf(files) {
  return [...files].map((file) => ({ name: file.webkitRelativePath || file.name, file }));
}

/**
 * What was dropped. Folders are opened, which takes a while; without one the answer is there at once, since a
 * transfer is empty after its event.
 * @param {DataTransfer} transfer
 * @returns {Given[] | Promise<Given[]>}
 */
export function dropped(transfer) {
  const entries = [...transfer.items].map((item) => (item.kind === 'file' ? item.webkitGetAsEntry?.() : null));
  if (!entries.some((entry) => entry?.isDirectory)) return givenOf(transfer.files);
  return opened(entries.filter((entry) => entry !== null && entry !== undefined));
}

/**
 * @param {readonly FileSystemEntry[]} entries
 * @returns {Promise<Given[]>}
 */
async function opened(entries) {
  /** @type {Given[]} */
  const all = [];
  for (const entry of entries) await addTo(all, entry, false);
  return all;
}

/**
 * @param {Given[]} all
 * @param {FileSystemEntry} entry
 * @param {boolean} inside whether it lies in a folder: there, what is no picture is passed over
 */
async function addTo(all, entry, inside) {
  if (entry.isDirectory) {
    const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
    const entries = await entriesOf(reader);
    entries.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
    for (const one of entries) await addTo(all, one, true);
  } else if (!inside || (PICTURE.test(entry.name) && !entry.name.startsWith('.'))) {
    const file = await new Promise((resolve, reject) => {
      /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject);
    });
    all.push({ name: entry.fullPath.replace(/^\//, ''), file });
  }
}

/**
 * @param {FileSystemDirectoryReader} reader it gives some at a time, and none after the last
 * @returns {Promise<FileSystemEntry[]>}
 */
async function entriesOf(reader) {
  /** @type {FileSystemEntry[]} */
  const all = [];
  for (;;) {
    const some = /** @type {FileSystemEntry[]} */ (await new Promise((resolve, reject) => reader.readEntries(resolve, reject)));
    if (some.length === 0) return all;
    all.push(...some);
  }
}
