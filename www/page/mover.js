// @ts-check
/** @file Moves one face of the photo to what was wished for last. */

import { Latest } from './latest.js';

/** @typedef {import('../api/index.js').FersNet} FersNet */
/** @typedef {import('../api/index.js').ReadFace} ReadFace */
/** @typedef {import('../api/index.js').SynthesisedFace} SynthesisedFace */
/** @typedef {import('../api/index.js').Target} Target */

/**
 * What a face is to show: a target still to be synthesised, a face that is synthesised already, or null for
 * the face of the photo.
 * @typedef {{target: Target} | SynthesisedFace | null} Wish
 */

/** The crop of a moved face is not shown: the photo is. */
const CROP = { size: 1 };

/** One face of the photo, which follows the newest wish. */
export class Mover {
  #net;
  #face;
  #place;
  /** @type {Latest<Wish>} */ #latest = new Latest((wish) => this.#follow(wish));
  /** @type {SynthesisedFace | null} the face in the photo, where it was synthesised here */ #own = null;

  /**
   * @param {FersNet} net
   * @param {ReadFace} face
   * @param {(made: SynthesisedFace | null) => Promise<void>} place puts a synthesised face into the photo
   */
  constructor(net, face, place) {
    this.#net = net;
    this.#face = face;
    this.#place = place;
  }

  /**
   * @param {Wish} wish
   * @returns {Promise<boolean>} true once the photo shows it, false when a newer wish took its place
   */
  wish(wish) {
    return this.#latest.wish(wish);
  }

  /** @param {Wish} wish */
  async #follow(wish) {
    const made = !wish || 'synthesised' in wish ? wish : await this.#synthesised(wish.target);
    const before = this.#own;
    this.#own = made === wish ? null : made;
    await this.#place(made);
    // A drag makes many: each is freed once the photo shows the next.
    if (before) void this.#net.forget(before);
  }

  /** @param {Target} target */
  async #synthesised(target) {
    const [made] = await this.#net.synthesise(this.#face, [target], CROP);
    return made;
  }
}
