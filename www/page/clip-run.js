// @ts-check
/** @file Recognises the frames of a video, one after the other, and follows their faces. */

import { bmpOf } from './bmp.js';
import { FacesFollowed } from './faces-followed.js';
import { recordOf } from './records.js';
import { Looks } from './shot.js';
import { thumbnailOf } from './thumbnail.js';

/**
 * @typedef {import('../api/index.js').FersNet} FersNet
 * @typedef {import('../api/index.js').ReadFace} ReadFace
 * @typedef {import('./clip-records.js').ClipRecords} ClipRecords
 * @typedef {import('./records.js').Names} Names
 * @typedef {import('./video.js').Frame} Frame
 * @typedef {import('./video.js').Video} Video
 */

/**
 * @typedef {object} RunEvents
 * @property {() => Promise<FersNet>} network the network, once it is loaded
 * @property {(track: number, thumbnail: HTMLCanvasElement) => void} onTrack a face is seen for the first time
 * @property {(done: number, of: number, milliseconds: number) => void} onFrame `milliseconds`: what all of them took,
 *   pauses left out
 */

/** One way through a video. */
export class ClipRun {
  #video;
  #records;
  #names;
  #events;
  #looks = new Looks();
  #followed = new FacesFollowed();
  /** @type {{gone: Promise<void>, goOn: () => void} | null} while it is paused */ #pause = null;

  /**
   * @param {Video} video
   * @param {ClipRecords} records
   * @param {Names} names
   * @param {RunEvents} events
   */
  constructor(video, records, names, events) {
    this.#video = video;
    this.#records = records;
    this.#names = names;
    this.#events = events;
  }

  get isPaused() {
    return this.#pause !== null;
  }

  pause() {
    let goOn = () => {};
    const gone = new Promise((resolve) => (goOn = () => resolve(undefined)));
    this.#pause = { gone, goOn };
  }

  goOn() {
    this.#pause?.goOn();
    this.#pause = null;
  }

  /**
   * @param {number} rate frames a second
   * @param {AbortSignal} signal
   * @returns {Promise<boolean>} whether all frames were recognised
   */
  async go(rate, signal) {
    const video = this.#video;
    const step = Math.max(1, video.rate / rate);
    const of = Math.max(1, Math.ceil((video.frames - 0.5) / step));
    signal.addEventListener('abort', () => this.goOn(), { once: true });
    let last = -1;
    let milliseconds = 0;
    let begun = performance.now();
    let next = video.frame(0);
    for (let i = 0; i < of; i += 1) {
      const frame = await next;
      if (signal.aborted) return false;
      // It is sought and decoded while this one is recognised.
      if (i + 1 < of) next = video.frame(Math.round((i + 1) * step));
      // Told of where it is awaited.
      next.catch(() => {});
      // Where frames are missing, the one before is shown for longer.
      if (frame.seconds > last) await this.#recognise(frame, signal);
      last = frame.seconds;
      if (signal.aborted) {
        await next.catch(() => {});
        return false;
      }
      milliseconds += performance.now() - begun;
      this.#events.onFrame(i + 1, of, milliseconds);
      await this.#pause?.gone;
      begun = performance.now();
    }
    return true;
  }

  /** @param {Frame} frame @param {AbortSignal} signal */
  async #recognise({ canvas, scale, number, seconds }, signal) {
    const context = canvas.getContext('2d', { willReadFrequently: true });
    if (!context) return;
    const file = bmpOf(context.getImageData(0, 0, canvas.width, canvas.height));
    try {
      const net = await this.#events.network();
      const picture = await net.recognise(file, { signal });
      await net.release(picture);
      this.#add(canvas, picture.faces, { number, seconds, scale });
    } catch (error) {
      if (signal.aborted) return;
      const message = error instanceof Error ? error.message : String(error);
      this.#records.add({ number, seconds, faces: [], error: message, failure: error });
    }
  }

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {readonly ReadFace[]} faces
   * @param {{number: number, seconds: number, scale: number}} frame
   */
  #add(canvas, faces, { number, seconds, scale }) {
    const seen = faces.map((face) => ({ record: recordOf(face, this.#names, scale), look: this.#looks.face(canvas, face) }));
    const tracks = this.#followed.add(seconds, this.#looks.frame(canvas), seen);
    const isNew = tracks.map((track) => !this.#records.tracks.has(track));
    this.#records.add({ number, seconds, faces: seen.map(({ record }, i) => ({ ...record, track: tracks[i] })) });
    tracks.forEach((track, i) => {
      if (isNew[i]) this.#events.onTrack(track, thumbnailOf(canvas, faces[i].box));
    });
  }
}
