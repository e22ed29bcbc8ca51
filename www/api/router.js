// @ts-check
/** @file Which worker answers: the CPU's at once, WebGPU's from when it is ready until it is lost. */

import { Connection } from './connection.js';
import { chooseDevice, CPU_MEANWHILE, cpuBecause, WEBGPU_FAILED, WEBGPU_LOST } from './device.js';
import { ClosedError, DeviceLostError, ProgramCrashedError } from './errors.js';
import { HeldPicture } from './held.js';

/**
 * @typedef {import('./connection.js').AskOptions} AskOptions
 * @typedef {import('./protocol.js').DeviceReport} DeviceReport
 * @typedef {import('./protocol.js').DeviceKind} DeviceKind
 * @typedef {import('./protocol.js').LoadedNetwork} LoadedNetwork
 * @typedef {import('./protocol.js').FromWorker} FromWorker
 * @typedef {import('./protocol.js').Results} Results
 */

/**
 * @typedef {object} RouterOptions
 * @property {string} device `auto`, `webgpu` or `cpu`
 * @property {Record<DeviceKind, string>} programs addresses of the programs' modules
 * @property {import('./files.js').Files} files what both programs load
 * @property {(notice: FromWorker) => void} onNotice hears of the load that is waited for
 * @property {(device: DeviceReport) => void} onDevice hears when another device answers
 * @property {(error: Error) => void} onBroken hears when nothing answers any more
 */

/** The workers of one network. */
export class Router {
  /** @type {RouterOptions} */ #options;
  /** @type {Connection} the worker that opens pictures now */ answering;
  /** @type {Connection | null} WebGPU's worker, beside the CPU's */ #beside = null;
  /** @type {Connection | null} the CPU's worker, where it waits behind WebGPU's */ #spare = null;
  /** @type {Map<number, HeldPicture>} */ #pictures = new Map();
  #handles = 0;
  /** @type {DeviceReport} what computes now */ device;

  /**
   * @param {RouterOptions} options
   * @param {Connection} answering
   * @param {DeviceReport} device
   */
  constructor(options, answering, device) {
    this.#options = options;
    this.answering = answering;
    this.device = device;
    answering.onBroken = (error) => {
      this.close();
      options.onBroken(error);
    };
  }

  /**
   * Starts the worker of the device that is wished for, or for `auto` the CPU's, and WebGPU's behind it.
   * @param {RouterOptions} options
   * @returns {Promise<{router: Router, loaded: LoadedNetwork}>}
   */
  static async load(options) {
    const choice = chooseDevice(options.device);
    if (options.device !== 'auto') return Router.#loadChosen(options, await choice);
    const [{ connection, loaded }, chosen] = await Promise.all([started(options, 'cpu', options.onNotice), choice]);
    const isBoth = chosen.kind === 'webgpu';
    const router = new Router(options, connection, isBoth ? CPU_MEANWHILE : chosen);
    if (isBoth) void router.#join();
    return { router, loaded };
  }

  /**
   * @param {RouterOptions} options
   * @param {DeviceReport} chosen
   * @returns {Promise<{router: Router, loaded: LoadedNetwork}>}
   */
  static async #loadChosen(options, chosen) {
    try {
      const { connection, loaded } = await started(options, chosen.kind, options.onNotice);
      const device = chosen.kind === 'cpu' ? chosen : loaded.device;
      return { router: new Router(options, connection, device), loaded };
    } catch (error) {
      // A browser whose WebGPU breaks the program while it starts has a CPU still.
      if (chosen.kind === 'cpu' || !isOfDevice(error)) throw error;
      return Router.#loadChosen(options, cpuBecause(WEBGPU_FAILED));
    }
  }

  /** Starts WebGPU's worker, which takes over once it has compiled all it needs. */
  async #join() {
    const spare = this.answering;
    try {
      const { connection, loaded } = await started(this.#options, 'webgpu', () => {}, (made) => (this.#beside = made));
      if (loaded.device.kind !== 'webgpu') throw new DeviceLostError(WEBGPU_FAILED);
      connection.onBroken = (error) => this.fallsBack(connection, error);
      this.#spare = spare;
      this.answering = connection;
      this.#report(loaded.device);
    } catch {
      this.#beside?.close();
      if (!spare.ended) this.#report(cpuBecause(WEBGPU_FAILED));
    }
  }

  /**
   * Falls back to the CPU's worker where WebGPU's failed with this error for good; says whether it answers in its
   * place.
   * @param {Connection} connection
   * @param {unknown} error
   */
  fallsBack(connection, error) {
    if (this.#spare === null || connection === this.#spare) return false;
    if (!connection.ended && !isOfDevice(error)) return false;
    if (this.answering === connection && !this.#spare.ended) {
      connection.close();
      this.answering = this.#spare;
      this.#report(cpuBecause(WEBGPU_LOST));
    }
    return !this.#spare.ended;
  }

  /** @param {DeviceReport} device */
  #report(device) {
    this.device = device;
    this.#options.onDevice(device);
  }

  /**
   * Opens a picture and recognises its faces; the numbers in the notices are the router's.
   * @param {import('./held.js').Opening} opening a frame of a film is lost with its worker
   * @param {AskOptions} options
   */
  async recognise(opening, { onNotice, ...options }) {
    const handle = ++this.#handles;
    // A copy for when WebGPU is lost, which a file on the disk might not outlive.
    const isAtRisk = this.#spare && this.answering !== this.#spare;
    const file = isAtRisk && 'bytes' in opening ? new Blob([opening.bytes]) : null;
    const picture = new HeldPicture(this, file);
    this.#pictures.set(handle, picture);
    const renumbered = (/** @type {FromWorker} */ notice) =>
      onNotice?.(notice.type === 'opened' ? { ...notice, opened: { ...notice.opened, picture: handle } } : notice);
    try {
      await picture.open(opening, { ...options, onNotice: renumbered });
    } catch (error) {
      this.#pictures.delete(handle);
      throw error;
    }
  }

  /**
   * @param {number} handle of a picture that was opened, and not released
   * @returns {HeldPicture}
   */
  picture(handle) {
    const picture = this.#pictures.get(handle);
    if (!picture) throw new ClosedError();
    return picture;
  }

  /**
   * Marks pixels, in the next worker where the first is lost.
   * @param {import('./protocol.js').Pixels} pixels
   * @param {AskOptions} options
   * @returns {Promise<ArrayBuffer>}
   */
  async mark(pixels, options) {
    const connection = this.answering;
    try {
      return await connection.ask('mark', { pixels }, options);
    } catch (error) {
      if (!this.fallsBack(connection, error)) throw error;
      return this.mark(pixels, options);
    }
  }

  /**
   * Looks at a frame of a film, of which nothing is kept.
   * @param {import('./connection.js').Asked<'live'>} question
   * @param {AskOptions} options
   * @returns {Promise<Results['live'] | null>} null where the frame was lost with its worker, and another answers
   */
  async live(question, options) {
    const connection = this.answering;
    try {
      return await connection.ask('live', question, { ...options, transfer: [question.frame] });
    } catch (error) {
      if (!this.fallsBack(connection, error)) throw error;
      return null;
    }
  }

  /** Frees what follows the faces of a film. @param {number} tracker */
  async unfollow(tracker) {
    const workers = [this.answering, this.#spare].filter((worker) => worker !== null);
    await Promise.all(workers.map((worker) => worker.ask('unfollow', { tracker }).catch(() => {})));
  }

  /** @param {number} handle */
  async release(handle) {
    const picture = this.#pictures.get(handle);
    this.#pictures.delete(handle);
    await picture?.release();
  }

  /** Ends all workers. */
  close() {
    this.answering.close();
    this.#spare?.close();
    this.#beside?.close();
  }
}

/**
 * A worker that has loaded its program and the network.
 * @param {RouterOptions} options
 * @param {DeviceKind} device
 * @param {(notice: FromWorker) => void} onNotice
 * @param {(connection: Connection) => void} [onMade] gets the worker before it has loaded
 */
async function started({ programs, files }, device, onNotice, onMade) {
  const connection = new Connection();
  onMade?.(connection);
  try {
    const program = programs[device];
    const { decoder, painter } = files.addresses;
    const [loaded] = await Promise.all([files.with(program), connection.ask('prepare', { program })]);
    const question = { ...loaded, decoder, painter, program, device };
    return { connection, loaded: await connection.ask('load', question, { onNotice }) };
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** @param {unknown} error whether another device may still answer */
function isOfDevice(error) {
  return error instanceof ProgramCrashedError || error instanceof DeviceLostError;
}
