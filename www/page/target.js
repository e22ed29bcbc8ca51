// @ts-check
/** @file Targets of synthesis as text, as the command line takes them: `happiness=0.6,jawOpen=0.4`. */

/** @typedef {import('../api/index.js').Target} Target */

/** @param {Target} target @returns {Record<string, number>} */
export function weightsOf(target) {
  return typeof target === 'string' ? { [target]: 1 } : target;
}

/** @param {Target} target */
export function textOf(target) {
  return Object.entries(weightsOf(target))
    .map(([name, weight]) => `${name}=${weight}`)
    .join(',');
}

/**
 * A target from its text. Names and ranges are the network's to check.
 * @param {string} text
 * @returns {Record<string, number>}
 */
export function parseTarget(text) {
  /** @type {Map<string, number>} */
  const weights = new Map();
  for (const part of text.split(',')) {
    const [name, weight = '1'] = part.split(/=(.*)/s, 2).map((piece) => piece.trim());
    if (!name) throw new Error('a name is missing: write names with weights, such as happiness=0.6,jawOpen=0.4');
    if (!weight || Number.isNaN(Number(weight))) throw new Error(`the weight "${weight}" of ${name} is not a number`);
    if (weights.has(name)) throw new Error(`${name} is given twice; give each name once`);
    weights.set(name, Number(weight));
  }
  return Object.fromEntries(weights);
}

/**
 * A target in a few words: its expressions, or that single controls were moved.
 * @param {Target} target
 * @param {readonly string[]} classes
 */
export function nameOf(target, classes) {
  if (typeof target === 'string') return target;
  const expressions = classes.filter((name) => target[name] > 0);
  return expressions.length > 0 ? expressions.join(' and ') : 'moved';
}
