// Writes www/model.html, what the shipped network can and cannot do, from its figures and its card:
//
//     node tools/model_page.mjs            # writes it
//     node tools/model_page.mjs --check    # says whether the committed one is up to date
//
// The figures are what `fersnet evaluate --json` and `fersnet predict --json` answered, in weights/fersnet/evaluate/
// (weights/fersnet/evaluate/README.md has the commands); what the network is and learned from is weights/fersnet.md.

import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { curve } from './model_page/curve.mjs';
import { escaped, inline, link, list, marked, paragraph, section, table } from './model_page/html.mjs';
import { FAILURES, INTENDED, PROHIBITED, RECOGNISES, SOURCES } from './model_page/words.mjs';

const ROOT = join(fileURLToPath(import.meta.url), '../..');
const PAGE = join(ROOT, 'www/model.html');

/** The files of the network, with their cards and terms, as the page links them. */
const FILES = [
  ['fersnet.safetensors', 'fersnet.md', 'CC BY 4.0, for what may be licensed of it'],
  ['fersnet-decoder.safetensors', 'fersnet.md', 'CC BY 4.0, for what may be licensed of it'],
  ['fersnet-painter.safetensors', 'fersnet.md', 'CC BY 4.0, for what may be licensed of it'],
  ['blazeface.safetensors', 'blazeface.md', 'Apache 2.0 (MediaPipe)'],
  ['facemesh.safetensors', 'facemesh.md', 'Apache 2.0 (MediaPipe)'],
];

/** What of.json says of the network whose bytes are in weights/. */
const SHIPPED = 'as it is shipped';

/** The policy of a page without scripts. */
const POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'";

/** @param {number | null | undefined} part of 1 */
const percent = (part) => (part === null || part === undefined ? '–' : `${(100 * part).toFixed(1)} %`);

/** @param {[number, number] | null | undefined} ends */
const interval = (ends) => (ends ? `${(100 * ends[0]).toFixed(1)} to ${(100 * ends[1]).toFixed(1)} %` : '–');

/** @param {number} value @param {number} [places] */
const plain = (value, places = 3) => value.toFixed(places);

/** @param {[number, number] | null} ends @param {number} [places] */
const plainInterval = (ends, places = 3) => (ends ? `${plain(ends[0], places)} to ${plain(ends[1], places)}` : '–');

/** A file of weights/fersnet/evaluate/. */
const evaluated = async (name) => JSON.parse(await readFile(join(ROOT, `weights/fersnet/evaluate/${name}.json`), 'utf8'));

/**
 * The report of this name, which must be of a network that of.json names.
 * @param {string} name
 * @param {Record<string, string>} networks
 */
async function report(name, networks) {
  const found = await evaluated(name);
  if (found.sha256 !== undefined && !Object.hasOwn(networks, found.sha256)) {
    fail(`${name}.json is of a network (${found.sha256}) that of.json does not name: see weights/fersnet/evaluate/README.md`);
  }
  return found;
}

/** Says which figures are not of the network as it is shipped. */
function earlier(networks, reports) {
  const of = reports.filter(([, { sha256 }]) => networks[sha256] !== SHIPPED);
  return of.map(([what, { sha256 }]) => paragraph(`${escaped(what)}: measured with this network ${escaped(networks[sha256])}.`)).join('');
}

/** A weight file's size and hash. */
async function hashed(name) {
  const bytes = await readFile(join(ROOT, 'weights', name));
  return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** The card's parts by heading: lines of the table at its head under ''. */
async function card() {
  const text = await readFile(join(ROOT, 'weights/fersnet.md'), 'utf8');
  const [head, ...parts] = text.split(/^## /m);
  const rows = (part) => part.split('\n').filter((line) => line.startsWith('| ')).map((line) => line.slice(1, -1).split(' | ').map((cell) => cell.trim()));
  const named = new Map(parts.map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1).trim()]));
  return { head: new Map(rows(head).map(([name, ...value]) => [name, value.join(' | ')])), parts: named, rows };
}

function recognition(whole, eyes) {
  const both = (name, text) => [name, text(whole), text(eyes)];
  const withInterval = (key) => (of) => `${percent(of[key])} (${interval(of.intervals[key])})`;
  const figures = table(
    ['FER+, validation split', 'whole picture', 'cut by the eyes, as the page does'],
    [
      both('faces', (of) => String(of.n)),
      both('accuracy', withInterval('accuracy')),
      both('macro F1', withInterval('macro_f1')),
      both('mean recall of the classes', withInterval('macro_recall')),
      both('expected calibration error (15 bins)', (of) => `${plain(of.ece)} (${plainInterval(of.intervals.ece)})`),
      both('the same without the temperature', (of) => plain(of.calibration.before.ece)),
      both('Brier score', (of) => plain(of.calibration.after.brier)),
      both('“not sure” below 0.5: faces with an answer', (of) => percent(of.not_sure_rule.coverage)),
      both('of these right', (of) => percent(of.not_sure_rule.accuracy)),
    ],
  );
  const classes = table(
    ['expression', 'faces', 'recall', '95 %', 'precision', '95 %'],
    eyes.classes.map((name) => {
      const one = eyes.per_class[name];
      return [name, String(one.n), percent(one.recall), interval(one.recall_interval), percent(one.precision), interval(one.precision_interval)];
    }),
  );
  const confusion = table(
    ['most people said', ...eyes.classes.map((name) => `recognised as ${name}`)],
    eyes.classes.map((name, i) => [name, ...eyes.confusion[i].map(String)]),
  );
  return (
    figures +
    paragraph(
      `Intervals are 95 %, by bootstrap over ${eyes.intervals.over}. The label is what most of ten people named; they often disagree, so no network can be right in all.`,
    ) +
    '<h3>Each expression, cut by the eyes</h3>' +
    classes +
    '<h3>What is taken for what</h3>' +
    confusion +
    '<h3>How far a probability can be trusted</h3>' +
    curve(eyes.reliability, `Reliability on ${eyes.n} faces: the dots lie near the diagonal, expected calibration error ${plain(eyes.ece)}.`)
  );
}

/** Recognition of other sets: a row each, and the smiles of the first, which are real. */
function otherSets(sets) {
  const smiles = sets[0][1].per_class.happiness;
  return (
    table(
      ['set', 'faces', 'subjects', 'accuracy', '95 %'],
      sets.map(([name, of]) => [name, String(of.n), String(of.subjects), percent(of.accuracy), interval(of.intervals.accuracy)]),
    ) +
    paragraph(
      `The held-out portraits are photographs, neutral or smiling. Of their ${smiles.n} smiles ${percent(smiles.recall)} (${interval(smiles.recall_interval)}) are recognised as happiness: faint ones and smiles with closed lips are taken for neutral faces. The other two sets were drawn by a recipe, and show what it meant, which is not always what people would say.`,
    )
  );
}

function synthesis({ synthesis: { reader, n, from, in_photo: photo, per_class: targets } }) {
  const share = (name, one, beside = '') => [name, percent(one.share ?? one), interval(one.interval), `${one.n ?? ''}${beside}`];
  const rows = [
    share('recognised as meant, in the photo, seven targets', photo.recognised_as_target),
    share('teeth asked for (happiness) and seen', photo.teeth_asked),
    share('teeth not asked for and not seen', photo.teeth_not_asked),
    share('jaw opens (surprise)', photo.jaw_opens),
    share('a real smile closes', photo.smile_closes),
    ['pixels that are torn', `${plain(100 * photo.tears.share)} %`, `${plainInterval(photo.tears.interval.map((end) => 100 * end))} %`, String(photo.tears.n)],
    ['mouth sharpness against the subject’s own smile', plain(photo.sharpness.ratio_of_means, 2), plainInterval(photo.sharpness.interval, 2), String(photo.sharpness.n)],
    ['identity: cosine to the photo (two photos of one subject)', `${plain(photo.identity.redrawn.cosine)} (${plain(photo.identity.one_person.cosine)})`, '–', String(photo.identity.redrawn.n)],
    ['mouths against real smiles, KID (lower is better; not synthesised)', `${plain(photo.mouths.kid, 2)} (${plain(photo.mouths.unchanged, 2)})`, plainInterval(photo.mouths.interval, 2), String(photo.mouths.redrawn_n)],
    ['sliders: rank correlation of 45 controls (leak to other parts)', `${plain(photo.sliders.spearman, 2)} (${plain(photo.sliders.leak, 2)})`, '–', String(photo.sliders.n)],
  ];
  const known = Object.entries(targets).filter(([, one]) => one.recognised_as_target !== null);
  return (
    paragraph(
      `${n} ${from} portraits and ${photo.smiles_n} real smiles of ${n} subjects whom the network never saw, each synthesised with eight expressions; recognised by another maker’s network (${reader}), which knows no contempt. Intervals over subjects.`,
    ) +
    table(['figure', 'value', '95 %', 'n'], rows) +
    '<h3>Each target, the face alone, without the mouth painter</h3>' +
    table(
      ['meant', 'recognised as meant', '95 %', 'before it was synthesised'],
      known.map(([name, one]) => [name, percent(one.recognised_as_target), interval(one.interval), percent(one.unchanged)]),
    )
  );
}

/** Accuracy by group, wherever a set says who is shown. */
function groups(sets) {
  const rows = sets.flatMap(([set, of]) =>
    Object.entries(of.groups ?? {}).flatMap(([column, values]) =>
      Object.entries(values).map(([value, one]) => [
        set,
        `${column}: ${value.replaceAll('_', ' ')}`,
        String(one.n),
        String(one.subjects),
        one.note ?? percent(one.accuracy),
        interval(one.interval),
      ]),
    ),
  );
  return table(['set', 'group', 'faces', 'subjects', 'accuracy', '95 %'], rows);
}

/** Pictures in which the network fails, with what it says of them. */
function failures({ pictures }) {
  const figures = pictures.map(({ file, width, height, faces: [face] }) => {
    const { what, meant } = FAILURES[file];
    const ranked = Object.entries(face.probabilities).sort((a, b) => b[1] - a[1]).slice(0, 2);
    const said = ranked.map(([name, value]) => `${name} ${percent(value)}`).join(', ');
    const alt = meant.synthetic ? `Synthetic face, ${meant.expression}` : `Photograph, ${meant.expression}`;
    return (
      `<figure><img src="model/${escaped(file)}" width="${width}" height="${height}" loading="lazy" alt="${escaped(alt)}">` +
      `<figcaption>${meant.synthetic ? 'Synthesised' : 'Labelled'}: ${escaped(meant.expression)}. Recognised: ${escaped(said)}. ${escaped(what)}</figcaption></figure>`
    );
  });
  return `<div class="failures">${figures.join('\n')}</div>`;
}

/** The whole page. */
export async function modelPage() {
  const files = await Promise.all(FILES.map(async ([name, ...rest]) => ({ name, rest, ...(await hashed(name)) })));
  const { files: known, networks } = await evaluated('of');
  for (const { name, sha256 } of files) {
    if (Object.hasOwn(known, name) && known[name] !== sha256) fail(`weights/${name} is new: evaluate it, as weights/fersnet/evaluate/README.md says`);
  }
  const names = ['ferplus', 'ferplus-eyes', 'paired', 'rendered', 'held-out', 'failures'];
  const [whole, eyes, paired, rendered, heldOut, failed] = await Promise.all(names.map((name) => report(name, networks)));
  const { head, parts, rows } = await card();
  const part = (name) => parts.get(name) ?? fail(`weights/fersnet.md has no part "${name}"`);
  const of = (name) => inline(head.get(name) ?? fail(`weights/fersnet.md says no "${name}"`));
  const [dataHead, ...data] = rows(part('Data'));
  const sets = [
    ['held-out portraits', heldOut],
    ['paired portraits', paired],
    ['rendered persons', rendered],
  ];
  const body = [
    section('At a glance', marked([
      ['network', of('network')],
      ['answers', of('answers')],
      ['recognition', `${percent(eyes.accuracy)} (${interval(eyes.intervals.accuracy)}) of ${eyes.n} faces of FER+ as most people did`],
      ['synthesis', `${percent(heldOut.synthesis.in_photo.recognised_as_target.share)} (${interval(heldOut.synthesis.in_photo.recognised_as_target.interval)}) recognised as meant by another maker’s network`],
      ['runs', 'in the browser, on the visitor’s own device; no picture leaves it'],
    ])),
    section('What it recognises, and what it does not', paragraph(inline(part('What it is for').replaceAll('\n', ' '))) + list(RECOGNISES)),
    section('What it is for, and what it must not be used for', `<h3>Intended</h3>${list(INTENDED)}<h3>Prohibited</h3>${list(PROHIBITED)}`),
    section('What it learned from', table(dataHead.map(inline), data.map((row) => row.map(inline)), { markup: true })),
    section('Recognition', recognition(whole, eyes) + '<h3>Other sets</h3>' + otherSets(sets) + earlier(networks, [['FER+', eyes], ...sets])),
    section('Synthesis', synthesis(heldOut) + earlier(networks, [['All of these', heldOut]])),
    section('Groups of people', paragraph(
      'FER+ does not say who is shown. The sets that do are small: below thirty subjects a figure would say nothing, and none is given. So nobody knows yet whether the network serves all groups alike; do not assume that it does.',
    ) + groups(sets)),
    section('Where it fails', failures(failed) + paragraph(SOURCES)),
    section('Limits', list(part('Limits').split(/^- /m).slice(1).map((text) => inline(text.replace(/\s+/g, ' ').trim())))),
    section('Files, hashes and licences', table(
      ['file', 'bytes', 'SHA-256', 'card', 'terms'],
      files.map(({ name, bytes, sha256: hash, rest: [itsCard, terms] }) => [escaped(name), bytes.toLocaleString('en-GB'), `<code>${hash}</code>`, link(`weights/${itsCard}`, itsCard), escaped(terms)]),
      { markup: true },
    ) + paragraph(`The code is MIT or Apache 2.0, at your choice. Sample photographs: ${link('samples/SOURCES.md', 'their sources')}; MediaPipe’s ${link('weights/LICENSE-APACHE-2.0.txt', 'licence')}.`)),
  ];
  return `<!doctype html>
<!-- Written by tools/model_page.mjs from weights/fersnet/evaluate/ and weights/fersnet.md. -->
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="${POLICY}">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="referrer" content="no-referrer">
    <title>FERSNet: what the network can and cannot do</title>
    <link rel="icon" href="favicon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="style.css">
  </head>
  <body class="document">
    <header class="top">
      <div class="title">
        <h1>What the network can and cannot do</h1>
        <p>Figures of the weights that <a href="./">the page</a> ships, measured by the program itself.</p>
      </div>
    </header>
    <main>
${body.join('\n')}
    </main>
  </body>
</html>
`;
}

/** @param {string} text @returns {never} */
function fail(text) {
  throw new Error(text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const made = await modelPage();
  if (process.argv.includes('--check')) {
    if ((await readFile(PAGE, 'utf8')) !== made) fail('www/model.html is out of date: run `node tools/model_page.mjs`');
  } else {
    await writeFile(PAGE, made);
  }
}
