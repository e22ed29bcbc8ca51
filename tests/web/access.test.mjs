// Light and dark, wide and narrow, by keyboard and with less motion.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { serious } from './axe.mjs';
import { explainAndMove, forAllTests, PATIENCE_MS, ROOT } from './browser.mjs';

const ASTRONAUT = join(ROOT, 'www/samples/astronaut.jpg');

const site = forAllTests();

async function openLoaded(context) {
  const visit = await site.open('?device=cpu', { context });
  await visit.loaded();
  return visit;
}

/** A face moved, why it is read so, and everything open. */
async function openAll(visit) {
  const { page } = visit;
  await explainAndMove(visit, ASTRONAUT);
  await page.evaluate(() => document.querySelectorAll('.part').forEach((part) => (part.open = true)));
}

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing serious on the ${colorScheme} page`, async () => {
    const visit = await openLoaded({ colorScheme, reducedMotion: 'reduce' });
    const { page } = visit;
    assert.deepEqual(await serious(page), [], 'empty');
    await openAll(visit);
    assert.deepEqual(await serious(page), [], 'with a face');
    await page.getByTestId('animate').click();
    await page.locator('#player-gif:not([disabled])').waitFor({ timeout: PATIENCE_MS });
    assert.deepEqual(await serious(page), [], 'with an animation');
    await visit.close();
  });
}

test('nothing sticks out at any width, and what is pressed is large enough', async () => {
  for (const width of [390, 768, 1440]) {
    const visit = await openLoaded({ viewport: { width, height: 844 } });
    const { page } = visit;
    const overflow = () => page.evaluate(() => document.documentElement.scrollWidth);
    assert.equal(await overflow(), width, `empty at ${width}`);
    await openAll(visit);
    assert.equal(await overflow(), width, `with a face at ${width}`);
    const small = await page.evaluate(() =>
      [...document.querySelectorAll('button, select, summary, input')]
        .filter((part) => part.getClientRects().length > 0 && !part.matches('[type="file"], .frame, [type="checkbox"]'))
        .map((part) => ({ part: part.outerHTML.slice(0, 80), box: part.getBoundingClientRect() }))
        .filter(({ box }) => box.height < 24 || box.width < 24)
        .map(({ part }) => part),
    );
    assert.deepEqual(small, [], `at ${width}`);
    await visit.close();
  }
});

test('with the keyboard alone a face is put in, moved, animated and saved', async () => {
  const visit = await openLoaded({ reducedMotion: 'reduce' });
  const { page } = visit;
  const tabTo = async (testId, key = 'Tab') => {
    for (let i = 0; i < 90; i += 1) {
      await page.keyboard.press(key);
      const found = await page.evaluate(() => {
        const { dataset, id } = document.activeElement ?? { dataset: {} };
        return [dataset.testid ?? '', dataset.sample ?? '', id ?? ''];
      });
      if (found.includes(testId)) return;
    }
    assert.fail(`the tabulator does not reach ${testId}`);
  };
  await tabTo('samples/astronaut.jpg');
  await page.keyboard.press('Enter');
  await visit.settled();
  await page.getByTestId('sliders-0').waitFor({ timeout: PATIENCE_MS });
  await tabTo('why-0');
  await page.keyboard.press('Enter');
  await page.getByTestId('gates-0-synthesis-3').waitFor({ timeout: PATIENCE_MS });
  await tabTo('intensity-0');
  await page.keyboard.press('End');
  await visit.settled();
  assert.equal(await page.getByTestId('intensity-0').getAttribute('aria-valuetext'), '120 %');
  await tabTo('animate', 'Shift+Tab');
  await page.keyboard.press('Enter');
  await page.locator('#player-gif:not([disabled])').waitFor({ timeout: PATIENCE_MS });
  await tabTo('save-gif');
  const [download] = await Promise.all([
    page.waitForEvent('download', { timeout: PATIENCE_MS }),
    page.keyboard.press('Enter'),
  ]);
  assert.match(download.suggestedFilename(), /\.gif$/);
  await tabTo('player-close', 'Shift+Tab');
  await page.keyboard.press('Enter');
  await tabTo('save', 'Shift+Tab');
  await visit.close();
});
