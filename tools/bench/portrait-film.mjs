// Films of sample portraits that move, drawn by ffmpeg: what the benches of the camera and of videos look at.

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { ROOT } from '../../tests/web/browser.mjs';

const run = promisify(execFile);

/** Which portraits, and the size that they are shown at, in heights of the picture. */
const PORTRAITS = [
  { file: 'astronaut.jpg', crop: 'crop=300:300:75:0', part: 0.8 },
  { file: 'composite-m-african.jpg', crop: 'null', part: 0.7 },
];

/** Encoders, by the ending of the file; y4m is what Chromium takes for a camera. */
const CODECS = {
  y4m: ['-pix_fmt', 'yuv420p'],
  webm: ['-c:v', 'libvpx', '-b:v', '2M', '-g', '60', '-deadline', 'realtime', '-cpu-used', '16'],
  mp4: ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '60', '-pix_fmt', 'yuv420p'],
};

/**
 * A film: `{path, remove}`. Each shot is one portrait on its way from side to side, the next one comes by a hard cut.
 * @param {string} name of the file; its ending chooses the encoder
 * @param {{width: number, height: number, rate: number, seconds: number, shots: number}} film
 */
export async function portraitFilm(name, { width, height, rate, seconds, shots }) {
  const folder = await mkdtemp(join(tmpdir(), 'fersnet-film-'));
  const path = join(folder, name);
  const inputs = [];
  const parts = [];
  for (let shot = 0; shot < shots; shot += 1) {
    const { file, crop, part } = PORTRAITS[shot % PORTRAITS.length];
    const side = 2 * Math.round((part * height) / 2);
    const [x, y] = [width - side, height - side];
    inputs.push('-framerate', String(rate), '-i', join(ROOT, 'www/samples', file));
    const still = `[${shot}]${crop},scale=${side}:${side},loop=-1:1,fps=${rate}[p${shot}]`;
    const ground = `color=0x${['8090a0', '705040', '406050'][shot % 3]}:s=${width}x${height}:r=${rate}:d=${seconds / shots}[g${shot}]`;
    const moving = `[g${shot}][p${shot}]overlay=x='${x / 2}+${x / 6}*sin(1.3*t)':y='${y / 2}+${y / 4}*sin(2*t)':shortest=1[s${shot}]`;
    parts.push(still, ground, moving);
  }
  const joined = `${Array.from({ length: shots }, (_, shot) => `[s${shot}]`).join('')}concat=n=${shots}:v=1,format=yuv420p[v]`;
  const codec = CODECS[name.split('.').at(-1)];
  const options = ['-nostdin', '-v', 'error', '-y', ...inputs, '-filter_complex', [...parts, joined].join(';'), '-map', '[v]', ...codec, path];
  await run('ffmpeg', options).catch((error) => {
    throw error.code === 'ENOENT' ? new Error('ffmpeg is missing: run `make setup`') : error;
  });
  return { path, remove: () => rm(folder, { recursive: true }) };
}
