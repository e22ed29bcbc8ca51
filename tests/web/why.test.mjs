// Where an answer came from, and how sure it is.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import english from '../../www/languages/en.js';
import { strongestPart } from '../../www/page/heat.js';
import { surenessOf } from '../../www/page/sure.js';
import { forAllTests, PATIENCE_MS, ROOT } from './browser.mjs';

const ASTRONAUT = join(ROOT, 'www/samples/astronaut.jpg');

const site = forAllTests();

/** The page with the astronaut's face, and why it is read as it is. */
async function openWhy(options = {}) {
  const visit = await site.open('?device=cpu', options);
  await visit.loaded();
  assert.equal(await visit.give(ASTRONAUT), 'ready', await visit.error());
  await visit.page.getByTestId('why-0').click();
  await visit.page.getByTestId('gates-0-synthesis-3').waitFor({ timeout: PATIENCE_MS });
  await visit.settled();
  return visit;
}

/** Whether each canvas shows more than a few shades. */
const areDrawn = (canvases) =>
  canvases.map((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return new Set(data.filter((_, i) => i % 4 === 0)).size > 16;
  });

test('the gates are shown for both directions and each level, with a sentence each', async () => {
  const visit = await openWhy();
  const { page } = visit;
  for (const receiver of ['recognition', 'synthesis']) {
    for (const [level, side] of [[1, 24], [2, 12], [3, 6]]) {
      const row = page.getByTestId(`gates-0-${receiver}-${level}`);
      const drawn = await row.locator('canvas').evaluateAll(areDrawn);
      assert.deepEqual(drawn, [true, true], `${receiver} ${level}`);
      const words = await row.locator('p').innerText();
      const [first, second] = receiver === 'recognition' ? ['Recognising', 'synthesising'] : ['Synthesising', 'recognising'];
      assert.match(words, new RegExp(`${side} × ${side}.*${first} let in \\d+ % of what ${second} has here.*\\d+ % of its own`, 's'));
    }
  }
  assert.deepEqual([visit.violations, visit.complaints, visit.strangers()], [[], [], []]);
  await page.getByTestId('why-0').click();
  assert.equal(await page.getByTestId('why-panel-0').isVisible(), false, 'the button closes it');
  await visit.close();
});

test('covering the astronaut’s mouth takes most of her smile away', async () => {
  const visit = await openWhy();
  const { page } = visit;
  await page.getByTestId('cover-0').click();
  const fall = page.getByTestId('fall-0');
  await fall.waitFor({ timeout: PATIENCE_MS });
  await visit.settled();
  assert.match(await fall.innerText(), /Happiness stands at .* falls by up to \d+ percentage points, most at the mouth/);
  const map = await page.evaluate(async () => {
    const { FersNet } = await import('./api/index.js');
    const net = await FersNet.load({ device: 'cpu' });
    const picture = await net.recognise(await (await fetch('samples/astronaut.jpg')).arrayBuffer());
    const [face] = picture.faces;
    const { side, fall } = await net.cover(face);
    const again = await net.cover(face);
    const gates = await net.gates(face);
    net.close();
    return { side, fall: [...fall], again: [...again.fall], gates };
  });
  assert.equal(map.fall.length, map.side ** 2);
  assert.deepEqual(map.fall, map.again, 'the same face, the same map');
  assert.equal(strongestPart(map.fall), 'mouth');
  assert.equal(map.gates.length, 6);
  for (const { letIn, taken, side } of map.gates) {
    assert.equal(letIn.length, side * side);
    assert.ok([...letIn, ...taken].every((value) => value > 0 && value < 1));
  }
  await visit.close();
});

test('covering can be stopped', async () => {
  const visit = await openWhy();
  const { page } = visit;
  const button = page.getByTestId('cover-0');
  await button.click();
  assert.equal(await button.innerText(), 'Stop');
  await button.click();
  await page.getByTestId('why-panel-0').filter({ hasText: 'Stopped.' }).waitFor({ timeout: PATIENCE_MS });
  await visit.settled();
  assert.equal(await page.getByTestId('fall-0').count(), 0);
  // Nothing of it is left: another picture is answered.
  assert.equal(await visit.give(ASTRONAUT), 'ready');
  await visit.close();
});

test('an answer whose two likeliest expressions are close names both', () => {
  const of = (first, probabilities, certain = true) => surenessOf({ expression: first, certain, probabilities }, english);
  const sure = of('happiness', { neutral: 0.1, happiness: 0.9 });
  assert.deepEqual([sure.sure, sure.words, sure.reason], [true, 'happiness', '']);
  const close = of('anger', { anger: 0.52, disgust: 0.43, fear: 0.05 });
  assert.deepEqual([close.sure, close.words, close.other], [false, 'anger or disgust: not sure', 'disgust']);
  assert.match(close.reason, /anger \(52\.0 %\) and disgust \(43\.0 %\) are close/);
  const weak = of('fear', { fear: 0.4, surprise: 0.25, sadness: 0.2, neutral: 0.15 }, false);
  assert.deepEqual([weak.sure, weak.words, weak.other], [false, 'perhaps fear: not sure', null]);
});

test('the page says where it is not sure, and of which two', async () => {
  // The worker's answer is made undecided on its way.
  const prepare = (page) =>
    page.addInitScript(() => {
      window.Worker = class extends Worker {
        constructor(...given) {
          super(...given);
          this.addEventListener('message', ({ data }) => {
            if (data.type !== 'recognised') return;
            Object.assign(data.recognition, { expression: 4, certain: false, probabilities: [0.1, 0, 0, 0, 0.41, 0.37, 0.12, 0] });
          });
        }
      };
    });
  const visit = await site.open('?device=cpu', { prepare });
  await visit.loaded();
  await visit.give(ASTRONAUT);
  const { page } = visit;
  assert.equal(await page.locator('#panel-0 h2').innerText(), 'Anger or disgust not sure');
  assert.equal(await page.getByTestId('expression-0').textContent(), 'anger');
  assert.match(await page.getByTestId('doubt-0').innerText(), /anger \(41\.0 %\) and disgust \(37\.0 %\)/);
  assert.equal(await page.getByTestId('status').innerText(), 'The face shows anger or disgust: not sure.');
  assert.match(await page.getByTestId('face-0').innerText(), /anger or disgust\?/);
  await visit.close();
});
