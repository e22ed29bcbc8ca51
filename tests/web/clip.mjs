// A clip of two persons, drawn from the sample portraits by ffmpeg: three shots, moving faces, hard cuts.

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { ROOT } from './browser.mjs';

const run = promisify(execFile);
const sample = (name) => join(ROOT, 'www/samples', name);

export const CLIP = {
  width: 320,
  height: 240,
  rate: 25,
  seconds: 20,
  /** A smiling woman alone, a neutral man alone, and both beside one another: from, to in seconds. */
  shots: [
    { from: 0, to: 8, expressions: ['happiness'] },
    { from: 8, to: 14, expressions: ['neutral'] },
    { from: 14, to: 20, expressions: ['happiness', 'neutral'] },
  ],
  /** The way of the first shot's face, from side to side, in pixels: all of it is known for every frame. */
  way: (seconds) => 60 + 50 * Math.sin(2 * seconds),
};

/** `-filter_complex` that draws the three shots of two portraits. */
const DRAWN = [
  // Made small once, then shown for ever.
  '[0]crop=300:300:75:0,split[a0][a1];[a0]scale=200:200,loop=-1:1,fps=25[a];[a1]scale=150:150,loop=-1:1,fps=25[as]',
  '[1]split[b0][b1];[b0]scale=200:200,loop=-1:1,fps=25[b];[b1]scale=150:150,loop=-1:1,fps=25[bs]',
  `color=0x8090a0:s=${CLIP.width}x${CLIP.height}:r=25:d=8[g1]`,
  `color=0x705040:s=${CLIP.width}x${CLIP.height}:r=25:d=6[g2]`,
  `color=0x406050:s=${CLIP.width}x${CLIP.height}:r=25:d=6[g3]`,
  "[g1][a]overlay=x='60+50*sin(2*t)':y='20+10*sin(3*t)':shortest=1[s1]",
  "[g2][b]overlay=x='60+40*sin(2*t+1)':y=20:shortest=1[s2]",
  "[g3][as]overlay=x='5+5*sin(2*t)':y='40+20*sin(t)':shortest=1[s]",
  "[s][bs]overlay=x='165+4*sin(3*t)':y='50+20*sin(2*t)':shortest=1[s3]",
  '[s1][s2][s3]concat=n=3:v=1,format=yuv420p[v]',
].join(';');

/** What a clip is encoded with, by the ending of its file. */
const CODECS = {
  webm: ['-c:v', 'libvpx', '-b:v', '600k', '-g', '60', '-deadline', 'realtime', '-cpu-used', '16', '-threads', '1'],
  mp4: ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '60'],
};

/** A folder for clips: `{make, remove}`; `make(name)` encodes the clip by the name's ending, and gives its path. */
export async function clips() {
  const folder = await mkdtemp(join(tmpdir(), 'fersnet-clip-'));
  const ffmpeg = async (options, name) => {
    const path = join(folder, name);
    await run('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...options, path]).catch((error) => {
      throw error.code === 'ENOENT' ? new Error('ffmpeg is missing: run `make setup`') : error;
    });
    return path;
  };
  return {
    folder,
    make: (name, more = []) => {
      const portraits = ['astronaut.jpg', 'composite-m-african.jpg'].flatMap((one) => ['-framerate', '25', '-i', sample(one)]);
      const ending = name.split('.').at(-1);
      return ffmpeg([...portraits, '-filter_complex', DRAWN, '-map', '[v]', ...CODECS[ending], ...more], name);
    },
    /** A part of a clip, as a browser records it: without its length. */
    live: async (path, name) => {
      // Into a pipe: what cannot be gone back in gets no length.
      const options = ['-nostdin', '-v', 'error', '-i', path, '-t', '3', '-c', 'copy', '-f', 'webm', '-live', '1', 'pipe:1'];
      const { stdout } = await run('ffmpeg', options, { encoding: 'buffer', maxBuffer: 1 << 26 });
      await writeFile(join(folder, name), stdout);
      return join(folder, name);
    },
    remove: () => rm(folder, { recursive: true }),
  };
}
