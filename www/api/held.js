// @ts-check
/** @file A picture that is open in a worker, and is opened again in the next one when that worker is lost. */

import { ClosedError, FersNetError } from './errors.js';

/**
 * @typedef {import('./connection.js').AskOptions} AskOptions
 * @typedef {import('./connection.js').Connection} Connection
 * @typedef {import('./protocol.js').Change} Change
 * @typedef {import('./protocol.js').Results} Results
 */

/**
 * Who answers.
 * @typedef {object} Answering
 * @property {Connection} answering the worker that opens pictures now
 * @property {(connection: Connection, error: unknown) => boolean} fallsBack whether another worker answers in
 *   place of one that failed with this error
 */

/** @typedef {{connection: Connection, handle: number}} Place where the picture is open, and its number there */

/** @typedef {{bytes: ArrayBuffer} | {frame: ImageBitmap, tracker: number}} Opening a file, or a frame of a film */

/**
 * A synthesised face.
 * @typedef {object} Made
 * @property {number} face
 * @property {Record<string, number>} target
 * @property {Place} place where it was synthesised last
 * @property {number} number its number there
 */

/** A picture, whichever worker has it open. */
export class HeldPicture {
  #workers;
  /** The file, where a worker may be lost. @type {Blob | null} */ #file;
  /** @type {Promise<Place>} */ #place = Promise.reject(new ClosedError());
  /** Whether the whole picture is one of its faces. */ #isWhole = false;
  /** @type {Map<number, Made>} by numbers of the page's own */ #made = new Map();
  #numbers = 0;

  /**
   * @param {Answering} workers
   * @param {Blob | null} file kept where a worker may be lost
   */
  constructor(workers, file) {
    this.#workers = workers;
    this.#file = file;
    this.#place.catch(() => {});
  }

  /**
   * Opens a file, or a frame of a film, in the worker that answers now and recognises its faces; questions wait until
   * then. When the worker is lost meanwhile, the next one begins anew with a file, notices included.
   * @param {Opening} opening
   * @param {AskOptions} options
   */
  async open(opening, options) {
    const place = this.#recognise(opening, options);
    this.#place = place.catch(() => Promise.reject(new ClosedError()));
    this.#place.catch(() => {});
    await place;
  }

  /**
   * @param {AskOptions} [options]
   * @returns {Promise<Results['whole']>}
   */
  async whole(options) {
    const answer = await this.#ask((place) => this.#askAt(place, 'whole', {}, options));
    this.#isWhole = true;
    return answer;
  }

  /**
   * @param {{face: number, targets: Record<string, number>[], size: number}} question
   * @param {AskOptions} [options]
   * @returns {Promise<Results['synthesise']>}
   */
  synthesise(question, options) {
    return this.#ask(async (place) => {
      const { crops, milliseconds } = await this.#askAt(place, 'synthesise', question, options);
      const { face, targets } = question;
      const numbered = crops.map(({ synthesised: number, pixels }, i) => {
        const synthesised = this.#keep({ face, target: targets[i], place, number });
        return { synthesised, pixels };
      });
      return { crops: numbered, milliseconds };
    });
  }

  /**
   * @param {AskOptions} [options]
   * @returns {Promise<Results['check']>}
   */
  check(options) {
    return this.#ask((place) => this.#askAt(place, 'check', {}, options));
  }

  /**
   * What a face's answer came from.
   * @template {'gates' | 'cover'} T
   * @param {T} type
   * @param {number} face
   * @param {AskOptions} [options]
   * @returns {Promise<Results[T]>}
   */
  explained(type, face, options) {
    return this.#ask((place) => this.#askAt(place, type, { face }, options));
  }

  /**
   * @param {{face: number, targets: Record<string, number>[], size: number}} question
   * @param {AskOptions} [options]
   * @returns {Promise<Results['animate']>}
   */
  animate(question, options) {
    return this.#ask(async (place) => {
      const { way } = await this.#askAt(place, 'animate', question, options);
      const { face, targets } = question;
      return { way: way.map((number, i) => this.#keep({ face, target: targets[i], place, number })) };
    });
  }

  /**
   * @param {{face: number, way: number[], size: number}} question
   * @param {AskOptions} [options]
   * @returns {Promise<Results['gif']>}
   */
  gif({ face, way, size }, options) {
    return this.#ask(async (place) => {
      const made = this.#known(way);
      const elsewhere = made.filter((one) => one.place !== place);
      if (elsewhere.length > 0) await this.#makeAgain(elsewhere, place);
      return this.#askAt(place, 'gif', { face, way: made.map(({ number }) => number), size }, options);
    });
  }

  /**
   * @template {'compose' | 'save'} T
   * @param {T} type
   * @param {Change[]} changes
   * @param {AskOptions} [options]
   * @returns {Promise<Results[T]>}
   */
  changed(type, changes, options) {
    return this.#ask(async (place) => {
      const made = this.#known(changes.map(({ synthesised }) => synthesised));
      // Nothing is waited for without need, so that questions reach the worker in their order.
      const elsewhere = made.filter((one) => one.place !== place);
      if (elsewhere.length > 0) await this.#makeAgain(elsewhere, place);
      const there = made.map(({ face, number }) => ({ face, synthesised: number }));
      return this.#askAt(place, type, { changes: there }, options);
    });
  }

  /** @param {number} synthesised */
  async forget(synthesised) {
    const made = this.#made.get(synthesised);
    this.#made.delete(synthesised);
    if (made) await this.#askAt(made.place, 'forget', { face: made.face, synthesised: made.number });
  }

  async release() {
    await this.#askAt(await this.#place, 'release', {});
  }

  /**
   * Asks where the picture is open; where that worker is lost, once more in the next one.
   * @template R
   * @param {(place: Place) => Promise<R>} question
   * @returns {Promise<R>}
   */
  async #ask(question) {
    const opening = this.#place;
    const place = await opening;
    try {
      return await question(place);
    } catch (error) {
      if (!this.#workers.fallsBack(place.connection, error) || !this.#file) throw error;
      // Several questions may find it lost at once.
      if (this.#place === opening) this.#place = this.#openedAgain(this.#file);
      return this.#ask(question);
    }
  }

  /**
   * @template {'whole' | 'check' | 'synthesise' | 'gates' | 'cover' | 'animate' | 'gif' | 'compose' | 'save' | 'forget' | 'release'} T
   * @param {Place} place
   * @param {T} type
   * @param {object} question all but the picture
   * @param {AskOptions} [options]
   * @returns {Promise<Results[T]>}
   */
  #askAt({ connection, handle }, type, question, options) {
    const asked = /** @type {import('./connection.js').Asked<T>} */ ({ ...question, picture: handle });
    return connection.ask(type, asked, options);
  }

  /**
   * @param {Opening} opening
   * @param {AskOptions} options
   * @returns {Promise<Place>}
   */
  async #recognise(opening, options) {
    const connection = this.#workers.answering;
    try {
      const { picture: handle } =
        'bytes' in opening
          ? await connection.ask('recognise', opening, { ...options, transfer: [opening.bytes] })
          : await connection.ask('follow', opening, { ...options, transfer: [opening.frame] });
      return { connection, handle };
    } catch (error) {
      if (!this.#workers.fallsBack(connection, error) || !this.#file) throw error;
      return this.#recognise({ bytes: await this.#file.arrayBuffer() }, options);
    }
  }

  /**
   * The picture in the worker that answers now, with the faces that it had; synthesised ones are made again when
   * they are asked for.
   * @param {Blob} file
   */
  async #openedAgain(file) {
    const place = await this.#recognise({ bytes: await file.arrayBuffer() }, {});
    if (this.#isWhole) await this.#askAt(place, 'whole', {});
    return place;
  }

  /** @param {Made} made @returns {number} its number on the page */
  #keep(made) {
    const synthesised = this.#numbers++;
    this.#made.set(synthesised, made);
    return synthesised;
  }

  /** @param {number[]} numbers of synthesised faces, on the page */
  #known(numbers) {
    return numbers.map((number) => {
      const made = this.#made.get(number);
      if (!made) throw new FersNetError('This face was not synthesised of this picture, or it has been forgotten.');
      return made;
    });
  }

  /**
   * @param {Made[]} all
   * @param {Place} place where they are synthesised once more
   */
  async #makeAgain(all, place) {
    for (const made of all) {
      const question = { face: made.face, targets: [made.target], size: 1 };
      const { crops } = await this.#askAt(place, 'synthesise', question);
      Object.assign(made, { place, number: crops[0].synthesised });
    }
  }
}
