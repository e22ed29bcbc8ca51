// @ts-check
/** @file One worker, and the questions that it has not yet answered. */

import { ClosedError, errorOf, WorkerMissingError } from './errors.js';
import { CANCELLED } from './protocol.js';

/**
 * @typedef {import('./protocol.js').Question} Question
 * @typedef {import('./protocol.js').FromWorker} FromWorker
 * @typedef {import('./protocol.js').Results} Results
 */

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

/** A worker, and the questions it has not yet answered. */
export class Connection {
  /** @type {Map<number, Pending>} */ #pending = new Map();
  #ids = 0;
  /** @type {Error | null} */ #end = null;
  /** @type {Worker} */ #worker;
  /** @type {((error: Error) => void) | undefined} hears when the worker ends by itself */ onBroken;

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

  /** @returns {boolean} whether the worker has ended, and answers no more */
  get ended() {
    return this.#end !== null;
  }

  /** Ends the worker and frees all that it holds. */
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
