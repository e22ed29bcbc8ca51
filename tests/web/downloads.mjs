// Files that the page hands out, as tests look at them.

import { readFile } from 'node:fs/promises';

import { PATIENCE_MS } from './browser.mjs';

/** What a press of the button with this test id saves: `{name, text}`. */
export async function saved(page, testId) {
  const [download] = await Promise.all([
    page.waitForEvent('download', { timeout: PATIENCE_MS }),
    page.getByTestId(testId).click(),
  ]);
  return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') };
}

/** A CSV text as objects by the names of its head, which is `head`. RFC 4180, with quoted cells. */
export function tableOf(text) {
  const rows = [];
  let row = [];
  const cell = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r?\n|$)/gy;
  for (let found = cell.exec(text); found && cell.lastIndex <= text.length; found = cell.exec(text)) {
    const [, raw, end] = found;
    row.push(raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"') : raw);
    if (end !== ',') {
      rows.push(row);
      row = [];
    }
    if (cell.lastIndex === text.length) break;
  }
  const [head, ...rest] = rows;
  for (const cells of rest) if (cells.length !== head.length) throw new Error(`${cells.length} cells under ${head.length} names: ${cells}`);
  return { head, rows: rest.map((cells) => Object.fromEntries(head.map((name, i) => [name, cells[i]]))) };
}
