// @ts-check
/** @file Fetching with a count of the bytes, and with errors that say which file is missing. */

/** @typedef {(loaded: number, total: number | null) => void} OnBytes */
/** @typedef {typeof import('./errors.js').FersNetError} ErrorClass */

/**
 * The answer to a request for a file.
 * @param {string} address
 * @param {ErrorClass} Missing the error when there is no such file
 * @param {string} what what is fetched, for the error's text
 * @returns {Promise<{response: Response, total: number | null}>} `total` bytes; null where the server does not say
 */
export async function fetchedResponse(address, Missing, what) {
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
  return { response, total };
}

/**
 * All bytes of a file.
 * @param {string} address
 * @param {ErrorClass} Missing
 * @param {string} what
 * @param {OnBytes} onBytes counts them while they come
 * @returns {Promise<Uint8Array>}
 */
export async function fetchedBytes(address, Missing, what, onBytes) {
  const { response, total } = await fetchedResponse(address, Missing, what);
  let loaded = 0;
  onBytes(0, total);
  const counter = new TransformStream({
    transform(chunk, controller) {
      loaded += chunk.byteLength;
      onBytes(loaded, total);
      controller.enqueue(chunk);
    },
  });
  try {
    return new Uint8Array(await new Response(response.body?.pipeThrough(counter)).arrayBuffer());
  } catch {
    throw new Missing(`The connection broke while ${what} came: check the network, then try again.`);
  }
}
