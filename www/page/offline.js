// @ts-check
/**
 * @file The page without a network: starts the service worker (www/offline.js) that keeps a whole release, says when
 * it does, and announces a newer release, which the visitor takes or leaves. Fetched after the first answer.
 */

import { byId, element } from './dom.js';
import { say } from './language.js';

/** What all caches of this page are called, as in www/offline.js. */
const PREFIX = 'fersnet-';

/** Where pages are worked on: there every reload shows the files as they are, unless offline use is asked for. */
const DEVELOPMENT = ['localhost', '127.0.0.1', '[::1]'];

/** How often a page that stays open asks for a newer release, when it is looked at again. */
const ASK_EVERY_MS = 60 * 60 * 1000;

const ROOT = new URL('../', import.meta.url).href;
const WORKER = new URL('offline.js', ROOT).href;

/** What the worker tells. @typedef {{version: string | null, works: boolean}} Greeting */

/**
 * Makes the page work offline from now on, where the browser and the address allow it. Never fails: without it the
 * page does all it does, with a network.
 * @param {HTMLElement} line which says when it works offline
 */
export async function workOffline(line) {
  const wishes = new URLSearchParams(location.search);
  // In other people's pages each would keep a copy of its own.
  if (!('serviceWorker' in navigator) || wishes.has('embed')) return;
  try {
    if (DEVELOPMENT.includes(location.hostname) && !wishes.has('offline')) await stop();
    else follow(await navigator.serviceWorker.register(WORKER, { scope: ROOT }), line);
  } catch {
    // The browser keeps nothing here, as in some private windows.
  }
}

/** Ends what an earlier visit with `?offline` began, so that the next reload shows what was edited. */
async function stop() {
  const registration = await navigator.serviceWorker.getRegistration(ROOT);
  const worker = registration?.active ?? registration?.waiting ?? registration?.installing;
  // Another program's page may have lain at this address.
  if (registration?.scope !== ROOT || worker?.scriptURL !== WORKER) return;
  await registration.unregister();
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PREFIX)).map((name) => caches.delete(name)));
}

/**
 * @param {ServiceWorkerRegistration} registration
 * @param {HTMLElement} line
 */
function follow(registration, line) {
  const announcement = new Announcement();
  const look = async () => {
    const { active, waiting } = registration;
    if (!active || active.state !== 'activated') return;
    /** @type {Greeting} */
    const { version, works } = await asked(active, { type: 'hello', version: ownVersion() });
    line.hidden = !works;
    say(line, works ? (words) => words.offline.works : '');
    // This page came from the server just before the release changed: any reload takes the new one.
    if (version !== null && version !== ownVersion()) announcement.show(null);
    else if (waiting) announcement.show(waiting);
  };
  /** @param {ServiceWorker | null} worker */
  const watch = (worker) => worker?.addEventListener('statechange', () => void look());
  registration.addEventListener('updatefound', () => watch(registration.installing));
  watch(registration.installing);
  void look();
  askAgain(registration);
}

/** @param {ServiceWorkerRegistration} registration */
function askAgain(registration) {
  let last = Date.now();
  document.addEventListener('visibilitychange', () => {
    if (document.hidden || Date.now() - last < ASK_EVERY_MS) return;
    last = Date.now();
    // Without a network there is nothing newer.
    registration.update().catch(() => {});
  });
}

/** That a newer release is there, and what can be done. */
class Announcement {
  #root = byId('update');
  #text = element('p', {});
  #box = element(
    'div',
    { className: 'update' },
    this.#text,
    element(
      'div',
      { className: 'row' },
      element(
        'button',
        { type: 'button', className: 'button small primary', data: { testid: 'update-take' }, onclick: () => void this.#take() },
        (words) => words.offline.reload,
      ),
      element(
        'button',
        { type: 'button', className: 'button small', data: { testid: 'update-later' }, onclick: () => this.#root.replaceChildren() },
        (words) => words.offline.later,
      ),
    ),
  );
  /** @type {ServiceWorker | null} which has the newer release; none where a plain reload shows it */ #waiting = null;
  #isTold = false;

  /** Told once; left for later, the visitor is asked again at the next visit. @param {ServiceWorker | null} waiting */
  show(waiting) {
    this.#waiting = waiting;
    if (this.#isTold) return;
    this.#isTold = true;
    say(this.#text, (words) => words.offline.update);
    this.#root.replaceChildren(this.#box);
  }

  async #take() {
    const waiting = this.#waiting;
    if (!waiting || waiting.state === 'activated') {
      location.reload();
      return;
    }
    waiting.addEventListener('statechange', () => {
      if (waiting.state === 'activated') location.reload();
    });
    const { taken } = await asked(waiting, { type: 'take' });
    if (!taken) say(this.#text, (words) => words.offline.others);
  }
}

/** The release that this page is of. */
function ownVersion() {
  return /** @type {HTMLMetaElement | null} */ (document.querySelector('meta[name="release"]'))?.content ?? '';
}

/**
 * Asks a service worker.
 * @param {ServiceWorker} worker
 * @param {{type: string, version?: string}} question
 * @returns {Promise<any>}
 */
function asked(worker, question) {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = ({ data }) => {
      port1.close();
      resolve(data);
    };
    worker.postMessage(question, [port2]);
  });
}
