// How long the page's worker spends in each call of its program: every method of its classes is timed.

/**
 * Times the methods of the program's classes from the next visit on.
 * @param {import('playwright-core').Page} page
 */
export async function timeStages(page) {
  await page.route('**/fersnet-*.js', async (route) => {
    const response = await route.fetch();
    const text = await response.text();
    const classes = [...text.matchAll(/^(?:export )?class (\w+)/gm)].map(([, name]) => name);
    await route.fulfill({ response, body: `${text}\n(${timed})([${classes.join(', ')}]);\n` });
  });
}

/** In the worker. */
function timed(classes) {
  globalThis.stages = {};
  for (const one of classes) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(one.prototype))) {
      if (typeof value !== 'function' || name === 'constructor' || name.startsWith('_')) continue;
      one.prototype[name] = function (...given) {
        const begun = performance.now();
        const end = () => {
          const stage = (globalThis.stages[`${one.name}.${name}`] ??= { calls: 0, milliseconds: 0 });
          stage.calls += 1;
          stage.milliseconds += performance.now() - begun;
        };
        const answer = value.apply(this, given);
        if (typeof answer?.then === 'function') return answer.finally(end);
        end();
        return answer;
      };
    }
  }
}

/** What the worker has counted since the last call, by stage: `{calls, milliseconds}`. */
export async function takeStages(page) {
  const [worker] = page.workers();
  return worker.evaluate(() => {
    const taken = globalThis.stages;
    globalThis.stages = {};
    return taken;
  });
}
