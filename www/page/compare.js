// @ts-check
/** @file Hold to compare: a button, or the key "c", that tells when it is held and when it is let go. */

/** The key that does what the button does. */
const KEY = 'c';

/**
 * @param {HTMLElement} button
 * @param {(held: boolean) => void} onHeld
 */
export function listenForHolding(button, onHeld) {
  let held = false;
  /** @param {boolean} now */
  const set = (now) => {
    if (now === held || (now && button.getClientRects().length === 0)) return;
    held = now;
    button.setAttribute('aria-pressed', String(now));
    onHeld(now);
  };
  const release = () => set(false);
  button.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    // The hold goes on where the pointer slides off the button.
    button.setPointerCapture(event.pointerId);
    set(true);
  });
  for (const end of ['pointerup', 'pointercancel', 'lostpointercapture', 'blur']) {
    button.addEventListener(end, release);
  }
  // A long touch would open a menu.
  button.addEventListener('contextmenu', (event) => event.preventDefault());
  button.addEventListener('keydown', (event) => {
    if (event.key !== ' ' && event.key !== 'Enter') return;
    event.preventDefault();
    set(true);
  });
  button.addEventListener('keyup', release);
  document.addEventListener('keydown', (event) => {
    const { key, ctrlKey, metaKey, altKey, target } = event;
    if (key.toLowerCase() === KEY && !ctrlKey && !metaKey && !altKey && !isWrittenInto(target)) set(true);
  });
  document.addEventListener('keyup', ({ key }) => {
    if (key.toLowerCase() === KEY) release();
  });
  addEventListener('blur', release);
}

/** @param {EventTarget | null} target whether letters typed here mean something */
function isWrittenInto(target) {
  if (target instanceof HTMLInputElement) return target.type === 'text';
  return target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;
}
