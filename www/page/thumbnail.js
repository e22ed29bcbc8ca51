// @ts-check
/** @file A face or a picture as a small square. */

/** Side of the squares, in pixels: twice that at which they are shown. */
const SIDE = 88;

/** How much larger the square is than the face's box. */
const AROUND = 1.35;

/** @typedef {import('../api/protocol.js').Box} Box */

/**
 * A small square of a face, or of the middle of a picture without one.
 * @param {CanvasImageSource & {width: number, height: number}} picture
 * @param {Box} [box] in its pixels
 * @returns {HTMLCanvasElement}
 */
export function thumbnailOf(picture, box) {
  const { width, height } = picture;
  const short = Math.min(width, height);
  const side = box ? Math.max(box.width, box.height) * AROUND : short;
  const centre = box ? { x: box.x + box.width / 2, y: box.y + box.height / 2 } : { x: width / 2, y: height / 2 };
  const canvas = document.createElement('canvas');
  canvas.width = SIDE;
  canvas.height = SIDE;
  canvas.className = 'thumbnail';
  canvas.setAttribute('aria-hidden', 'true');
  // Hundreds of them: none may take a texture of the graphics device.
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context) context.imageSmoothingQuality = 'medium';
  context?.drawImage(picture, centre.x - side / 2, centre.y - side / 2, side, side, 0, 0, SIDE, SIDE);
  return canvas;
}

/**
 * Pixels as something that can be drawn.
 * @param {ImageData} image
 * @param {HTMLCanvasElement} canvas takes its size
 */
export function onCanvas(image, canvas) {
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext('2d', { willReadFrequently: true })?.putImageData(image, 0, 0);
  return canvas;
}
