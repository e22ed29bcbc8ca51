// @ts-check
/** @file The ways in which a picture comes: chosen, dropped, pasted, or a sample. */

import { PictureUnreachableError } from '../api/index.js';
import { byId } from './dom.js';

/**
 * Calls back for each picture that the visitor gives.
 * @param {(picture: () => Promise<Blob>) => void} onPicture
 */
export function listenForPictures(onPicture) {
  const chooser = /** @type {HTMLInputElement} */ (byId('picture'));
  chooser.addEventListener('change', () => {
    const file = chooser.files?.[0];
    if (file) onPicture(async () => file);
    // So that the same file can be chosen again.
    chooser.value = '';
  });

  document.addEventListener('paste', (event) => {
    const file = firstFile(event.clipboardData);
    if (file) onPicture(async () => file);
  });

  listenForDrops((file) => onPicture(async () => file));

  for (const button of document.querySelectorAll('[data-sample]')) {
    const address = /** @type {HTMLElement} */ (button).dataset.sample ?? '';
    button.addEventListener('click', () => onPicture(() => fetchSample(address)));
  }
}

/** @param {(file: File) => void} onFile */
function listenForDrops(onFile) {
  let depth = 0; // dragenter and dragleave come for every element on the way
  const mark = () => {
    if (depth > 0) document.body.dataset.dragging = '';
    else delete document.body.dataset.dragging;
  };
  document.addEventListener('dragenter', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    depth += 1;
    mark();
  });
  document.addEventListener('dragleave', () => {
    depth = Math.max(0, depth - 1);
    mark();
  });
  document.addEventListener('dragover', (event) => event.preventDefault());
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    depth = 0;
    mark();
    const file = firstFile(event.dataTransfer);
    if (file) onFile(file);
  });
}

/** @param {DataTransfer | null} transfer */
function firstFile(transfer) {
  const files = [...(transfer?.files ?? [])];
  return files.find(({ type }) => type.startsWith('image/')) ?? files[0] ?? null;
}

/** @param {string} address */
async function fetchSample(address) {
  try {
    const response = await fetch(address);
    if (response.ok) return await response.blob();
  } catch {
    // Told below, as a missing file is.
  }
  throw new PictureUnreachableError(
    'This sample could not be fetched: check the network, or choose a picture of your own.',
  );
}
