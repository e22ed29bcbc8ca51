// @ts-check
/** @file A signal as a promise, for what may be waited for too long. */

/** @param {AbortSignal} signal @returns {Promise<null>} resolved once it is aborted */
export function aborted(signal) {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener('abort', () => resolve(null), { once: true });
  });
}
