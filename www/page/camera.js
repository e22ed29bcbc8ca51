// @ts-check
/** @file The camera: one frame as a picture, or the expressions of frame after frame, or a mirror with another one. */

import { Capture } from './capture.js';
import { byId, draw, element } from './dom.js';
import { sayError } from './failures.js';
import { expressionIn, say } from './language.js';
import { percent } from './numbers.js';
import { Steady } from './steady.js';
import { surenessOf } from './sure.js';

/** @typedef {import('../api/index.js').FilmFaces} FilmFaces */
/** @typedef {import('../api/index.js').LiveFrame} LiveFrame */

/**
 * @typedef {object} CameraEvents
 * @property {(picture: Blob) => void} onPicture a frame was taken
 * @property {() => FilmFaces | null} follow begins to follow faces from frame to frame; null while the network is not
 *   loaded
 */

/** The longer side of the frames that are recognised live, in pixels. */
const LIVE_SIZE = 480;

/** The dialog with the camera's picture. */
export class Camera {
  #dialog = /** @type {HTMLDialogElement} */ (byId('camera'));
  #video = /** @type {HTMLVideoElement} */ (byId('camera-video'));
  #frames = byId('camera-frames');
  #status = byId('camera-status');
  #take = /** @type {HTMLButtonElement} */ (byId('camera-take'));
  #live = /** @type {HTMLButtonElement} */ (byId('camera-live'));
  #expression = /** @type {HTMLSelectElement} */ (byId('camera-mirror'));
  #mirror = byId('camera-mirrored');
  #canvas = /** @type {HTMLCanvasElement} */ (byId('camera-canvas'));
  #line = byId('camera-line');
  #events;
  /** @type {MediaStream | null} */ #stream = null;
  /** @type {AbortController | null} */ #recognising = null;
  /** Frames that were shown with their answers. */
  #shown = 0;
  /** Counts the openings: a camera that comes after its dialog was closed is let go. */
  #opening = 0;

  /** @param {CameraEvents} events */
  constructor(events) {
    this.#events = events;
    byId('camera-open').addEventListener('click', () => void this.open());
    byId('camera-close').addEventListener('click', () => this.#dialog.close());
    this.#dialog.addEventListener('close', () => this.#stop());
    this.#take.addEventListener('click', () => void this.#takePicture());
    this.#live.addEventListener('click', () => void this.#toggleLive());
    this.#expression.addEventListener('change', () => {
      if (this.#expression.value && !this.#recognising) void this.#toggleLive();
    });
    // Nobody looks: the camera's picture is not computed on.
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden || !this.#recognising) return;
      this.#stopRecognising();
      say(this.#status, ({ camera }) => camera.hidden);
    });
  }

  /** The expressions that the mirror can show. @param {readonly string[]} classes none where nothing is synthesised */
  offer(classes) {
    const options = classes.map((name) => element('option', { value: name }, (words) => expressionIn(words, name)));
    this.#expression.replaceChildren(element('option', { value: '' }, ({ camera }) => camera.asItIs), ...options);
    byId('camera-mirror-label').hidden = classes.length === 0;
  }

  async open() {
    const opening = ++this.#opening;
    this.#dialog.showModal();
    say(this.#status, ({ camera }) => camera.waiting);
    try {
      if (!navigator.mediaDevices) throw new DOMException('', 'SecurityError');
      const stream = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: 'user', width: { ideal: 1280 }, height: { ideal: 960 } },
      });
      if (opening !== this.#opening || !this.#dialog.open) {
        stream.getTracks().forEach((track) => track.stop());
        return;
      }
      this.#stream = stream;
      this.#video.srcObject = stream;
      await this.#video.play();
      say(this.#status, ({ camera }) => camera.on);
      this.#take.disabled = false;
      this.#live.disabled = false;
      this.#expression.disabled = false;
      this.#take.focus();
    } catch (error) {
      if (opening === this.#opening) say(this.#status, reasonOf(error));
    }
  }

  async #takePicture() {
    const picture = await this.#frame(Infinity);
    if (!picture) return;
    this.#dialog.close();
    this.#events.onPicture(picture);
  }

  async #toggleLive() {
    if (this.#recognising) {
      this.#stopRecognising();
      say(this.#status, ({ camera }) => camera.on);
      return;
    }
    const controller = new AbortController();
    this.#recognising = controller;
    this.#live.setAttribute('aria-pressed', 'true');
    try {
      await this.#recogniseLive(controller.signal);
    } catch (error) {
      if (controller.signal.aborted) return;
      sayError(this.#status, error);
    } finally {
      if (this.#recognising === controller) this.#stopRecognising();
    }
  }

  /** @param {AbortSignal} signal */
  async #recogniseLive(signal) {
    const film = this.#events.follow();
    if (!film) {
      say(this.#status, ({ camera }) => camera.notLoaded);
      return;
    }
    const steady = new Steady();
    const capture = new Capture(this.#video, () => this.#sizeWithin(LIVE_SIZE));
    signal.addEventListener('abort', () => capture.close(), { once: true });
    try {
      while (!signal.aborted) {
        // One frame at a time: those that the camera gives meanwhile are dropped.
        const bitmap = await capture.next();
        if (!bitmap) break;
        const frame = await film.live(bitmap, { target: this.#expression.value || null, signal });
        if (frame && !signal.aborted) this.#show(frame, steady.next(frame));
      }
    } finally {
      capture.close();
      void film.close();
    }
  }

  /** @param {number} size the longest side */
  #sizeWithin(size) {
    const { videoWidth, videoHeight } = this.#video;
    const scale = Math.min(1, size / Math.max(videoWidth, videoHeight));
    return { width: Math.round(videoWidth * scale), height: Math.round(videoHeight * scale) };
  }

  /**
   * @param {LiveFrame} frame
   * @param {import('./steady.js').SteadyFace[]} faces
   */
  #show({ width, height, image }, faces) {
    this.#shown += 1;
    this.#frames.dataset.frames = String(this.#shown);
    this.#mirror.hidden = !image;
    if (image) {
      draw(this.#canvas, image);
      const { value } = this.#expression;
      say(this.#line, (words) => words.camera.synthetic(value ? expressionIn(words, value) : words.camera.other));
    }
    this.#frames.replaceChildren(
      ...faces.map(({ box }) => {
        const frame = element('div', { className: 'frame' });
        // The video is mirrored, as people expect of themselves.
        frame.style.left = `${(1 - (box.x + box.width) / width) * 100}%`;
        frame.style.top = `${(box.y / height) * 100}%`;
        frame.style.width = `${(box.width / width) * 100}%`;
        frame.style.height = `${(box.height / height) * 100}%`;
        return frame;
      }),
    );
    const [face] = faces;
    say(this.#status, (words) => {
      if (!face) return words.camera.noFace;
      const shown = surenessOf(face, words).words;
      const probability = percent(words, face.probabilities[face.expression]);
      return image ? words.camera.ownFaceShows(shown, probability) : words.camera.shows(shown, probability);
    });
  }

  /**
   * The camera's picture of this moment as a file.
   * @param {number} size the longest side
   * @returns {Promise<Blob | null>}
   */
  #frame(size) {
    if (!this.#video.videoWidth) return Promise.resolve(null);
    const canvas = element('canvas', this.#sizeWithin(size));
    canvas.getContext('2d')?.drawImage(this.#video, 0, 0, canvas.width, canvas.height);
    return new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.95));
  }

  #stopRecognising() {
    this.#recognising?.abort();
    this.#recognising = null;
    this.#live.setAttribute('aria-pressed', 'false');
    this.#frames.replaceChildren();
    this.#mirror.hidden = true;
    this.#expression.value = '';
  }

  #stop() {
    this.#opening += 1;
    this.#stopRecognising();
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = null;
    this.#video.srcObject = null;
    this.#take.disabled = true;
    this.#live.disabled = true;
    this.#expression.disabled = true;
  }
}

/**
 * Why there is no camera, and what to do.
 * @param {unknown} error
 * @returns {import('./language.js').Text}
 */
function reasonOf(error) {
  switch (error instanceof DOMException ? error.name : '') {
    case 'NotAllowedError':
      return ({ camera }) => camera.notAllowed;
    case 'NotFoundError':
    case 'OverconstrainedError':
      return ({ camera }) => camera.missing;
    case 'NotReadableError':
    case 'AbortError':
      return ({ camera }) => camera.inUse;
    case 'SecurityError':
      return ({ camera }) => camera.notSecure;
    default:
      return ({ camera }) => camera.failed;
  }
}
