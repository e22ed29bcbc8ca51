// The page in English, German and Chinese: complete, chosen by the browser, by hand and by the address.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test } from 'node:test';

import * as apiErrors from '../../www/api/errors.js';
import * as devices from '../../www/api/device.js';
import german from '../../www/languages/de.js';
import english from '../../www/languages/en.js';
import chinese from '../../www/languages/zh.js';
import { partsOf } from '../../www/page/controls.js';
import { expressionIn } from '../../www/page/language.js';
import { percent, time } from '../../www/page/numbers.js';
import { surenessOf } from '../../www/page/sure.js';
import { saidOf } from '../../www/page/target.js';
import { DIST, explainAndMove, forAllTests, meanDifference, PATIENCE_MS, ROOT } from './browser.mjs';

const ASTRONAUT = join(ROOT, 'www/samples/astronaut.jpg');

/** The only keys that may speak of feelings: they say that an expression is none. */
const OF_FEELINGS = ['page.notFeeling', 'page.notFeelingText'];

/** What may read alike in German and English: names, numbers and international words. */
const ALIKE = /^(\P{L}*|FERSNet|CPU|English|Deutsch|中文|BlazeFace|Apache 2\.0|neutral|auto|Animation)$/u;

const site = forAllTests();

/** Every text and every function of a language with its path: `page.choose`. */
function entries(words, path = '') {
  return Object.entries(words).flatMap(([key, value]) => {
    const name = path ? `${path}.${key}` : key;
    return value !== null && typeof value === 'object' ? entries(value, name) : [[name, value]];
  });
}

/** Arguments, one set of which each function of a language takes. */
const ARGUMENTS = [
  ['recognition', 'a', 'mouth', 'b', 'eyes'],
  ['a', 'b', 'c', 'mouth'],
  ['a', 'recognition'],
  [['a', 'b'], 'b', 'c'],
  [1, 2, 3],
];

/** A text, or a function's sentence with its arguments made up. */
function made(value) {
  if (typeof value !== 'function') return value ?? '';
  for (const given of ARGUMENTS) {
    try {
      const text = value(...given);
      if (typeof text === 'string' && !text.includes('undefined')) return text;
    } catch {
      // These arguments are another function's.
    }
  }
  return assert.fail(String(value));
}

for (const [name, words] of [['German', german], ['Chinese', chinese]]) {
  test(`${name} has every key of English, of the same kind, and none empty`, () => {
    const kinds = (all) => entries(all).map(([key, value]) => [key, key.startsWith('errors.') ? 'error' : typeof value]).sort();
    assert.deepEqual(kinds(words), kinds(english));
    for (const [key, value] of entries(words)) assert.ok(made(value).trim(), key);
    for (const [code, text] of Object.entries(words.errors)) assert.ok(text, code);
  });

  test(`${name} puts the same links into its sentences`, () => {
    const pieces = (all) => entries(all.page).map(([key, text]) => [key, (text.match(/\{\w+\}/g) ?? []).sort().join()]).sort();
    assert.deepEqual(pieces(words), pieces(english));
  });

  test(`${name} speaks of expressions, and of feelings only to say that they are something else`, () => {
    for (const [key, value] of entries(words)) {
      if (!OF_FEELINGS.includes(key)) assert.doesNotMatch(made(value), /gefühl|emotion|情绪|情感|感受/i, key);
    }
  });
}

test('index.html says in English what the English file says', async () => {
  const html = await readFile(join(ROOT, 'www/index.html'), 'utf8');
  const plain = (text) => text.replace(/<[^>]*>/g, '').replace(/\s+/g, ' ').trim();
  const seen = new Set();
  for (const [, attributes] of html.matchAll(/<\w+((?:\s[^<>]*)?\sdata-say[^<>]*)>/g)) {
    for (const [, attribute, key] of attributes.matchAll(/data-say-([\w-]+)="(\w+)"/g)) {
      seen.add(key);
      assert.equal(new RegExp(`\\s${attribute}="([^"]*)"`).exec(attributes)?.[1], english.page[key], key);
    }
  }
  for (const [, tag, key, rest] of html.matchAll(/<(\w+)[^<>]*\sdata-say="(\w+)"[^<>]*>([\s\S]*?)(?=<\/\1>)/g)) {
    seen.add(key);
    const sentence = english.page[key];
    const pieces = new Map([...rest.matchAll(/<(\w+)[^>]*data-piece="(\w+)"[^>]*>([\s\S]*?)<\/\1>/g)].map(([, , name, text]) => [name, text]));
    const whole = sentence.replace(/\{(\w+)\}/g, (_, name) => pieces.get(name) ?? assert.fail(`${key}: no ${name}`));
    assert.equal(plain(rest), plain(whole), `${tag}: ${key}`);
  }
  const links = ['sources', 'mesh', 'model', 'card'];
  assert.deepEqual([...seen, ...links].sort().filter((key, i, all) => key !== all[i - 1]), Object.keys(english.page).sort());
});

test('every error and every notice of the API has its words', () => {
  const codes = Object.values(apiErrors).filter((one) => one?.code).map(({ code }) => code);
  assert.deepEqual(Object.keys(english.errors).sort(), codes.sort());
  const notices = Object.entries(devices).filter(([name]) => name.startsWith('WEBGPU_')).map(([, text]) => text);
  const known = Object.values(english.device);
  assert.equal(notices.length, 5);
  for (const text of [...notices, devices.CPU_MEANWHILE.label]) assert.ok(known.includes(text), text);
});

test('names that JavaScript knows are names like others', () => {
  for (const words of [english, german, chinese]) {
    for (const name of ['constructor', '__proto__', 'toString', 'joy']) {
      assert.equal(expressionIn(words, name), name);
      assert.equal(saidOf(Object.fromEntries([[name, 0.5]]), [name, 'fear'])(words), name);
      const [{ rows }] = partsOf([name], false);
      assert.equal(rows[0].label(words).toLowerCase().replaceAll(' ', ''), name.toLowerCase());
      const probabilities = Object.fromEntries([[name, 0.9], ['fear', 0.1]]);
      assert.equal(surenessOf({ expression: name, certain: true, probabilities }, words).words, name);
    }
  }
});

test('numbers are written as each language writes them', () => {
  assert.equal(percent(english, 0.9214), '92.1 %');
  assert.equal(percent(german, 0.9214), '92,1\u00a0%');
  assert.equal(percent(chinese, 0.9214), '92.1%');
  assert.equal(time(german, 12_345), '12,3 s');
});

/** The file of words that the page asked for. */
const files = (visit) => visit.requests.filter((address) => address.includes('/languages/')).map((address) => /(\w+)\.js$/.exec(address)[1]);

/** All texts that are seen, and what is read aloud: not what is marked as English. */
function texts(page) {
  return page.evaluate(() => {
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if ((node.parentElement ?? node).closest('[lang]:not(html), noscript, script')) continue;
      const said =
        node instanceof Element
          ? ['aria-label', 'aria-valuetext', 'alt', 'title'].map((name) => (name === 'title' && node.matches('.slider *') ? '' : (node.getAttribute(name) ?? '')))
          : [node.textContent];
      found.push(...said.map((text) => text.trim()).filter(Boolean));
    }
    return [...new Set([...found, document.title])];
  });
}

/** A face with everything open. */
async function openAll(visit) {
  const { page } = visit;
  await explainAndMove(visit, ASTRONAUT);
  await page.getByTestId('cover-0').click();
  await page.getByTestId('fall-0').waitFor({ timeout: PATIENCE_MS });
}

test('in German nothing of the English page is left, and only its own words are fetched', async () => {
  const visit = await site.open('?device=cpu', { context: { locale: 'de-AT' } });
  await visit.loaded();
  const { page } = visit;
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'de');
  await openAll(visit);
  const inGerman = await texts(page);
  assert.ok(inGerman.includes('Bild auswählen') && inGerman.includes('Das Gesicht bewegen') && inGerman.includes('Überraschung, synthetisch'));
  assert.deepEqual(files(visit), ['de']);

  await page.getByTestId('language').selectOption('en');
  await page.waitForFunction(() => document.documentElement.lang === 'en');
  const inEnglish = new Set(await texts(page));
  assert.ok(inEnglish.has('Choose a picture') && inEnglish.has('surprise, synthetic'));
  const left = inGerman.filter((text) => inEnglish.has(text) && !ALIKE.test(text));
  assert.deepEqual(left, [], 'said alike in both');
  const known = new Set(entries(english).map(([, value]) => value).filter((value) => typeof value === 'string'));
  assert.deepEqual(inGerman.filter((text) => known.has(text) && !ALIKE.test(text)), []);
  assert.deepEqual([visit.violations, visit.complaints, visit.strangers()], [[], [], []]);
  await visit.close();
});

test('a language chosen by hand keeps picture, answers and sliders, and is remembered', async () => {
  const visit = await site.open('?device=cpu', { context: { locale: 'en-US' } });
  await visit.loaded();
  const { page } = visit;
  assert.deepEqual(files(visit), ['en']);
  await visit.give(ASTRONAUT);
  const slider = page.getByTestId('control-0-jawOpen');
  await slider.waitFor({ state: 'attached', timeout: PATIENCE_MS });
  await page.evaluate(() => document.querySelectorAll('.part').forEach((part) => (part.open = true)));
  await slider.fill('60');
  await visit.settled();
  const [before, target] = [await visit.photo(), await page.getByTestId('target-0').inputValue()];
  assert.match(target, /jawOpen=0\.6/);
  const language = page.getByTestId('language');
  for (const [code, shown, status] of [['zh', '高兴', /表情：高兴。/], ['de', 'Freude', /Gesichtsausdruck: Freude\./], ['en', 'happiness', /shows happiness/]]) {
    await language.selectOption(code);
    await page.getByTestId('expression-0').filter({ hasText: shown }).waitFor({ timeout: PATIENCE_MS });
    assert.match(await page.getByTestId('status').innerText(), status);
    assert.equal(await slider.inputValue(), '60');
    assert.equal(await page.getByTestId('target-0').inputValue(), target, 'text is the command line’s');
    assert.equal(meanDifference(before, await visit.photo()), 0);
  }
  await language.selectOption('zh');
  await page.waitForFunction(() => document.documentElement.lang === 'zh-Hans');
  await page.reload();
  await page.waitForFunction(() => document.documentElement.lang === 'zh-Hans', null, { timeout: PATIENCE_MS });
  assert.equal(await language.inputValue(), 'zh');
  await visit.close();
});

test('the address says the language before anything else, and a choice by hand takes its place there', async () => {
  const visit = await site.open('?device=cpu&lang=de', { context: { locale: 'zh-TW' } });
  await visit.loaded();
  const { page } = visit;
  assert.equal(await page.getByTestId('status').innerText(), german.status.ready);
  assert.deepEqual(files(visit), ['de']);
  await page.getByTestId('language').selectOption('zh');
  await page.waitForFunction(() => document.documentElement.lang === 'zh-Hans');
  assert.match(page.url(), /device=cpu&lang=zh$/);
  await visit.close();
  for (const [query, locale, lang] of [['?device=cpu&lang=xx', 'fr-FR', 'en'], ['?device=cpu', 'zh-TW', 'zh-Hans'], ['?device=cpu&lang=constructor', 'de', 'de']]) {
    const other = await site.open(query, { context: { locale } });
    await other.loaded();
    assert.equal(await other.page.evaluate(() => document.documentElement.lang), lang, query);
    await other.close();
  }
});

test('an error is told in the visitor’s language, with what the program says beside it', async () => {
  const visit = await site.open('?device=abacus&lang=de');
  assert.equal(await visit.settled(), 'error');
  const { page } = visit;
  await page.getByTestId('error').filter({ hasText: german.errors['device-unknown'] }).waitFor({ timeout: PATIENCE_MS });
  assert.match(await page.locator('#alert-text [lang="en"]').innerText(), /no device "abacus"/);
  assert.equal(await page.getByTestId('device').innerText(), german.status.noDevice);
  await page.getByTestId('language').selectOption('en');
  await page.waitForFunction(() => document.documentElement.lang === 'en');
  assert.match(await visit.error(), /^There is no device "abacus": use \?device=webgpu or \?device=cpu, or leave it out\.$/);
  await visit.close();
});

test('a face is recognised while the words are kept back, and said once they are there', async () => {
  let release;
  const held = new Promise((resolve) => (release = resolve));
  const prepare = (page) =>
    page.route('**/languages/de.js', async (route) => {
      await held;
      await route.continue();
    });
  const visit = await site.open('?device=cpu&lang=de', { prepare });
  await visit.loaded();
  assert.equal(await visit.give(ASTRONAUT), 'ready');
  assert.equal(await visit.page.getByTestId('probability-0-happiness').count(), 1, 'recognised without words');
  release();
  await visit.page.getByTestId('expression-0').filter({ hasText: 'Freude' }).waitFor({ timeout: PATIENCE_MS });
  assert.equal(await visit.page.getByTestId('status').innerText(), 'Gesichtsausdruck: Freude.');
  await visit.close();
});

test('where the words cannot be fetched the page speaks English', async () => {
  const prepare = (page) => page.route('**/languages/de.js', (route) => route.fulfill({ status: 404 }));
  const visit = await site.open('?device=cpu&lang=de', { prepare });
  await visit.loaded();
  await visit.page.getByTestId('status').filter({ hasText: english.status.ready }).waitFor({ timeout: PATIENCE_MS });
  assert.equal(await visit.page.evaluate(() => document.documentElement.lang), 'en');
  await visit.close();
});

test('the table of many pictures and a video’s error are German too, and follow the language', async () => {
  const visit = await site.open('?device=cpu&lang=de');
  await visit.loaded();
  const { page } = visit;
  const diary = { name: 'diary.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('Dear diary') };
  const photo = async (path) => ({ name: basename(path), mimeType: 'image/jpeg', buffer: await readFile(join(ROOT, path)) });
  const photos = await Promise.all(['www/samples/astronaut.jpg', 'tests/photos/several.jpg'].map(photo));
  await page.getByTestId('picture').setInputFiles([...photos, diary]);
  await page.locator('[data-testid="many"][data-state="done"]').waitFor({ timeout: PATIENCE_MS });
  const inGerman = await texts(page);
  assert.match(await page.getByTestId('work-status').innerText(), /^3 Dateien: \d+ Gesichter, und 1 Datei, die nicht gelesen werden konnte\.$/);
  assert.ok(inGerman.includes(german.errors['picture-format']) && inGerman.includes('Freude'));
  await page.getByTestId('language').selectOption('en');
  await page.waitForFunction(() => document.documentElement.lang === 'en');
  assert.match(await page.getByTestId('work-status').innerText(), /^3 files: \d+ faces, and 1 file that could not be read\.$/);
  const inEnglish = new Set(await texts(page));
  assert.deepEqual(inGerman.filter((text) => inEnglish.has(text) && !ALIKE.test(text) && !/\.jpg$/.test(text)), []);
  await page.getByTestId('language').selectOption('de');
  await page.getByTestId('picture').setInputFiles({ name: 'diary.mp4', mimeType: 'video/mp4', buffer: Buffer.from('Dear diary') });
  await page.locator('[data-testid="many"][data-state="failed"]').waitFor({ timeout: PATIENCE_MS });
  assert.equal(await page.getByTestId('work-status').innerText(), german.clip.undecodable);
  assert.deepEqual([visit.violations, visit.strangers()], [[], []]);
  await visit.close();
});

/** The shipped weights with other names for two expressions. */
async function renamedWeights(names) {
  const file = await readFile(join(DIST, 'weights/fersnet.safetensors'));
  const length = Number(file.readBigUInt64LE());
  const header = JSON.parse(file.subarray(8, 8 + length).toString());
  for (const [name, other] of names) {
    header.__metadata__.fersnet = header.__metadata__.fersnet.replaceAll(`"${name}"`, `"${other}"`);
  }
  const text = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  // The tensors begin at a multiple of 8.
  const padded = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, ' ')]);
  size.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([size, padded, file.subarray(8 + length)]);
}

test('weights with names of their own are shown by these, whatever the names mean to JavaScript', async () => {
  const body = await renamedWeights([['happiness', 'constructor'], ['surprise', '__proto__']]);
  const prepare = (page) => page.route('**/weights/fersnet.safetensors', (route) => route.fulfill({ body }));
  const visit = await site.open('?device=cpu&lang=de', { prepare });
  await visit.loaded();
  const { page } = visit;
  assert.equal(await visit.give(ASTRONAUT), 'ready', await visit.error());
  assert.equal(await page.getByTestId('expression-0').textContent(), 'constructor');
  assert.equal(await page.locator('[data-testid^="probability-0-"]').count(), 8);
  await page.getByTestId('sliders-0').waitFor({ timeout: PATIENCE_MS });
  for (const name of ['constructor', '__proto__', 'anger']) {
    await page.getByTestId(`synthesis-0-${name}`).click();
    assert.equal(await visit.settled(), 'ready', await visit.error());
    assert.equal(await page.getByTestId('target-0').inputValue(), `${name}=1`);
    assert.ok(await page.locator('#photo-badge').isVisible(), name);
  }
  assert.deepEqual(visit.complaints, []);
  await visit.close();
});
