// @ts-check
/** @file Fetching with a count of the bytes, and with errors that say which file is missing. */

/** @typedef {(loaded: number, total: number | null) => void} OnBytes */
/** @typedef {typeof import('./errors.js').FersNetError} ErrorClass */

/**
 * A response whose bytes are counted while they are read.
 * @param {string} address
 * @param {ErrorClass} Missing the error when there is no such file
 * @param {string} what what is fetched, for the error's text
 * @param {OnBytes} onBytes `total` is null where the server does not say
 * @returns {Promise<Response>}
 */
export async function fetchCounted(address, Missing, what, onBytes) {
  let response;
  try {
    response = await fetch(address);
  } catch {
    throw new Missing(`No connection for ${what} (${address}): check the network, then try again.`);
  }
  if (!response.ok || !response.body) {
    throw new Missing(
      `The server has not got ${what} (${address} gives status ${response.status}): ask whoever runs ` +
        'this site whether its files are whole.',
    );
  }
  // A compressed answer's length is not the length of what comes out.
  const packed = response.headers.has('content-encoding');
  const total = packed ? null : Number(response.headers.get('content-length')) || null;
  let loaded = 0;
  onBytes(0, total);
  const counter = new TransformStream({
    transform(chunk, controller) {
      loaded += chunk.byteLength;
      onBytes(loaded, total);
      controller.enqueue(chunk);
    },
  });
  return new Response(response.body.pipeThrough(counter), {
    headers: { 'content-type': response.headers.get('content-type') ?? '' },
  });
}

/**
 * All bytes of a file.
 * @param {string} address
 * @param {ErrorClass} Missing
 * @param {string} what
 * @param {OnBytes} onBytes
 * @returns {Promise<Uint8Array>}
 */
export async function fetchedBytes(address, Missing, what, onBytes) {
  const response = await fetchCounted(address, Missing, what, onBytes);
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch {
    throw new Missing(`The connection broke while ${what} came: check the network, then try again.`);
  }
}
