// @ts-check
/** @file Numbers as people of a language write them. */

/** @typedef {import('./language.js').Words} Words */

/** @type {Map<string, Intl.NumberFormat>} by locale and places */
const FORMATS = new Map();

/**
 * A number with this many decimal places.
 * @param {Words} words
 * @param {number} value
 * @param {number} [places]
 * @param {number} [least] of which these are written even where they are 0
 */
export function fixed({ locale }, value, places = 0, least = places) {
  const key = `${locale} ${places} ${least}`;
  const format =
    FORMATS.get(key) ??
    new Intl.NumberFormat(locale, { minimumFractionDigits: least, maximumFractionDigits: places, useGrouping: 'min2' });
  FORMATS.set(key, format);
  return format.format(value);
}

/**
 * A part of 1 as people read it: `92.1 %`.
 * @param {Words} words
 * @param {number} part
 * @param {number} [places]
 */
export function percent(words, part, places = 1) {
  return words.percent(fixed(words, part * 100, places));
}

/** @param {Words} words @param {number} bytes */
export function megabytes(words, bytes) {
  return fixed(words, bytes / 1e6, 1);
}

/** @param {Words} words @param {number} milliseconds */
export function time(words, milliseconds) {
  return milliseconds < 10_000 ? `${fixed(words, milliseconds)} ms` : `${fixed(words, milliseconds / 1000, 1)} s`;
}

/** A place in a video: `1:02.3`. @param {Words} words @param {number} seconds */
export function moment(words, seconds) {
  const tenths = Math.round(seconds * 10);
  return `${Math.floor(tenths / 600)}:${fixed(words, (tenths % 600) / 10, 1).padStart(4, '0')}`;
}
