// @ts-check
/** @file The chosen face larger, in a corner of the photo: in a whole figure a face is small. */

/** @typedef {import('../api/index.js').FoundFace} FoundFace */

/** Side of the part of the photo that is shown, in sides of the face. */
const AROUND = 1.4;

/** Faces that fill more of the photo's width than this are large enough as they are. */
const LARGE = 0.4;

/** Side of the canvas, in pixels. */
const SIDE = 320;

/**
 * Draws a face of the photo larger.
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLCanvasElement} photo as it is shown
 * @param {FoundFace} face
 */
export function drawCloseup(canvas, photo, { box, picture }) {
  const scale = photo.width / picture.width;
  const side = AROUND * Math.max(box.width, box.height) * scale;
  const left = within((box.x + box.width / 2) * scale - side / 2, photo.width - side);
  const top = within((box.y + box.height / 2) * scale - side / 2, photo.height - side);
  canvas.hidden = box.width * scale > LARGE * photo.width;
  canvas.classList.toggle('at-left', left + side / 2 > photo.width / 2);
  canvas.width = SIDE;
  canvas.height = SIDE;
  canvas.getContext('2d')?.drawImage(photo, left, top, side, side, 0, 0, SIDE, SIDE);
}

/** A place from 0 to the most, so that no part is outside of the photo. @param {number} place @param {number} most */
function within(place, most) {
  return Math.max(0, Math.min(place, most));
}
