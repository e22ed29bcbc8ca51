// @ts-check
/** @file A contact sheet: one picture of the face as it is and with each expression, marked as synthetic. */

import { alignedFace } from './aligned.js';
import { PageError } from './failures.js';
import { currentWords, expressionIn } from './language.js';
import { surenessOf } from './sure.js';

/** @typedef {import('../api/index.js').FersNet} FersNet */
/** @typedef {import('../api/index.js').SynthesisedFace} SynthesisedFace */

/** Measures in pixels; the faces have the size in which they were synthesised. */
const MARGIN = 16;
const GAP = 12;
const CAPTION = 36;
/** Room below for the visible mark, which takes a third of the width. */
const FOOT = 44;

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';

/** A little darker than white, where a watermark has room. */
const PAPER = '#f6f4ef';
const INK = '#20242a';
const SOFT = '#5b616a';

/**
 * The sheet of a face as a PNG file with all marks of a synthetic picture, in the page's language.
 * @param {FersNet} net
 * @param {readonly SynthesisedFace[]} synthesised all of one face, and of one size
 * @returns {Promise<Blob>}
 */
export async function sheetOf(net, synthesised) {
  const [{ face, image }] = synthesised;
  const side = image.width;
  const words = currentWords();
  const capital = (/** @type {string} */ text) => text.charAt(0).toLocaleUpperCase(words.locale) + text.slice(1);
  const cells = [
    { label: words.face.original(surenessOf(face, words).short), draw: original },
    ...synthesised.map((one) => ({
      label: capital(expressionIn(words, String(one.target))),
      draw: (/** @type {OffscreenCanvasRenderingContext2D} */ context, /** @type {number} */ x, /** @type {number} */ y) =>
        context.putImageData(one.image, x, y),
    })),
  ];
  /** @param {OffscreenCanvasRenderingContext2D} context @param {number} x @param {number} y */
  function original(context, x, y) {
    const aligned = alignedFace(face, side);
    if (aligned) context.drawImage(aligned.canvas, x, y);
  }
  const columns = Math.ceil(Math.sqrt(cells.length));
  const rows = Math.ceil(cells.length / columns);
  const width = 2 * MARGIN + columns * side + (columns - 1) * GAP;
  const height = MARGIN + rows * (side + CAPTION) + FOOT;
  const context = new OffscreenCanvas(width, height).getContext('2d');
  if (!context) throw new PageError((now) => now.face.noSheet);
  context.fillStyle = PAPER;
  context.fillRect(0, 0, width, height);
  context.textBaseline = 'middle';
  cells.forEach(({ label, draw }, i) => {
    const x = MARGIN + (i % columns) * (side + GAP);
    const y = MARGIN + Math.floor(i / columns) * (side + CAPTION);
    draw(context, x, y);
    context.fillStyle = INK;
    context.font = `${i === 0 ? 600 : 400} 17px ${FONT}`;
    context.fillText(label, x, y + side + CAPTION / 2 - 2, side);
  });
  context.fillStyle = SOFT;
  context.font = `14px ${FONT}`;
  context.textAlign = 'right';
  // Beside the visible mark.
  context.fillText(words.face.sheetFoot, width - MARGIN, height - FOOT / 2, (width * 3) / 5);
  return net.mark(context.getImageData(0, 0, width, height));
}
