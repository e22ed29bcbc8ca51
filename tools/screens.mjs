// Takes docs/screens/*.jpg, the built page narrow and wide, light and dark, with one of the composite samples:
//
//     FERSNET_CHROMIUM=/usr/bin/chromium node tools/screens.mjs

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { launch, PATIENCE_MS, ROOT, serveDist, Visit } from '../tests/web/browser.mjs';

const TO = join(ROOT, 'docs/screens');

const SIZES = [
  { width: 390, height: 844, sample: 'composite-f-african' },
  { width: 1440, height: 960, sample: 'composite-m-easian' },
];

const server = await serveDist();
const browser = await launch();
try {
  await mkdir(TO, { recursive: true });
  for (const { sample, ...viewport } of SIZES) {
    for (const colorScheme of ['light', 'dark']) {
      const context = { viewport, colorScheme, reducedMotion: 'reduce' };
      const visit = await Visit.open(browser, server.origin, '?device=cpu&lang=en', { context });
      const { page } = visit;
      page.setDefaultTimeout(PATIENCE_MS);
      await visit.loaded();
      await page.locator(`[data-sample="samples/${sample}.jpg"]`).click();
      await page.getByTestId('synthesis-0-happiness').click();
      await page.locator('#photo-badge').waitFor();
      await visit.settled();
      await page.mouse.move(0, 0);
      // The photo and its answers; the head has this machine's times.
      if (viewport.width > 1000) await page.evaluate(() => document.querySelector('main')?.scrollIntoView());
      await page.screenshot({ path: join(TO, `${viewport.width}-${colorScheme}.jpg`), quality: 82 });
      await visit.close();
    }
  }
} finally {
  await browser.close();
  await server.close();
}
