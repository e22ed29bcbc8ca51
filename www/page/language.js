// @ts-check
/**
 * @file The language of the page: which one, its words, and what is said in them, which follows when another is
 * chosen. English stands in index.html; the file of the chosen language is fetched beside the program.
 */

/** @typedef {typeof import('../languages/en.js').default} Words */
/** @typedef {(words: Words) => string} Text what is said, in whichever language */

/** The languages, each with its file. @type {Map<string, () => Promise<{default: Words}>>} */
const LANGUAGES = new Map([
  ['en', () => import('../languages/en.js')],
  ['de', () => import('../languages/de.js')],
  ['zh', () => import('../languages/zh.js')],
]);

/** Under which the language that was chosen by hand is remembered. */
const REMEMBERED = 'fersnet-language';

/** The name of the language in the page's address. */
const PARAMETER = 'lang';

/** @type {Words | null} the words of the chosen language, once they are there */
let words = null;
/** Counts the choices, so that a late file does not undo a newer one. */
let choices = 0;
/** What each node says, by attribute, or '' for its text. @type {WeakMap<Node, Map<string, (words: Words) => void>>} */
const said = new WeakMap();

/** The language to begin with: as the address says, else as was chosen before, else as the browser prefers. */
export function preferredLanguage() {
  const wishes = [new URLSearchParams(location.search).get(PARAMETER), remembered(), ...navigator.languages];
  for (const wish of wishes) {
    const [language] = (wish ?? '').toLowerCase().split('-');
    if (LANGUAGES.has(language)) return language;
  }
  return 'en';
}

/**
 * Says everything in a language from now on. Where its file cannot be fetched the page stays as it is.
 * @param {string} language
 * @returns {Promise<boolean>} false where it could not, or another one was chosen meanwhile
 */
export async function speak(language) {
  const choice = ++choices;
  const loaded = await LANGUAGES.get(language)?.().catch(() => null);
  if (choice !== choices) return false;
  if (!loaded) return words === null && language !== 'en' ? speak('en') : false;
  words = loaded.default;
  document.documentElement.lang = words.lang;
  const nodes = document.createTreeWalker(document, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  /** @type {((words: Words) => void)[]} */
  const all = [];
  for (let node = nodes.nextNode(); node; node = nodes.nextNode()) all.push(...(said.get(node)?.values() ?? []));
  for (const write of all) write(words);
  return true;
}

/** The words of the language that is spoken now, for what is written once. */
export function currentWords() {
  if (!words) throw new Error('the words of no language are there yet');
  return words;
}

/**
 * Lets the visitor choose the language, which is remembered where the browser allows it.
 * @param {HTMLSelectElement} select with the languages as values
 */
export function listenForLanguage(select) {
  const showChosen = () => (select.value = words?.lang.split('-')[0] ?? 'en');
  select.addEventListener('change', async () => {
    const language = select.value;
    if (await speak(language)) remember(language);
    else showChosen();
  });
  follow(select, 'value', showChosen);
}

/**
 * Says something in an element or a text node, again whenever the language changes.
 * @param {Node} node
 * @param {Text | string} text a string is the same in every language
 * @param {string} [attribute] which says it; the node's text where none is given
 */
export function say(node, text, attribute = '') {
  const write = (/** @type {string} */ value) => {
    if (attribute) /** @type {Element} */ (node).setAttribute(attribute, value);
    else if (node.textContent !== value) node.textContent = value;
  };
  if (typeof text !== 'string') {
    follow(node, attribute, (now) => write(text(now)));
    return;
  }
  said.get(node)?.delete(attribute);
  write(text);
}

/**
 * Writes something into a node now, or once there are words, and whenever the language changes.
 * @param {Node} node
 * @param {string} what of the node it writes: takes the place of what wrote the same before
 * @param {(words: Words) => void} write
 */
export function follow(node, what, write) {
  const all = said.get(node) ?? new Map();
  said.set(node, all.set(what, write));
  if (words) write(words);
}

/**
 * What a table has for a name, which may come from a visitor's own weights and be any text.
 * @template T
 * @param {Record<string, T>} table
 * @param {string} name
 * @returns {T | undefined}
 */
export function entry(table, name) {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** An expression's name; one that is not known keeps its own. @param {Words} words @param {string} name */
export function expressionIn(words, name) {
  return entry(words.expressions, name) ?? name;
}

/** The texts of index.html, which `data-say` and `data-say-ATTRIBUTE` name, from now on follow the language. */
export function adoptPage() {
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('*'))) {
    for (const { name, value } of part.attributes) {
      if (!name.startsWith('data-say')) continue;
      const text = (/** @type {Words} */ now) => entry(now.page, value) ?? '';
      const attribute = name.slice('data-say-'.length);
      const pieces = attribute ? [] : [...part.querySelectorAll('[data-piece]')];
      if (pieces.length === 0) say(part, text, attribute);
      else follow(part, '', (now) => fill(part, text(now), /** @type {HTMLElement[]} */ (pieces)));
    }
  }
}

/**
 * A sentence around elements: each stands where its name does in braces.
 * @param {HTMLElement} part
 * @param {string} sentence
 * @param {HTMLElement[]} pieces
 */
function fill(part, sentence, pieces) {
  const named = new Map(pieces.map((piece) => [piece.dataset.piece, piece]));
  part.replaceChildren(...sentence.split(/\{(\w+)\}/).map((text, i) => (i % 2 === 1 ? (named.get(text) ?? '') : text)));
}

function remembered() {
  try {
    return localStorage.getItem(REMEMBERED);
  } catch {
    return null;
  }
}

/** @param {string} language */
function remember(language) {
  const address = new URL(location.href);
  if (address.searchParams.has(PARAMETER)) {
    address.searchParams.set(PARAMETER, language);
    history.replaceState(null, '', address);
  }
  try {
    localStorage.setItem(REMEMBERED, language);
  } catch {
    // Where nothing may be stored the choice holds for this visit.
  }
}
