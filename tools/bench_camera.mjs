#!/usr/bin/env node
// The camera's dialog, measured: frames a second with one face in view, recognised alone and as a mirror.
//
//     node tools/bench_camera.mjs [seconds] [expression]        # 20 seconds of each, happiness
//
// A headless Chromium has a film of a sample portrait (640 x 480, 30 frames a second) for its camera. For each part:
// frames that were shown with their answer, the longest task of the page's own thread, and what the worker spends in
// each call of its program. Writes camera.json into BENCH_OUT (bench-out/) and prints it. Needs the built page
// (FERSNET_DIST, dist/) and ffmpeg. BENCH_QUERY is the page's query (?device=cpu).

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { launch, serveDist } from '../tests/web/browser.mjs';
import { machine, OUT } from './bench/machine.mjs';
import { portraitFilm } from './bench/portrait-film.mjs';
import { takeStages, timeStages } from './bench/stages.mjs';

const [seconds = '20', expression = 'happiness'] = process.argv.slice(2);
const MILLISECONDS = 1000 * Number(seconds);
/** Before a part is measured: programs, weights and functions are loaded and compiled. */
const WARM_MS = 5000;
const PATIENCE_MS = 240_000;
const FILM = { width: 640, height: 480, rate: 30, seconds: 6, shots: 1 };

/** In the page: the longest task since the last call; the browser tells of those from 50 milliseconds on. */
function watchTasks() {
  window.tasks = [];
  new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
    type: 'longtask',
  });
}

/** One part, which is under way. */
async function measured(page, part) {
  const shown = () => page.evaluate(() => Number(document.getElementById('camera-frames').dataset.frames ?? 0));
  await page.waitForTimeout(WARM_MS);
  await takeStages(page);
  await page.evaluate(() => (window.tasks.length = 0));
  const [before, begun] = [await shown(), performance.now()];
  await page.waitForTimeout(MILLISECONDS);
  const frames = (await shown()) - before;
  const passed = performance.now() - begun;
  const tasks = await page.evaluate(() => window.tasks);
  const stages = Object.entries(await takeStages(page)).map(([name, { calls, milliseconds }]) => ({
    name,
    callsAFrame: round(calls / frames),
    millisecondsAFrame: round(milliseconds / frames),
  }));
  stages.sort((a, b) => b.millisecondsAFrame - a.millisecondsAFrame);
  return { part, framesASecond: round((1000 * frames) / passed), longestTask: Math.round(Math.max(0, ...tasks)), tasksOf50: tasks.length, stages };
}

function round(value) {
  return Math.round(100 * value) / 100;
}

await mkdir(OUT, { recursive: true });
const film = await portraitFilm('camera.y4m', FILM);
const server = await serveDist();
const browser = await launch([
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
  `--use-file-for-fake-video-capture=${film.path}`,
]);
try {
  const page = await (await browser.newContext({ permissions: ['camera'] })).newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await timeStages(page);
  await page.addInitScript(watchTasks);
  await page.goto(`${server.origin}/${process.env.BENCH_QUERY ?? '?device=cpu'}`);
  await page.waitForSelector('body[data-state="ready"]', { state: 'attached' });
  await page.getByTestId('camera').click();
  await page.waitForFunction(() => !document.querySelector('[data-testid="camera-live"]').disabled);
  await page.getByTestId('camera-live').click();
  const parts = [await measured(page, 'recognised')];
  await page.getByTestId('camera-mirror').selectOption(expression);
  await page.getByTestId('mirrored').waitFor();
  parts.push(await measured(page, `mirror, ${expression}`));
  const status = await page.getByTestId('camera-status').innerText();
  const result = { date: new Date().toISOString(), machine: machine(), version: browser.version(), film: FILM, seconds: Number(seconds), status, parts };
  await writeFile(join(OUT, 'camera.json'), `${JSON.stringify(result, null, 1)}\n`);
  for (const { part, framesASecond, longestTask, tasksOf50, stages } of parts) {
    console.log(`${part}: ${framesASecond} frames a second; longest task of the page ${longestTask || 'under 50'} ms (${tasksOf50} of 50 ms or more)`);
    for (const { name, callsAFrame, millisecondsAFrame } of stages) console.log(`  ${name}: ${callsAFrame} a frame, ${millisecondsAFrame} ms`);
  }
  console.log(`${result.machine.cpu}, ${result.machine.cores} cores, load ${result.machine.load}; ${status}`);
} finally {
  await browser.close();
  await server.close();
  await film.remove();
}
