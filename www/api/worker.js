// @ts-check
/**
 * @file The worker: loads the program and the weights, and answers the questions of protocol.js one
 * after the other. All heavy work happens here.
 */

import {
  asFersNetError,
  ClosedError,
  FersNetError,
  ProgramMissingError,
  WeightsDamagedError,
  WeightsMissingError,
} from './errors.js';
import { decodedByBrowser } from './decode.js';
import { chooseDevice, cpuBecause, WEBGPU_FAILED } from './device.js';
import { fetchedBytes } from './fetch.js';
import { CANCELLED } from './protocol.js';

/**
 * @typedef {import('./protocol.js').ToWorker} ToWorker
 * @typedef {import('./protocol.js').FromWorker} FromWorker
 * @typedef {import('./protocol.js').Question} Question
 * @typedef {import('./protocol.js').Load} Load
 * @typedef {import('./protocol.js').Recognise} Recognise
 * @typedef {import('./protocol.js').Follow} Follow
 * @typedef {import('./protocol.js').Live} Live
 * @typedef {import('./protocol.js').Whole} Whole
 * @typedef {import('./protocol.js').Synthesise} Synthesise
 * @typedef {import('./protocol.js').Cover} Cover
 * @typedef {import('./protocol.js').Animate} Animate
 * @typedef {import('./protocol.js').Change} Change
 * @typedef {import('./protocol.js').DeviceReport} DeviceReport
 * @typedef {import('./protocol.js').FacePlace} FacePlace
 * @typedef {import('./protocol.js').Recognition} Recognition
 */

/** The question was cancelled. */
class Cancelled extends FersNetError {
  static code = CANCELLED;
}

/** @type {any} wasm-bindgen's module */
let program = null;
/** @type {any} its Engine */
let engine = null;
/** @type {Map<number, any>} wasm-bindgen's OpenPicture, by handle */
const pictures = new Map();
let handles = 0;

/** @type {Question[]} */
const queue = [];
/** @type {Set<number>} ids of questions that wait or are being answered */
const wanted = new Set();
let busy = false;

/**
 * @param {FromWorker} message
 * @param {Transferable[]} [transfer]
 */
function post(message, transfer = []) {
  postMessage(message, { transfer });
}

/** @param {unknown} caught */
function broken(caught) {
  const { code, message } = asFersNetError(caught);
  post({ type: 'broken', code, message });
}

// Only these hear of a panic in the program, which ends the running promise without settling it, and
// of a device that is lost or refuses a step: src/web/device.rs reports it as an uncaught error.
addEventListener('error', (event) => {
  event.preventDefault();
  broken(event.error ?? new FersNetError(event.message));
});
addEventListener('unhandledrejection', (event) => {
  event.preventDefault();
  broken(event.reason);
});

addEventListener('message', (/** @type {MessageEvent<ToWorker>} */ event) => {
  const message = event.data;
  if (message.type === 'cancel') {
    wanted.delete(message.id);
    return;
  }
  wanted.add(message.id);
  queue.push(message);
  void work();
});

async function work() {
  if (busy) return;
  busy = true;
  do {
    await answerAll();
    // Nothing is asked: time for what is only faster the second time.
    await coldSteps.shift()?.().catch(() => (coldSteps = []));
    await nextTurn();
  } while (queue.length > 0 || coldSteps.length > 0);
  busy = false;
}

async function answerAll() {
  for (let question = queue.shift(); question; question = queue.shift()) {
    const { id } = question;
    try {
      await breathe(id);
      const [result, transfer] = await answer(question);
      post({ type: 'done', id, result }, transfer);
    } catch (caught) {
      const { code, message } = asFersNetError(caught);
      post({ type: 'failed', id, code, message });
      if (caught instanceof WebAssembly.RuntimeError) broken(caught);
    } finally {
      wanted.delete(id);
    }
  }
}

/** @type {(() => Promise<void>)[]} what the first face would wait for, and nobody else */
let coldSteps = [];

/**
 * Steps that recognise a face and look for faces in a grey picture: the browser compiles a function when it first runs.
 * @returns {(() => Promise<void>)[]}
 */
function warmingSteps() {
  const side = 96;
  const picture = engine.open_pixels(new Uint8ClampedArray(4 * side * side).fill(128), side, side);
  const face = picture.whole_picture();
  return [
    async () => void (await picture.recognise(face)),
    async () => void (await picture.look()),
    async () => picture.free(),
  ];
}

const channel = new MessageChannel();
/** @type {(() => void) | null} */
let woken = null;
channel.port2.onmessage = () => woken?.();

/** Yields to the event loop. */
function nextTurn() {
  return new Promise((resolve) => {
    woken = () => resolve(undefined);
    channel.port1.postMessage(null);
  });
}

/**
 * Yields to the event loop; throws if the question was cancelled meanwhile.
 * @param {number} id
 */
async function breathe(id) {
  await nextTurn();
  if (!wanted.has(id)) throw new Cancelled('no longer wanted');
}

/**
 * @param {Question} question
 * @returns {Promise<[any, Transferable[]?]>}
 */
async function answer(question) {
  switch (question.type) {
    case 'prepare':
      await modules.of(question.program);
      return [null];
    case 'load':
      return [await load(question)];
    case 'recognise':
      return [await recognise(question)];
    case 'follow':
      return [await follow(question)];
    case 'live':
      return live(question);
    case 'unfollow':
      before.delete(question.tracker);
      trackers.get(question.tracker)?.free();
      trackers.delete(question.tracker);
      return [null];
    case 'whole':
      return [await whole(question)];
    case 'synthesise':
      return synthesise(question);
    case 'compose': {
      const pixels = composed(pictureOf(question.picture), question.changes);
      return [pixels, [pixels.data.buffer]];
    }
    case 'save': {
      const bytes = pictureOf(question.picture).encode(flat(question.changes));
      return [bytes.buffer, [bytes.buffer]];
    }
    case 'mark': {
      const { data, width, height } = question.pixels;
      const picture = engine.open_pixels(data, width, height);
      const bytes = picture.encode(new Uint32Array());
      picture.free();
      return [bytes.buffer, [bytes.buffer]];
    }
    case 'check':
      return [pictureOf(question.picture).check()];
    case 'gates':
      return [await pictureOf(question.picture).gates(question.face)];
    case 'cover':
      return [await cover(question)];
    case 'animate':
      return [await animate(question)];
    case 'gif': {
      const { picture, face, way, size } = question;
      const bytes = pictureOf(picture).encode_gif(face, Uint32Array.from(way), size);
      return [bytes.buffer, [bytes.buffer]];
    }
    case 'release':
      release(question.picture);
      return [null];
    case 'forget':
      // A picture that was released has taken its faces with it.
      pictures.get(question.picture)?.forget(question.face, question.synthesised);
      return [null];
  }
}

/** @param {number} handle */
function pictureOf(handle) {
  const picture = pictures.get(handle);
  if (!picture) throw new ClosedError();
  return picture;
}

/**
 * The preview with synthesised faces in it.
 * @param {any} picture
 * @param {Change[]} changes
 */
function composed(picture, changes) {
  return { width: picture.preview_width, height: picture.preview_height, data: picture.compose(flat(changes)) };
}

/** @param {Change[]} changes */
function flat(changes) {
  return Uint32Array.from(changes.flatMap(({ face, synthesised }) => [face, synthesised]));
}

/** @type {LaterParts | null} what synthesises, until it is added: recognition alone never needs it */
let later = null;

/** The files of the decoder and of the mouth painter, fetched once. */
class LaterParts {
  /** @type {Promise<(Uint8Array | undefined)[]> | null} */ #files = null;

  /** @param {{decoder: string | null, painter: string | null}} addresses */
  constructor({ decoder, painter }) {
    this.addresses = { 'what synthesises': decoder, 'the mouth painter': painter };
  }

  /** Their bytes; a file that failed is asked for again the next time. */
  fetched() {
    if (!this.#files) {
      const files = Object.entries(this.addresses).map(([what, address]) =>
        address ? fetchedBytes(address, WeightsMissingError, what, () => {}) : undefined,
      );
      this.#files = Promise.all(files);
      this.#files.catch(() => (this.#files = null));
    }
    return this.#files;
  }
}

/** Adds what synthesises to the network, once. */
async function addParts() {
  const parts = later;
  if (!parts) return;
  const [decoder, painter] = await parts.fetched();
  engine.add_parts(decoder, painter);
  later = null;
}

/** @param {Load} question */
async function load({ id, program: address, module, weights, boxes, mesh, decoder, painter, device: wish }) {
  const tell = (/** @type {import('./protocol.js').LoadStage} */ stage) =>
    post({ type: 'progress', id, stage, loaded: 0, total: null });
  let device = await chooseDevice(wish);
  const wasm = await started(address, module);
  await breathe(id);
  if (device.kind === 'webgpu') {
    tell('device');
    try {
      await wasm.init_webgpu();
    } catch {
      device = cpuBecause(WEBGPU_FAILED);
    }
  }
  const next = makeEngine(wasm, [weights, boxes, mesh], device);
  engine?.free();
  engine = next;
  program = wasm;
  const isParted = next.decoder_apart && decoder !== null;
  const synthesises = next.synthesises || isParted;
  const addresses = { decoder: isParted ? decoder : null, painter: synthesises ? painter : null };
  later = addresses.decoder || addresses.painter ? new LaterParts(addresses) : null;
  if (device.kind === 'webgpu') {
    // Compiles every pipeline now, so that the first face does not wait for them.
    tell('warm-up');
    await addParts();
    await engine.warm_up();
  }
  coldSteps = device.kind === 'cpu' ? warmingSteps() : [];
  const { classes, controls } = engine;
  return { classes, controls, presets: engine.presets(), synthesises, device };
}

/**
 * @param {any} wasm
 * @param {Uint8Array[]} files the network's weights and the detector's two
 * @param {DeviceReport} device
 */
function makeEngine(wasm, files, device) {
  try {
    return new wasm.Engine(...files, device.kind === 'webgpu');
  } catch (caught) {
    const error = asFersNetError(caught);
    if (!(error instanceof WeightsDamagedError)) throw error;
    throw new WeightsDamagedError(
      `The weights cannot be used. ${error.message} Load them again; if that does not help, ask ` +
        'whoever runs this site for a whole file.',
    );
  }
}

/** wasm-bindgen's modules, each imported once. */
const modules = {
  /** @type {Map<string, Promise<any>>} */ imported: new Map(),
  /** @param {string} address */
  of(address) {
    const importing = this.imported.get(address) ?? import(address);
    this.imported.set(address, importing);
    return importing.catch((caught) => {
      this.imported.delete(address);
      throw ProgramMissingError.notStarted(caught);
    });
  },
};

/**
 * Starts the WebAssembly program.
 * @param {string} address of wasm-bindgen's module
 * @param {WebAssembly.Module} compiled
 */
async function started(address, compiled) {
  const module = await modules.of(address);
  try {
    await module.default({ module_or_path: compiled });
    return module;
  } catch (caught) {
    throw ProgramMissingError.notStarted(caught);
  }
}

/** @param {Recognise} question */
async function recognise({ id, bytes }) {
  if (!engine) throw new ClosedError();
  const begun = performance.now();
  const { picture, file } = await opened(bytes);
  const handle = ++handles;
  pictures.set(handle, picture);
  try {
    const decoded = performance.now();
    await breathe(id);
    let count = 0;
    let findMilliseconds = 0;
    let isTold = false;
    for (let isDone = false; !isDone; ) {
      const finding = performance.now();
      const added = await picture.look();
      findMilliseconds += performance.now() - finding;
      isDone = added === null;
      /** @type {FacePlace[]} */
      const faces = added ?? [];
      if (!isTold && (isDone || faces.length > 0)) {
        isTold = true;
        tellOpened(id, handle, { faces, file, decodeMilliseconds: decoded - begun, findMilliseconds });
      } else if (isTold && (isDone || faces.length > 0)) {
        post({ type: 'found', id, faces, first: count, findMilliseconds });
      }
      for (const face of faces.map((_, i) => count + i)) {
        post({ type: 'recognised', id, face, recognition: await recogniseFace(id, picture, face) });
      }
      count += faces.length;
      await breathe(id);
    }
    // Now there is time for what comes next: most visitors see the face synthesised.
    void later?.fetched();
  } catch (caught) {
    release(handle);
    throw caught;
  }
  return { picture: handle };
}

/**
 * A picture file, decoded by the browser where it can, else by the program, which says what is wrong with it.
 * @param {ArrayBuffer} buffer
 * @returns {Promise<{picture: any, file: import('./protocol.js').FileNote}>}
 */
async function opened(buffer) {
  const bytes = new Uint8Array(buffer);
  /** @type {import('./decode.js').FileHeader} */
  const header = engine.header(bytes);
  const pixels = await decodedByBrowser(buffer, header);
  const { format, isRead } = header;
  const file = { format, byBrowser: pixels !== null, onlyByBrowser: !isRead, scaledFrom: null };
  if (!pixels) return { picture: engine.open(bytes), file };
  const { data, width, height } = pixels;
  const isScaled = header.size !== null && width < header.size[0];
  return {
    picture: engine.open_decoded(bytes, data, width, height),
    file: { ...file, scaledFrom: isScaled ? header.size : null },
  };
}

/**
 * @param {number} id
 * @param {number} handle
 * @param {Pick<import('./protocol.js').OpenedPicture, 'faces' | 'file' | 'decodeMilliseconds' | 'findMilliseconds'>} found
 */
function tellOpened(id, handle, found) {
  const picture = pictureOf(handle);
  const data = picture.preview();
  const { width, height, preview_width, preview_height } = picture;
  const preview = { width: preview_width, height: preview_height, data };
  post({ type: 'opened', id, opened: { picture: handle, width, height, preview, ...found } }, [data.buffer]);
}

/** Frames from one search for new faces to the next. */
const SEARCH_EVERY = 20;

/** @type {Map<number, any>} wasm-bindgen's Tracker, by the page's number */
const trackers = new Map();

/** @param {Follow} question */
async function follow({ id, frame, tracker: number }) {
  if (!engine) throw new ClosedError();
  const begun = performance.now();
  const picture = openedFrame(frame);
  const handle = ++handles;
  pictures.set(handle, picture);
  try {
    const opened = performance.now();
    const faces = await picture.follow(trackerOf(number));
    const found = performance.now();
    tellOpened(id, handle, { faces, decodeMilliseconds: opened - begun, findMilliseconds: found - opened });
    for (let face = 0; face < faces.length; face += 1) {
      post({ type: 'recognised', id, face, recognition: await recogniseFace(id, picture, face) });
    }
  } catch (caught) {
    release(handle);
    throw caught;
  }
  return { picture: handle };
}

/**
 * What was recognised in the frame before, and synthesised there, by tracker: every second frame takes it over, each
 * face where it is now. Only frames that are mirrored do.
 * @type {Map<number, {recognised: Map<number | undefined, Recognition>, target: string}>}
 */
const before = new Map();

/**
 * @param {Live} question
 * @returns {Promise<[any, Transferable[]]>}
 */
async function live({ id, frame, tracker, target }) {
  if (!engine) throw new ClosedError();
  const picture = openedFrame(frame);
  try {
    const { width, height } = picture;
    /** @type {FacePlace[]} */
    const places = await picture.follow(trackerOf(tracker));
    const same = target && asBefore(picture, tracker, places, target);
    if (same) return [{ width, height, ...same }, [same.mirrored.data.buffer]];
    const faces = [];
    const recognised = new Map();
    for (const [face, place] of places.entries()) {
      const recognition = await recogniseFace(id, picture, face);
      recognised.set(place.id, recognition);
      faces.push({ ...place, ...recognition });
    }
    void later?.fetched();
    if (!target || faces.length === 0) return [{ width, height, faces, mirrored: null }, []];
    await addParts();
    const mirrored = composed(picture, [{ face: 0, synthesised: await picture.synthesise(0, [target]) }]);
    before.set(tracker, { recognised, target: JSON.stringify(target) });
    return [{ width, height, faces, mirrored }, [mirrored.data.buffer]];
  } finally {
    picture.free();
  }
}

/**
 * The faces of a frame and its mirrored picture from what the frame before showed; null where that is not known, or was
 * taken over once already.
 * @param {any} picture
 * @param {number} tracker
 * @param {FacePlace[]} places
 * @param {Record<string, number>} target
 */
function asBefore(picture, tracker, places, target) {
  const known = before.get(tracker);
  before.delete(tracker);
  if (known?.target !== JSON.stringify(target) || !places.every(({ id }) => known.recognised.has(id))) return null;
  const data = picture.compose_as_before(0);
  if (data.length === 0) return null;
  const faces = places.map((place) => ({ ...place, ...known.recognised.get(place.id) }));
  return { faces, mirrored: { width: picture.preview_width, height: picture.preview_height, data } };
}

/** Who follows the faces of a film. @param {number} number the page's */
function trackerOf(number) {
  const tracker = trackers.get(number) ?? new program.Tracker(SEARCH_EVERY);
  trackers.set(number, tracker);
  return tracker;
}

const frameCanvas = new OffscreenCanvas(1, 1);

/**
 * A frame as the program's picture; it is closed.
 * @param {ImageBitmap} frame
 */
function openedFrame(frame) {
  const { width, height } = frame;
  Object.assign(frameCanvas, { width, height });
  const context = frameCanvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new FersNetError('The browser gives no canvas to read a frame with: use a current browser.');
  context.drawImage(frame, 0, 0);
  frame.close();
  return engine.open_pixels(context.getImageData(0, 0, width, height).data, width, height);
}

/** @param {Whole} question */
async function whole({ id, picture: handle }) {
  const picture = pictureOf(handle);
  const face = picture.whole_picture();
  const recognition = await recogniseFace(id, picture, face);
  return { face, place: picture.place(face), recognition };
}

/** @param {number} handle */
function release(handle) {
  pictures.get(handle)?.free();
  pictures.delete(handle);
}

/**
 * @param {number} id
 * @param {any} picture
 * @param {number} face
 * @returns {Promise<Recognition>}
 */
async function recogniseFace(id, picture, face) {
  await breathe(id);
  const begun = performance.now();
  const answered = await picture.recognise(face);
  return { ...answered, milliseconds: performance.now() - begun };
}

/**
 * @param {Synthesise} question
 * @returns {Promise<[any, Transferable[]]>}
 */
async function synthesise({ picture: handle, face, targets, size }) {
  const picture = pictureOf(handle);
  await addParts();
  const begun = performance.now();
  const first = await picture.synthesise(face, targets);
  const milliseconds = performance.now() - begun;
  const crops = targets.map((_, i) => ({
    synthesised: first + i,
    pixels: { width: size, height: size, data: picture.crop(face, first + i, size) },
  }));
  return [{ crops, milliseconds }, crops.map(({ pixels }) => pixels.data.buffer)];
}

/** @param {Cover} question */
async function cover({ id, picture: handle, face }) {
  const picture = pictureOf(handle);
  const of = picture.cover_places;
  /** @type {number[]} */
  const probabilities = [];
  for (let row = 0; row < of; row += 1) {
    await breathe(id);
    probabilities.push(...(await picture.covered(face, row)));
    post({ type: 'covered', id, rows: row + 1, of });
  }
  const fall = picture.fall(face, Float32Array.from(probabilities));
  return { side: Math.sqrt(fall.length), fall };
}

/** How many faces of an animation are synthesised at once: a first frame is shown soon. */
const AT_ONCE = 4;

/** @param {Animate} question */
async function animate({ id, picture: handle, face, targets, size }) {
  const picture = pictureOf(handle);
  await addParts();
  /** @param {number} index @param {number | undefined} synthesised */
  const draw = (index, synthesised) => {
    const bytes = picture.frame(face, synthesised, size);
    const header = new DataView(bytes.buffer, bytes.byteOffset, 8);
    const [width, height] = [header.getUint32(0, true), header.getUint32(4, true)];
    const data = bytes.slice(8);
    post({ type: 'frame', id, index, pixels: { width, height, data } }, [data.buffer]);
  };
  /** @type {number[]} */
  const way = [];
  try {
    draw(0, undefined);
    for (let start = 0; start < targets.length; start += AT_ONCE) {
      await breathe(id);
      const part = targets.slice(start, start + AT_ONCE);
      const first = await picture.synthesise(face, part);
      way.push(...part.map((_, i) => first + i));
      for (let i = start; i < way.length; i += 1) {
        await breathe(id);
        draw(i + 1, way[i]);
      }
    }
  } catch (caught) {
    way.forEach((synthesised) => picture.forget(face, synthesised));
    throw caught;
  }
  return { way };
}
