// @ts-check
/** @file Moves the faces of a photo: one, or all of them alike, the one that is looked at first. */

import { Mover } from './mover.js';

/** @typedef {import('../api/index.js').FersNet} FersNet */
/** @typedef {import('../api/index.js').ReadFace} ReadFace */
/** @typedef {import('../api/index.js').SynthesisedFace} SynthesisedFace */
/** @typedef {import('./mover.js').Wish} Wish */

/** A drag that rests for this long lets the other faces follow, in milliseconds. */
const REST_MS = 150;

/** The faces of one photo that can be moved. */
export class Movers {
  #net;
  #place;
  /** @type {Map<number, {mover: Mover, turn: number}>} by face; `turn`: that of its newest wish */
  #movers = new Map();
  /** Counts the wishes. */ #turns = 0;
  /** The turn of the newest wish for all faces. */ #all = 0;

  /**
   * @param {FersNet} net
   * @param {(face: ReadFace, made: SynthesisedFace | null) => Promise<void>} place puts a synthesised face into the
   *   photo
   */
  constructor(net, place) {
    this.#net = net;
    this.#place = place;
  }

  /**
   * @param {ReadFace} face
   * @param {Wish} wish
   * @returns {Promise<boolean>} true once the photo shows it, false when a newer wish took its place; rejected when
   *   the network refuses it
   */
  wish(face, wish) {
    return this.#wish(face, wish, ++this.#turns);
  }

  /**
   * All faces are to show the same, each from what it shows itself: the first at once; the others one after the other,
   * once it shows it and no newer wish has come for a moment. One that gets a wish of its own meanwhile keeps that.
   * @param {ReadFace} first
   * @param {Wish} wish of the first
   * @param {readonly ReadFace[]} others
   * @returns {{shown: Promise<boolean>, followed: Promise<boolean>}} `shown` as of `wish`, of the first; `followed`:
   *   true once the others show it, false when a newer wish for all faces took its place, or it was refused
   */
  wishAll(first, wish, others) {
    const turn = ++this.#turns;
    this.#all = turn;
    const shown = this.#wish(first, wish, turn);
    // A synthesised face is of one face alone.
    const same = wish && 'synthesised' in wish ? { target: wish.target } : wish;
    const isAccepted = shown.then(
      () => true,
      () => false,
    );
    return { shown, followed: isAccepted.then((is) => is && this.#follow(same, others, turn)) };
  }

  /** All faces are to be those of the photo. */
  async restore() {
    this.stop();
    const turn = ++this.#turns;
    const all = [...this.#movers].map(([index, { mover }]) => {
      this.#movers.set(index, { mover, turn });
      return mover.wish(null);
    });
    await Promise.all(all);
  }

  /** No more faces follow. */
  stop() {
    this.#all = ++this.#turns;
  }

  /**
   * @param {Wish} wish
   * @param {readonly ReadFace[]} faces
   * @param {number} turn of the wish
   */
  async #follow(wish, faces, turn) {
    if (this.#all === turn) await new Promise((resolve) => setTimeout(resolve, REST_MS));
    for (const face of faces) {
      if (this.#all !== turn) return false;
      const newest = this.#movers.get(face.index)?.turn ?? 0;
      if (newest < turn) await this.#wish(face, wish, turn);
    }
    return true;
  }

  /** @param {ReadFace} face @param {Wish} wish @param {number} turn */
  #wish(face, wish, turn) {
    const mover = this.#movers.get(face.index)?.mover ?? new Mover(this.#net, face, (made) => this.#place(face, made));
    this.#movers.set(face.index, { mover, turn });
    return mover.wish(wish);
  }
}
