#!/usr/bin/env node
// Memory over a long video in the page's table: whether anything grows with the frames.
//
//     node tools/bench_video.mjs [seconds of video] [frames a second]      # 120 seconds of 1280 x 720, 5 a second
//
// The film has two sample portraits that move, with a cut every quarter. Every ten seconds it notes the frames that are
// done, the WebAssembly memory of the worker, the page's heap and its DOM nodes after a garbage collection, and the
// resident memory of the page's process and of the whole browser. Writes video.json into BENCH_OUT (bench-out/) and
// prints it. Needs the built page (FERSNET_DIST, dist/), ffmpeg, and Linux for the resident memory. BENCH_QUERY is the
// page's query (?device=cpu), BENCH_ENDING the film's kind: webm (the default) or mp4.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { launch, serveDist } from '../tests/web/browser.mjs';
import { machine, OUT } from './bench/machine.mjs';
import { portraitFilm } from './bench/portrait-film.mjs';

const [seconds = '120', rate = '5'] = process.argv.slice(2);
const FILM = { width: 1280, height: 720, rate: 25, seconds: Number(seconds), shots: 4 };
const EVERY_MS = 10_000;
const PATIENCE_MS = 240_000;
const MEGABYTE = 2 ** 20;

/** In the worker, before its program is there: keeps the memory that the program is given. */
function keepMemory() {
  for (const name of ['instantiate', 'instantiateStreaming']) {
    const instantiate = WebAssembly[name];
    WebAssembly[name] = async (...values) => {
      const result = await instantiate.apply(WebAssembly, values);
      globalThis.memory = (result.instance ?? result).exports.memory;
      return result;
    };
  }
}

/** Resident megabytes of a process; 0 once it has ended. @param {number} pid */
async function resident(pid) {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024;
}

/** What everything takes now, in megabytes. */
async function memory(page, browserSession, pageSession) {
  await pageSession.send('HeapProfiler.collectGarbage');
  const { metrics } = await pageSession.send('Performance.getMetrics');
  const metric = (wanted) => metrics.find(({ name }) => name === wanted)?.value ?? 0;
  const { processInfo } = await browserSession.send('SystemInfo.getProcessInfo');
  const processes = await Promise.all(processInfo.map(async ({ id, type }) => ({ type, megabytes: await resident(id) })));
  const total = (some) => Math.round(some.reduce((sum, { megabytes }) => sum + megabytes, 0));
  const bytes = await page.workers()[0].evaluate(() => globalThis.memory.buffer.byteLength);
  return {
    wasm: Math.round((10 * bytes) / MEGABYTE) / 10,
    heap: Math.round((10 * metric('JSHeapUsedSize')) / MEGABYTE) / 10,
    nodes: metric('Nodes'),
    renderer: total(processes.filter(({ type }) => type === 'renderer')),
    browser: total(processes),
  };
}

await mkdir(OUT, { recursive: true });
const film = await portraitFilm(`film.${process.env.BENCH_ENDING ?? 'webm'}`, FILM);
const server = await serveDist();
const browser = await launch();
try {
  const page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.route('**/api/worker.js', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `(${keepMemory})();\n${await response.text()}` });
  });
  await page.goto(`${server.origin}/${process.env.BENCH_QUERY ?? '?device=cpu'}`);
  await page.waitForSelector('body[data-state="ready"]', { state: 'attached' });
  const browserSession = await browser.newBrowserCDPSession();
  const pageSession = await page.context().newCDPSession(page);
  await pageSession.send('Performance.enable');
  await page.getByTestId('picture').setInputFiles(film.path);
  await page.locator('[data-testid="many"][data-state="ready"]').waitFor();
  await page.getByTestId('clip-rate').selectOption(rate);

  const rows = [];
  const state = () => page.getByTestId('many').getAttribute('data-state');
  const begun = performance.now();
  const note = async () => {
    const frames = await page.locator('[data-testid="work-progress"]').evaluate((bar) => bar.value);
    const row = { seconds: Math.round((performance.now() - begun) / 1000), frames, ...(await memory(page, browserSession, pageSession)) };
    rows.push(row);
    console.log(Object.entries(row).map(([name, value]) => `${name} ${value}`).join(', '));
  };
  await note();
  await page.getByTestId('clip-start').click();
  do {
    await page.waitForTimeout(EVERY_MS);
    await note();
  } while (['running', 'paused'].includes(await state()) && complaints.length === 0);
  const said = await page.getByTestId('work-status').innerText();
  const result = { date: new Date().toISOString(), machine: machine(), version: browser.version(), film: FILM, rate: Number(rate), said, complaints, rows };
  await writeFile(join(OUT, 'video.json'), `${JSON.stringify(result, null, 1)}\n`);
  const quarter = rows[Math.floor(rows.length / 4)];
  const last = rows[rows.length - 1];
  console.log(`${said} ${complaints.join(' ')}`);
  for (const name of ['wasm', 'heap', 'renderer', 'browser']) console.log(`${name}: ${quarter[name]} MB after a quarter of the time, ${last[name]} MB at the end`);
} finally {
  await browser.close();
  await server.close();
  await film.remove();
}
