// @ts-check
/** @file The controls of a face for people: plain words, parts of the face, pairs of sides. */

import { entry } from './language.js';

/** @typedef {import('./language.js').Text} Text */
/** @typedef {import('./language.js').Words} Words */

/**
 * A slider: one control, or the left and right one of a pair.
 * @typedef {object} Row
 * @property {Text} label
 * @property {string[]} controls
 */

/** @typedef {{name: keyof Words['parts'], rows: Row[]}} Part a part of the face */

/** How the names of each part's controls begin. */
const PARTS = /** @type {const} */ ([
  ['brows', /^brow/],
  ['eyes', /^eye/],
  ['nose-and-cheeks', /^(nose|cheek)/],
  ['mouth', /^(mouth|teeth)/],
  ['jaw', /^jaw/],
  ['more', /^/],
]);

/** The order in which they are shown, without the side; their words stand in the language files. @type {(keyof Words['controls'])[]} */
const ORDER = [
  'mouthSmile', 'mouthFrown', 'teethShown', 'mouthUpperUp', 'mouthLowerDown', 'mouthPucker', 'mouthFunnel',
  'mouthStretch', 'mouthDimple', 'mouthPress', 'mouthClose', 'mouthRollUpper', 'mouthRollLower',
  'mouthShrugUpper', 'mouthShrugLower', 'mouthLeft', 'mouthRight', 'browInnerUp', 'browOuterUp', 'browDown',
  'eyeBlink', 'eyeWide', 'eyeSquint', 'noseSneer', 'cheekSquint', 'cheekPuff', 'jawOpen', 'jawForward',
  'jawLeft', 'jawRight',
];

/**
 * The sliders for these controls by part of the face.
 * @param {readonly string[]} controls
 * @param {boolean} apart whether left and right have a slider each
 * @returns {Part[]}
 */
export function partsOf(controls, apart) {
  const known = new Set(controls);
  const place = (/** @type {string} */ name) => ORDER.findIndex((one) => one === sideOf(name, known).pair);
  // Controls without words come last, in the network's order.
  const sorted = [...controls].sort((a, b) => (place(a) >>> 0) - (place(b) >>> 0));
  /** @type {Map<string, Row>} */
  const rows = new Map();
  for (const name of sorted) {
    const { pair, side } = sideOf(name, known);
    /** @type {Text} */
    const label = (words) => {
      const control = entry(words.controls, pair) ?? spaced(pair);
      return apart && side ? words.onSide(control, side) : control;
    };
    const key = apart ? name : pair;
    const row = rows.get(key) ?? { label, controls: [] };
    row.controls.push(name);
    rows.set(key, row);
  }
  const taken = [...rows.values()];
  return PARTS.map(([name, start]) => {
    const own = taken.filter(({ controls: [first] }) => PARTS.find(([, begin]) => begin.test(first))?.[1] === start);
    return { name, rows: own };
  }).filter(({ rows: own }) => own.length > 0);
}

/**
 * The two of each pair, for names such as `mouthSmileLeft`. `jawLeft` is a direction: no pair.
 * @param {readonly string[]} controls
 * @returns {string[][]}
 */
export function pairsOf(controls) {
  return partsOf(controls, false)
    .flatMap(({ rows }) => rows.map((row) => row.controls))
    .filter(({ length }) => length === 2);
}

/**
 * @param {string} name
 * @param {Set<string>} known
 * @returns {{pair: string, side: 'left' | 'right' | ''}}
 */
function sideOf(name, known) {
  const [, pair, side] = /^(.+)(Left|Right)$/.exec(name) ?? [];
  const isPair = pair && side && !['jaw', 'mouth'].includes(pair) && known.has(`${pair}Left`) && known.has(`${pair}Right`);
  return isPair ? { pair, side: side === 'Left' ? 'left' : 'right' } : { pair: name, side: '' };
}

/** `tongueOut` as `Tongue out`. @param {string} name */
function spaced(name) {
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).trim();
  return words[0].toUpperCase() + words.slice(1);
}
