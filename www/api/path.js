// @ts-check
/** @file The way of a face from what it shows to a target, as targets step by step. */

/** The name under which a target weighs what the face itself shows. */
export const OWN = 'own';

/** The control of the mouth painter: the share of an open mouth that shows teeth. */
const TEETH = 'teethShown';

/** The largest value of a single control (src/network). */
const MOST = 1.2;

/**
 * The targets of `steps` frames, the last of them the target itself.
 * @param {{expression: string, controls: Record<string, number>}} face what it shows
 * @param {Record<string, number>} target
 * @param {{classes: readonly string[], controls: readonly string[]}} net
 * @param {number} steps
 * @returns {Record<string, number>[]}
 */
export function wayTo(face, target, net, steps) {
  // Without controls there is no "own": the way begins at the expression that was recognised.
  const start = net.controls.length > 0 ? OWN : face.expression;
  const isMixed = (/** @type {string} */ name) => name === OWN || net.classes.includes(name);
  return Array.from({ length: steps }, (_, i) => {
    if (i === steps - 1) return { ...target };
    const part = eased((i + 1) / steps);
    /** @type {Record<string, number>} */
    const between = { [start]: 1 - part };
    for (const [name, value] of Object.entries(target)) {
      if (isMixed(name)) between[name] = (between[name] ?? 0) + part * value;
      else if (name === TEETH) between[name] = value;
      else {
        const own = Math.min(face.controls[name] ?? 0, MOST);
        between[name] = own + part * (value - own);
      }
    }
    return between;
  });
}

/** Slow at both ends. @param {number} part from 0 to 1 */
export function eased(part) {
  return part < 0.5 ? 2 * part ** 2 : 1 - 2 * (1 - part) ** 2;
}
