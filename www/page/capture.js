// @ts-check
/** @file The newest frame of a playing video, made ready while the one before is computed on. */

/** Frames of a video, each at most once; those that nobody asks for are dropped. */
export class Capture {
  #video;
  #size;
  /** @type {ImageBitmap | null} the newest frame, until it is asked for */ #newest = null;
  /** @type {((frame: ImageBitmap | null) => void) | null} waits for a frame */ #waiting = null;
  #isClosed = false;

  /**
   * @param {HTMLVideoElement} video
   * @param {() => {width: number, height: number}} size of the frames, in pixels
   */
  constructor(video, size) {
    this.#video = video;
    this.#size = size;
    this.#watch();
  }

  /** @returns {Promise<ImageBitmap | null>} the newest frame that was not given yet; null once it is closed */
  next() {
    const newest = this.#newest;
    this.#newest = null;
    if (newest || this.#isClosed) return Promise.resolve(newest);
    return new Promise((resolve) => (this.#waiting = resolve));
  }

  close() {
    this.#isClosed = true;
    this.#waiting?.(null);
    this.#newest?.close();
    this.#newest = null;
  }

  #watch() {
    if (this.#isClosed) return;
    const next = () => void this.#take();
    // Where the browser does not tell of new frames, one is taken as often as the screen is drawn.
    if ('requestVideoFrameCallback' in this.#video) this.#video.requestVideoFrameCallback(next);
    else requestAnimationFrame(next);
  }

  async #take() {
    const { width, height } = this.#size();
    // Between two cameras a video has no frame.
    const frame = width > 0 ? await createImageBitmap(this.#video, { resizeWidth: width, resizeHeight: height }).catch(() => null) : null;
    if (frame && this.#isClosed) frame.close();
    else if (frame) this.#keep(frame);
    this.#watch();
  }

  /** @param {ImageBitmap} frame */
  #keep(frame) {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting) {
      waiting(frame);
      return;
    }
    this.#newest?.close();
    this.#newest = frame;
  }
}
