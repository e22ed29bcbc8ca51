// @ts-check
/** @file The controls of a face for people: plain words, parts of the face, pairs of sides. */

/**
 * A slider: one control, or the left and right one of a pair.
 * @typedef {object} Row
 * @property {string} label
 * @property {string[]} controls
 */

/** @typedef {{title: string, rows: Row[]}} Part a part of the face */

/** How the names of each part's controls begin. */
const PARTS = /** @type {const} */ ([
  ['Brows', /^brow/],
  ['Eyes', /^eye/],
  ['Nose and cheeks', /^(nose|cheek)/],
  ['Mouth', /^(mouth|teeth)/],
  ['Jaw', /^jaw/],
  ['More', /^/],
]);

/** Plain words, in the order in which they are shown; without the side. @type {Record<string, string>} */
const WORDS = {
  mouthSmile: 'Smile',
  mouthFrown: 'Corners down',
  teethShown: 'Teeth shown',
  mouthUpperUp: 'Upper lip up',
  mouthLowerDown: 'Lower lip down',
  mouthPucker: 'Lips puckered',
  mouthFunnel: 'Lips rounded',
  mouthStretch: 'Corners wide',
  mouthDimple: 'Dimples',
  mouthPress: 'Lips pressed',
  mouthClose: 'Lips closed',
  mouthRollUpper: 'Upper lip in',
  mouthRollLower: 'Lower lip in',
  mouthShrugUpper: 'Upper lip pout',
  mouthShrugLower: 'Lower lip pout',
  mouthLeft: 'Mouth left',
  mouthRight: 'Mouth right',
  browInnerUp: 'Inner brow up',
  browOuterUp: 'Outer brow up',
  browDown: 'Brow down',
  eyeBlink: 'Eye closed',
  eyeWide: 'Eye wide',
  eyeSquint: 'Eye narrowed',
  noseSneer: 'Nose wrinkled',
  cheekSquint: 'Cheek raised',
  cheekPuff: 'Cheek puffed',
  jawOpen: 'Jaw open',
  jawForward: 'Jaw forward',
  jawLeft: 'Jaw left',
  jawRight: 'Jaw right',
};

const ORDER = Object.keys(WORDS);

/**
 * The sliders for these controls by part of the face.
 * @param {readonly string[]} controls
 * @param {boolean} apart whether left and right have a slider each
 * @returns {Part[]}
 */
export function partsOf(controls, apart) {
  const known = new Set(controls);
  const place = (/** @type {string} */ name) => ORDER.indexOf(sideOf(name, known).pair);
  // Controls without words come last, in the network's order.
  const sorted = [...controls].sort((a, b) => (place(a) >>> 0) - (place(b) >>> 0));
  /** @type {Map<string, Row>} */
  const rows = new Map();
  for (const name of sorted) {
    const { pair, side } = sideOf(name, known);
    const words = WORDS[pair] ?? spaced(pair);
    const label = apart && side ? `${words}, ${side}` : words;
    const key = apart ? name : pair;
    const row = rows.get(key) ?? { label, controls: [] };
    row.controls.push(name);
    rows.set(key, row);
  }
  const taken = [...rows.values()];
  return PARTS.map(([title, start]) => {
    const own = taken.filter(({ controls: [name] }) => PARTS.find(([, begin]) => begin.test(name))?.[1] === start);
    return { title, rows: own };
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
 */
function sideOf(name, known) {
  const [, pair, side] = /^(.+)(Left|Right)$/.exec(name) ?? [];
  const isPair = pair && side && !['jaw', 'mouth'].includes(pair) && known.has(`${pair}Left`) && known.has(`${pair}Right`);
  return isPair ? { pair, side: side.toLowerCase() } : { pair: name, side: '' };
}

/** `tongueOut` as `Tongue out`. @param {string} name */
function spaced(name) {
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).trim();
  return words[0].toUpperCase() + words.slice(1);
}
