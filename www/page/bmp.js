// @ts-check
/** @file A frame as a BMP file: nothing is lost, and there is no encoder to wait for. */

const HEADER_BYTES = 54;
const BYTES_A_PIXEL = 4;

/**
 * Pixels as a BMP file with 32 bits a pixel, its rows from the top.
 * @param {ImageData} image its alpha is left out
 * @returns {Blob}
 */
export function bmpOf({ width, height, data }) {
  const pixels = new Uint32Array(data.buffer, data.byteOffset, width * height);
  const swapped = new Uint32Array(pixels.length);
  // RGBA to BGRA: the machine is little-endian, as all that run WebAssembly are.
  for (let i = 0; i < pixels.length; i += 1) {
    const pixel = pixels[i];
    swapped[i] = (pixel & 0xff00ff00) | ((pixel & 0xff) << 16) | ((pixel >>> 16) & 0xff);
  }
  return new Blob([headerOf(width, height), swapped], { type: 'image/bmp' });
}

/** @param {number} width @param {number} height */
function headerOf(width, height) {
  const view = new DataView(new ArrayBuffer(HEADER_BYTES));
  const bytes = width * height * BYTES_A_PIXEL;
  view.setUint16(0, 0x424d); // "BM"
  view.setUint32(2, HEADER_BYTES + bytes, true);
  view.setUint32(10, HEADER_BYTES, true);
  view.setUint32(14, 40, true); // size of what follows
  view.setInt32(18, width, true);
  view.setInt32(22, -height, true); // from the top
  view.setUint16(26, 1, true);
  view.setUint16(28, 8 * BYTES_A_PIXEL, true);
  view.setUint32(34, bytes, true);
  return view.buffer;
}
