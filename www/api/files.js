// @ts-check
/**
 * @file What the workers load, fetched by the page while they start: the program is compiled as it comes, and each
 * file is fetched once for both devices.
 */

import { ProgramMissingError, WeightsMissingError } from './errors.js';
import { fetchedBytes, fetchedResponse } from './fetch.js';

/** @typedef {import('./protocol.js').LoadStage} LoadStage */
/** @typedef {(stage: LoadStage, loaded: number, total: number | null) => void} OnProgress */

/**
 * Where the files are; weights may be bytes.
 * @typedef {object} Addresses
 * @property {string | ArrayBuffer} weights
 * @property {string | null} decoder
 * @property {string | null} painter
 * @property {{boxes: string, mesh: string}} detector
 */

/**
 * What a network is made of.
 * @typedef {object} Loaded
 * @property {WebAssembly.Module} module
 * @property {Uint8Array} weights
 * @property {Uint8Array} boxes
 * @property {Uint8Array} mesh
 */

/** The files of a network. */
export class Files {
  #onProgress;
  /** @type {Map<string, Promise<any>>} by address; what failed is asked for again */ #asked = new Map();

  /** @param {Addresses} addresses @param {OnProgress} onProgress */
  constructor(addresses, onProgress) {
    this.addresses = addresses;
    this.#onProgress = onProgress;
  }

  /**
   * All that is needed to recognise faces.
   * @param {string} program address of wasm-bindgen's module; the .wasm lies beside it
   * @returns {Promise<Loaded>}
   */
  async with(program) {
    const { weights: given, detector } = this.addresses;
    const ofDetector = "the face detector's weights";
    const [module, weights, boxes, mesh] = await Promise.all([
      this.#once(program, () => compiled(program, (...bytes) => this.#onProgress('program', ...bytes))),
      typeof given === 'string' ? this.#bytes(given, 'the weights', 'weights') : new Uint8Array(given),
      this.#bytes(detector.boxes, ofDetector),
      this.#bytes(detector.mesh, ofDetector),
    ]);
    return { module, weights, boxes, mesh };
  }

  /**
   * @param {string} address
   * @param {string} what
   * @param {LoadStage} [stage] whose progress is told
   * @returns {Promise<Uint8Array>}
   */
  #bytes(address, what, stage) {
    const onBytes = (/** @type {number} */ loaded, /** @type {number | null} */ total) => {
      if (stage) this.#onProgress(stage, loaded, total);
    };
    return this.#once(address, () => fetchedBytes(address, WeightsMissingError, what, onBytes));
  }

  /**
   * @template T
   * @param {string} address
   * @param {() => Promise<T>} ask
   * @returns {Promise<T>}
   */
  #once(address, ask) {
    const known = this.#asked.get(address) ?? ask();
    this.#asked.set(address, known);
    known.catch(() => this.#asked.delete(address));
    return known;
  }
}

/**
 * A program, compiled while it comes. The browser gets the server's own answer, so that it may keep what it compiled.
 * @param {string} address of wasm-bindgen's module
 * @param {import('./fetch.js').OnBytes} onBytes
 * @returns {Promise<WebAssembly.Module>}
 */
async function compiled(address, onBytes) {
  const wasm = address.replace(/\.js$/, '_bg.wasm');
  const { response, total } = await fetchedResponse(wasm, ProgramMissingError, 'the program');
  onBytes(0, total);
  try {
    const isTyped = response.headers.get('content-type')?.startsWith('application/wasm');
    const module = isTyped
      ? await WebAssembly.compileStreaming(response)
      : await WebAssembly.compile(await response.arrayBuffer());
    onBytes(total ?? 0, total);
    return module;
  } catch (caught) {
    throw ProgramMissingError.notStarted(caught);
  }
}
