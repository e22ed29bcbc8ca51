// @ts-check
/**
 * @file The service worker: keeps one release of the page whole, each file checked against the release's list, and
 * answers from it with and without a network. A newer release is fetched beside it and waits until the visitor takes
 * it (page/offline.js), or until the page is open nowhere.
 */

/**
 * @typedef {object} ReleaseFile
 * @property {string} sha256 of its bytes, in hexadecimal
 * @property {number} bytes
 * @property {boolean} [optional] kept once the browser has asked for it: not every device needs it
 */

/** @typedef {{version: string, files: Record<string, ReleaseFile>}} Release `release.json`, by tools/release.mjs */

/**
 * What of a service worker's global scope is used here; TypeScript's library has it only beside that of pages.
 * @typedef {object} Scope
 * @property {{scope: string}} registration
 * @property {{claim: () => Promise<void>, matchAll: (options: object) => Promise<{id: string, url: string}[]>}} clients
 * @property {() => Promise<void>} skipWaiting
 * @property {(type: string, listen: (event: any) => void) => void} addEventListener
 */

/** SHA-256 of this release's `release.json`; tools/release.mjs writes it into the built page. */
const MANIFEST = '';

/** What all caches of this page are called; page/offline.js knows it too. */
const PREFIX = 'fersnet-';
const CACHE = PREFIX + MANIFEST.slice(0, 16);

/** The list of the files, and under which name the cache has it: last, so that a cache with it is whole. */
const LIST = 'release.json';

/** Never answered from the cache. */
const OWN = [LIST, 'offline.js'];

const worker = /** @type {Scope} */ (/** @type {unknown} */ (self));

worker.addEventListener('install', (event) => event.waitUntil(install()));

worker.addEventListener('activate', (event) => event.waitUntil(forgetOthers()));

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const name = request.method === 'GET' && !request.headers.has('range') ? nameOf(request.url) : null;
  if (name !== null) event.respondWith(answer(name, request));
});

worker.addEventListener('message', (event) => {
  const [port] = event.ports;
  const { type, version } = event.data;
  const answering = type === 'take' ? take(event.source.id) : greet(version);
  event.waitUntil(answering.then((result) => port.postMessage(result)));
});

/** Fetches the whole release; it throws, and the worker is refused, where one file is not that of the list. */
async function install() {
  if (!MANIFEST) throw new Error('offline.js is not of a release: tools/release.mjs makes one of the built page.');
  const list = await checked(LIST, { sha256: MANIFEST });
  /** @type {Release} */
  const { files } = await list.clone().json();
  const cache = await caches.open(CACHE);
  // One after the other: what the visitor asks for meanwhile goes first.
  for (const [name, file] of Object.entries(files)) await keep(cache, name, file);
  await cache.put(addressOf(LIST), list);
}

/**
 * Puts a file of the release into its cache, if it is not there yet. What is there was checked.
 * @param {Cache} cache
 * @param {string} name
 * @param {ReleaseFile} file
 */
async function keep(cache, name, file) {
  if (await cache.match(addressOf(name))) return;
  const response = file.optional ? await atHand(name, file) : await checked(name, file);
  if (response) await cache.put(addressOf(name), response);
}

/**
 * A file of the release, of which the browser may have the bytes already: from the release before, else from its
 * HTTP cache, however old, else from the server.
 * @param {string} name
 * @param {{sha256: string}} file
 * @returns {Promise<Response>}
 */
async function checked(name, file) {
  const known = await caches.match(addressOf(name));
  if (known && (await isOf(file, known))) return known;
  for (const cache of /** @type {const} */ (['force-cache', 'reload'])) {
    const response = await fetched(name, cache);
    if (response && (await isOf(file, response))) return response;
  }
  throw new Error(
    `${name} is not the file of this release, so none of it is kept: it is damaged, not there, or the site is being ` +
      'renewed. It is asked for again at the next visit.',
  );
}

/**
 * An optional file, if the browser has it already.
 * @param {string} name
 * @param {ReleaseFile} file
 */
async function atHand(name, file) {
  for (const response of [await caches.match(addressOf(name)), await fetched(name, 'only-if-cached')]) {
    if (response && (await isOf(file, response))) return response;
  }
  return null;
}

/**
 * @param {string} name
 * @param {RequestCache} cache
 * @returns {Promise<Response | null>} null where there is none
 */
async function fetched(name, cache) {
  // The page's own address is that of its folder, which some hosts serve alone.
  const address = name === 'index.html' ? addressOf('') : addressOf(name);
  const response = await fetch(address, { cache, mode: 'same-origin' }).catch(() => null);
  if (!response?.ok) return null;
  // A browser takes no redirected answer for a page.
  return response.redirected ? new Response(response.body, response) : response;
}

/** @param {{sha256: string}} file @param {Response} response whose body stays unread */
async function isOf({ sha256 }, response) {
  try {
    const hash = await crypto.subtle.digest('SHA-256', await response.clone().arrayBuffer());
    return sha256 === Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
  } catch {
    // The connection broke.
    return false;
  }
}

/** Nothing of another release stays once this one is taken. */
async function forgetOthers() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)));
}

/** @returns {Promise<Release | null>} null where the visitor has deleted what was kept */
async function release() {
  const list = await kept(LIST);
  return list ? list.json() : null;
}

/** @param {string} name @returns {Promise<Response | undefined>} a file of this release */
function kept(name) {
  return caches.match(addressOf(name), { cacheName: CACHE, ignoreVary: true });
}

/**
 * @param {string} name
 * @param {Request} request
 * @returns {Promise<Response>} of this release, or of no release at all
 */
async function answer(name, request) {
  const found = await kept(name);
  if (found) return found;
  const file = (await release())?.files[name];
  if (!file) return fetch(request);
  try {
    const response = await checked(name, file);
    const cache = await caches.open(CACHE);
    await cache.put(addressOf(name), response.clone());
    return response;
  } catch {
    return Response.error();
  }
}

/**
 * What a page hears that asks how things stand; one that came before the worker, and is of its release, is answered by
 * it from now on.
 * @param {string} version of the page that asks
 * @returns {Promise<{version: string | null, works: boolean}>} `works`: all files are there
 */
async function greet(version) {
  const list = await release();
  if (list?.version === version) await worker.clients.claim();
  const needed = Object.entries(list?.files ?? {}).filter(([, { optional }]) => !optional);
  const are = await Promise.all(needed.map(([name]) => kept(name)));
  return { version: list?.version ?? null, works: are.length > 0 && are.every(Boolean) };
}

/**
 * Takes the release that has waited, unless the page is open elsewhere too: there the one before goes on.
 * @param {string} asking id of the page that asks
 * @returns {Promise<{taken: boolean}>}
 */
async function take(asking) {
  const pages = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const others = pages.filter(({ id, url }) => id !== asking && url.startsWith(worker.registration.scope));
  if (others.length > 0) return { taken: false };
  await worker.skipWaiting();
  return { taken: true };
}

/** @param {string} name */
function addressOf(name) {
  return new URL(name, worker.registration.scope).href;
}

/**
 * The name of a file in the list; null for what is none of the page's.
 * @param {string} address
 */
function nameOf(address) {
  const { origin, pathname } = new URL(address);
  const path = origin + pathname;
  const { scope } = worker.registration;
  if (!path.startsWith(scope)) return null;
  const name = decodeURIComponent(path.slice(scope.length)) || 'index.html';
  return OWN.includes(name) ? null : name;
}
