// @ts-check
/** @file How a frame and a face look, in a few numbers: enough to tell a cut, and another face in the same place. */

/** @typedef {import('../api/index.js').FoundFace} FoundFace */

/** Size of the small picture of a frame, and of a face. */
const FRAME = { width: 32, height: 18 };
const FACE_SIDE = 12;

/** Small pictures of frames and faces. */
export class Looks {
  #frame = contextOf(FRAME.width, FRAME.height);
  #face = contextOf(FACE_SIDE, FACE_SIDE);

  /**
   * A frame, small.
   * @param {HTMLCanvasElement} canvas
   * @returns {Uint8ClampedArray} RGBA
   */
  frame(canvas) {
    const { width, height } = FRAME;
    this.#frame.setTransform(1, 0, 0, 1, 0, 0);
    this.#frame.drawImage(canvas, 0, 0, width, height);
    return this.#frame.getImageData(0, 0, width, height).data;
  }

  /**
   * The aligned face, small, in grey: its mean is 0 and its length 1.
   * @param {HTMLCanvasElement} canvas the frame
   * @param {FoundFace} face with corners in the frame's pixels
   * @returns {Float32Array}
   */
  face(canvas, { corners: [a, b, , d] }) {
    const [u, v] = [{ x: b.x - a.x, y: b.y - a.y }, { x: d.x - a.x, y: d.y - a.y }];
    const area = u.x * v.y - u.y * v.x || 1;
    const s = FACE_SIDE / area;
    // Takes the square's corner to 0,0 and its two sides to the axes.
    const of = new DOMMatrix([v.y * s, -u.y * s, -v.x * s, u.x * s, 0, 0]).multiply(new DOMMatrix([1, 0, 0, 1, -a.x, -a.y]));
    this.#face.setTransform(1, 0, 0, 1, 0, 0);
    this.#face.clearRect(0, 0, FACE_SIDE, FACE_SIDE);
    this.#face.setTransform(of);
    this.#face.drawImage(canvas, 0, 0);
    return greyOf(this.#face.getImageData(0, 0, FACE_SIDE, FACE_SIDE).data);
  }
}

/** @param {number} width @param {number} height */
function contextOf(width, height) {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width, height });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('this browser gives no canvas');
  context.imageSmoothingQuality = 'medium';
  return context;
}

/** @param {Uint8ClampedArray} rgba */
function greyOf(rgba) {
  const grey = new Float32Array(rgba.length / 4);
  for (let i = 0; i < grey.length; i += 1) {
    grey[i] = 0.3 * rgba[4 * i] + 0.59 * rgba[4 * i + 1] + 0.11 * rgba[4 * i + 2];
  }
  const mean = grey.reduce((sum, value) => sum + value, 0) / grey.length;
  const length = Math.hypot(...grey.map((value) => value - mean)) || 1;
  return grey.map((value) => (value - mean) / length);
}

/**
 * How alike two faces look: 1 for the same, about 0 for nothing in common.
 * @param {Float32Array} a
 * @param {Float32Array} b
 */
export function likeness(a, b) {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}

/**
 * How much two frames differ on average, from 0 to 1.
 * @param {Uint8ClampedArray} a
 * @param {Uint8ClampedArray} b
 */
export function difference(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += Math.abs(a[i] - b[i]);
  // The alpha is the same in both.
  return sum / (0.75 * a.length) / 255;
}
