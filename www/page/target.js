// @ts-check
/** @file Targets of synthesis as text, as the command line takes them: `happiness=0.6,jawOpen=0.4`. */

import { PageError } from './failures.js';
import { expressionIn } from './language.js';

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
    if (!name) throw new PageError((words) => words.sliders.nameMissing);
    if (!weight || Number.isNaN(Number(weight))) throw new PageError((words) => words.sliders.noNumber(weight, name));
    if (weights.has(name)) throw new PageError((words) => words.sliders.givenTwice(name));
    weights.set(name, Number(weight));
  }
  return Object.fromEntries(weights);
}

/**
 * A target in a few words, for a file's name: its expressions, or that single controls were moved.
 * @param {Target} target
 * @param {readonly string[]} classes
 */
export function nameOf(target, classes) {
  return expressionsOf(target, classes).join(' and ') || 'moved';
}

/**
 * The same for people.
 * @param {Target} target
 * @param {readonly string[]} classes
 * @returns {import('./language.js').Text}
 */
export function saidOf(target, classes) {
  const expressions = expressionsOf(target, classes);
  return (words) => words.mixed(expressions.map((name) => expressionIn(words, name))) || words.face.moved;
}

/** @param {Target} target @param {readonly string[]} classes */
function expressionsOf(target, classes) {
  const weights = weightsOf(target);
  return classes.filter((name) => Object.hasOwn(weights, name) && weights[name] > 0);
}
