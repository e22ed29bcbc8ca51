// @ts-check
/** @file A face upright, as the network sees it. */

/** @typedef {import('../api/index.js').FoundFace} FoundFace */

/**
 * The square of a face that the network sees, of the original photo as the page shows it.
 * @param {FoundFace} face
 * @param {number} side in pixels
 * @returns {OffscreenCanvasRenderingContext2D | null} null where the browser gives no canvas
 */
export function alignedFace({ corners: [origin, right, , below], picture }, side) {
  const { preview } = picture;
  const source = new OffscreenCanvas(preview.width, preview.height);
  source.getContext('2d')?.putImageData(preview, 0, 0);
  const scale = preview.width / picture.width;
  const part = (/** @type {number} */ to, /** @type {number} */ from) => ((to - from) * scale) / side;
  const placeInPreview = new DOMMatrix([
    part(right.x, origin.x),
    part(right.y, origin.y),
    part(below.x, origin.x),
    part(below.y, origin.y),
    origin.x * scale,
    origin.y * scale,
  ]);
  const context = new OffscreenCanvas(side, side).getContext('2d');
  if (!context) return null;
  context.imageSmoothingQuality = 'high';
  context.setTransform(placeInPreview.inverse());
  context.drawImage(source, 0, 0);
  context.resetTransform();
  return context;
}
