// @ts-check
/** @file Elements found and made, pixels drawn. */

import { say } from './language.js';

/** @typedef {import('./language.js').Text} Text */

/**
 * The element with this id.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element "${id}"`);
  return /** @type {T} */ (found);
}

/**
 * @typedef {Record<string, any> & {
 *   data?: Record<string, unknown>,
 *   aria?: Record<string, Text | string | number | boolean>,
 *   title?: Text | string,
 * }} Properties texts follow the language
 */

/**
 * A new element with properties, data and children.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name
 * @param {Properties} [properties] `data` and `aria` hold attributes of those families
 * @param {(Node | string | Text)[]} children texts follow the language
 * @returns {HTMLElementTagNameMap[K]}
 */
export function element(name, { data = {}, aria = {}, title = '', ...properties } = {}, ...children) {
  const made = document.createElement(name);
  Object.assign(made, properties);
  if (title) say(made, title, 'title');
  for (const [key, value] of Object.entries(data)) made.dataset[key] = String(value);
  for (const [key, value] of Object.entries(aria)) say(made, typeof value === 'function' ? value : String(value), `aria-${key}`);
  made.append(...children.map((child) => (typeof child === 'function' ? text(child) : child)));
  return made;
}

/** @param {Text} said */
function text(said) {
  const made = document.createTextNode('');
  say(made, said);
  return made;
}

/**
 * Draws pixels into a canvas, which takes their size.
 * @param {HTMLCanvasElement} canvas
 * @param {ImageData} image
 */
export function draw(canvas, image) {
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext('2d')?.putImageData(image, 0, 0);
}
