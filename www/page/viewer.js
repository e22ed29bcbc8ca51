// @ts-check
/** @file The picture with its faces: frames, panels, and the synthesised faces put into it. */

import { byId, draw } from './dom.js';
import { drawFrames, nameFrame, pressFrame } from './frames.js';
import { Panel } from './panel.js';

/** @typedef {import('../api/index.js').FersNet} FersNet */
/** @typedef {import('../api/index.js').FoundPicture} FoundPicture */
/** @typedef {import('../api/index.js').ReadFace} ReadFace */
/** @typedef {import('../api/index.js').SynthesisedFace} SynthesisedFace */

/** What the page shows of one picture. */
export class Viewer {
  #photo = byId('photo');
  #canvas = /** @type {HTMLCanvasElement} */ (byId('canvas'));
  #frames = byId('frames');
  #answers = byId('panels');
  #actions = byId('actions');
  #badge = byId('photo-badge');
  #onChange;

  /** @type {FoundPicture | null} */ picture = null;
  /** Which face is shown. */
  selected = 0;
  /** @type {Map<number, SynthesisedFace>} the synthesised faces in the photo, by face */
  changes = new Map();
  /** @type {Panel[]} */ #panels = [];
  /** @type {FersNet | null} */ #net = null;

  /** @param {() => void} onChange the set of synthesised faces in the photo has changed */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  /** Back to the page without a picture's answers. */
  clear() {
    this.picture = null;
    this.selected = 0;
    this.changes.clear();
    this.#panels = [];
    this.#frames.replaceChildren();
    this.#frames.dataset.count = '0';
    this.#answers.replaceChildren();
    this.#photo.hidden = true;
    this.#actions.hidden = true;
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
    this.#panels = picture.faces.map(
      (face) =>
        new Panel(face, net.classes, net.synthesises, {
          onStep: (step) =>
            this.choose((face.index + step + picture.faces.length) % picture.faces.length),
          onPut: (synthesised) => this.#put(synthesised),
        }),
    );
    this.#answers.replaceChildren(...this.#panels.map(({ root }) => root));
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
    if (byFrame && this.#panels.length > 1) bringIntoView(this.#panels[index].root);
  }

  /** @param {ReadFace} face */
  showRecognised(face) {
    nameFrame(this.#frames, face);
    this.#panels[face.index]?.showRecognised(face);
  }

  /** @param {SynthesisedFace[]} synthesised all of one face */
  showSynthesised(synthesised) {
    if (synthesised.length > 0) this.#panels[synthesised[0].face.index]?.showSynthesised(synthesised);
  }

  /** @param {ImageData} image */
  drawPhoto(image) {
    draw(this.#canvas, image);
    const names = [...this.changes.values()].map(({ target }) => target).join(', ');
    this.#canvas.setAttribute(
      'aria-label',
      names ? `The picture with a synthetic face: ${names}` : 'The picture',
    );
    this.#photo.dataset.synthetic = names;
    this.#badge.hidden = !names;
  }

  /** Takes all synthesised faces out of the photo. */
  restore() {
    this.changes.clear();
    this.#changed();
  }

  /** Takes the keyboard's focus to the chosen face. */
  focus() {
    const frame = /** @type {HTMLElement | undefined} */ (this.#frames.children[this.selected]);
    frame?.focus({ preventScroll: true });
  }

  /** @param {SynthesisedFace} synthesised */
  #put(synthesised) {
    const { index } = synthesised.face;
    if (this.changes.get(index) === synthesised) this.changes.delete(index);
    else this.changes.set(index, synthesised);
    bringIntoView(this.#photo);
    this.#changed();
  }

  #changed() {
    this.#panels.forEach((panel, i) => panel.press(this.changes.get(i)));
    this.#actions.hidden = this.changes.size === 0;
    this.#onChange();
  }
}

/** @param {HTMLElement} part */
function bringIntoView(part) {
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  part.scrollIntoView({ block: 'nearest', behavior: still ? 'auto' : 'smooth' });
}
