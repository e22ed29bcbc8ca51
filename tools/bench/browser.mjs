// The browser of the benches: a fresh profile each time, with the adapter that is asked for.

import { join } from 'node:path';

import { chromium } from 'playwright-core';

import { ROOT } from '../../tests/web/browser.mjs';

/** The page's program with what measures it: `make build-bench`. */
export const BENCH_DIST = process.env.FERSNET_BENCH_DIST || join(ROOT, 'dist-bench');

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--enable-unsafe-webgpu',
];

/** By BENCH_ADAPTER: WebGPU and WebGL in software, which every machine has, or on the machine's GPU. */
const ADAPTERS = {
  swiftshader: ['--use-webgpu-adapter=swiftshader', '--enable-unsafe-swiftshader'],
  gpu: ['--enable-features=Vulkan', '--use-angle=vulkan', '--ignore-gpu-blocklist'],
};

/** Which adapter is asked for; the results tell which one came. */
export const ADAPTER = process.env.BENCH_ADAPTER || 'swiftshader';

/** Runs `work` with a page in a browser of its own, and ends the browser whatever happens. */
export async function withPage(work) {
  if (!Object.hasOwn(ADAPTERS, ADAPTER)) throw new Error(`BENCH_ADAPTER is one of ${Object.keys(ADAPTERS)}`);
  const executablePath = process.env.FERSNET_CHROMIUM || '/usr/bin/chromium';
  const browser = await chromium.launch({ executablePath, args: [...ARGUMENTS, ...ADAPTERS[ADAPTER]] });
  try {
    const page = await browser.newPage();
    const complaints = [];
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('crash', () => complaints.push('the page crashed'));
    return await work(page, { complaints, version: browser.version() });
  } finally {
    await browser.close();
  }
}
