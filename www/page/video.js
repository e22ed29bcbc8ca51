// @ts-check
/**
 * @file The frames of a video file, by exact seeking: it gives each frame that is asked for, however long the network
 * takes, where playing loses those that come meanwhile. `requestVideoFrameCallback` tells which frame a seek has
 * shown, and that it is there to be drawn: `seeked` alone may come a little before.
 */

import { PageError } from './failures.js';

/** @typedef {import('./language.js').Text} Text */

/** @type {Text} */
const UNDECODABLE = (words) => words.clip.undecodable;

/** Rates that files have, where a measured one is as good as equal. */
const USUAL_RATES = [24000 / 1001, 24, 25, 30000 / 1001, 30, 48, 50, 60000 / 1001, 60, 5, 10, 12, 12.5, 15, 20, 100, 120];

/** How close a measured rate is to a usual one: 24 and 23.976 are one thousandth apart. */
const SAME_RATE = 2e-4;

/** The frame rate is measured at first over this many frames. */
const MEASURED_FRAMES = 12;
/** Steps of that first measurement, in seconds: no file has more frames. */
const FINE_STEP = 1 / 130;
const FINE_STEPS = 110;

/** The longer side of the frames that are given, at most, in pixels: larger ones are made smaller. */
const FRAME_SIZE = 1920;

/** A seek that takes longer than this gives no frame any more. */
const PATIENCE_MS = 30_000;

/** A page that is hidden is told of no frame: after this long it is taken as shown. */
const SHOWN_MS = 1000;

/**
 * @typedef {object} Frame
 * @property {HTMLCanvasElement} canvas with the frame; good until the next but one is asked for
 * @property {number} scale pixels of the video in one of the canvas
 * @property {number} number from 0, as the rate counts them
 * @property {number} seconds when it is shown, from the start of the file
 */

/** A video file that is open. */
export class Video {
  #video;
  #address;
  /** Two, so that one can be looked at while the next is drawn. */
  #canvases = [0, 1].map(() => document.createElement('canvas'));
  /** When the first frame is shown. */ #start = 0;
  /** Frames a second; an average where they are not evenly spaced. */ rate = 0;
  /** How many frames there are, at that rate. */ frames = 0;

  /** @param {HTMLVideoElement} video @param {string} address */
  constructor(video, address) {
    this.#video = video;
    this.#address = address;
  }

  /**
   * Opens a file and measures its frame rate.
   * @param {Blob} file
   * @param {Video} [same] the same file, measured already
   * @returns {Promise<Video>}
   */
  static async open(file, same) {
    if (!('requestVideoFrameCallback' in HTMLVideoElement.prototype)) throw new PageError((words) => words.clip.tooOld);
    const element = document.createElement('video');
    Object.assign(element, { muted: true, playsInline: true, preload: 'auto' });
    const address = URL.createObjectURL(file);
    const video = new Video(element, address);
    try {
      const opened = heard(element, 'loadeddata', UNDECODABLE);
      element.src = address;
      await opened;
      if (element.videoWidth === 0) throw new PageError((words) => words.clip.noPicture);
      await video.#findEnd();
      if (same) video.#take(same);
      else await video.#measure();
      return video;
    } catch (error) {
      video.close();
      throw error;
    }
  }

  get width() {
    return this.#video.videoWidth;
  }

  get height() {
    return this.#video.videoHeight;
  }

  /** In seconds. */
  get duration() {
    return this.#video.duration;
  }

  /**
   * The frame with this number; where the file has none of its own there, the one before.
   * @param {number} number
   * @returns {Promise<Frame>}
   */
  async frame(number) {
    // The middle of its time: no rounding gives the one before.
    const shown = await this.#seek(this.#start + (number + 0.5) / this.rate);
    const seconds = shown ?? this.#start + number / this.rate;
    this.#canvases.reverse();
    const [canvas] = this.#canvases;
    const scale = Math.max(1, this.width / FRAME_SIZE, this.height / FRAME_SIZE);
    const [width, height] = [Math.round(this.width / scale), Math.round(this.height / scale)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    canvas.getContext('2d', { willReadFrequently: true })?.drawImage(this.#video, 0, 0, width, height);
    return { canvas, scale, number: Math.round((seconds - this.#start) * this.rate), seconds };
  }

  /** Frees the file and its decoder. */
  close() {
    this.#video.removeAttribute('src');
    this.#video.load();
    URL.revokeObjectURL(this.#address);
  }

  /** @param {Video} same */
  #take(same) {
    this.#start = same.#start;
    this.rate = same.rate;
    this.frames = same.frames;
  }

  /** Files that were recorded live do not tell how long they are, until their end was looked for. */
  async #findEnd() {
    if (Number.isFinite(this.#video.duration)) return;
    await this.#seek(1e7);
    if (!Number.isFinite(this.#video.duration)) throw new PageError(UNDECODABLE);
  }

  /** Measures the frame rate by time stamps, over a few frames first and then over ever longer ways. */
  async #measure() {
    this.#start = (await this.#seek(0)) ?? 0;
    /** @type {number[]} */
    const stamps = [this.#start];
    for (let i = 1; i <= FINE_STEPS && stamps.length <= MEASURED_FRAMES; i += 1) {
      const sought = Math.min(this.#start + i * FINE_STEP, this.duration);
      const seconds = (await this.#seek(sought)) ?? sought;
      if (seconds > stamps[stamps.length - 1]) stamps.push(seconds);
    }
    const way = stamps[stamps.length - 1] - this.#start;
    // A single frame, or one a second and fewer.
    let rate = way > 0 ? (stamps.length - 1) / way : 1 / Math.max(this.duration, 1e-3);
    for (let seconds = 1; seconds < this.duration; seconds *= 3) {
      const shown = await this.#seek(this.#start + seconds);
      const stamp = (shown ?? 0) - this.#start;
      if (stamp > way && Math.round(stamp * rate) > 0) rate = Math.round(stamp * rate) / stamp;
    }
    this.rate = USUAL_RATES.find((usual) => Math.abs(usual / rate - 1) < SAME_RATE) ?? rate;
    this.frames = Math.max(1, Math.round((this.duration - this.#start) * this.rate));
  }

  /**
   * @param {number} seconds
   * @returns {Promise<number | null>} when the frame there is shown; null where the browser does not tell
   */
  async #seek(seconds) {
    const video = this.#video;
    const shown = this.#shown();
    const there = heard(video, 'seeked', (words) => words.clip.stuck);
    video.currentTime = seconds;
    await there;
    return shown;
  }

  /**
   * Which frame is shown next.
   * @returns {Promise<number | null>} its time, in seconds
   */
  #shown() {
    const video = this.#video;
    return new Promise((resolve) => {
      const told = video.requestVideoFrameCallback((_, { mediaTime }) => {
        video.removeEventListener('seeked', wait);
        clearTimeout(timer);
        resolve(mediaTime);
      });
      let timer = 0;
      const wait = () => {
        timer = window.setTimeout(() => {
          video.cancelVideoFrameCallback(told);
          resolve(null);
        }, SHOWN_MS);
      };
      video.addEventListener('seeked', wait, { once: true });
    });
  }
}

/**
 * @param {HTMLVideoElement} video
 * @param {'loadeddata' | 'seeked'} event
 * @param {Text} failed what is said when an error comes in its place, or nothing
 * @returns {Promise<void>}
 */
function heard(video, event, failed) {
  return new Promise((resolve, reject) => {
    const ended = new AbortController();
    /** @param {() => void} settle */
    const end = (settle) => {
      clearTimeout(timer);
      ended.abort();
      settle();
    };
    const fail = () => end(() => reject(new PageError(failed)));
    const timer = setTimeout(fail, PATIENCE_MS);
    const { signal } = ended;
    video.addEventListener(event, () => end(resolve), { signal });
    video.addEventListener('error', fail, { signal });
  });
}
