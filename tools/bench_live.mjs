#!/usr/bin/env node
// What a frame of the camera's mirror costs, call by call: CPU time in the program itself, without a browser.
//
//     node tools/bench_live.mjs [expression] [frames]           # happiness, 24
//
// The program for the CPU runs in node over a film of a sample portrait (480 x 360, as the page makes the camera's frames
// smaller), as www/api/worker.js calls it. CPU time, not the clock: other work on the machine counts little. The first
// frames warm up. BENCH_PAINTER=none leaves the mouth painter out. Needs the built page (FERSNET_DIST, dist/) and ffmpeg.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { DIST } from '../tests/web/browser.mjs';
import { machine } from './bench/machine.mjs';
import { portraitFilm } from './bench/portrait-film.mjs';

const [expression = 'happiness', count = '24'] = process.argv.slice(2);
const WARM = 8;
const [WIDTH, HEIGHT] = [480, 360];
/** As in www/api/worker.js. */
const SEARCH_EVERY = 20;

/** RGBA of the first frames of a film. */
async function framesOf(path, frames) {
  const options = ['-v', 'error', '-i', path, '-frames:v', String(frames), '-vf', `scale=${WIDTH}:${HEIGHT}`, '-pix_fmt', 'rgba', '-f', 'rawvideo', '-'];
  const { stdout } = await promisify(execFile)('ffmpeg', options, { encoding: 'buffer', maxBuffer: 1 << 30 });
  const size = 4 * WIDTH * HEIGHT;
  return Array.from({ length: Math.floor(stdout.length / size) }, (_, i) => new Uint8Array(stdout.subarray(i * size, (i + 1) * size)));
}

const film = await portraitFilm('live.y4m', { width: 640, height: 480, rate: 30, seconds: 2, shots: 1 });
const frames = await framesOf(film.path, Number(count));
await film.remove();

const program = await import(join(DIST, 'fersnet-cpu.js'));
await program.default({ module_or_path: await WebAssembly.compile(await readFile(join(DIST, 'fersnet-cpu_bg.wasm'))) });
const weights = async (name) => new Uint8Array(await readFile(join(DIST, 'weights', `${name}.safetensors`)));
const engine = new program.Engine(await weights('fersnet'), await weights('blazeface'), await weights('facemesh'), false);
const paints = process.env.BENCH_PAINTER !== 'none';
engine.add_parts(await weights('fersnet-decoder'), paints ? await weights('fersnet-painter') : undefined);

/** @type {Map<string, number[]>} milliseconds by call */
const times = new Map();
let isWarm = false;

async function timed(name, call) {
  const begun = process.cpuUsage();
  const answer = await call();
  const { user, system } = process.cpuUsage(begun);
  if (isWarm) times.set(name, [...(times.get(name) ?? []), (user + system) / 1000]);
  return answer;
}

const tracker = new program.Tracker(SEARCH_EVERY);
for (const [i, frame] of frames.entries()) {
  isWarm = i >= WARM;
  const picture = await timed('open_pixels', () => engine.open_pixels(frame, WIDTH, HEIGHT));
  const faces = await timed('follow', () => picture.follow(tracker));
  if (faces.length === 0) throw new Error(`no face in frame ${i}`);
  await timed('recognise', () => picture.recognise(0));
  const made = await timed('synthesise', () => picture.synthesise(0, [{ [expression]: 1 }]));
  await timed('compose', () => picture.compose(Uint32Array.from([0, made])));
  picture.free();
}

let sum = 0;
for (const [name, all] of times) {
  const sorted = all.toSorted((a, b) => a - b);
  const mean = all.reduce((total, one) => total + one, 0) / all.length;
  sum += mean;
  console.log(`${name}: median ${sorted[sorted.length >> 1].toFixed(1)} ms, mean ${mean.toFixed(1)} ms of CPU time`);
}
const { cpu, cores, load } = machine();
console.log(`${expression}${paints ? '' : ', not painted'}: ${sum.toFixed(1)} ms a frame, at most ${(1000 / sum).toFixed(1)} frames a second; ${frames.length - WARM} frames; ${cpu}, ${cores} cores, load ${load}`);
