// @ts-check
/** @file The frames around the faces of a picture. */

import { element } from './dom.js';
import { follow } from './language.js';
import { percent } from './numbers.js';
import { surenessOf } from './sure.js';

/** @typedef {import('../api/index.js').FoundFace} FoundFace */
/** @typedef {import('../api/index.js').FoundPicture} FoundPicture */
/** @typedef {import('../api/index.js').ReadFace} ReadFace */
/** @typedef {import('./language.js').Text} Text */

/**
 * A frame for each face: buttons that choose one.
 * @param {HTMLElement} container
 * @param {FoundPicture} picture
 * @param {(index: number) => void} onChoose
 */
export function drawFrames(container, picture, onChoose) {
  container.replaceChildren(
    ...picture.faces.map((face) => {
      const frame = element('button', {
        type: 'button',
        className: 'frame',
        data: { testid: `face-${face.index}`, face: face.index, ...boxData(face) },
        aria: { pressed: face.index === 0, controls: `panel-${face.index}` },
        onclick: () => onChoose(face.index),
      });
      place(frame, face);
      frame.append(element('span', { className: 'frame-name' }));
      return frame;
    }),
  );
  container.dataset.count = String(picture.faces.length);
  picture.faces.forEach((face) => label(container, face, (words) => words.face.beingRecognised));
}

/**
 * Writes into a frame what its face shows, or what it was made to show.
 * @param {HTMLElement} container
 * @param {ReadFace} face
 * @param {Text | null} [synthetic] what the synthesised face in its place shows
 */
export function nameFrame(container, face, synthetic = null) {
  const { expression, probabilities } = face;
  if (synthetic) label(container, face, (words) => words.face.isSynthetic(synthetic(words)));
  else label(container, face, (words) => surenessOf(face, words).short, probabilities[expression]);
}

/**
 * @param {HTMLElement} container
 * @param {FoundFace} face
 * @param {Text} text what it shows
 * @param {number | null} [probability] only read aloud
 */
function label(container, face, text, probability = null) {
  const frame = container.children[face.index];
  const name = frame?.querySelector('.frame-name');
  if (!frame || !name) return;
  const number = face.picture.faces.length > 1 ? `${face.index + 1} ` : '';
  follow(frame, 'name', (words) => {
    const shows = text(words);
    name.textContent = `${number}${shows}`;
    const all = probability === null ? shows : words.face.withProbability(shows, percent(words, probability));
    frame.setAttribute('aria-label', words.face.label(face.index + 1, all));
  });
}

/**
 * Marks one frame as the chosen one.
 * @param {HTMLElement} container
 * @param {number} index
 */
export function pressFrame(container, index) {
  [...container.children].forEach((frame, i) =>
    frame.setAttribute('aria-pressed', String(i === index)),
  );
}

/** @param {FoundFace} face */
function boxData({ box }) {
  return { x: box.x, y: box.y, width: box.width, height: box.height };
}

/**
 * In parts of the picture, so that it follows the picture's shown size.
 * @param {HTMLElement} frame
 * @param {FoundFace} face
 */
function place(frame, { box, picture: { width, height } }) {
  const left = Math.max(0, box.x / width);
  const top = Math.max(0, box.y / height);
  const right = Math.min(1, (box.x + box.width) / width);
  const bottom = Math.min(1, (box.y + box.height) / height);
  frame.style.left = `${left * 100}%`;
  frame.style.top = `${top * 100}%`;
  frame.style.width = `${Math.max(0, right - left) * 100}%`;
  frame.style.height = `${Math.max(0, bottom - top) * 100}%`;
  frame.classList.toggle('at-top', top < 0.06);
  frame.classList.toggle('at-right', left > 0.75);
}
