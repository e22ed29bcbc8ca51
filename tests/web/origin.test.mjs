// Was this made here? What the page saves is found by the page, also re-encoded and smaller; other pictures are not.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { forAllTests, PATIENCE_MS, ROOT } from './browser.mjs';

const SAMPLE = join(ROOT, 'www/samples/composite-f-african.jpg');

const site = forAllTests();

/** @type {Promise<Buffer> | null} */
let saving = null;

/** What the page saves of the sample, once for all tests. */
function savedPicture() {
  saving ??= save();
  return saving;
}

async function openLoaded() {
  const visit = await site.open('?device=cpu');
  await visit.loaded();
  return visit;
}

/** What the page says of the picture that it shows. */
async function origin(visit) {
  await visit.page.waitForSelector('#origin[data-made-here]', { timeout: PATIENCE_MS });
  await visit.page.getByTestId('origin').click();
  const said = visit.page.getByTestId('made-here');
  const answer = (name) => visit.page.getByTestId(`origin-${name}`).innerText();
  return {
    says: (await said.isVisible()) ? await said.innerText() : '',
    metadata: await answer('metadata'),
    badge: await answer('badge'),
    watermark: await answer('watermark'),
    list: await visit.page.getByTestId('origin-list').innerText(),
  };
}

async function save() {
  const visit = await openLoaded();
  assert.equal(await visit.give(SAMPLE), 'ready', await visit.error());
  await visit.page.getByTestId('synthesis-0-surprise').click();
  await visit.settled();
  const download = visit.page.waitForEvent('download');
  await visit.page.getByTestId('save').click();
  const saved = await readFile(await (await download).path());
  await visit.close();
  return saved;
}

test('a picture that the page saved is found by all its marks, and says so', async () => {
  const saved = await savedPicture();
  const visit = await openLoaded();
  await visit.give({ name: 'saved.png', mimeType: 'image/png', buffer: saved });
  const found = await origin(visit);
  assert.equal(found.says, 'This picture was made synthetic with FERSNet: metadata, badge, watermark.');
  for (const mark of ['metadata', 'badge', 'watermark']) assert.match(found[mark], /^found/, mark);
  assert.match(found.list, /compositeWithTrainedAlgorithmicMedia/);
  assert.deepEqual(visit.complaints, []);
  await visit.close();
});

test('a sample is not, and the page says that this proves nothing', async () => {
  const saved = await savedPicture();
  const visit = await openLoaded();
  await visit.give(SAMPLE);
  const found = await origin(visit);
  assert.equal(found.says, '');
  for (const mark of ['metadata', 'badge', 'watermark']) assert.match(found[mark], /^not found/, mark);
  assert.match(found.list, /does not prove that it is genuine/);
  // The next picture has its own answer.
  await visit.give({ name: 'saved.png', mimeType: 'image/png', buffer: saved });
  await visit.page.waitForSelector('#origin[data-made-here="true"]', { timeout: PATIENCE_MS });
  await visit.close();
});

test('half the size as JPEG 75, without metadata, it is found by its watermark', async () => {
  const saved = await savedPicture();
  const visit = await openLoaded();
  const base64 = await visit.page.evaluate(async (png) => {
    const bytes = Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const canvas = document.createElement('canvas');
    canvas.width = image.width / 2;
    canvas.height = image.height / 2;
    const context = canvas.getContext('2d');
    context.imageSmoothingQuality = 'high';
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    return canvas.toDataURL('image/jpeg', 0.75).split(',')[1];
  }, saved.toString('base64'));
  await visit.give({ name: 'sent.jpg', mimeType: 'image/jpeg', buffer: Buffer.from(base64, 'base64') });
  const found = await origin(visit);
  assert.match(found.metadata, /^not found/);
  assert.match(found.watermark, /^found/);
  assert.match(found.says, /watermark/);
  await visit.close();
});

test('the API tells the same of a picture', async () => {
  const saved = await savedPicture();
  const visit = await openLoaded();
  const check = await visit.page.evaluate(async (png) => {
    const { FersNet } = await import('/api/index.js');
    const net = await FersNet.load({ device: 'cpu' });
    const bytes = Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0));
    const picture = await net.recognise(bytes);
    const check = await net.check(picture);
    await net.release(picture);
    const closed = await net.check(picture).catch((error) => error.name);
    net.close();
    return { ...check, closed };
  }, saved.toString('base64'));
  assert.equal(check.madeHere, true);
  assert.equal(check.metadata, true);
  assert.ok(check.badge.found && check.watermark.found);
  assert.ok(check.watermark.chance < 1e-4 && Math.abs(check.watermark.scale - 1) < 0.02);
  assert.deepEqual(check.claims, {
    xmp: false,
    sourceTypes: ['compositeWithTrainedAlgorithmicMedia'],
    contentCredentials: false,
  });
  assert.equal(check.closed, 'ClosedError');
  await visit.close();
});
