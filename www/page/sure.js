// @ts-check
/** @file How sure an answer is, in words. */

import { percent } from './dom.js';

/** @typedef {Pick<import('../api/index.js').Shown, 'expression' | 'certain' | 'probabilities'>} Answer */

/** Two likeliest expressions whose probabilities are closer than this are both named. */
const CLOSE = 0.1;

/**
 * @typedef {object} Sureness
 * @property {boolean} sure
 * @property {string | null} other the expression that is about as likely, where there is one
 * @property {string} words what the face shows: `happiness`, `anger or disgust: not sure`
 * @property {string} short the same for a label in the picture
 * @property {string} reason why it is not sure; empty where it is
 */

/** @param {Answer} answer @returns {Sureness} */
export function surenessOf({ expression, certain, probabilities }) {
  const ranked = Object.entries(probabilities).sort((a, b) => b[1] - a[1]);
  const first = probabilities[expression];
  const [next, second] = ranked.find(([name]) => name !== expression) ?? ['', -1];
  if (next && first - second < CLOSE) {
    return {
      sure: false,
      other: next,
      words: `${expression} or ${next}: not sure`,
      short: `${expression} or ${next}?`,
      reason: `Not sure: ${expression} (${percent(first)}) and ${next} (${percent(second)}) are close.`,
    };
  }
  if (certain) return { sure: true, other: null, words: expression, short: expression, reason: '' };
  return {
    sure: false,
    other: null,
    words: `perhaps ${expression}: not sure`,
    short: `${expression}?`,
    reason: `Not sure: no expression is likelier than not. After ${expression} comes ${next} (${percent(second)}).`,
  };
}
