// Draws www/icons/*.png from www/favicon.svg, in the Chromium of the tests:
//
//     FERSNET_CHROMIUM=/usr/bin/chromium node tools/icons.mjs

import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const ROOT = join(fileURLToPath(import.meta.url), '../..');
const TO = join(ROOT, 'www/icons');

/** The square of favicon.svg, which fills a picture that systems cut to their own shape. */
const GROUND = '#0f6b6b';

/** How large the drawing is in each picture: systems may cut away all but the middle 80 % of a maskable one. */
const ICONS = [
  { name: 'icon-192', side: 192, part: 1 },
  { name: 'icon-512', side: 512, part: 1 },
  { name: 'maskable-512', side: 512, part: 0.8, ground: GROUND },
  { name: 'touch-180', side: 180, part: 0.9, ground: GROUND },
];

const drawing = (await readFile(join(ROOT, 'www/favicon.svg'))).toString('base64');
const executablePath = process.env.FERSNET_CHROMIUM || '/usr/bin/chromium';
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  await mkdir(TO, { recursive: true });
  for (const { name, side, part, ground = 'transparent' } of ICONS) {
    const page = await browser.newPage({ viewport: { width: side, height: side } });
    await page.setContent(
      `<body style="margin:0;height:100vh;display:grid;place-items:center;background:${ground}">` +
        `<img src="data:image/svg+xml;base64,${drawing}" width="${side * part}" height="${side * part}">`,
    );
    await page.locator('img').evaluate((image) => image.decode());
    await page.screenshot({ path: join(TO, `${name}.png`), omitBackground: true });
    await page.close();
  }
} finally {
  await browser.close();
}
