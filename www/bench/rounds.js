// @ts-check
/** @file Times several ways of doing one thing in turn, so that other work on the machine falls on all alike. */

/** Rounds that count, and rounds before them. */
export const ROUNDS = 20;
export const WARM_UP = 5;

/** Fewer rounds than this are no median. */
const FEWEST_ROUNDS = 3;

/**
 * @typedef {object} Side one way of doing it
 * @property {string} name
 * @property {() => Promise<() => Promise<Float32Array>>} prepare loads what is needed; gives the run
 */

/**
 * @typedef {object} Timed milliseconds
 * @property {string} name
 * @property {string} [error] why there are no times
 * @property {number} [prepare] loading of the weights or the graph
 * @property {number} [cold] the first run
 * @property {number} [median] of the rounds that count
 * @property {number} [low] first quartile
 * @property {number} [high] third quartile
 * @property {number} [rounds] that count; fewer than 20 where the time was up
 * @property {number} [difference] largest absolute difference to the first side's values
 * @property {number} [ratio] median against the first side's
 */

/**
 * Runs all sides side by side; a side that fails is left out from then on, with its error.
 * @param {Side[]} sides the first one is what the others are compared with
 * @param {number} budget milliseconds after which no further round begins
 * @returns {Promise<Timed[]>}
 */
export async function sideBySide(sides, budget) {
  const begun = performance.now();
  /** @type {{timed: Timed, run?: () => Promise<Float32Array>, times: number[]}[]} */
  const entries = sides.map(({ name }) => ({ timed: { name }, times: [] }));
  /** @type {Float32Array | undefined} */
  let reference;
  for (const [i, entry] of entries.entries()) {
    await attempt(entry, async () => {
      const [prepare, run] = await clocked(sides[i].prepare);
      const [cold, values] = await clocked(run);
      const differs = difference(values, reference ?? values);
      reference ??= values.slice();
      Object.assign(entry.timed, { prepare, cold, difference: differs });
      entry.run = run;
    });
  }
  for (let round = 0; round < WARM_UP + ROUNDS; round += 1) {
    if (performance.now() - begun > budget) break;
    for (const entry of entries) {
      await attempt(entry, async () => {
        if (!entry.run) return;
        const [time] = await clocked(entry.run);
        entry.times.push(time);
      });
    }
  }
  const timed = entries.map(({ timed, times }) => (timed.error ? timed : { ...timed, ...summary(times) }));
  const [first] = timed;
  return timed.map((side) => ({
    ...side,
    ...(first.median && side.median ? { ratio: side.median / first.median } : {}),
  }));
}

/**
 * Median and quartiles without the rounds before; where the time was up early, of the later half.
 * @param {number[]} times
 */
export function summary(times) {
  const counted = times.slice(Math.min(WARM_UP, Math.floor(times.length / 2))).sort((a, b) => a - b);
  if (counted.length < FEWEST_ROUNDS) return { rounds: counted.length };
  const at = (/** @type {number} */ part) => counted[Math.floor(part * (counted.length - 1))];
  return { median: at(0.5), low: at(0.25), high: at(0.75), rounds: counted.length };
}

/**
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<[number, T]>}
 */
async function clocked(work) {
  const begun = performance.now();
  const result = await work();
  return [performance.now() - begun, result];
}

/**
 * @param {{timed: Timed, run?: unknown}} entry
 * @param {() => Promise<void>} work
 */
async function attempt(entry, work) {
  if (entry.timed.error) return;
  try {
    await work();
  } catch (error) {
    entry.timed.error = error instanceof Error ? error.message : String(error);
    entry.run = undefined;
  }
}

/**
 * @param {Float32Array} values
 * @param {Float32Array} reference
 */
function difference(values, reference) {
  if (values.length !== reference.length) throw new Error(`${values.length} values, not ${reference.length}`);
  let largest = 0;
  for (let i = 0; i < values.length; i += 1) {
    // Else a NaN would pass for no difference at all.
    if (!Number.isFinite(values[i])) throw new Error(`value ${i} is ${values[i]}`);
    largest = Math.max(largest, Math.abs(values[i] - reference[i]));
  }
  return largest;
}
