// @ts-check
/** @file The picture with its faces: frames, panels, and the synthesised faces put into it. */

import { drawCloseup } from './closeup.js';
import { listenForHolding } from './compare.js';
import { byId, draw } from './dom.js';
import { download } from './download.js';
import { drawFrames, nameFrame, pressFrame } from './frames.js';
import { say } from './language.js';
import { Movers } from './movers.js';
import { Panel } from './panel.js';
import { nameOf, saidOf, textOf } from './target.js';

/** @typedef {import('../api/index.js').FersNet} FersNet */
/** @typedef {import('../api/index.js').FoundPicture} FoundPicture */
/** @typedef {import('../api/index.js').ReadFace} ReadFace */
/** @typedef {import('../api/index.js').SynthesisedFace} SynthesisedFace */
/** @typedef {import('../api/index.js').Target} Target */
/** @typedef {import('./mover.js').Wish} Wish */

/**
 * @typedef {object} ViewerEvents
 * @property {() => Promise<void>} onChange the set of synthesised faces in the photo has changed
 * @property {() => () => void} onBusy a face is being moved, until the returned function is called
 * @property {() => void} onLeave what the photo shows is about to change
 * @property {(error: unknown) => void} onFailed a face could not follow the others
 */

/** What the page shows of one picture. */
export class Viewer {
  #photo = byId('photo');
  #canvas = /** @type {HTMLCanvasElement} */ (byId('canvas'));
  #frames = byId('frames');
  #answers = byId('panels');
  #actions = byId('actions');
  #badge = byId('photo-badge');
  #closeup = /** @type {HTMLCanvasElement} */ (byId('closeup'));
  #compare = byId('compare');
  #events;
  /** The photo as it was composed last. @type {ImageData | null} */ #image = null;
  /** Whether the original is shown in its place. */ #comparing = false;

  /** @type {FoundPicture | null} */ picture = null;
  /** Which face is shown. */
  selected = 0;
  /** @type {Map<number, SynthesisedFace>} the synthesised faces in the photo, by face */
  changes = new Map();
  /** @type {Panel[]} */ #panels = [];
  /** @type {Movers | null} of this picture */ #movers = null;
  /** Whether all faces are moved alike. */ #all = false;
  /** @type {Map<number, Target | null>} where the sliders of faces are to stand once they are looked at */ #behind = new Map();
  /** @type {FersNet | null} */ #net = null;

  /** @param {ViewerEvents} events */
  constructor(events) {
    this.#events = events;
    listenForHolding(this.#compare, (held) => {
      this.#comparing = held;
      this.#showPhoto();
    });
  }

  /** Back to the page without a picture's answers. */
  clear() {
    this.#events.onLeave();
    this.#panels.forEach((panel) => panel.close());
    this.picture = null;
    this.selected = 0;
    this.changes.clear();
    this.#panels = [];
    this.#movers?.stop();
    this.#movers = null;
    this.#moveAll(false);
    this.#behind.clear();
    this.#image = null;
    this.#comparing = false;
    this.#frames.replaceChildren();
    this.#frames.dataset.count = '0';
    this.#answers.replaceChildren();
    this.#photo.hidden = true;
    this.#actions.hidden = true;
    this.#compare.hidden = true;
    this.#badge.hidden = true;
    document.body.dataset.view = 'empty';
  }

  /**
   * Shows a picture whose faces are known.
   * @param {FersNet} net
   * @param {FoundPicture} picture
   */
  show(net, picture) {
    this.clear();
    this.picture = picture;
    this.#net = net;
    this.#movers = new Movers(net, (face, made) => this.#place(face, made));
    document.body.dataset.view = 'picture';
    this.#photo.hidden = false;
    this.#photo.style.setProperty('--aspect', String(picture.width / picture.height));
    this.drawPhoto(picture.preview);
    this.refreshFaces();
  }

  /** Makes frames and panels anew, after faces were found or added. */
  refreshFaces() {
    const { picture } = this;
    const net = this.#net;
    if (!picture || !net) return;
    drawFrames(this.#frames, picture, (index) => this.choose(index, true));
    this.#panels.forEach((panel) => panel.close());
    this.#panels = picture.faces.map(
      (face) =>
        new Panel(face, net.classes, net.synthesises, {
          onStep: (step) =>
            this.choose((face.index + step + picture.faces.length) % picture.faces.length),
          onPut: (synthesised) => this.#put(face.index, synthesised),
          onAll: (all) => this.#moveAll(all),
          onWhy: async (read) => {
            const { Why } = await import('./why.js');
            return new Why(net, read, this.#events.onBusy);
          },
          onSheet: async (synthesised) => {
            const done = this.#events.onBusy();
            try {
              const { sheetOf } = await import('./sheet.js');
              const number = picture.faces.length > 1 ? `-${face.index + 1}` : '';
              download(await sheetOf(net, synthesised), `fersnet-sheet${number}.png`);
            } finally {
              done();
            }
          },
        }),
    );
    this.#answers.replaceChildren(...this.#panels.map(({ root }) => root));
    for (const face of picture.faces) {
      if ('expression' in face) this.showRecognised(/** @type {ReadFace} */ (face));
    }
    this.#moveAll(this.#all);
    this.choose(Math.min(this.selected, Math.max(0, picture.faces.length - 1)));
  }

  /**
   * Chooses the face whose answers are shown.
   * @param {number} index
   * @param {boolean} [byFrame] chosen in the photo: narrow screens then show the answers
   */
  choose(index, byFrame = false) {
    this.selected = index;
    pressFrame(this.#frames, index);
    this.#panels.forEach(({ root }, i) => (root.hidden = i !== index));
    this.#catchUp(index);
    this.#showCloseup();
    if (byFrame && this.#panels.length > 1) bringIntoView(this.#panels[index].root);
  }

  /** @param {ReadFace} face */
  showRecognised(face) {
    nameFrame(this.#frames, face);
    this.#panels[face.index]?.showRecognised(face);
  }

  /** @param {SynthesisedFace[]} synthesised all of one face */
  showSynthesised(synthesised) {
    if (synthesised.length === 0) return;
    const [{ face }] = synthesised;
    const panel = this.#panels[face.index];
    panel?.showSynthesised(synthesised);
    if (panel) void this.#addSliders(face, panel);
  }

  /** @param {ImageData} image */
  drawPhoto(image) {
    this.#image = image;
    this.#showPhoto();
  }

  /** Takes all synthesised faces out of the photo. */
  restore() {
    this.#events.onLeave();
    const done = this.#events.onBusy();
    this.#panels.forEach((_, index) => this.#behind.set(index, null));
    this.#catchUp(this.selected);
    void this.#movers?.restore().catch(this.#events.onFailed).finally(done);
  }

  /** The names of what the synthesised faces in the photo show, for files. */
  names() {
    return [...this.changes.values()].map((change) => this.nameOf(change));
  }

  /** What a synthesised face shows. @param {SynthesisedFace} change */
  nameOf({ target }) {
    return nameOf(target, this.#net?.classes ?? []);
  }

  /** The same in words. @param {SynthesisedFace} change */
  saidOf({ target }) {
    return saidOf(target, this.#net?.classes ?? []);
  }

  /** Draws the photo, or the original while it is compared with. */
  #showPhoto() {
    const original = this.#comparing ? this.picture?.preview : null;
    const image = original ?? this.#image;
    if (!image) return;
    draw(this.#canvas, image);
    this.#showCloseup();
    const names = original ? '' : this.names().join(', ');
    const shown = [...this.changes.values()].map((change) => this.saidOf(change));
    say(
      this.#canvas,
      (words) => (names ? words.face.pictureSynthetic(words.list([...new Set(shown.map((one) => one(words)))])) : words.page.thePicture),
      'aria-label',
    );
    this.#photo.dataset.synthetic = names;
    this.#badge.hidden = !names;
  }

  #showCloseup() {
    const face = this.picture?.faces[this.selected];
    if (face) drawCloseup(this.#closeup, this.#canvas, face);
  }

  /**
   * Fetched only now, so that nothing of them delays the first answer.
   * @param {ReadFace} face
   * @param {Panel} panel
   */
  async #addSliders(face, panel) {
    const loaded = await import('./sliders.js').catch(() => null);
    const net = this.#net;
    if (!net || this.#panels[face.index] !== panel) return;
    if (!loaded) {
      panel.lackSliders();
      return;
    }
    const onMove = (/** @type {Target | null} */ target) => this.#wish(face.index, target === null ? null : { target });
    panel.addSliders(new loaded.Sliders(face, net, { onMove }), this.changes.get(face.index)?.target ?? null);
    this.#catchUp(face.index);
  }

  /** What is chosen or moved is for all faces from now on, or for the chosen one alone. @param {boolean} all */
  #moveAll(all) {
    this.#all = all;
    this.#frames.classList.toggle('all', all);
    this.#panels.forEach((panel) => panel.moveAll(all));
  }

  /** The sliders of a face that moved with the others stand where it is. @param {number} index */
  #catchUp(index) {
    const target = this.#behind.get(index);
    // Where there are none yet, they are asked to once they come.
    if (target !== undefined && this.#panels[index]?.follow(target)) this.#behind.delete(index);
  }

  /** Takes the keyboard's focus to the chosen face. */
  focus() {
    const frame = /** @type {HTMLElement | undefined} */ (this.#frames.children[this.selected]);
    frame?.focus({ preventScroll: true });
  }

  /**
   * Puts a synthesised face into the photo; out of it where it is in it, or for null.
   * @param {number} index of the face
   * @param {SynthesisedFace | null} synthesised
   */
  #put(index, synthesised) {
    const before = this.changes.get(index);
    const isIn = before && synthesised && textOf(before.target) === textOf(synthesised.target);
    const put = isIn ? null : synthesised;
    if (put) bringIntoView(this.#photo);
    this.#panels[index]?.follow(put?.target ?? null);
    void this.#wish(index, put);
  }

  /**
   * @param {number} index of the face that is moved, alone or with all others
   * @param {Wish} wish
   * @returns {Promise<boolean>} as of a mover
   */
  async #wish(index, wish) {
    const movers = this.#movers;
    const faces = /** @type {ReadFace[]} */ (this.picture?.faces ?? []);
    const face = faces[index];
    if (!movers || !face) return false;
    this.#events.onLeave();
    this.#behind.delete(index);
    const done = this.#events.onBusy();
    if (!this.#all) return movers.wish(face, wish).finally(done);
    const others = faces.filter((other) => other !== face && 'expression' in other);
    const { shown, followed } = movers.wishAll(face, wish, others);
    this.#letFollow(others, wish?.target ?? null, shown);
    const told = followed.then((are) => are && this.#panels[index]?.tellFollowed(Boolean(wish)));
    void told.catch(this.#events.onFailed).finally(done);
    return shown;
  }

  /**
   * The sliders of other faces stand at a target too, unless it is refused.
   * @param {readonly ReadFace[]} others
   * @param {Target | null} target
   * @param {Promise<boolean>} shown
   */
  #letFollow(others, target, shown) {
    const before = new Map(this.#behind);
    for (const { index } of others) this.#behind.set(index, target);
    shown.catch(() => (this.#behind = before));
  }

  /**
   * @param {ReadFace} face
   * @param {SynthesisedFace | null} made
   */
  async #place(face, made) {
    if (this.picture !== face.picture) return;
    if (made) this.changes.set(face.index, made);
    else this.changes.delete(face.index);
    this.#panels.forEach((panel, i) => panel.press(this.changes.get(i)));
    nameFrame(this.#frames, face, made && this.saidOf(made));
    this.#actions.hidden = this.changes.size === 0;
    this.#compare.hidden = this.changes.size === 0;
    await this.#events.onChange();
  }
}

/** @param {HTMLElement} part */
function bringIntoView(part) {
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  part.scrollIntoView({ block: 'nearest', behavior: still ? 'auto' : 'smooth' });
}
