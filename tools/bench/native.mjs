#!/usr/bin/env node
// The native bench as one more result beside those of the page: runs a command that writes JSON lines,
// and keeps them with the machine and the date in BENCH_OUT/native.json.
//
//     node tools/bench/native.mjs COMMAND...

import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { machine, OUT } from './machine.mjs';
import { tables } from './tables.mjs';

const [command, ...options] = process.argv.slice(2);
if (!command) {
  console.error('usage: node tools/bench/native.mjs COMMAND...');
  process.exit(2);
}
const result = { part: 'native', date: new Date().toISOString(), machine: machine(), rows: [] };
// With software Vulkan every line takes minutes: what came until then is kept.
const patience = 1000 * Number(process.env.BENCH_NATIVE_SECONDS || 7200);
// A group of its own: what cargo started has to end with it.
const child = spawn(command, options, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
const limit = setTimeout(() => process.kill(-child.pid), patience);
const ended = new Promise((resolve) => {
  child.on('error', (error) => resolve(error.message));
  child.on('close', (code, signal) => resolve(code === 0 ? null : `ended with ${signal ?? code}`));
});
for await (const line of createInterface({ input: child.stdout })) {
  if (line.startsWith('{')) result.rows.push(JSON.parse(line));
}
const error = await ended;
clearTimeout(limit);
if (error) result.error = error;
await mkdir(OUT, { recursive: true });
await writeFile(join(OUT, 'native.json'), `${JSON.stringify(result, null, 1)}\n`);
console.log(tables(result));
process.exitCode = error ? 1 : 0;
