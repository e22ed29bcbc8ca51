// @ts-check
/** @file How sure an answer is, in words. */

import { expressionIn } from './language.js';
import { percent } from './numbers.js';

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

/** @param {Answer} answer @returns {boolean} whether the expression stands alone and is likelier than not */
export function isSure(answer) {
  return answer.certain && !nextOf(answer).isClose;
}

/**
 * @param {Answer} answer
 * @param {import('./language.js').Words} language
 * @returns {Sureness}
 */
export function surenessOf(answer, language) {
  const { expression, certain, probabilities } = answer;
  const { sure } = language;
  const first = probabilities[expression];
  const { next, second, isClose } = nextOf(answer);
  const name = expressionIn(language, expression);
  const other = expressionIn(language, next);
  if (isClose) {
    return {
      sure: false,
      other,
      words: sure.either(name, other),
      short: sure.eitherShort(name, other),
      reason: sure.eitherWhy(name, percent(language, first), other, percent(language, second)),
    };
  }
  if (certain) return { sure: true, other: null, words: name, short: name, reason: '' };
  return {
    sure: false,
    other: null,
    words: sure.perhaps(name),
    short: sure.perhapsShort(name),
    reason: sure.perhapsWhy(name, other, percent(language, second)),
  };
}

/**
 * What about the face makes the answer doubtful, as a sentence; empty where nothing does.
 * @param {readonly import('../api/protocol.js').Doubt[]} doubts
 * @param {import('./language.js').Words} language
 */
export function doubtfulness(doubts, { sure }) {
  return doubts.length > 0 ? sure.doubtful(doubts.map((doubt) => sure.doubts[doubt])) : '';
}

/** The second likeliest expression, and whether it is about as likely. @param {Answer} answer */
function nextOf({ expression, probabilities }) {
  const ranked = Object.entries(probabilities).sort((a, b) => b[1] - a[1]);
  const [next, second] = ranked.find(([name]) => name !== expression) ?? ['', -1];
  return { next, second, isClose: next !== '' && probabilities[expression] - second < CLOSE };
}
