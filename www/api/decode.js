// @ts-check
/**
 * @file A picture file to pixels, by the browser where it can: it is quicker, knows more formats, turns a photo upright
 * and brings wide-gamut colours to sRGB. The program's own decoders are for where there is no such browser, and say
 * what is wrong with a file that cannot be decoded.
 */

/**
 * What the program says of a file before it is decoded; it has refused what nobody should decode.
 * @typedef {object} FileHeader
 * @property {string} format as people call it
 * @property {[number, number] | null} size width and height, upright
 * @property {[number, number] | null} decoded width and height to decode to: less than the size of a huge photo
 * @property {boolean} isRead whether the program decodes the format itself
 */

/** Pixels of a picture as the browser decodes it, at most: the program's own limit, for files whose header tells no size. */
const MOST_PIXELS = 40_000_000;

/** Colours that a canvas must give back, red, green, blue and alpha. */
const KNOWN = [
  [200, 100, 50, 255],
  [3, 250, 128, 255],
];

/** @type {boolean | null} */
let canvasIsTrue = null;

/** Whether a canvas gives back what was drawn: browsers that hide what they are change it. */
function readsBack() {
  if (canvasIsTrue === null) {
    const context = contextOf(KNOWN.length, 1);
    KNOWN.forEach(([red, green, blue], x) => {
      if (!context) return;
      context.fillStyle = `rgb(${red} ${green} ${blue})`;
      context.fillRect(x, 0, 1, 1);
    });
    const pixels = context?.getImageData(0, 0, KNOWN.length, 1).data;
    canvasIsTrue = pixels !== undefined && KNOWN.flat().every((value, i) => pixels[i] === value);
  }
  return canvasIsTrue;
}

/** @param {number} width @param {number} height */
function contextOf(width, height) {
  return new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
}

/**
 * The pixels of a picture file over white, upright, in sRGB; null where this browser cannot.
 * @param {ArrayBuffer} bytes
 * @param {FileHeader} header
 * @returns {Promise<ImageData | null>}
 */
export async function decodedByBrowser(bytes, { size, decoded }) {
  if (typeof createImageBitmap !== 'function' || typeof OffscreenCanvas !== 'function' || !readsBack()) return null;
  const isScaled = size !== null && decoded !== null && decoded[0] !== size[0];
  /** @type {ImageBitmapOptions} */
  const options = isScaled
    ? { resizeWidth: decoded[0], resizeHeight: decoded[1], resizeQuality: 'high' }
    : {};
  const bitmap = await createImageBitmap(new Blob([bytes]), options).catch(() => null);
  if (!bitmap) return null;
  const { width, height } = bitmap;
  try {
    if (width * height > MOST_PIXELS) return null;
    const context = contextOf(width, height);
    if (!context) return null;
    context.fillStyle = 'white';
    context.fillRect(0, 0, width, height);
    context.drawImage(bitmap, 0, 0);
    return context.getImageData(0, 0, width, height);
  } finally {
    bitmap.close();
  }
}
