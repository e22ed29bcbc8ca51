// @ts-check
/** @file Style sheets that are fetched with what they are for. */

/** @type {Map<string, Promise<void>>} by address */
const sheets = new Map();

/**
 * Adds a style sheet of the page's own, once; without it what it is for still works.
 * @param {URL} address
 * @returns {Promise<void>}
 */
export function styled({ href }) {
  let sheet = sheets.get(href);
  if (!sheet) {
    const link = Object.assign(document.createElement('link'), { rel: 'stylesheet', href });
    sheet = new Promise((resolve) => {
      link.addEventListener('load', () => resolve());
      link.addEventListener('error', () => resolve());
    });
    sheets.set(href, sheet);
    document.head.append(link);
  }
  return sheet;
}
