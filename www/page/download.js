// @ts-check
/** @file Files that leave the page into the visitor's downloads. */

/**
 * Hands a file to the browser's downloads.
 * @param {Blob} file
 * @param {string} name
 */
export function download(file, name) {
  const address = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The download has its own hold on the bytes once it has begun.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/**
 * What a file is called without its folders and its ending, as a part of another name.
 * @param {string} name
 */
export function stemOf(name) {
  const stem = name.replace(/^.*[\\/]/, '').replace(/\.[^.]*$/, '');
  return stem.replace(/[^\p{L}\p{N}-]+/gu, '_').slice(0, 100) || 'video';
}
