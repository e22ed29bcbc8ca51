// @ts-check
/** @file Errors in the visitor's language: by their code, or by what they say themselves. */

import { entry, follow } from './language.js';
import { element } from './dom.js';

/** @typedef {import('./language.js').Text} Text */
/** @typedef {import('./language.js').Words} Words */

/** An error of the page itself, which can be said in every language. */
export class PageError extends Error {
  /**
   * @param {Text} said
   * @param {string} [message] the same in English, for files
   */
  constructor(said, message) {
    super(message);
    this.name = 'PageError';
    this.said = said;
  }
}

/** Codes whose English message tells more than the code: which file, which driver, which name. */
const DETAILED = new Set([
  'internal',
  'picture-too-large',
  'picture-unsupported',
  'program-missing',
  'weights-missing',
  'weights-damaged',
  'device-unknown',
  'device-lost',
  'expression-unknown',
  'target-weight',
]);

/** @param {unknown} error */
export function codeOf(error) {
  const code = /** @type {{code?: unknown} | null} */ (error)?.code;
  return typeof code === 'string' ? code : 'internal';
}

/**
 * Tells an error in an element; in another language than English followed by what the program says, where that
 * tells more.
 * @param {HTMLElement} part
 * @param {unknown} error
 */
export function sayError(part, error) {
  const message = error instanceof Error ? error.message : String(error);
  const code = codeOf(error);
  // Until there are words, as where nothing can be fetched.
  part.textContent = message;
  follow(part, '', (words) => {
    const said = saidBy(error) ?? ((/** @type {Words} */ { errors }) => entry(errors, code) ?? entry(errors, 'internal') ?? null);
    const text = said(words);
    const detail = text !== null && !saidBy(error) && DETAILED.has(code) ? message : '';
    part.replaceChildren(text ?? message);
    if (detail) part.append(' ', element('span', { className: 'detail', lang: 'en' }, `(${detail})`));
  });
}

/** @param {unknown} error @returns {Text | undefined} what the error itself says in every language */
function saidBy(error) {
  const said = /** @type {{said?: unknown} | null} */ (error)?.said;
  return typeof said === 'function' ? /** @type {Text} */ (said) : undefined;
}
