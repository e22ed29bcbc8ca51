// A Chromium with WebGPU on SwiftShader, the built page in it, and what a test wants to know of it.

import assert from 'node:assert/strict';
import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

import { serve } from './server.mjs';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** The first WebGPU pass on SwiftShader compiles its shaders on two slow cores. */
export const PATIENCE_MS = 600_000;

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
];

/** Chromium; `extra` are more of its arguments. */
export function launch(extra = []) {
  const executablePath = process.env.FERSNET_CHROMIUM || '/usr/bin/chromium';
  return chromium.launch({ executablePath, args: [...ARGUMENTS, ...extra] });
}

/** The built page. */
export const DIST = process.env.FERSNET_DIST || join(ROOT, 'dist');

/** Serves the built page; a clear error where there is none. `options` as of `serve`. */
export async function serveDist(options) {
  await access(join(DIST, 'index.html')).catch(() => {
    throw new Error(`${DIST}/index.html is missing: run \`make build-web\` first`);
  });
  return serve(DIST, options);
}

/** The page served and a Chromium for all tests of a file: there before the first, closed after the last. */
export function forAllTests() {
  const site = {
    server: null,
    browser: null,
    /** A visit to the page; `options` as of `Visit.open`. */
    open: (query, options) => Visit.open(site.browser, site.server.origin, query, options),
  };
  before(async () => {
    site.server = await serveDist();
    site.browser = await launch();
  });
  after(async () => {
    await site.browser?.close();
    await site.server?.close();
  });
  return site;
}

/** The page in a fresh profile, with a record of what it asked for and what it complained of. */
export class Visit {
  /** Every address that the page or its worker asked for. */
  requests = [];
  /** Errors and CSP reports of the console. */
  complaints = [];
  /** Violations of the page's own CSP, as its events report them. */
  violations = [];

  static async open(browser, origin, query = '', { prepare, context = {} } = {}) {
    const visit = new Visit();
    visit.origin = origin;
    visit.context = await browser.newContext(context);
    const page = await visit.context.newPage();
    visit.page = page;
    visit.context.on('request', (request) => visit.requests.push(request.url()));
    page.on('console', (message) => {
      if (message.type() === 'error') visit.complaints.push(message.text());
    });
    page.on('pageerror', (error) => visit.complaints.push(String(error)));
    await page.exposeFunction('reportViolation', (text) => visit.violations.push(text));
    await page.addInitScript(() => {
      // RGB, as text that survives the way to the test.
      window.packCanvas = (canvas) => {
        const { width, height } = canvas;
        const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
        let text = '';
        for (let i = 0; i < data.length; i += 4) {
          text += String.fromCharCode(data[i], data[i + 1], data[i + 2]);
        }
        return { width, height, base64: btoa(text) };
      };
      document.addEventListener('securitypolicyviolation', (event) => {
        window.reportViolation(`${event.violatedDirective}: ${event.blockedURI}`);
      });
    });
    await prepare?.(page);
    await page.goto(`${origin}/${query}`);
    return visit;
  }

  /** Waits for one of the page's states. */
  async state(...states) {
    const selector = states.map((state) => `body[data-state="${state}"]`).join(', ');
    await this.page.waitForSelector(selector, { timeout: PATIENCE_MS, state: 'attached' });
    return this.page.evaluate(() => document.body.dataset.state);
  }

  /** Waits until the network is loaded. */
  async loaded() {
    if ((await this.state('ready', 'error')) === 'error') throw new Error(await this.error());
  }

  /** Gives the page a file (a path, or `{name, mimeType, buffer}`) and waits for its answers. */
  async give(file) {
    await this.page.getByTestId('picture').setInputFiles(file);
    return this.settled();
  }

  /** Waits until the page is done, well or not: busy has begun once a change event has run. */
  async settled() {
    return this.state('ready', 'error');
  }

  /** The text of the error that is shown, or the empty text. */
  async error() {
    const shown = this.page.getByTestId('error');
    return (await shown.isVisible()) ? (await shown.locator('p').innerText()).trim() : '';
  }

  /** The code of the error that is shown. */
  async code() {
    return this.page.getByTestId('error').getAttribute('data-code');
  }

  /** All faces: `{expression, probabilities, box}`, from the elements that people read too. */
  async faces() {
    return this.page.evaluate(() => {
      const byId = (id) => document.querySelector(`[data-testid="${id}"]`);
      const faces = [];
      for (let i = 0; byId(`face-${i}`); i += 1) {
        const prefix = `probability-${i}-`;
        const bars = [...document.querySelectorAll(`[data-testid^="${prefix}"]`)];
        const { x, y, width, height } = byId(`face-${i}`).dataset;
        faces.push({
          expression: byId(`expression-${i}`).textContent,
          probabilities: Object.fromEntries(
            bars.map((bar) => [bar.dataset.testid.slice(prefix.length), Number(bar.dataset.value)]),
          ),
          box: { x: Number(x), y: Number(y), width: Number(width), height: Number(height) },
        });
      }
      return faces;
    });
  }

  /** The pixels of the canvas within the element with this test id. */
  async pixels(testId) {
    return unpack(
      await this.page.evaluate(
        (id) => window.packCanvas(document.querySelector(`[data-testid="${id}"] canvas`)),
        testId,
      ),
    );
  }

  /** The pixels of the photo as it is shown. */
  async photo() {
    return unpack(await this.page.evaluate(() => window.packCanvas(document.querySelector('#canvas'))));
  }

  /** The pixels of a PNG file. */
  async decode(png) {
    return unpack(
      await this.page.evaluate(async (base64) => {
        const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
        const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
        const canvas = document.createElement('canvas');
        canvas.width = image.width;
        canvas.height = image.height;
        canvas.getContext('2d').drawImage(image, 0, 0);
        return window.packCanvas(canvas);
      }, png.toString('base64')),
    );
  }

  /** Addresses of other hosts that the page or its worker asked for. */
  strangers() {
    const own = (address) => address.startsWith(`${this.origin}/`) || address.startsWith('blob:');
    return this.requests.filter((address) => !own(address));
  }

  async close() {
    await this.context.close();
  }
}

function unpack({ width, height, base64 }) {
  return { width, height, rgb: Buffer.from(base64, 'base64') };
}

/** Mean absolute difference of two pictures of one size, in parts of the full range. */
export function meanDifference(a, b) {
  if (a.width !== b.width || a.height !== b.height) {
    throw new Error(`${a.width} x ${a.height} against ${b.width} x ${b.height}`);
  }
  let sum = 0;
  for (let i = 0; i < a.rgb.length; i += 1) sum += Math.abs(a.rgb[i] - b.rgb[i]);
  return sum / a.rgb.length / 255;
}

/** Gives the page a photo of one face, has its answer explained and the face synthesised with surprise. */
export async function explainAndMove(visit, photo) {
  const { page } = visit;
  assert.equal(await visit.give(photo), 'ready', await visit.error());
  await page.getByTestId('sliders-0').waitFor({ timeout: PATIENCE_MS });
  await page.getByTestId('why-0').click();
  await page.getByTestId('gates-0-synthesis-3').waitFor({ timeout: PATIENCE_MS });
  await page.getByTestId('synthesis-0-surprise').click();
  await visit.settled();
}
