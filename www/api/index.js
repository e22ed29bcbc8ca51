// @ts-check
/**
 * @file FERSNet for pages: recognises the expressions in a picture and synthesises its faces with other
 * ones, in a worker, on the visitor's own device. No picture leaves the page.
 *
 *     const net = await FersNet.load();
 *     const picture = await net.recognise(await file.arrayBuffer());
 *     picture.faces[0].expression;                            // 'happiness'
 *     const [surprised] = await net.synthesise(picture.faces[0], ['surprise']);
 *     const png = await net.save(picture, [surprised]);       // marked as synthetic
 */

import { cpuBecause, WEBGPU_FAILED } from './device.js';
import {
  ClosedError,
  CropSizeError,
  DeviceLostError,
  errorOf,
  PictureTooLargeError,
  PictureUnreachableError,
  ProgramCrashedError,
  TargetWeightError,
  WorkerMissingError,
} from './errors.js';
import { wayTo } from './path.js';
import { CANCELLED } from './protocol.js';

export * from './errors.js';

/**
 * @typedef {import('./protocol.js').Results} Results
 * @typedef {import('./protocol.js').Question} Question
 * @typedef {import('./protocol.js').FromWorker} FromWorker
 * @typedef {import('./protocol.js').LoadStage} LoadStage
 * @typedef {import('./protocol.js').DeviceReport} DeviceReport
 * @typedef {import('./protocol.js').FacePlace} FacePlace
 * @typedef {import('./protocol.js').Recognition} Recognition
 * @typedef {import('./protocol.js').GateMap} GateMap
 * @typedef {import('./protocol.js').CoverMap} CoverMap
 */

/**
 * @typedef {object} LoadOptions
 * @property {string | URL | ArrayBuffer | ArrayBufferView<ArrayBuffer>} [weights] address or bytes
 *   of a weight file; addresses are relative to the page
 * @property {string | URL | null} [painter] address of the mouth painter of these weights, where it has a file
 *   of its own; the shipped weights bring theirs. With null, opened mouths are as the network alone draws them
 * @property {{boxes: string | URL, mesh: string | URL}} [detector] addresses of the face detector's
 *   weights
 * @property {string} [device] `auto` (the default), `webgpu` or `cpu`
 * @property {string | URL} [program] address of the program's module
 * @property {(stage: LoadStage, loaded: number, total: number | null) => void} [onProgress]
 * @property {(error: Error) => void} [onBroken] hears of a lost device or a crash once the network
 *   is loaded; load anew then
 */

/**
 * @typedef {string | Record<string, number>} Target an expression, or weights by name: of expressions
 *   (0 to 1; with controls an intensity up to 1.2) and of controls, such as `{ happiness: 0.8, jawOpen: 0.4 }`;
 *   with controls, `own` weighs what the face itself shows: `{ own: 0.6, happiness: 0.4 }`
 */

/**
 * @typedef {object} RecogniseOptions
 * @property {AbortSignal} [signal]
 * @property {(picture: FoundPicture) => void} [onFound] faces are known, not yet recognised; the picture can be
 *   used from here on, unless recognition fails or is aborted
 * @property {(face: ReadFace) => void} [onRecognised]
 * @property {(face: ReadFace) => void} [onReading] deprecated: `onRecognised`
 */

/** @typedef {{signal?: AbortSignal, size?: number}} SynthesiseOptions `size`: side of the crops, 1 to 2048 */

/**
 * A face of a picture, of which only the place is known.
 * @typedef {object} FoundFace
 * @property {FoundPicture} picture
 * @property {number} index
 * @property {import('./protocol.js').Box} box
 * @property {FacePlace['landmarks']} landmarks
 * @property {number} score
 * @property {import('./protocol.js').Point[]} corners
 */

/**
 * What a face shows.
 * @typedef {object} Shown
 * @property {string} expression the likeliest
 * @property {boolean} certain false when the network is not sure
 * @property {Record<string, number>} probabilities by expression
 * @property {Record<string, number>} controls what it shows of each control
 * @property {number} milliseconds the recognition's time
 */

/** @typedef {FoundFace & Shown} ReadFace a face whose expression has been recognised; only such a one can be synthesised */

/**
 * A picture whose faces are known.
 * @typedef {object} FoundPicture
 * @property {number} handle the worker's number for it; 0 once it is released
 * @property {number} width
 * @property {number} height
 * @property {ImageData} preview upright; made smaller where the picture is large
 * @property {FoundFace[]} faces the largest first
 * @property {number} decodeMilliseconds
 * @property {number} findMilliseconds
 */

/**
 * A picture all of whose faces have been recognised.
 * @typedef {Omit<FoundPicture, 'faces'> & {faces: ReadFace[]}} ReadPicture
 */

/**
 * The face with another expression.
 * @typedef {object} SynthesisedFace
 * @property {ReadFace} face
 * @property {Target} target
 * @property {number} synthesised the worker's number for it
 * @property {ImageData} image the face alone, as sharp as the photo
 * @property {number} milliseconds of the batch that it was drawn in
 */

/**
 * A face on its way from the photo to a target; played to the end and backwards it comes home.
 * @typedef {object} Animation
 * @property {ReadFace} face
 * @property {Target} target
 * @property {ImageData[]} frames the face's part of the photo, marked as synthetic; the photo's own first
 * @property {number} size the longer side of the frames, at most
 * @property {number[]} way the worker's numbers for the synthesised faces; none once it is dropped
 */

/**
 * @typedef {object} AnimateOptions
 * @property {AbortSignal} [signal]
 * @property {number} [steps] frames after the photo's own, 1 to 120
 * @property {number} [size] the longer side of the frames, at most, 16 to 1024
 * @property {(frame: ImageData, index: number) => void} [onFrame] hears of each frame, from 0
 */

/** Side of the synthesised crops when nothing else is asked for, in pixels. */
export const CROP_SIZE = 256;

/** The largest side of the synthesised crops, in pixels. */
const MAX_CROP_SIZE = 2048;

/** The most bytes a picture file may have, as in src/picture.rs. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;

/** A network in its worker. */
export class FersNet {
  /** @type {Connection} */ #connection;
  /** Frees the worker's results when the page's object is garbage-collected. */
  #dropped = new FinalizationRegistry((/** @type {Asked<'forget'>} */ place) => this.#forget(place));

  /** @param {Connection} connection @param {Results['load']} loaded */
  constructor(connection, loaded) {
    this.#connection = connection;
    /** @type {readonly string[]} the expressions, in the network's order */
    this.classes = loaded.classes;
    /** @type {readonly string[]} the controls that a target may set; empty for weights without them */
    this.controls = loaded.controls;
    /**
     * @type {Readonly<Record<string, Readonly<Record<string, number>>>>} the expressions as values of controls
     *   (and of `teethShown`), by name; what is not named is 0. Empty for weights without controls
     */
    this.presets = loaded.presets;
    /** @type {boolean} false for a network that only recognises */
    this.synthesises = loaded.synthesises;
    /** @type {DeviceReport} */
    this.device = loaded.device;
  }

  /**
   * Starts the worker and loads the network.
   * @param {LoadOptions} [options]
   * @returns {Promise<FersNet>}
   */
  static async load(options = {}) {
    try {
      return await FersNet.#loadOn(options.device ?? 'auto', options);
    } catch (error) {
      // A browser whose WebGPU breaks the program while it starts has a CPU still.
      const crashed = error instanceof ProgramCrashedError || error instanceof DeviceLostError;
      if (!crashed || options.device === 'cpu') throw error;
      const net = await FersNet.#loadOn('cpu', options);
      net.device = cpuBecause(WEBGPU_FAILED);
      return net;
    }
  }

  /**
   * @param {string} device
   * @param {LoadOptions} options
   */
  static async #loadOn(device, options) {
    const { weights = new URL('../weights/fersnet.safetensors', import.meta.url) } = options;
    const usual = options.weights ? null : new URL('../weights/fersnet-painter.safetensors', import.meta.url);
    const { painter = usual } = options;
    const program = addressOf(options.program ?? new URL('../fersnet.js', import.meta.url));
    const {
      boxes = new URL('../weights/blazeface.safetensors', import.meta.url),
      mesh = new URL('../weights/facemesh.safetensors', import.meta.url),
    } = options.detector ?? {};
    const detector = { boxes: addressOf(boxes), mesh: addressOf(mesh) };
    const { onProgress, onBroken } = options;
    const connection = new Connection();
    try {
      const loaded = await connection.ask(
        'load',
        {
          program,
          weights: isBytes(weights) ? copied(weights) : addressOf(weights),
          painter: painter && addressOf(painter),
          detector,
          device,
        },
        {
          onNotice: (notice) => {
            if (notice.type === 'progress') onProgress?.(notice.stage, notice.loaded, notice.total);
          },
        },
      );
      // Until here the promise tells, and a load that breaks on WebGPU may still succeed on the CPU.
      connection.onBroken = onBroken;
      return new FersNet(connection, loaded);
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /**
   * Finds all faces of a picture file (JPEG, PNG, WebP, BMP, GIF) and recognises their expressions.
   * @param {ArrayBuffer | ArrayBufferView<ArrayBuffer> | Blob} file its bytes are copied
   * @param {RecogniseOptions} [options]
   * @returns {Promise<ReadPicture>}
   */
  async recognise(file, { signal, onFound, onReading, onRecognised = onReading } = {}) {
    const bytes = await bytesOf(file);
    /** @type {FoundPicture | undefined} */
    let picture;
    /** @type {ReadFace[]} */
    const faces = [];
    await this.#connection.ask(
      'recognise',
      { bytes },
      {
        signal,
        transfer: [bytes],
        onNotice: (notice) => {
          if (notice.type === 'opened') {
            picture = pictureFrom(notice.opened);
            onFound?.(picture);
          } else if (notice.type === 'recognised' && picture) {
            const face = Object.assign(picture.faces[notice.face], this.#shown(notice.recognition));
            faces.push(face);
            onRecognised?.(face);
          }
        },
      },
    );
    if (!picture) throw new ClosedError();
    return Object.assign(picture, { faces });
  }

  /**
   * Recognises the whole picture as if it were one face, and adds it to the picture's faces, once.
   * @param {FoundPicture} picture
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Promise<ReadFace>}
   */
  async recogniseWhole(picture, { signal } = {}) {
    const question = { picture: picture.handle };
    const { face: index, place, recognition } = await this.#connection.ask('whole', question, { signal });
    const shown = this.#shown(recognition);
    return Object.assign((picture.faces[index] ??= { picture, index, ...place, ...shown }), shown);
  }

  /**
   * Synthesises a face with other expressions, once for each target, all in one batch.
   * @param {ReadFace} face
   * @param {readonly Target[]} [targets] every class, when left out
   * @param {SynthesiseOptions} [options]
   * @returns {Promise<SynthesisedFace[]>}
   */
  async synthesise(face, targets = this.classes, { signal, size = CROP_SIZE } = {}) {
    if (!Number.isInteger(size) || size < 1 || size > MAX_CROP_SIZE) {
      throw new CropSizeError(`No crop has the side ${size}: give a whole number from 1 to ${MAX_CROP_SIZE}.`);
    }
    const { crops, milliseconds } = await this.#connection.ask(
      'synthesise',
      {
        picture: face.picture.handle,
        face: face.index,
        targets: targets.map((target) => this.#weightsOf(target)),
        size,
      },
      { signal },
    );
    return crops.map(({ synthesised, pixels }, i) => {
      const made = { face, target: targets[i], synthesised, image: imageFrom(pixels), milliseconds };
      this.#dropped.register(made, placeOf(made), made);
      return made;
    });
  }

  /**
   * Frees what the worker keeps of a synthesised face; it can be composed and saved no more. Without a
   * call it is freed some time after the page has dropped it.
   * @param {SynthesisedFace} synthesised
   */
  async forget(synthesised) {
    this.#dropped.unregister(synthesised);
    await this.#forget(placeOf(synthesised));
  }

  /** @param {Asked<'forget'>} place */
  async #forget(place) {
    // A worker that has ended holds nothing any more.
    await this.#connection.ask('forget', place).catch(() => {});
  }

  /**
   * The preview with synthesised faces put back into it.
   * @param {FoundPicture} picture
   * @param {readonly SynthesisedFace[]} changes at most one a face
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Promise<ImageData>}
   */
  async compose(picture, changes, { signal } = {}) {
    const question = { picture: picture.handle, changes: changesOf(changes) };
    return imageFrom(await this.#connection.ask('compose', question, { signal }));
  }

  /**
   * The full picture with synthesised faces put back into it, as a PNG file that carries the mark of a
   * synthetic picture, visibly and in its metadata.
   * @param {FoundPicture} picture
   * @param {readonly SynthesisedFace[]} changes at most one a face
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Promise<Blob>}
   */
  async save(picture, changes, { signal } = {}) {
    const question = { picture: picture.handle, changes: changesOf(changes) };
    return new Blob([await this.#connection.ask('save', question, { signal })], { type: 'image/png' });
  }

  /**
   * The gates between the two branches for a face, shallowest level first: how much the one let in of the other.
   * @param {FoundFace} face
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Promise<GateMap[]>} none for a network without such gates
   */
  gates(face, { signal } = {}) {
    return this.#connection.ask('gates', { picture: face.picture.handle, face: face.index }, { signal });
  }

  /**
   * What the probability of a face's expression falls by where a grey patch covers a part of the face.
   * @param {ReadFace} face
   * @param {{signal?: AbortSignal, onProgress?: (rows: number, of: number) => void}} [options]
   * @returns {Promise<CoverMap>} of the square whose corners the face gives
   */
  cover(face, { signal, onProgress } = {}) {
    const question = { picture: face.picture.handle, face: face.index };
    const onNotice = (/** @type {FromWorker} */ notice) => {
      if (notice.type === 'covered') onProgress?.(notice.rows, notice.of);
    };
    return this.#connection.ask('cover', question, { signal, onNotice });
  }

  /**
   * A face on its way from the photo to a target, eased. Every frame carries the visible mark.
   * @param {ReadFace} face
   * @param {Target} target
   * @param {AnimateOptions} [options]
   * @returns {Promise<Animation>} to be dropped by `dropAnimation`
   */
  async animate(face, target, { signal, steps = 24, size = 480, onFrame } = {}) {
    if (!(steps >= 1 && steps <= 120 && size >= 16 && size <= 1024)) {
      throw new CropSizeError(`An animation has 1 to 120 steps and a size of 16 to 1024; ${steps} and ${size} were given.`);
    }
    const targets = wayTo(face, this.#weightsOf(target), this, Math.round(steps));
    /** @type {ImageData[]} */
    const frames = [];
    const { way } = await this.#connection.ask(
      'animate',
      { picture: face.picture.handle, face: face.index, targets, size: Math.round(size) },
      {
        signal,
        onNotice: (notice) => {
          if (notice.type !== 'frame') return;
          frames.push(imageFrom(notice.pixels));
          onFrame?.(frames[frames.length - 1], notice.index);
        },
      },
    );
    return { face, target, frames, size: Math.round(size), way };
  }

  /**
   * An animation as a GIF file that goes there and back, marked in every frame and in its metadata.
   * @param {Animation} animation
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Promise<Blob>}
   */
  async saveAnimation({ face, way, size }, { signal } = {}) {
    const question = { picture: face.picture.handle, face: face.index, way, size };
    return new Blob([await this.#connection.ask('gif', question, { signal })], { type: 'image/gif' });
  }

  /**
   * Frees what the worker keeps of an animation; it can be saved no more.
   * @param {Animation} animation
   */
  async dropAnimation(animation) {
    const { face, way } = animation;
    animation.way = [];
    const place = { picture: face.picture.handle, face: face.index };
    await Promise.all(way.map((synthesised) => this.#forget({ ...place, synthesised })));
  }

  /**
   * Frees a picture's memory; its faces cannot be synthesised any more.
   * @param {FoundPicture} picture
   */
  async release(picture) {
    const { handle } = picture;
    picture.handle = 0;
    // A worker that has ended holds nothing any more.
    if (handle) await this.#connection.ask('release', { picture: handle }).catch(() => {});
  }

  /**
   * @deprecated `recognise`
   * @param {ArrayBuffer | ArrayBufferView<ArrayBuffer> | Blob} file
   * @param {RecogniseOptions} [options]
   */
  read(file, options) {
    return this.recognise(file, options);
  }

  /**
   * @deprecated `recogniseWhole`
   * @param {FoundPicture} picture
   * @param {{signal?: AbortSignal}} [options]
   */
  readWhole(picture, options) {
    return this.recogniseWhole(picture, options);
  }

  /**
   * @deprecated `synthesise`
   * @param {ReadFace} face
   * @param {readonly Target[]} [targets]
   * @param {SynthesiseOptions} [options]
   */
  redraw(face, targets, options) {
    return this.synthesise(face, targets, options);
  }

  /** @deprecated `synthesises` */
  get redraws() {
    return this.synthesises;
  }

  /** Ends the worker and frees all that it holds. */
  close() {
    this.#connection.close();
  }

  /** @param {Target} target @returns {Record<string, number>} */
  #weightsOf(target) {
    const wanted = typeof target === 'string' ? { [target]: 1 } : target;
    for (const [name, weight] of Object.entries(wanted)) {
      // The program checks names and ranges; it would take no other type for a number.
      if (typeof weight !== 'number') {
        throw new TargetWeightError(`The weight of "${name}" is ${weight}: give a number.`);
      }
    }
    return wanted;
  }

  /**
   * A recognition by names.
   * @param {Recognition} recognition
   * @returns {Shown}
   */
  #shown({ expression, certain, probabilities, controls, milliseconds }) {
    return {
      expression: this.classes[expression],
      certain,
      probabilities: Object.fromEntries(this.classes.map((name, i) => [name, probabilities[i]])),
      controls: Object.fromEntries(this.controls.map((name, i) => [name, controls[i]])),
      milliseconds,
    };
  }
}

/**
 * @param {import('./protocol.js').OpenedPicture} opened
 * @returns {FoundPicture}
 */
function pictureFrom({ picture: handle, preview, faces, ...rest }) {
  /** @type {FoundPicture} */
  const picture = { handle, preview: imageFrom(preview), faces: [], ...rest };
  picture.faces = faces.map((place, index) => ({ picture, index, ...place }));
  return picture;
}

/** @param {import('./protocol.js').Pixels} pixels */
function imageFrom({ data, width, height }) {
  return new ImageData(data, width, height);
}

/** @param {SynthesisedFace} synthesised @returns {Asked<'forget'>} */
function placeOf({ face, synthesised }) {
  return { picture: face.picture.handle, face: face.index, synthesised };
}

/** @param {readonly SynthesisedFace[]} changes */
function changesOf(changes) {
  return changes.map(({ face, synthesised }) => ({ face: face.index, synthesised }));
}

/**
 * @param {ArrayBuffer | ArrayBufferView<ArrayBuffer> | Blob} file
 * @returns {Promise<ArrayBuffer>}
 */
async function bytesOf(file) {
  const size = file instanceof Blob ? file.size : file.byteLength;
  if (size > MAX_FILE_BYTES) {
    const mebibytes = MAX_FILE_BYTES / 1024 / 1024;
    throw new PictureTooLargeError(
      `The file has ${size} bytes, more than the ${mebibytes} MiB that are read: save it smaller first.`,
    );
  }
  if (!(file instanceof Blob)) return copied(file);
  try {
    return await file.arrayBuffer();
  } catch {
    // A folder, or a file that was moved or changed since it was chosen.
    throw new PictureUnreachableError();
  }
}

/**
 * @param {unknown} value
 * @returns {value is ArrayBuffer | ArrayBufferView<ArrayBuffer>}
 */
function isBytes(value) {
  return value instanceof ArrayBuffer || ArrayBuffer.isView(value);
}

/**
 * @param {ArrayBuffer | ArrayBufferView<ArrayBuffer>} bytes
 * @returns {ArrayBuffer}
 */
function copied(bytes) {
  if (bytes instanceof ArrayBuffer) return bytes.slice(0);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}

/**
 * The full address: the worker would take a relative one from its own folder.
 * @param {string | URL} address
 */
function addressOf(address) {
  return new URL(address, document.baseURI).href;
}

/**
 * @typedef {object} Pending
 * @property {(result: any) => void} resolve
 * @property {(error: Error) => void} reject
 * @property {(notice: FromWorker) => void} [onNotice]
 */

/**
 * @template {Question['type']} T
 * @typedef {Omit<Extract<Question, {type: T}>, 'type' | 'id'>} Asked
 */

/**
 * @typedef {object} AskOptions
 * @property {AbortSignal} [signal]
 * @property {Transferable[]} [transfer]
 * @property {(notice: FromWorker) => void} [onNotice]
 */

/** The worker, and the questions it has not yet answered. */
class Connection {
  /** @type {Map<number, Pending>} */ #pending = new Map();
  #ids = 0;
  /** @type {Error | null} */ #end = null;
  /** @type {Worker} */ #worker;
  /** @type {((error: Error) => void) | undefined} */ onBroken;

  constructor() {
    this.#worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
    this.#worker.addEventListener('message', (/** @type {MessageEvent<FromWorker>} */ event) => {
      const message = event.data;
      if (message.type === 'broken') {
        const error = errorOf(message.code, message.message);
        this.#finish(error);
        this.onBroken?.(error);
      } else {
        this.#settle(message);
      }
    });
    this.#worker.addEventListener('error', (event) => {
      event.preventDefault();
      const error = new WorkerMissingError();
      this.#finish(error);
      this.onBroken?.(error);
    });
  }

  /**
   * @template {Question['type']} T
   * @param {T} type
   * @param {Asked<T>} question
   * @param {AskOptions} [options]
   * @returns {Promise<Results[T]>}
   */
  ask(type, question, { signal, transfer = [], onNotice } = {}) {
    if (this.#end) return Promise.reject(this.#end);
    if (signal?.aborted) return Promise.reject(signal.reason);
    const id = ++this.#ids;
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#pending.delete(id);
        this.#worker.postMessage({ type: 'cancel', id });
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', abort, { once: true });
      const settled = () => signal?.removeEventListener('abort', abort);
      this.#pending.set(id, {
        resolve: (result) => (settled(), resolve(result)),
        reject: (error) => (settled(), reject(error)),
        onNotice,
      });
      this.#worker.postMessage({ type, id, ...question }, transfer);
    });
  }

  close() {
    this.#finish(new ClosedError());
  }

  /** @param {Exclude<FromWorker, {type: 'broken'}>} message */
  #settle(message) {
    const pending = this.#pending.get(message.id);
    if (!pending) {
      // The answer to a question that was taken back too late: its picture is not needed.
      if (message.type === 'done' && message.result?.picture) {
        void this.ask('release', { picture: message.result.picture }).catch(() => {});
      }
      return;
    }
    if (message.type === 'done') {
      this.#pending.delete(message.id);
      pending.resolve(message.result);
    } else if (message.type === 'failed') {
      this.#pending.delete(message.id);
      if (message.code !== CANCELLED) pending.reject(errorOf(message.code, message.message));
    } else {
      pending.onNotice?.(message);
    }
  }

  /** @param {Error} error */
  #finish(error) {
    if (this.#end) return;
    this.#end = error;
    this.#worker.terminate();
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}
