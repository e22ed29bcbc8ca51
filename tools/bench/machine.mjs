// Where results go, and what machine they are of.

import { cpus, loadavg, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** The folder of the results. */
export const OUT = process.env.BENCH_OUT || join(ROOT, 'bench-out');

/** The processor, and what else it had to do when the part began. */
export function machine() {
  const [{ model }] = cpus();
  // The load of the minute before: above 0 something else was running, and the times say less.
  const load = Math.round(10 * loadavg()[0]) / 10;
  return { cpu: model, cores: cpus().length, gigabytes: Math.round(totalmem() / 2 ** 30), load };
}
