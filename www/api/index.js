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

import {
  ClosedError,
  CropSizeError,
  PictureTooLargeError,
  PictureUnreachableError,
  TargetWeightError,
} from './errors.js';
import { Files } from './files.js';
import { wayTo } from './path.js';
import { Router } from './router.js';

export * from './errors.js';

/**
 * @typedef {import('./protocol.js').LoadedNetwork} LoadedNetwork
 * @typedef {import('./protocol.js').LoadStage} LoadStage
 * @typedef {import('./protocol.js').FromWorker} FromWorker
 * @typedef {import('./protocol.js').DeviceReport} DeviceReport
 * @typedef {import('./protocol.js').FacePlace} FacePlace
 * @typedef {import('./protocol.js').Recognition} Recognition
 * @typedef {import('./protocol.js').GateMap} GateMap
 * @typedef {import('./protocol.js').CoverMap} CoverMap
 * @typedef {import('./protocol.js').Check} Check
 */

/**
 * @typedef {object} LoadOptions
 * @property {string | URL | ArrayBuffer | ArrayBufferView<ArrayBuffer>} [weights] address or bytes
 *   of a weight file; addresses are relative to the page
 * @property {string | URL | null} [decoder] address of the decoder of these weights, where it has a file of its
 *   own; the shipped weights bring theirs. It is fetched after the first answer; with null, faces are recognised only
 * @property {string | URL | null} [painter] address of the mouth painter of these weights, where it has a file
 *   of its own; the shipped weights bring theirs. With null, opened mouths are as the network alone draws them
 * @property {{boxes: string | URL, mesh: string | URL}} [detector] addresses of the face detector's
 *   weights
 * @property {string} [device] `webgpu`, `cpu` or `auto` (the default): the CPU at once, and WebGPU as soon as it is
 *   ready, where the browser has it on a real GPU; when that is lost, the CPU again
 * @property {string | URL} [program] address of the module of the program for the CPU
 * @property {string | URL} [gpuProgram] of the one that has WebGPU
 * @property {(stage: LoadStage, loaded: number, total: number | null) => void} [onProgress]
 * @property {(device: DeviceReport) => void} [onDevice] hears when another device answers, once the network is loaded
 * @property {(error: Error) => void} [onBroken] hears, once the network is loaded, of what ends it: a crash, or the
 *   loss of a device that was asked for by name; load anew then
 */

/**
 * @typedef {string | Record<string, number>} Target an expression, or weights by name: of expressions
 *   (0 to 1; with controls an intensity up to 1.2) and of controls, such as `{ happiness: 0.8, jawOpen: 0.4 }`;
 *   with controls, `own` weighs what the face itself shows: `{ own: 0.6, happiness: 0.4 }`
 */

/**
 * @typedef {object} RecogniseOptions
 * @property {AbortSignal} [signal]
 * @property {(picture: FoundPicture) => void} [onFound] the first faces are known, not yet recognised; the picture
 *   can be used from here on, unless recognition fails or is aborted
 * @property {(faces: FoundFace[]) => void} [onMore] smaller faces were found, and added to the picture's
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
 * @property {number} [id] in a film, the number that the face keeps while it is followed
 */

/**
 * What a face shows.
 * @typedef {object} Shown
 * @property {string} expression the likeliest
 * @property {boolean} certain false when the network is not sure
 * @property {import('./protocol.js').Doubt[]} doubts what about the face makes the answer doubtful; empty for most
 * @property {Record<string, number>} probabilities by expression
 * @property {Record<string, number>} controls what it shows of each control
 * @property {number} milliseconds the recognition's time
 */

/** @typedef {FoundFace & Shown} ReadFace a face whose expression has been recognised; only such a one can be synthesised */

/**
 * A picture whose faces are known.
 * @typedef {object} FoundPicture
 * @property {number} handle its number; 0 once it is released
 * @property {number} width
 * @property {number} height
 * @property {ImageData} preview upright; made smaller where the picture is large
 * @property {FoundFace[]} faces as they were found: large ones first
 * @property {import('./protocol.js').FileNote} [file] how a file became this picture; none of a film's frames
 * @property {number} decodeMilliseconds
 * @property {number} findMilliseconds
 */

/**
 * A picture all of whose faces have been recognised.
 * @typedef {Omit<FoundPicture, 'faces'> & {faces: ReadFace[]}} ReadPicture
 */

/**
 * The faces of a film.
 * @typedef {object} FilmFaces
 * @property {(frame: ImageBitmap, options?: {signal?: AbortSignal}) => Promise<ReadPicture>} recognise the next frame,
 *   which is closed; its picture is to be released. A face keeps its `id` while it is followed
 * @property {(frame: ImageBitmap, options?: LiveOptions) => Promise<LiveFrame | null>} live looks at the next frame, which
 *   is closed, and keeps nothing of it: the fastest way. Null where the frame was lost with its device, and the next one
 *   goes to another
 * @property {() => Promise<void>} close
 */

/** @typedef {{target?: Target | null, signal?: AbortSignal}} LiveOptions `target`: what the largest face is to show */

/** @typedef {FacePlace & {index: number} & Shown} LiveFace a face of a frame that was let go */

/**
 * @typedef {object} LiveFrame
 * @property {number} width
 * @property {number} height
 * @property {LiveFace[]} faces the largest first
 * @property {ImageData | null} image the frame with the target in its largest face; null without a target, or a face
 */

/**
 * The face with another expression.
 * @typedef {object} SynthesisedFace
 * @property {ReadFace} face
 * @property {Target} target
 * @property {number} synthesised its number within the picture
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

/** A network in its worker, or in two. */
export class FersNet {
  /** @type {Router} */ #router;
  /** Counts the films. */ #trackers = 0;
  /** Frees the worker's results when the page's object is garbage-collected. */
  #dropped = new FinalizationRegistry((/** @type {Made} */ made) => this.#forget(made));

  /** @param {Router} router @param {LoadedNetwork} loaded */
  constructor(router, loaded) {
    this.#router = router;
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
  }

  /** @returns {DeviceReport} what answers now */
  get device() {
    return this.#router.device;
  }

  /**
   * Starts the worker and loads the network.
   * @param {LoadOptions} [options]
   * @returns {Promise<FersNet>}
   */
  static async load(options = {}) {
    const { device = 'auto', onProgress, onDevice, onBroken } = options;
    const { router, loaded } = await Router.load({
      device,
      programs: {
        cpu: addressOf(options.program ?? new URL('../fersnet-cpu.js', import.meta.url)),
        webgpu: addressOf(options.gpuProgram ?? new URL('../fersnet-gpu.js', import.meta.url)),
      },
      files: new Files(addressesOf(options), (...bytes) => onProgress?.(...bytes)),
      onNotice: (notice) => {
        if (notice.type === 'progress') onProgress?.(notice.stage, notice.loaded, notice.total);
      },
      onDevice: (report) => onDevice?.(report),
      onBroken: (error) => onBroken?.(error),
    });
    return new FersNet(router, loaded);
  }

  /**
   * Finds all faces of a picture file (JPEG, PNG, WebP, BMP, GIF, and HEIC, AVIF and JPEG XL where the browser reads
   * them) and recognises their expressions.
   * @param {ArrayBuffer | ArrayBufferView<ArrayBuffer> | Blob} file its bytes are copied
   * @param {RecogniseOptions} [options]
   * @returns {Promise<ReadPicture>}
   */
  async recognise(file, { onReading, onRecognised = onReading, ...options } = {}) {
    return this.#recognise({ bytes: await bytesOf(file) }, { onRecognised, ...options });
  }

  /**
   * Follows the faces of a film, such as a camera's, from frame to frame: several times faster than finding them in
   * each.
   * @returns {FilmFaces}
   */
  followFaces() {
    const tracker = ++this.#trackers;
    return {
      recognise: (frame, { signal } = {}) => this.#recognise({ frame, tracker }, { signal }),
      live: (frame, options) => this.#live(frame, tracker, options),
      close: () => this.#router.unfollow(tracker),
    };
  }

  /**
   * @param {ImageBitmap} frame
   * @param {number} tracker
   * @param {LiveOptions} [options]
   * @returns {Promise<LiveFrame | null>}
   */
  async #live(frame, tracker, { target = null, signal } = {}) {
    const question = { frame, tracker, target: target === null ? null : this.#weightsOf(target) };
    const seen = await this.#router.live(question, { signal });
    if (!seen) return null;
    const { width, height, mirrored } = seen;
    const faces = seen.faces.map((face, index) => ({ index, ...face, ...this.#shown(face) }));
    return { width, height, faces, image: mirrored && imageFrom(mirrored) };
  }

  /**
   * @param {import('./held.js').Opening} opening
   * @param {RecogniseOptions} options
   * @returns {Promise<ReadPicture>}
   */
  async #recognise(opening, { signal, onFound, onMore, onRecognised }) {
    /** @type {FoundPicture | undefined} */
    let picture;
    /** @type {ReadFace[]} */
    const faces = [];
    await this.#router.recognise(opening, {
      signal,
      onNotice: (notice) => {
        // When WebGPU is lost the CPU begins anew: what is known already stays.
        if (notice.type === 'opened' && !picture) {
          picture = pictureFrom(notice.opened);
          onFound?.(picture);
        } else if (notice.type === 'found' && picture) {
          const more = addFaces(picture, notice);
          if (more.length > 0) onMore?.(more);
        } else if (notice.type === 'recognised' && picture && !faces[notice.face]) {
          const face = Object.assign(picture.faces[notice.face], this.#shown(notice.recognition));
          faces.push(face);
          onRecognised?.(face);
        }
      },
    });
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
    const { face: index, place, recognition } = await this.#router.picture(picture.handle).whole({ signal });
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
    const weights = targets.map((target) => this.#weightsOf(target));
    const question = { face: face.index, targets: weights, size };
    const { crops, milliseconds } = await this.#router.picture(face.picture.handle).synthesise(question, { signal });
    return crops.map(({ synthesised, pixels }, i) => {
      const made = { face, target: targets[i], synthesised, image: imageFrom(pixels), milliseconds };
      this.#dropped.register(made, madeOf(made), made);
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
    await this.#forget(madeOf(synthesised));
  }

  /** @param {Made} made */
  async #forget({ picture, synthesised }) {
    try {
      await this.#router.picture(picture).forget(synthesised);
    } catch {
      // A worker that has ended holds nothing any more, nor one that has released the picture.
    }
  }

  /**
   * The preview with synthesised faces put back into it.
   * @param {FoundPicture} picture
   * @param {readonly SynthesisedFace[]} changes at most one a face
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Promise<ImageData>}
   */
  async compose(picture, changes, { signal } = {}) {
    const held = this.#router.picture(picture.handle);
    return imageFrom(await held.changed('compose', changesOf(changes), { signal }));
  }

  /**
   * The full picture with synthesised faces put back into it, as a PNG file that carries the marks of a
   * synthetic picture: a visible tag, a watermark that is not seen, and metadata. What the photo's own file said of its
   * origin (XMP, C2PA) stays.
   * @param {FoundPicture} picture
   * @param {readonly SynthesisedFace[]} changes at most one a face
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Promise<Blob>}
   */
  async save(picture, changes, { signal } = {}) {
    const held = this.#router.picture(picture.handle);
    return new Blob([await held.changed('save', changesOf(changes), { signal })], { type: 'image/png' });
  }

  /**
   * A picture that a page made of synthesised faces, such as several side by side, as a PNG file with the marks of
   * `save`. The visible one takes a third of the width in the lower left corner.
   * @param {ImageData} image opaque
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Promise<Blob>}
   */
  async mark({ data, width, height }, { signal } = {}) {
    const pixels = { data: new Uint8ClampedArray(data), width, height };
    return new Blob([await this.#router.mark(pixels, { signal })], { type: 'image/png' });
  }

  /**
   * Looks for the marks of a synthetic picture of ours, and tells what else its file says of its origin. That nothing
   * is found does not prove that the picture is genuine.
   * @param {FoundPicture} picture
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Promise<Check>}
   */
  async check(picture, { signal } = {}) {
    return this.#router.picture(picture.handle).check({ signal });
  }

  /**
   * The gates between the two branches for a face, shallowest level first: how much the one let in of the other.
   * @param {FoundFace} face
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Promise<GateMap[]>} none for a network without such gates
   */
  async gates(face, { signal } = {}) {
    return this.#router.picture(face.picture.handle).explained('gates', face.index, { signal });
  }

  /**
   * What the probability of a face's expression falls by where a grey patch covers a part of the face.
   * @param {ReadFace} face
   * @param {{signal?: AbortSignal, onProgress?: (rows: number, of: number) => void}} [options]
   * @returns {Promise<CoverMap>} of the square whose corners the face gives
   */
  async cover(face, { signal, onProgress } = {}) {
    const onNotice = (/** @type {FromWorker} */ notice) => {
      if (notice.type === 'covered') onProgress?.(notice.rows, notice.of);
    };
    return this.#router.picture(face.picture.handle).explained('cover', face.index, { signal, onNotice });
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
    const onNotice = (/** @type {FromWorker} */ notice) => {
      if (notice.type !== 'frame') return;
      frames[notice.index] = imageFrom(notice.pixels);
      onFrame?.(frames[notice.index], notice.index);
    };
    const question = { face: face.index, targets, size: Math.round(size) };
    const { way } = await this.#router.picture(face.picture.handle).animate(question, { signal, onNotice });
    return { face, target, frames, size: Math.round(size), way };
  }

  /**
   * An animation as a GIF file that goes there and back, marked in every frame and in its metadata.
   * @param {Animation} animation
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Promise<Blob>}
   */
  async saveAnimation({ face, way, size }, { signal } = {}) {
    const held = this.#router.picture(face.picture.handle);
    return new Blob([await held.gif({ face: face.index, way, size }, { signal })], { type: 'image/gif' });
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
    await this.#router.release(handle).catch(() => {});
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

  /** Ends the workers and frees all that they hold. */
  close() {
    this.#router.close();
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
  #shown({ expression, certain, doubts, probabilities, controls, milliseconds }) {
    return {
      expression: this.classes[expression],
      certain,
      doubts,
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

/**
 * Adds faces that were found later; those that it knows already are told again when WebGPU was lost.
 * @param {FoundPicture} picture
 * @param {import('./protocol.js').Found} found
 * @returns {FoundFace[]} the new ones
 */
function addFaces(picture, { faces, first, findMilliseconds }) {
  picture.findMilliseconds = findMilliseconds;
  const more = faces.map((place, i) => ({ picture, index: first + i, ...place }));
  const added = more.slice(Math.max(0, picture.faces.length - first));
  picture.faces.push(...added);
  return added;
}

/** @param {import('./protocol.js').Pixels} pixels */
function imageFrom({ data, width, height }) {
  return new ImageData(data, width, height);
}

/** @typedef {{picture: number, synthesised: number}} Made the numbers of a synthesised face and of its picture */

/** @param {SynthesisedFace} synthesised @returns {Made} */
function madeOf({ face, synthesised }) {
  return { picture: face.picture.handle, synthesised };
}

/**
 * The addresses or bytes of what is loaded beside a program.
 * @param {LoadOptions} options
 * @returns {import('./files.js').Addresses}
 */
function addressesOf(options) {
  const { weights = new URL('../weights/fersnet.safetensors', import.meta.url) } = options;
  /** @param {string} part */
  const shipped = (part) => (options.weights ? null : new URL(`../weights/fersnet-${part}.safetensors`, import.meta.url));
  const { decoder = shipped('decoder'), painter = shipped('painter') } = options;
  const {
    boxes = new URL('../weights/blazeface.safetensors', import.meta.url),
    mesh = new URL('../weights/facemesh.safetensors', import.meta.url),
  } = options.detector ?? {};
  return {
    weights: isBytes(weights) ? copied(weights) : addressOf(weights),
    decoder: decoder && addressOf(decoder),
    painter: painter && addressOf(painter),
    detector: { boxes: addressOf(boxes), mesh: addressOf(mesh) },
  };
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
