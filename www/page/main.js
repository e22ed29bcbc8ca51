// @ts-check
/** @file The page: loads the network, takes pictures, and keeps what is shown in step with it. */

import { CPU_MEANWHILE } from '../api/device.js';
import { FersNet, FersNetError, ProgramCrashedError } from '../api/index.js';
import { Camera } from './camera.js';
import { byId } from './dom.js';
import { download } from './download.js';
import { listenForPictures } from './inputs.js';
import { adoptPage, listenForLanguage, preferredLanguage, speak } from './language.js';
import { Origin } from './origin.js';
import { Status } from './status.js';
import { surenessOf } from './sure.js';
import { Viewer } from './viewer.js';

/** @typedef {import('../api/index.js').ReadPicture} ReadPicture */

const status = new Status();
/** @type {import('./animator.js').Animator | null} fetched when it is asked for */
let animator = null;
/** @type {import('./many.js').Many | null} the table of many pictures or of a video, fetched when it is asked for */
let many = null;
/** @type {((network: FersNet) => void)[]} those who wait for the network */
const awaiting = [];
const viewer = new Viewer({
  onChange: () => recompose(),
  onBusy: () => status.alsoBusy(),
  onLeave: () => animator?.close(),
  onFailed: (error) => status.failed(error, {}),
});
const noFace = byId('no-face');
const origin = new Origin(byId('origin'));

/** @type {FersNet | null} */
let net = null;
/** @type {(() => Promise<Blob>) | null} the picture that is answered once the network is there */
let waiting = null;
/** @type {(() => Promise<Blob>) | null} the picture that was given last */
let latest = null;
/** @type {ReadPicture | null} the picture that is shown, once all its faces have been recognised */
let answered = null;
/** Ends whatever is under way for the picture before. */
let current = new AbortController();
/** Ends the composing of the photo before. */
let composing = new AbortController();
/** Whether nothing more urgent than offline use is left to be fetched: the first answer is there, or none is asked for. */
let isFree = false;
/** Whether the page was made to work offline. */
let isKept = false;

/** How long nobody gives a picture until the page fetches the rest of itself. */
const IDLE_MS = 10_000;

/** @param {string} device */
async function load(device) {
  net?.close();
  net = null;
  status.loading();
  try {
    net = await FersNet.load({
      device,
      onProgress: (stage, loaded, total) => status.progress(stage, loaded, total),
      onDevice: (device) => {
        status.device(device);
        keepOffline();
      },
      onBroken: breakDown,
    });
  } catch (error) {
    const code = error instanceof FersNetError ? error.code : '';
    status.failed(error, { retry: code !== 'device-unknown', cpu: code.startsWith('device') });
    return;
  }
  status.loaded(net.device);
  camera.offer(net.synthesises ? net.classes : []);
  for (const resolve of awaiting.splice(0)) resolve(net);
  const picture = waiting;
  waiting = null;
  if (picture) await take(picture);
}

/** @param {Error} error after which the network answers no more */
function breakDown(error) {
  current.abort();
  composing.abort();
  net?.close();
  net = null;
  // What is shown lay in the worker: it is opened again after the retry, unless it may be the cause.
  if (!(error instanceof ProgramCrashedError)) waiting ??= latest;
  const focus = document.activeElement;
  answered = null;
  // A table goes on by itself, once the network is loaded anew.
  if (document.body.dataset.view !== 'table') viewer.clear();
  origin.clear();
  noFace.hidden = true;
  status.failed(error, { retry: true, cpu: true });
  if (focus && !isShown(focus)) byId('retry').focus();
}

/** @param {Element} part */
function isShown(part) {
  return part.isConnected && part.getClientRects().length > 0;
}

/** @param {() => Promise<Blob>} picture */
async function take(picture) {
  latest = picture;
  if (!net) {
    waiting = picture;
    if (status.state === 'error') void load(wishedDevice());
    return;
  }
  leave();
  const { signal } = current;
  status.busy((words) => words.status.opening);
  await attempt(signal, async () => answer(net, await picture(), signal));
}

/** The picture that is shown makes way. */
function leave() {
  current.abort();
  composing.abort();
  current = new AbortController();
  const before = viewer.picture;
  answered = null;
  viewer.clear();
  origin.clear();
  noFace.hidden = true;
  if (before && net) void net.release(before);
}

/** The network, once it is loaded; after an error it is loaded anew. @returns {Promise<FersNet>} */
function whenLoaded() {
  if (net) return Promise.resolve(net);
  if (status.state === 'error') void load(wishedDevice());
  return new Promise((resolve) => awaiting.push(resolve));
}

/** Many pictures, or a video, as a table. @param {readonly import('./given.js').Given[]} given */
async function takeMany(given) {
  try {
    const { Many } = await import('./many.js');
    many ??= new Many({
      network: whenLoaded,
      onOpen: (file) => void take(async () => file),
      onLeave: () => {
        waiting = null;
        leave();
        if (net) status.loaded(net.device);
      },
    });
    await many.start(given);
  } catch (error) {
    status.failed(error, {});
  }
}

/**
 * Does something for the picture that is shown; errors are told unless it has been superseded.
 * @param {AbortSignal} signal
 * @param {() => Promise<void>} work
 */
async function attempt(signal, work) {
  try {
    await work();
  } catch (error) {
    if (!signal.aborted) status.failed(error, {});
  }
}

/** @param {import('../api/index.js').FoundPicture} picture whose faces are being recognised */
function tellFound({ faces }) {
  const { length } = faces;
  status.busy((words) => (length > 0 ? words.status.facesFound(length) : words.status.noFaceFound));
}

/**
 * All answers of a picture.
 * @param {FersNet | null} network
 * @param {Blob} file
 * @param {AbortSignal} signal
 */
async function answer(network, file, signal) {
  if (!network || signal.aborted) return;
  const picture = await network.recognise(file, {
    signal,
    onFound: (found) => {
      viewer.show(network, found);
      tellFound(found);
    },
    onMore: ([{ picture: found }]) => {
      viewer.refreshFaces();
      tellFound(found);
    },
    onRecognised: (face) => viewer.showRecognised(face),
  });
  if (signal.aborted) return;
  answered = picture;
  status.recognised(picture);
  if (picture.faces.length === 0) {
    noFace.hidden = false;
    status.ready((words) => words.status.noFaceInPicture);
  } else {
    await synthesiseAll(network, picture, signal);
  }
  // Behind all that was asked for.
  if (!signal.aborted) await origin.show(network, picture, signal);
  isFree = true;
  keepOffline();
}

/** The page makes itself work offline, once, when nothing else is being fetched. */
function keepOffline() {
  if (isKept || !isFree || !net || net.device.label === CPU_MEANWHILE.label) return;
  isKept = true;
  // Without a network there is nothing to keep.
  void import('./offline.js').then(({ workOffline }) => workOffline(byId('offline'))).catch(() => {});
}

function keepWhenIdle() {
  isFree ||= status.state === 'ready';
  if (isFree) keepOffline();
  else setTimeout(keepWhenIdle, IDLE_MS);
}

/**
 * Synthesises every face, the chosen one first.
 * @param {FersNet} network
 * @param {ReadPicture} picture
 * @param {AbortSignal} signal
 */
async function synthesiseAll(network, picture, signal) {
  const { faces } = picture;
  const open = new Set(network.synthesises ? faces : []);
  while (open.size > 0) {
    const chosen = faces[viewer.selected];
    const face = open.has(chosen) ? chosen : [...open][0];
    open.delete(face);
    status.busy((words) => words.status.synthesising(face.index + 1, faces.length, network.classes.length));
    const synthesised = await network.synthesise(face, network.classes, { signal });
    if (signal.aborted) return;
    viewer.showSynthesised(synthesised);
    status.synthesised(synthesised[0]?.milliseconds ?? 0, synthesised.length);
  }
  status.ready((words) => words.status.shows(faces.map((face) => surenessOf(face, words).words)));
}

async function recogniseWhole() {
  const picture = answered;
  if (!net || !picture) return;
  const network = net;
  const { signal } = current;
  status.busy((words) => words.status.wholePicture);
  status.focus();
  noFace.hidden = true;
  await attempt(signal, async () => {
    await network.recogniseWhole(picture, { signal });
    if (signal.aborted) return;
    viewer.refreshFaces();
    status.recognised(picture);
    await synthesiseAll(network, picture, signal);
  });
}

/** Draws the photo with the synthesised faces that were chosen. */
async function recompose() {
  composing.abort();
  composing = new AbortController();
  const { picture, changes } = viewer;
  if (!net || !picture) return;
  const { signal } = composing;
  const done = status.alsoBusy();
  await attempt(signal, async () => {
    const image =
      changes.size > 0
        ? await /** @type {FersNet} */ (net).compose(picture, [...changes.values()], { signal })
        : picture.preview;
    if (!signal.aborted) viewer.drawPhoto(image);
  });
  done();
}

/** Saves the photo with the synthesised faces, marked. */
async function save() {
  const { picture, changes } = viewer;
  if (!net || !picture || changes.size === 0) return;
  const network = net;
  const done = status.alsoBusy();
  await attempt(current.signal, async () => {
    const file = await network.save(picture, [...changes.values()], { signal: current.signal });
    download(file, `fersnet-${fileName(viewer.names())}.png`);
  });
  done();
}

/** Animates the chosen face, or the first that was changed. */
async function animate() {
  const { changes, selected } = viewer;
  const change = changes.get(selected) ?? [...changes.values()][0];
  if (!net || !change) return;
  const network = net;
  // Where several faces were moved, the visitor sees which one it is.
  if (change.face.index !== selected) viewer.choose(change.face.index);
  const done = status.alsoBusy();
  await attempt(current.signal, async () => {
    const { Animator } = await import('./animator.js');
    animator ??= new Animator({ onBusy: () => status.alsoBusy(), onFile: download });
    // Another wish may have come meanwhile.
    if (changes.get(change.face.index) === change) {
      await animator.start(network, change, viewer.saidOf(change), fileName([viewer.nameOf(change)]));
    }
  });
  done();
}

/** @param {string[]} names */
function fileName(names) {
  return [...new Set(names)].join('-').replace(/[^\w-]+/g, '_');
}

/** @param {string} device */
function retry(device) {
  // The buttons hide: the focus goes to what tells how the loading goes.
  status.focus();
  void load(device);
}

function wishedDevice() {
  return new URLSearchParams(location.search).get('device') ?? 'auto';
}

document.body.toggleAttribute('data-embed', new URLSearchParams(location.search).has('embed'));
adoptPage();
listenForLanguage(/** @type {HTMLSelectElement} */ (byId('language')));
// Beside the program, which is not kept waiting for it.
void speak(preferredLanguage());
viewer.clear();
listenForPictures((picture) => void take(picture), (given) => void takeMany(given));
const camera = new Camera({
  onPicture: (picture) => void take(async () => picture),
  follow: () => net?.followFaces() ?? null,
});
byId('whole').addEventListener('click', () => void recogniseWhole());
byId('original').addEventListener('click', () => {
  viewer.restore();
  viewer.focus();
});
byId('animate').addEventListener('click', () => void animate());
byId('save').addEventListener('click', () => void save());
byId('retry').addEventListener('click', () => retry(wishedDevice()));
byId('retry-cpu').addEventListener('click', () => retry('cpu'));
void load(wishedDevice());
setTimeout(keepWhenIdle, IDLE_MS);
