// The sliders move the face in the photo: at once, the newest wish only, and back again.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { wayTo } from '../../www/api/path.js';
import { Latest } from '../../www/page/latest.js';
import { Pose } from '../../www/page/pose.js';
import { parseTarget, textOf } from '../../www/page/target.js';
import { forAllTests, meanDifference, PATIENCE_MS, ROOT } from './browser.mjs';

const ASTRONAUT = join(ROOT, 'www/samples/astronaut.jpg');

const site = forAllTests();

/** How long a face may take to be moved on a busy machine. */
const SOON_MS = 60_000;

/** Counts what the page asks its worker to synthesise, and how many of that are under way at once. */
async function countSyntheses(page) {
  await page.addInitScript(() => {
    window.syntheses = { targets: [], open: new Set(), most: 0, freed: 0 };
    window.Worker = class extends Worker {
      constructor(...given) {
        super(...given);
        const { open } = window.syntheses;
        this.addEventListener('message', ({ data }) => {
          if (data.type === 'done' || data.type === 'failed') open.delete(data.id);
        });
      }

      postMessage(message, ...rest) {
        if (message.type === 'synthesise') {
          const { open, targets } = window.syntheses;
          open.add(message.id);
          targets.push(...message.targets);
          window.syntheses.most = Math.max(window.syntheses.most, open.size);
        }
        if (message.type === 'forget') window.syntheses.freed += 1;
        super.postMessage(message, ...rest);
      }
    };
  });
}

/** The page with the astronaut's face, its sliders, and all parts of the face open. */
async function openMoved(options = {}) {
  const visit = await site.open('?device=cpu', { prepare: countSyntheses, ...options });
  await visit.loaded();
  assert.equal(await visit.give(ASTRONAUT), 'ready', await visit.error());
  await visit.page.getByTestId('sliders-0').waitFor({ timeout: PATIENCE_MS });
  await visit.page.evaluate(() => document.querySelectorAll('.part').forEach((part) => (part.open = true)));
  return visit;
}

/** Sets a slider as a drag does, in percent. */
async function slide(visit, testId, percent) {
  await visit.page.getByTestId(testId).fill(String(percent));
  await visit.settled();
}

/** The photo's pixels in a part of the first face's box: its left, top, right and bottom, 0 to 1. */
async function partOf(visit, [left, top, right, bottom]) {
  const photo = await visit.photo();
  const [{ box }] = await visit.faces();
  const [x0, x1] = [left, right].map((part) => Math.round(box.x + part * box.width));
  const [y0, y1] = [top, bottom].map((part) => Math.round(box.y + part * box.height));
  const rows = [];
  for (let y = y0; y < y1; y += 1) {
    rows.push(photo.rgb.subarray((y * photo.width + x0) * 3, (y * photo.width + x1) * 3));
  }
  return { width: x1 - x0, height: y1 - y0, rgb: Buffer.concat(rows) };
}

const MOUTH = [0.25, 0.62, 0.75, 0.98];

/** What the text field says. */
const text = (visit) => visit.page.getByTestId('target-0').inputValue();

test('a slider moves the mouth in the photo, which is marked as synthetic and saved with its mark', async () => {
  const visit = await openMoved();
  const { page } = visit;
  const before = await partOf(visit, MOUTH);
  const outside = await partOf(visit, [-0.6, -0.5, -0.4, 1]);
  assert.equal(await page.locator('#photo-badge').isVisible(), false);
  await slide(visit, 'control-0-jawOpen', 90);
  const moved = meanDifference(before, await partOf(visit, MOUTH));
  assert.ok(moved > 0.01, `the mouth differs by ${moved}`);
  assert.equal(meanDifference(outside, await partOf(visit, [-0.6, -0.5, -0.4, 1])), 0, 'the rest is the photo');
  assert.ok(await page.locator('#photo-badge').isVisible(), 'the photo is labelled as synthetic');
  assert.equal(await page.getByTestId('control-0-jawOpen').getAttribute('aria-valuetext'), '90 %');
  const [download] = await Promise.all([
    page.waitForEvent('download', { timeout: PATIENCE_MS }),
    page.getByTestId('save').click(),
  ]);
  assert.equal(download.suggestedFilename(), 'fersnet-moved.png');
  assert.deepEqual([visit.violations, visit.complaints], [[], []]);
  await visit.close();
});

test('the sliders start where the face is, and a moved control keeps the others there', async () => {
  const visit = await openMoved();
  const { page } = visit;
  // The astronaut smiles.
  const slider = page.getByTestId('control-0-mouthSmileLeft-mouthSmileRight');
  const smile = Number(await slider.inputValue());
  assert.ok(smile > 50, `a smile of ${smile} %`);
  await slide(visit, 'control-0-browInnerUpLeft-browInnerUpRight', 60);
  assert.equal(await text(visit), 'own=1,browInnerUpLeft=0.6,browInnerUpRight=0.6');
  assert.equal(Number(await slider.inputValue()), smile);
  await visit.close();
});

test('an expression leaves from where the face is, and the sliders show what it sets', async () => {
  const visit = await openMoved();
  const { page } = visit;
  const value = async (name) => Number(await page.getByTestId(`control-0-${name}`).inputValue());
  const original = await partOf(visit, MOUTH);
  const smile = await value('mouthSmileLeft-mouthSmileRight');
  await page.getByTestId('chosen-0').selectOption('surprise');
  await slide(visit, 'intensity-0', 2);
  assert.equal(await text(visit), 'own=0.98,surprise=0.02');
  const begun = meanDifference(original, await partOf(visit, MOUTH));
  await page.getByTestId('synthesis-0-neutral').click();
  await visit.settled();
  const neutral = meanDifference(original, await partOf(visit, MOUTH));
  assert.ok(begun < neutral / 2, `a little surprise differs by ${begun} from a smile, the neutral face by ${neutral}`);
  await page.getByTestId('synthesis-0-surprise').click();
  await visit.settled();
  assert.deepEqual([await value('jawOpen'), await value('mouthSmileLeft-mouthSmileRight')], [88, 0]);
  const brow = page.getByTestId('control-0-browInnerUpLeft-browInnerUpRight');
  assert.equal(await brow.getAttribute('aria-valuetext'), '135 %', 'more than a single control can set');
  assert.equal(await page.locator('.slider.auto').count(), 0);
  await slide(visit, 'intensity-0', 50);
  const half = await value('mouthSmileLeft-mouthSmileRight');
  assert.ok(Math.abs(half - smile / 2) <= 1, `half of ${smile} % is ${half} %`);
  await visit.close();
});

test('an expression takes an intensity, and a mixture stays within the largest sum', async () => {
  const visit = await openMoved();
  const { page } = visit;
  await page.getByTestId('synthesis-0-surprise').click();
  await visit.settled();
  assert.equal(await page.getByTestId('intensity-0').inputValue(), '100', 'the slider follows the thumbnail');
  const full = await partOf(visit, MOUTH);
  await slide(visit, 'intensity-0', 40);
  assert.equal(await text(visit), 'own=0.6,surprise=0.4');
  assert.ok(meanDifference(full, await partOf(visit, MOUTH)) > 0.005, 'less is drawn');
  assert.equal(await page.getByTestId('synthesis-0-surprise').getAttribute('aria-pressed'), 'false');
  await slide(visit, 'mix-0-happiness', 60);
  assert.equal(await text(visit), 'surprise=0.4,happiness=0.6');
  await slide(visit, 'mix-0-happiness', 100);
  assert.equal(await text(visit), 'surprise=0.2,happiness=1', 'the others give way');
  await slide(visit, 'mix-0-happiness', 0);
  await slide(visit, 'mix-0-surprise', 100);
  assert.equal(await page.getByTestId('synthesis-0-surprise').getAttribute('aria-pressed'), 'true');
  assert.equal(meanDifference(full, await partOf(visit, MOUTH)), 0, 'the same as the thumbnail');
  await visit.close();
});

test('a fast drag ends with its last position, and asks for one face at a time', async () => {
  const visit = await openMoved();
  const { page } = visit;
  const original = await visit.photo();
  await page.evaluate(() => Object.assign(window.syntheses, { targets: [], most: 0 }));
  const steps = 60;
  await page.evaluate(async (steps) => {
    const slider = document.querySelector('[data-testid="control-0-jawOpen"]');
    for (let i = 1; i <= steps; i += 1) {
      slider.value = String(2 * i);
      slider.dispatchEvent(new Event('input', { bubbles: true }));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }, steps);
  assert.equal(await page.evaluate(() => document.body.dataset.state), 'busy', 'it has not caught up yet');
  await visit.settled();
  const { most, targets, freed } = await page.evaluate(() => window.syntheses);
  assert.equal(most, 1, 'at most one in flight');
  assert.ok(targets.length > 1 && targets.length < steps / 2, `${targets.length} of ${steps} were drawn`);
  assert.equal(targets.at(-1).jawOpen, 1.2);
  assert.equal(freed, targets.length - 1, 'the worker keeps none but the last');
  const dragged = await visit.photo();
  assert.ok(meanDifference(original, dragged) > 0);
  await page.getByTestId('reset-0').click();
  await slide(visit, 'control-0-jawOpen', 120);
  assert.equal(meanDifference(dragged, await visit.photo()), 0, 'the photo shows the last position');
  await visit.close();
});

test('a reset brings the photo back, and the sliders to where the face is', async () => {
  const visit = await openMoved();
  const { page } = visit;
  const before = await visit.photo();
  const smile = page.getByTestId('control-0-mouthSmileLeft-mouthSmileRight');
  const start = await smile.inputValue();
  for (const way of ['reset-0', 'original']) {
    await slide(visit, 'control-0-mouthSmileLeft-mouthSmileRight', 3);
    assert.ok(meanDifference(before, await visit.photo()) > 0);
    await page.getByTestId(way).click();
    await visit.settled();
    assert.equal(meanDifference(before, await visit.photo()), 0, way);
    assert.equal(await smile.inputValue(), start, way);
    assert.equal(await page.locator('#photo-badge').isVisible(), false);
  }
  await visit.close();
});

test('what is copied gives the same photo when it is pasted', async () => {
  const visit = await openMoved({ context: { permissions: ['clipboard-read', 'clipboard-write'] } });
  const { page } = visit;
  await slide(visit, 'mix-0-sadness', 70);
  await slide(visit, 'control-0-jawOpen', 30);
  await page.getByTestId('copy-0').click();
  await page.getByTestId('target-message-0').filter({ hasText: 'Copied' }).waitFor({ timeout: SOON_MS });
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'own=0.3,sadness=0.7,jawOpen=0.3');
  const moved = await visit.photo();
  await page.getByTestId('reset-0').click();
  await visit.settled();
  assert.ok(meanDifference(moved, await visit.photo()) > 0);
  await page.getByTestId('target-0').focus();
  await page.keyboard.press('Control+V');
  await page.locator('#photo-badge').waitFor({ timeout: SOON_MS });
  await visit.settled();
  assert.equal(meanDifference(moved, await visit.photo()), 0);
  assert.equal(await page.getByTestId('mix-0-sadness').inputValue(), '70');
  assert.equal(await page.getByTestId('control-0-jawOpen').inputValue(), '30');
  assert.equal(await text(visit), 'own=0.3,sadness=0.7,jawOpen=0.3');
  await visit.close();
});

test('a text that is refused says why, and changes nothing', async () => {
  const visit = await openMoved();
  const { page } = visit;
  await slide(visit, 'control-0-jawOpen', 50);
  const before = await visit.photo();
  const message = page.getByTestId('target-message-0');
  for (const [given, why] of [
    ['joy=0.5', /joy.*happiness.*jawOpen/],
    ['jawOpen=1.3', /jawOpen is 1\.3.*from 0 to 1\.2/],
    ['happiness=0.7,surprise=0.7', /add up to 1\.4/],
    ['jawOpen=wide', /"wide" of jawOpen is not a number/],
    ['jawOpen=0.1,jawOpen=0.2', /jawOpen is given twice/],
    ['', /a name is missing/],
  ]) {
    await page.getByTestId('target-0').fill(given);
    await page.getByTestId('take-0').click();
    await message.filter({ hasText: why }).waitFor({ timeout: SOON_MS });
    await visit.settled();
    assert.equal(meanDifference(before, await visit.photo()), 0, given);
    assert.equal(await page.getByTestId('control-0-jawOpen').inputValue(), '50', given);
  }
  await slide(visit, 'control-0-jawOpen', 60);
  assert.equal(await message.innerText(), '', 'the message goes with the next move');
  await visit.close();
});

test('left and right move together, and apart when that is wished', async () => {
  const visit = await openMoved();
  const { page } = visit;
  await slide(visit, 'control-0-mouthSmileLeft-mouthSmileRight', 20);
  const linked = parseTarget(await text(visit));
  assert.deepEqual([linked.mouthSmileLeft, linked.mouthSmileRight], [0.2, 0.2]);
  // Not a pair: each is a direction.
  assert.equal(await page.getByTestId('control-0-jawLeft').count(), 1);
  await page.getByTestId('apart-0').check();
  await slide(visit, 'control-0-mouthSmileLeft', 110);
  const apart = parseTarget(await text(visit));
  assert.deepEqual([apart.mouthSmileLeft, apart.mouthSmileRight], [1.1, 0.2]);
  await visit.close();
});

test('the original is shown while the button or the key c is held', async () => {
  const visit = await openMoved();
  const { page } = visit;
  const original = await visit.photo();
  const compare = page.getByTestId('compare');
  assert.equal(await compare.isVisible(), false, 'there is nothing to compare yet');
  await slide(visit, 'control-0-jawOpen', 100);
  const moved = await visit.photo();
  const holds = {
    button: [() => compare.hover().then(() => page.mouse.down()), () => page.mouse.up()],
    key: [() => page.keyboard.down('c'), () => page.keyboard.up('c')],
  };
  for (const [way, [hold, release]] of Object.entries(holds)) {
    await hold();
    assert.equal(meanDifference(original, await visit.photo()), 0, `${way} held`);
    assert.equal(await page.locator('#photo-badge').isVisible(), false, 'the original is not synthetic');
    await release();
    assert.equal(meanDifference(moved, await visit.photo()), 0, `${way} let go`);
    assert.ok(await page.locator('#photo-badge').isVisible());
  }
  await page.getByTestId('target-0').focus();
  await page.keyboard.down('c');
  assert.equal(meanDifference(moved, await visit.photo()), 0, 'a letter that is typed compares nothing');
  await visit.close();
});

test('the arrow keys move a slider, and a narrow screen shows the photo beside it', async () => {
  const visit = await openMoved({ context: { viewport: { width: 390, height: 844 } } });
  const { page } = visit;
  const slider = page.getByTestId('control-0-jawOpen');
  const start = Number(await slider.inputValue());
  await slider.focus();
  await page.keyboard.press('ArrowRight');
  await visit.settled();
  assert.equal(Number(await slider.inputValue()), start + 1);
  const { wide, photo, at } = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth,
    photo: document.querySelector('#photo').getBoundingClientRect().toJSON(),
    at: document.activeElement.getBoundingClientRect().toJSON(),
  }));
  assert.equal(wide, 390, 'nothing sticks out');
  assert.ok(photo.top >= 0 && photo.bottom <= at.top && at.bottom <= 844, 'photo and slider are both in view');
  await visit.close();
});

test('the sliders are fetched after the first answer is shown', async () => {
  let answered = false;
  const prepare = (page) =>
    page.route('**/page/sliders.js', async (route) => {
      answered = (await page.locator('[data-testid^="probability-0-"]').count()) > 0;
      await route.continue();
    });
  const visit = await openMoved({ prepare });
  assert.ok(answered);
  await visit.close();
});

test('of wishes that come fast the first and the newest are done, one at a time', async () => {
  const done = [];
  let running = 0;
  const latest = new Latest(async (wish) => {
    running += 1;
    assert.equal(running, 1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    running -= 1;
    if (wish === 'bad') throw new Error('refused');
    done.push(wish);
  });
  assert.deepEqual(await Promise.all([1, 2, 3, 4].map((wish) => latest.wish(wish))), [true, false, false, true]);
  assert.deepEqual(done, [1, 4]);
  const [bad, next] = [latest.wish('bad'), latest.wish(5)];
  await assert.rejects(bad, /refused/);
  assert.equal(await next, true, 'an error does not end the work');
  assert.deepEqual(done, [1, 4, 5]);
});

const KNOWN = {
  classes: ['neutral', 'happiness', 'fear'],
  presets: { neutral: { teethShown: 0 }, happiness: { jawOpen: 0.2, teethShown: 1 }, fear: { browDownLeft: 2, teethShown: 0.5 } },
};

test('a pose makes the target that its text says', () => {
  const pose = new Pose(KNOWN, { jawOpen: 0.3, browDownLeft: 0 });
  assert.equal(pose.target(), null);
  pose.move(['jawOpen'], 0);
  assert.equal(textOf(pose.target()), 'own=1,jawOpen=0', 'the rest is the face’s own');
  for (const text of ['happiness=0.29,fear=0.57', 'fear=1.2,jawOpen=0', 'jawOpen=0.4', 'happiness=1', 'own=0.5,happiness=0.2']) {
    pose.take(parseTarget(text));
    assert.equal(textOf(pose.target()), text);
  }
  pose.take('happiness');
  assert.equal(pose.target(), 'happiness');
  pose.mix('fear', 0.57);
  assert.deepEqual(pose.target(), { happiness: 0.63, fear: 0.57 });
  pose.reset();
  assert.equal(pose.target(), null);
  const plain = new Pose({ ...KNOWN, presets: {} }, {});
  plain.mix('neutral', 0.6);
  plain.mix('fear', 0.8);
  assert.deepEqual([plain.target(), plain.most], [{ neutral: 0.2, fear: 0.8 }, 1], 'without controls the sum is at most 1');
});

test('a pose shows where each control stands', () => {
  const pose = new Pose(KNOWN, { jawOpen: 0.6, browDownLeft: 0.1 });
  const values = () => pose.controls.map((name) => pose.valueOf(name));
  assert.deepEqual(values(), [0.6, 0.1, null], 'the painter decides on the teeth');
  pose.mix('happiness', 0.5);
  assert.deepEqual(values(), [0.4, 0.05, null], 'half way');
  pose.mix('fear', 0.5);
  assert.deepEqual(values(), [0.1, 1, 0.75]);
  pose.move(['jawOpen'], 0.9);
  assert.deepEqual(values(), [0.9, 1, 0.75]);
  pose.take('fear');
  assert.deepEqual(values(), [0, 2, 0.5]);
});

test('the way to a target starts from the face, is eased, and ends at the target', () => {
  const net = { ...KNOWN, controls: ['jawOpen', 'browDownLeft'] };
  const face = { expression: 'neutral', controls: { jawOpen: 0.4, browDownLeft: 0 } };
  const way = wayTo(face, { happiness: 1, jawOpen: 1 }, net, 4);
  assert.deepEqual(way, [
    { own: 0.875, happiness: 0.125, jawOpen: 0.4 + 0.125 * 0.6 },
    { own: 0.5, happiness: 0.5, jawOpen: 0.7 },
    { own: 0.125, happiness: 0.875, jawOpen: 0.4 + 0.875 * 0.6 },
    { happiness: 1, jawOpen: 1 },
  ]);
  const plain = wayTo({ expression: 'neutral', controls: {} }, { fear: 1 }, { ...net, controls: [] }, 2);
  assert.deepEqual(plain, [{ neutral: 0.5, fear: 0.5 }, { fear: 1 }], 'without controls from what was recognised');
});
