// @ts-check
/** @file What the benches compute on. */

/**
 * A file's bytes.
 * @param {string} address
 */
export async function fetched(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address} is not there: run the bench by tools/bench_page.mjs`);
  return new Uint8Array(await response.arrayBuffer());
}

/**
 * Numbers between -scale and scale without a short period.
 * @param {number} count
 * @param {number} scale
 */
export function wave(count, scale) {
  return Float32Array.from({ length: count }, (_, i) => scale * Math.sin(i * 1.7 + ((i * i) % 97) * 0.31));
}
