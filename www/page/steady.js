// @ts-check
/** @file Live answers that do not flicker: boxes and probabilities of a followed face, smoothed over time. */

/** @typedef {import('../api/index.js').LiveFace} LiveFace */
/** @typedef {Pick<LiveFace, 'box' | 'probabilities' | 'expression' | 'certain'>} SteadyFace */

/** Time in which a box makes up two thirds of its way, in milliseconds. */
const BOX_TIME = 60;

/** The same for the probabilities. */
const ANSWER_TIME = 250;

/** The faces of a film as they are shown. */
export class Steady {
  /** @type {Map<number, {face: SteadyFace, at: number}>} as they were shown last, by number */
  #last = new Map();

  /**
   * The faces of the next frame, in their order; faces that are gone are forgotten.
   * @param {{faces: readonly LiveFace[]}} frame
   * @param {number} [now] in milliseconds
   * @returns {SteadyFace[]}
   */
  next({ faces }, now = performance.now()) {
    const before = this.#last;
    this.#last = new Map();
    return faces.map((face) => {
      const id = face.id ?? face.index;
      const known = before.get(id);
      const shown = known ? between(known.face, face, now - known.at) : face;
      this.#last.set(id, { face: shown, at: now });
      return shown;
    });
  }
}

/**
 * @param {SteadyFace} from
 * @param {SteadyFace} to
 * @param {number} passed in milliseconds
 * @returns {SteadyFace}
 */
function between(from, to, passed) {
  const [box, answer] = [BOX_TIME, ANSWER_TIME].map((time) => 1 - Math.exp(-passed / time));
  const probabilities = mixed(from.probabilities, to.probabilities, answer);
  const [expression] = Object.entries(probabilities).reduce((best, one) => (one[1] > best[1] ? one : best));
  // The rule's word on the frame holds where the frame's answer is the one that is shown.
  const certain = to.certain && expression === to.expression;
  return { box: mixed(from.box, to.box, box), probabilities, expression, certain };
}

/**
 * Each number part of the way from one object's to the other's.
 * @template {Record<string, number>} T
 * @param {T} from
 * @param {T} to
 * @param {number} part
 * @returns {T}
 */
function mixed(from, to, part) {
  const entries = Object.entries(to).map(([name, value]) => [name, from[name] + part * (value - from[name])]);
  return /** @type {T} */ (Object.fromEntries(entries));
}
