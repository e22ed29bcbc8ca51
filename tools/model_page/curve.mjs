// The reliability curve: of faces recognised with a probability, how many people name the same.

import { escaped } from './html.mjs';

/** Width and height of the square that is drawn in, and the room around it for the axes. */
const SIDE = 320;
const ROOM = 44;

/** Bins with fewer faces than this are left out: they say nothing. */
const FEWEST = 10;

/**
 * @param {{n: number, confidence: number | null, accuracy: number | null}[]} bins
 * @param {string} caption
 */
export function curve(bins, caption) {
  const known = bins.filter(({ n }) => n >= FEWEST);
  const across = (part) => (ROOM + part * SIDE).toFixed(1);
  const down = (part) => (ROOM / 2 + (1 - part) * SIDE).toFixed(1);
  const most = Math.max(...known.map(({ n }) => n));
  const points = known.map(({ confidence, accuracy }) => `${across(confidence)},${down(accuracy)}`).join(' ');
  const dots = known.map(
    ({ n, confidence, accuracy }) =>
      `<circle cx="${across(confidence)}" cy="${down(accuracy)}" r="${(3 + 6 * Math.sqrt(n / most)).toFixed(1)}"><title>${n} faces: ${(100 * confidence).toFixed(1)} % sure, ${(100 * accuracy).toFixed(1)} % right</title></circle>`,
  );
  const ticks = [0, 0.25, 0.5, 0.75, 1].flatMap((part) => [
    `<line class="grid" x1="${across(part)}" y1="${down(0)}" x2="${across(part)}" y2="${down(1)}"/>`,
    `<line class="grid" x1="${across(0)}" y1="${down(part)}" x2="${across(1)}" y2="${down(part)}"/>`,
    `<text x="${across(part)}" y="${(Number(down(0)) + 16).toFixed(1)}" text-anchor="middle">${100 * part}</text>`,
    `<text x="${(Number(across(0)) - 6).toFixed(1)}" y="${(Number(down(part)) + 4).toFixed(1)}" text-anchor="end">${100 * part}</text>`,
  ]);
  const [width, height] = [SIDE + 1.5 * ROOM, SIDE + 1.6 * ROOM];
  return `<figure class="curve"><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(caption)}">
${ticks.join('\n')}
<line class="ideal" x1="${across(0)}" y1="${down(0)}" x2="${across(1)}" y2="${down(1)}"/>
<polyline class="line" points="${points}"/>
${dots.join('\n')}
<text x="${across(0.5)}" y="${height - 6}" text-anchor="middle">sure, %</text>
<text x="12" y="${down(0.5)}" text-anchor="middle" transform="rotate(-90 12 ${down(0.5)})">right, %</text>
</svg><figcaption>${escaped(caption)} A dot is a range of probabilities, as large as it has faces; ranges with fewer than ${FEWEST} are left out.</figcaption></figure>
`;
}
