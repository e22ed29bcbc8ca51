// @ts-check
/** @file Rows of a table as CSV, as `fersnet predict --csv` writes them. */

/**
 * A text that a spreadsheet takes for a text: one that begins like a formula gets an apostrophe in front.
 * @param {string} text
 */
export function guarded(text) {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
}

/**
 * A row, its cells quoted where they must be.
 * @param {readonly string[]} cells texts that come from outside are `guarded`
 */
export function csvRow(cells) {
  return `${cells.map(quoted).join(',')}\n`;
}

/** @param {string} cell */
function quoted(cell) {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
