// @ts-check
/** @file Work for the newest wish only: one in flight, nothing queues. */

/**
 * Does the work of one wish at a time. A wish that comes meanwhile waits, in the place of the one that
 * waited before it; so the last one is always done, however fast they come.
 * @template T
 */
export class Latest {
  #work;
  #running = false;
  /** @type {{wish: T, resolve: (done: boolean) => void, reject: (error: unknown) => void} | null} */
  #waiting = null;

  /** @param {(wish: T) => Promise<void>} work */
  constructor(work) {
    this.#work = work;
  }

  /**
   * @param {T} wish
   * @returns {Promise<boolean>} true once its work is done, false when a newer wish took its place;
   *   rejected with the error of its work
   */
  wish(wish) {
    this.#waiting?.resolve(false);
    return new Promise((resolve, reject) => {
      this.#waiting = { wish, resolve, reject };
      if (!this.#running) void this.#run();
    });
  }

  async #run() {
    this.#running = true;
    while (this.#waiting) {
      const { wish, resolve, reject } = this.#waiting;
      this.#waiting = null;
      try {
        await this.#work(wish);
        resolve(true);
      } catch (error) {
        reject(error);
      }
    }
    this.#running = false;
  }
}
