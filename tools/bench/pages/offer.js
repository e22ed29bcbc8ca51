// What tools/bench/page.mjs reads of another library's page: `window.bench` with the milliseconds since
// the navigation at which it was ready, and of each picture when it was given and when answered.

/** `library` has `load(backend)`, which gives the backend that runs, and `answer(file)`. */
export async function offer(library) {
  const bench = { asked: [], answered: [] };
  window.bench = bench;
  const wished = new URLSearchParams(location.search).get('backend');
  try {
    bench.backend = await library.load(wished);
    if (bench.backend !== wished) throw new Error(`${bench.backend} runs where ${wished} was asked for`);
    bench.ready = performance.now();
  } catch (error) {
    bench.error = String(error?.message ?? error);
    return;
  }
  document.querySelector('input').addEventListener('change', async ({ target }) => {
    const asked = performance.now();
    const [file] = target.files;
    // Else the same picture, given again, would be no change.
    target.value = '';
    if (!file) return;
    try {
      const answer = await library.answer(file);
      if (!answer) throw new Error('no face was found');
      bench.answer = answer;
      bench.asked.push(asked);
      bench.answered.push(performance.now());
    } catch (error) {
      bench.error = String(error?.message ?? error);
    }
  });
}
