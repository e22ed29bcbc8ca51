// A bench's JSON as Markdown tables, ratios first.

const TABLES = { pairs: sides, network: sides, page, faces, growth, native, profile };

/** The tables of one part's result. */
export function tables(result) {
  const rows = result.rows ?? [];
  const heading = [`### ${result.part}`, '', about(result)];
  const body = rows.length > 0 ? TABLES[result.part](rows) : ['Nothing was measured.'];
  const error = result.error ? ['', `Not finished: ${result.error}`] : [];
  return [...heading, '', ...body, ...error, ''].join('\n');
}

/** Where and when it was measured. */
function about({ date, machine, version, browser, rows }) {
  const adapter = browser?.adapter;
  const name = adapter && (adapter.description || [adapter.vendor, adapter.architecture].join(' '));
  const chromium = version ?? rows?.find((row) => row.version)?.version;
  const parts = [
    date?.slice(0, 10),
    machine && `${machine.cpu}, ${machine.cores} cores, load ${machine.load} before`,
    chromium && `Chromium ${chromium}`,
    name && `WebGPU on ${name}`,
    machine?.adapter && !name && `adapter: ${machine.adapter}`,
  ];
  return `${parts.filter(Boolean).join('; ')}.`;
}

/** Sums of thousands of products in another order differ less, and another computation more. */
const SAME_WORK = 1e-3;

/** One line for each way, grouped by what is computed; times of different work are no comparison. */
function sides(rows) {
  const differing = rows.flatMap(({ of, sides }) =>
    sides
      .filter(({ difference }) => difference > SAME_WORK)
      .map(({ name }) => `${name} (${named(of)})`),
  );
  const warning = ['', `**Not the same work** as the first way of the row: ${differing.join('; ')}.`];
  return [...waysOf(rows), ...(differing.length > 0 ? warning : [])];
}

function waysOf(rows) {
  return table(
    ['of', 'by', 'time against ours', 'median', 'quartiles', 'cold', 'loading', 'rounds', 'difference'],
    rows.flatMap(({ of, sides }) =>
      sides.map((side) => [
        named(of),
        side.name,
        side.ratio ? `${side.ratio.toFixed(2)} ×` : side.error ? `failed: ${side.error}` : '',
        ms(side.median),
        side.low === undefined ? '' : `${ms(side.low)} to ${ms(side.high)}`,
        ms(side.cold),
        ms(side.prepare),
        side.rounds ?? '',
        side.difference?.toExponential(0) ?? '',
      ]),
    ),
  );
}

/** What is looked for faces in, as the table calls it. */
const LOOKED_AT = {
  photo: 'the astronaut, 512 x 512',
  group: 'a group, 1536 x 1536',
  film: 'a frame of a film, 640 x 480, the face followed',
};

function faces(rows) {
  return table(
    ['in', 'faces', 'median', 'quartiles', 'rounds'],
    rows.map(({ of, faces: found, median, low, high, rounds }) => [
      LOOKED_AT[of],
      found,
      ms(median),
      `${ms(low)} to ${ms(high)}`,
      rounds,
    ]),
  );
}

function page(rows) {
  return table(
    ['page', 'backend', 'load to answer', 'load to ready', 'first answer', 'later answers', 'all redrawn', 'bytes', 'brotli -11', 'files', 'its answer', 'visits'],
    rows.map(({ of, total, ready, first, later, drawn, bytes, answer, visits, error }) => [
      of.page,
      of.backend,
      error && !total ? `failed: ${error}` : ms(total),
      ms(ready),
      ms(first),
      ms(later),
      ms(drawn),
      megabytes(bytes?.raw),
      megabytes(bytes?.brotli),
      bytes?.files ?? '',
      answer ? `${answer.expression} ${answer.probability.toFixed(2)}` : '',
      visits ?? '',
    ]),
  );
}

function growth(rows) {
  const keys = ['read a face', 'redraw a face', 'find'];
  return table(
    ['device', 'faces', 'found', ...keys.map((key) => (key === 'find' ? 'find all' : key)), 'rounds'],
    rows.map((row) => [
      row.of.device,
      row.of.faces ?? '',
      row.error ? `failed: ${row.error}` : (row.of.found ?? ''),
      ...keys.map((key) => ms(row[key]?.median)),
      row.find?.rounds ?? '',
    ]),
  );
}

/** The lines of benches/kernels.rs. */
function native(rows) {
  return table(
    ['bench', 'of', 'plain against kernels', 'multiply-adds a second', 'kernels', 'plain', 'cold kernels', 'cold plain', 'rounds'],
    rows.map((row) => [
      row.bench,
      named(row.of),
      `${row.ratio.toFixed(2)} ×`,
      row.of.multiply_adds ? `${(row.of.multiply_adds / row.kernels_ms / 1e6).toFixed(2)} G` : '',
      ms(row.kernels_ms),
      ms(row.plain_ms),
      ms(row.cold_kernels_ms),
      ms(row.cold_plain_ms),
      row.rounds ?? '',
    ]),
  );
}

/** What each kernel takes of a face, before and after. */
function profile(rows) {
  return table(
    ['of', 'by', 'kernel', 'launches', 'time', 'share'],
    rows.flatMap(({ of, way, kernels }) => {
      const all = kernels.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
      const launches = kernels.reduce((sum, kernel) => sum + kernel.launches, 0);
      const by = way === 'plain' ? 'Burn plain tensors' : 'the captured graph';
      return [
        [of, by, 'all', launches, ms(all), ''],
        ...kernels.map(({ kernel, launches, milliseconds }) => [
          '',
          '',
          kernel,
          launches,
          ms(milliseconds),
          `${Math.round((100 * milliseconds) / all)} %`,
        ]),
      ];
    }),
  );
}

/** `{width: 12, size: 24}` as `width 12, size 24`; what speaks for itself goes without its name. */
function named(of) {
  return Object.entries(of)
    .filter(([key]) => key !== 'multiply_adds')
    .map(([key, value]) => (key === 'what' ? value : `${key} ${value}`))
    .join(', ');
}

function ms(value) {
  if (value === undefined || value === null) return '';
  if (value >= 10_000) return `${(value / 1000).toFixed(1)} s`;
  return `${value >= 100 ? value.toFixed(0) : value.toPrecision(2 + (value >= 10))} ms`;
}

function megabytes(bytes) {
  return bytes === undefined ? '' : `${(bytes / 1e6).toFixed(2)} MB`;
}

function table(heads, lines) {
  const line = (cells) => `| ${cells.map((cell) => String(cell).replaceAll('|', '/')).join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...lines.map(line)];
}
