// @ts-check
/** @file The ways in which pictures come: chosen, dropped, pasted, or a sample. */

import { PictureUnreachableError } from '../api/index.js';
import { byId } from './dom.js';
import { areMany, dropped, givenOf } from './given.js';

/** @typedef {import('./given.js').Given} Given */

/** A sample that is not there. */
class SampleMissingError extends PictureUnreachableError {
  /** @type {import('./language.js').Text} what it says on the page */
  said = (words) => words.sampleMissing;
}

/**
 * Calls back for what the visitor gives.
 * @param {(picture: () => Promise<Blob>) => void} onPicture one picture
 * @param {(given: readonly Given[]) => void} onMany several, or a video
 */
export function listenForPictures(onPicture, onMany) {
  /** @param {readonly Given[]} given */
  const give = (given) => (areMany(given) ? onMany(given) : onPicture(async () => given[0].file));

  const chooser = /** @type {HTMLInputElement} */ (byId('picture'));
  chooser.addEventListener('change', () => {
    const given = givenOf(chooser.files ?? []);
    if (given.length > 0) give(given);
    // So that the same file can be chosen again.
    chooser.value = '';
  });

  document.addEventListener('paste', (event) => {
    const given = givenOf(event.clipboardData?.files ?? []);
    if (given.length > 0) give(given);
  });

  listenForDrops((transfer) => {
    const given = dropped(transfer);
    if (given instanceof Promise) void given.then(give);
    else if (given.length > 0) give(given);
  });

  for (const button of document.querySelectorAll('[data-sample]')) {
    const address = /** @type {HTMLElement} */ (button).dataset.sample ?? '';
    button.addEventListener('click', () => onPicture(() => fetchSample(address)));
  }
}

/** @param {(transfer: DataTransfer) => void} onDrop */
function listenForDrops(onDrop) {
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
    if (event.dataTransfer) onDrop(event.dataTransfer);
  });
}

/** @param {string} address */
async function fetchSample(address) {
  try {
    const response = await fetch(address);
    if (response.ok) return await response.blob();
  } catch {
    // Told below, as a missing file is.
  }
  throw new SampleMissingError();
}
