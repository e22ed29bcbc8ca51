// @ts-check
/** @file The face in the photo on its way to its target and back: shown, and saved as GIF or WebM. */

import { byId } from './dom.js';
import { PageError, sayError } from './failures.js';
import { say } from './language.js';
import { megabytes, percent } from './numbers.js';

/** @typedef {import('../api/index.js').Animation} Animation */
/** @typedef {import('../api/index.js').FersNet} FersNet */
/** @typedef {import('../api/index.js').SynthesisedFace} SynthesisedFace */
/** @typedef {import('./language.js').Text} Text */

/** Frames on the way to the target. */
const STEPS = 24;

/** From one frame to the next, and how long the photo and the target stand, as in src/animation.rs. */
const STEP_MS = 40;
const HOLD_MS = 700;

/** What video is recorded as, the best first. */
const VIDEO_TYPES = ['video/webm;codecs=vp9', 'video/webm;codecs=vp8', 'video/webm'];

/**
 * @typedef {object} AnimatorEvents
 * @property {() => () => void} onBusy something is computed, until the returned function is called
 * @property {(file: Blob, name: string) => void} onFile a file is ready
 */

/** The player that lies over the photo, and its buttons. */
export class Animator {
  #events;
  #player = byId('player');
  #canvas = /** @type {HTMLCanvasElement} */ (byId('player-canvas'));
  #controls = byId('player-controls');
  #play = /** @type {HTMLButtonElement} */ (byId('player-play'));
  #place = /** @type {HTMLInputElement} */ (byId('player-place'));
  #gif = /** @type {HTMLButtonElement} */ (byId('player-gif'));
  #webm = /** @type {HTMLButtonElement} */ (byId('player-webm'));
  #status = byId('player-status');
  /** Ends what is under way; a new one for each animation. */
  #current = new AbortController();
  /** @type {ImageData[]} the frames that are there */ #frames = [];
  /** @type {Animation | null} once it is whole */ #animation = null;
  /** @type {FersNet | null} */ #net = null;
  #name = '';
  #turn = 0;

  /** @param {AnimatorEvents} events */
  constructor(events) {
    this.#events = events;
    this.#play.addEventListener('click', () => (this.#turn ? this.#pause() : this.#run()));
    this.#place.addEventListener('input', () => {
      this.#pause();
      this.#show(Number(this.#place.value));
    });
    this.#gif.addEventListener('click', () => void this.#save(() => this.#asGif()));
    this.#webm.addEventListener('click', () => void this.#save(() => this.#asVideo()));
    this.#webm.hidden = !videoType();
    byId('player-close').addEventListener('click', () => {
      this.close();
      byId('animate').focus();
    });
  }

  /** Whether the player is open. */
  get isOpen() {
    return !this.#player.hidden;
  }

  /**
   * Animates a face that is in the photo; an animation before is dropped.
   * @param {FersNet} net
   * @param {SynthesisedFace} change
   * @param {Text} shows what it will show
   * @param {string} name the same, for the file
   */
  async start(net, { face, target }, shows, name) {
    this.close();
    const current = new AbortController();
    this.#current = current;
    this.#net = net;
    this.#name = name;
    this.#player.hidden = false;
    this.#controls.hidden = false;
    say(this.#canvas, (words) => words.animation.label(shows(words)), 'aria-label');
    this.#place.max = String(STEPS);
    this.#tell((words) => words.animation.firstFrame);
    byId('player-close').focus();
    const done = this.#events.onBusy();
    try {
      const animation = await net.animate(face, target, {
        signal: current.signal,
        steps: STEPS,
        onFrame: (frame, index) => {
          if (current.signal.aborted) return;
          this.#frames.push(frame);
          this.#show(index);
          this.#tell((words) => words.animation.drawing(index, STEPS));
        },
      });
      if (current.signal.aborted) {
        void net.dropAnimation(animation);
        return;
      }
      this.#animation = animation;
      this.#ready();
    } catch (error) {
      if (!current.signal.aborted) sayError(this.#status, error);
    } finally {
      done();
    }
  }

  /** Ends and hides everything. */
  close() {
    this.#current.abort();
    this.#pause();
    if (this.#animation && this.#net) void this.#net.dropAnimation(this.#animation);
    this.#animation = null;
    this.#frames = [];
    this.#player.hidden = true;
    this.#controls.hidden = true;
    for (const button of [this.#play, this.#place, this.#gif, this.#webm]) button.disabled = true;
  }

  #ready() {
    for (const button of [this.#play, this.#place, this.#gif, this.#webm]) button.disabled = false;
    this.#tell((words) => words.animation.marked);
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) this.#show(STEPS);
    else this.#run();
  }

  /** Plays there and back until it is paused. */
  #run() {
    const begun = performance.now();
    const turn = () => {
      this.#show(frameAt(performance.now() - begun, this.#frames.length));
      this.#turn = requestAnimationFrame(turn);
    };
    say(this.#play, (words) => words.animation.pause);
    turn();
  }

  #pause() {
    cancelAnimationFrame(this.#turn);
    this.#turn = 0;
    say(this.#play, (words) => words.page.play);
  }

  /** @param {number} index */
  #show(index) {
    const frame = this.#frames[index];
    if (!frame) return;
    paint(this.#canvas, frame);
    this.#canvas.dataset.frame = String(index);
    this.#place.value = String(index);
    say(this.#place, (words) => words.animation.place(percent(words, index / STEPS, 0)), 'aria-valuetext');
  }

  /** @param {() => Promise<[Blob, string]>} make */
  async #save(make) {
    const { signal } = this.#current;
    const done = this.#events.onBusy();
    this.#gif.disabled = true;
    this.#webm.disabled = true;
    this.#tell((words) => words.animation.writing);
    try {
      const [file, ending] = await make();
      if (signal.aborted) return;
      this.#events.onFile(file, `fersnet-${this.#name}.${ending}`);
      this.#tell((words) => words.animation.saved(megabytes(words, file.size)));
    } catch (error) {
      if (!signal.aborted) sayError(this.#status, error);
    } finally {
      if (!signal.aborted) {
        this.#gif.disabled = false;
        this.#webm.disabled = false;
      }
      done();
    }
  }

  /** @returns {Promise<[Blob, string]>} */
  async #asGif() {
    if (!this.#net || !this.#animation) throw new PageError((words) => words.animation.none);
    return [await this.#net.saveAnimation(this.#animation, { signal: this.#current.signal }), 'gif'];
  }

  /**
   * Records the frames, there and back once, in their own time.
   * @returns {Promise<[Blob, string]>}
   */
  async #asVideo() {
    const type = videoType();
    if (!type) throw new PageError((words) => words.animation.noWebm);
    const frames = this.#frames;
    const { signal } = this.#current;
    const canvas = document.createElement('canvas');
    paint(canvas, frames[0]);
    const stream = canvas.captureStream();
    const recorder = new MediaRecorder(stream, { mimeType: type, videoBitsPerSecond: 4_000_000 });
    /** @type {Blob[]} */
    const parts = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    const stopped = new Promise((resolve, reject) => {
      recorder.onstop = resolve;
      recorder.onerror = () => reject(new PageError((words) => words.animation.notRecorded));
    });
    recorder.start();
    const begun = performance.now();
    // A timer, not the screen's rhythm: a tab that is hidden records on.
    const timer = setInterval(() => {
      const time = performance.now() - begun;
      paint(canvas, frames[frameAt(time, frames.length)]);
      if (time >= length(frames.length) + STEP_MS || signal.aborted) recorder.stop();
    }, STEP_MS / 2);
    try {
      await stopped;
    } finally {
      clearInterval(timer);
      stream.getTracks().forEach((track) => track.stop());
    }
    return [new Blob(parts, { type: 'video/webm' }), 'webm'];
  }

  /** @param {Text} text */
  #tell(text) {
    say(this.#status, text);
  }
}

/** Milliseconds there and back. @param {number} frames */
function length(frames) {
  return 2 * HOLD_MS + 2 * (frames - 2) * STEP_MS;
}

/**
 * The frame that is shown at a time.
 * @param {number} time in milliseconds
 * @param {number} frames how many there are: the photo's own, and up to the target's
 */
export function frameAt(time, frames) {
  const way = (frames - 2) * STEP_MS;
  const at = time % length(frames);
  if (at < HOLD_MS) return 0;
  if (at < HOLD_MS + way) return 1 + Math.floor((at - HOLD_MS) / STEP_MS);
  if (at < 2 * HOLD_MS + way) return frames - 1;
  return frames - 2 - Math.floor((at - 2 * HOLD_MS - way) / STEP_MS);
}

/** @param {HTMLCanvasElement} canvas @param {ImageData} image */
function paint(canvas, image) {
  // Setting a size empties a canvas, which a recording would show.
  if (canvas.width !== image.width || canvas.height !== image.height) {
    canvas.width = image.width;
    canvas.height = image.height;
  }
  canvas.getContext('2d')?.putImageData(image, 0, 0);
}

function videoType() {
  if (typeof MediaRecorder === 'undefined' || !('captureStream' in HTMLCanvasElement.prototype)) return null;
  return VIDEO_TYPES.find((type) => MediaRecorder.isTypeSupported(type)) ?? null;
}
