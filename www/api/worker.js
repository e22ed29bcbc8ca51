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
import { chooseDevice, cpuBecause, WEBGPU_FAILED } from './device.js';
import { fetchCounted, fetchedBytes } from './fetch.js';
import { CANCELLED } from './protocol.js';

/**
 * @typedef {import('./protocol.js').ToWorker} ToWorker
 * @typedef {import('./protocol.js').FromWorker} FromWorker
 * @typedef {import('./protocol.js').Question} Question
 * @typedef {import('./protocol.js').Load} Load
 * @typedef {import('./protocol.js').Recognise} Recognise
 * @typedef {import('./protocol.js').Whole} Whole
 * @typedef {import('./protocol.js').Synthesise} Synthesise
 * @typedef {import('./protocol.js').Cover} Cover
 * @typedef {import('./protocol.js').Animate} Animate
 * @typedef {import('./protocol.js').Change} Change
 * @typedef {import('./protocol.js').DeviceReport} DeviceReport
 * @typedef {import('./protocol.js').Recognition} Recognition
 */

/** The question was cancelled. */
class Cancelled extends FersNetError {
  static code = CANCELLED;
}

/** @type {any} wasm-bindgen's Engine */
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
  busy = false;
}

const channel = new MessageChannel();
/** @type {(() => void) | null} */
let woken = null;
channel.port2.onmessage = () => woken?.();

/**
 * Yields to the event loop; throws if the question was cancelled meanwhile.
 * @param {number} id
 */
async function breathe(id) {
  await new Promise((resolve) => {
    woken = () => resolve(undefined);
    channel.port1.postMessage(null);
  });
  if (!wanted.has(id)) throw new Cancelled('no longer wanted');
}

/**
 * @param {Question} question
 * @returns {Promise<[any, Transferable[]?]>}
 */
async function answer(question) {
  switch (question.type) {
    case 'load':
      return [await load(question)];
    case 'recognise':
      return [await recognise(question)];
    case 'whole':
      return [await whole(question)];
    case 'synthesise':
      return synthesise(question);
    case 'compose': {
      const picture = pictureOf(question.picture);
      const data = picture.compose(flat(question.changes));
      const pixels = { width: picture.preview_width, height: picture.preview_height, data };
      return [pixels, [data.buffer]];
    }
    case 'save': {
      const bytes = pictureOf(question.picture).encode(flat(question.changes));
      return [bytes.buffer, [bytes.buffer]];
    }
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

/** @param {Change[]} changes */
function flat(changes) {
  return Uint32Array.from(changes.flatMap(({ face, synthesised }) => [face, synthesised]));
}

/** @type {string | null} address of the mouth painter, until it is fetched */
let waitingPainter = null;

/** Fetches the mouth painter, once: recognition alone never needs it. */
async function addPainter() {
  const address = waitingPainter;
  if (!address) return;
  const bytes = await fetchedBytes(address, WeightsMissingError, 'the mouth painter', () => {});
  engine.add_painter(bytes);
  waitingPainter = null;
}

/** @param {Load} question */
async function load({ id, program, weights, painter, detector, device: wish }) {
  /** @param {import('./protocol.js').LoadStage} stage */
  const counted = (stage) => (/** @type {number} */ loaded, /** @type {number | null} */ total) =>
    post({ type: 'progress', id, stage, loaded, total });
  // The choice first: an unknown device is refused before anything is fetched.
  let device = await chooseDevice(wish);
  const [wasm, bytes, boxes, mesh] = await Promise.all([
    start(program, counted('program')),
    typeof weights === 'string'
      ? fetchedBytes(weights, WeightsMissingError, 'the weights', counted('weights'))
      : new Uint8Array(weights),
    ...[detector.boxes, detector.mesh].map((address) =>
      fetchedBytes(address, WeightsMissingError, "the face detector's weights", () => {}),
    ),
  ]);
  await breathe(id);
  if (device.kind === 'webgpu') {
    counted('device')(0, null);
    try {
      await wasm.init_webgpu();
    } catch {
      device = cpuBecause(WEBGPU_FAILED);
    }
  }
  const next = makeEngine(wasm, [bytes, boxes, mesh], device);
  engine?.free();
  engine = next;
  waitingPainter = next.synthesises ? painter : null;
  if (device.kind === 'webgpu') {
    // Compiles every pipeline now, so that the first face does not wait for them.
    counted('warm-up')(0, null);
    await addPainter();
    await engine.warm_up();
  }
  const { classes, controls, synthesises } = engine;
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

/** @type {Map<string, Promise<any>>} modules that were started, by address */
const programs = new Map();

/**
 * Fetches and starts the WebAssembly program, once.
 * @param {string} address of wasm-bindgen's module
 * @param {(loaded: number, total: number | null) => void} onBytes
 */
function start(address, onBytes) {
  let running = programs.get(address);
  if (!running) {
    running = startNow(address, onBytes);
    programs.set(address, running);
    running.catch(() => programs.delete(address));
  }
  return running;
}

/**
 * @param {string} address
 * @param {(loaded: number, total: number | null) => void} onBytes
 */
async function startNow(address, onBytes) {
  const wasmAddress = address.replace(/\.js$/, '_bg.wasm');
  const response = fetchCounted(wasmAddress, ProgramMissingError, 'the program', onBytes);
  try {
    const [module, wasm] = await Promise.all([import(address), response]);
    await module.default({ module_or_path: wasm });
    return module;
  } catch (caught) {
    if (caught instanceof ProgramMissingError) throw caught;
    const reason = caught instanceof Error ? caught.message : String(caught);
    throw new ProgramMissingError(
      `The program could not be started (${reason}): reload the page. If that does not help, use a ` +
        'current browser, or ask whoever runs this site whether its files are whole.',
    );
  }
}

/** @param {Recognise} question */
async function recognise({ id, bytes }) {
  if (!engine) throw new ClosedError();
  const begun = performance.now();
  const picture = engine.open(new Uint8Array(bytes));
  const handle = ++handles;
  pictures.set(handle, picture);
  try {
    const decoded = performance.now();
    await breathe(id);
    const finding = performance.now();
    const faces = await picture.find_faces();
    const found = performance.now();
    const data = picture.preview();
    const preview = { width: picture.preview_width, height: picture.preview_height, data };
    const opened = {
      picture: handle,
      width: picture.width,
      height: picture.height,
      preview,
      faces,
      decodeMilliseconds: decoded - begun,
      findMilliseconds: found - finding,
    };
    post({ type: 'opened', id, opened }, [data.buffer]);
    for (let face = 0; face < faces.length; face += 1) {
      const recognition = await recogniseFace(id, picture, face);
      post({ type: 'recognised', id, face, recognition });
    }
  } catch (caught) {
    release(handle);
    throw caught;
  }
  return { picture: handle };
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
  await addPainter();
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
  await addPainter();
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
