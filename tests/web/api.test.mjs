// The module that other pages may use: www/api/index.js, without this page around it.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { launch, PATIENCE_MS, ROOT, serveDist, Visit } from './browser.mjs';

const SAMPLE = join(ROOT, 'tests/photos/rendered-S1004-neutral.jpg');

let server;
let browser;
let visit;

before(async () => {
  server = await serveDist();
  browser = await launch();
  visit = await Visit.open(browser, server.origin, 'samples/SOURCES.md');
  const base64 = (await readFile(SAMPLE)).toString('base64');
  await visit.page.evaluate(async (base64) => {
    window.api = await import('/api/index.js');
    window.bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    window.net = await window.api.FersNet.load({ device: 'cpu' });
    window.nameOf = async (promise) => promise.then(() => 'none', (error) => error.name);
  }, base64);
}, { timeout: PATIENCE_MS });

after(async () => {
  await browser?.close();
  await server?.close();
});

test('a picture is read, and its bytes are still the caller’s', async () => {
  const seen = await visit.page.evaluate(async () => {
    const { faces, width, preview } = await net.recognise(bytes);
    const [{ expression, probabilities, certain }] = faces;
    const { length } = bytes;
    return { expression, probabilities, certain, width, shown: preview.width, length };
  });
  assert.ok(seen.length > 0);
  assert.equal(seen.shown, seen.width);
  const best = Object.entries(seen.probabilities).sort((a, b) => b[1] - a[1])[0];
  assert.equal(seen.expression, best[0]);
  assert.equal(seen.certain, best[1] >= 0.5);
});

test('the expressions are told as values of controls, and the face’s own can be mixed in', async () => {
  const seen = await visit.page.evaluate(async () => {
    const picture = await net.recognise(bytes);
    const [face] = picture.faces;
    const controls = Object.fromEntries(Object.entries(face.controls).map(([name, value]) => [name, Math.min(value, 1.2)]));
    const made = await net.synthesise(face, [{ own: 1 }, controls, { own: 0.5, happiness: 0.5 }, 'happiness']);
    const difference = (a, b) => made[a].image.data.reduce((sum, value, i) => sum + Math.abs(value - made[b].image.data[i]), 0) / made[a].image.data.length;
    const { presets, classes } = net;
    return { presets, classes, same: difference(0, 1), half: difference(0, 2), whole: difference(0, 3), refused: await nameOf(net.synthesise(face, [{ own: 2 }])) };
  });
  assert.deepEqual(Object.keys(seen.presets).sort(), [...seen.classes].sort());
  assert.ok(seen.presets.happiness.mouthSmileLeft > 0.5 && seen.presets.happiness.teethShown === 1);
  assert.ok(seen.same < 0.01, `the face’s own controls, named or mixed in, differ by ${seen.same}`);
  assert.ok(seen.half > 0 && seen.half < seen.whole, `${seen.half} of ${seen.whole}`);
  assert.equal(seen.refused, 'TargetWeightError');
});

test('a face is redrawn with a class, and with a mixture of several', async () => {
  const seen = await visit.page.evaluate(async () => {
    const picture = await net.recognise(bytes);
    const mixture = { happiness: 0.6, surprise: 0.4 };
    const [one, mixed] = await net.synthesise(picture.faces[0], ['happiness', mixture], { size: 64 });
    const file = await net.save(picture, [mixed]);
    const differ = one.image.data.some((value, i) => value !== mixed.image.data[i]);
    return { size: one.image.width, differ, mixed: mixed.target, type: file.type, bytes: file.size };
  });
  assert.equal(seen.size, 64);
  assert.ok(seen.differ);
  assert.deepEqual(seen.mixed, { happiness: 0.6, surprise: 0.4 });
  assert.equal(seen.type, 'image/png');
  assert.ok(seen.bytes > 1000);
});

test('what a page makes of synthesised faces is marked like what is saved', async () => {
  const check = await visit.page.evaluate(async () => {
    const picture = await net.recognise(bytes);
    const made = await net.compose(picture, await net.synthesise(picture.faces[0], ['surprise'], { size: 1 }));
    const marked = await net.mark(made);
    const left = made.data.length;
    return { ...(await net.check(await net.recognise(marked))), type: marked.type, left };
  });
  assert.equal(check.type, 'image/png');
  assert.ok(check.left > 0, 'the page keeps its pixels');
  assert.deepEqual([check.madeHere, check.metadata, check.badge.found, check.watermark.found], [true, true, true, true]);
});

test('mistakes of a caller have names', async () => {
  const names = await visit.page.evaluate(async () => {
    const picture = await net.recognise(bytes);
    const other = new Blob(['no picture']);
    const names = [
      await nameOf(net.synthesise(picture.faces[0], ['joy'])),
      await nameOf(net.synthesise(picture.faces[0], [{ happiness: NaN }])),
      await nameOf(net.synthesise(picture.faces[0], [{ happiness: -0.1 }])),
      await nameOf(net.synthesise(picture.faces[0], [{ happiness: 1.21 }])),
      await nameOf(net.synthesise(picture.faces[0], [{ happiness: '1' }])),
      await nameOf(net.synthesise(picture.faces[0], [{ happiness: 0.7, fear: 0.7 }])),
      await nameOf(net.synthesise(picture.faces[0], ['happiness', { happiness: 0.5, browUp: 0.5 }])),
      await nameOf(net.synthesise(picture.faces[0], [{}])),
      await nameOf(net.synthesise(picture.faces[0], ['happiness'], { size: 0 })),
      await nameOf(net.synthesise(picture.faces[0], ['happiness'], { size: 2049 })),
      await nameOf(net.recognise(other)),
      await nameOf(net.recognise(new ArrayBuffer(0))),
    ];
    await net.release(picture);
    names.push(await nameOf(net.synthesise(picture.faces[0], ['happiness'])));
    return names;
  });
  assert.deepEqual(names, [
    'UnknownExpressionError',
    'TargetWeightError',
    'TargetWeightError',
    'TargetWeightError',
    'TargetWeightError',
    'TargetWeightError',
    'UnknownExpressionError',
    'TargetWeightError',
    'CropSizeError',
    'CropSizeError',
    'PictureFormatError',
    'EmptyPictureError',
    'ClosedError',
  ]);
});

// Whether the shipped weights have controls or not.
test('controls are named, read of each face and taken in a target, where the weights have them', async () => {
  const seen = await visit.page.evaluate(async () => {
    const picture = await net.recognise(bytes);
    const [face] = picture.faces;
    const redraw = (target) => net.synthesise(face, [target], { size: 64 });
    const answers = {
      names: net.controls,
      shown: face.controls,
      tooMuch: await nameOf(redraw({ happiness: 1.1 })),
    };
    const [name] = net.controls;
    if (name === undefined) return { ...answers, single: await nameOf(redraw({ jawOpen: 0.4 })) };
    const targets = ['happiness', { happiness: 0.8, [name]: 0.4 }, { [name]: 1.2 }, { [name]: 0 }];
    const drawn = await Promise.all(targets.map(async (target) => (await redraw(target))[0]));
    const pixels = drawn.map(({ image }) => image.data.join());
    return {
      ...answers,
      single: await nameOf(redraw({ [name]: 1.21 })),
      different: new Set(pixels).size === targets.length,
      target: drawn[1].target,
    };
  });
  assert.deepEqual(Object.keys(seen.shown), seen.names);
  assert.ok(Object.values(seen.shown).every((value) => value >= 0));
  if (seen.names.length === 0) {
    assert.equal(seen.tooMuch, 'TargetWeightError');
    assert.equal(seen.single, 'UnknownExpressionError');
    return;
  }
  // An expression may be drawn a little more than in full.
  assert.equal(seen.tooMuch, 'none');
  assert.equal(seen.single, 'TargetWeightError');
  assert.ok(seen.different, 'two targets were drawn alike');
  assert.deepEqual(seen.target, { happiness: 0.8, [seen.names[0]]: 0.4 });
});

test('a reading that is taken back ends as an AbortError, and the next one is answered', async () => {
  const seen = await visit.page.evaluate(async () => {
    const controller = new AbortController();
    const taken = nameOf(net.recognise(bytes, { signal: controller.signal }));
    controller.abort();
    const { faces } = await net.recognise(bytes);
    return [await taken, faces.length];
  });
  assert.deepEqual(seen, ['AbortError', 1]);
});

test('the whole picture is one face, whether or not its reading was taken back', async () => {
  const seen = await visit.page.evaluate(async () => {
    const picture = await net.recognise(bytes);
    const count = picture.faces.length;
    const controller = new AbortController();
    const taken = nameOf(net.recogniseWhole(picture, { signal: controller.signal }));
    // Late enough that the worker has added the face.
    setTimeout(() => controller.abort(), 20);
    await taken;
    const face = await net.recogniseWhole(picture);
    const again = await net.recogniseWhole(picture);
    const [redrawn] = await net.synthesise(face, ['happiness'], { size: 8 });
    return [count, face.index, again === face, picture.faces.length, redrawn.image.width];
  });
  assert.deepEqual(seen, [1, 1, true, 2, 8]);
});

test('a found face says where it is, and what it shows once it is read', async () => {
  const seen = await visit.page.evaluate(async () => {
    const states = [];
    const picture = await net.recognise(bytes, {
      onFound: ({ faces: [face], handle }) => states.push('expression' in face, handle > 0),
      onRecognised: (face) => states.push(face.expression),
    });
    return { states, expression: picture.faces[0].expression };
  });
  assert.deepEqual(seen.states, [false, true, seen.expression]);
});

test('a picture can be used, and released, as soon as its faces are found', async () => {
  const seen = await visit.page.evaluate(async () => {
    const asked = [];
    const read = net.recognise(bytes, {
      onFound: (found) => {
        asked.push(net.compose(found, []).then(({ width }) => width === found.preview.width));
        asked.push(net.release(found).then(() => found.handle));
      },
    });
    const picture = await read;
    return [await Promise.all(asked), await nameOf(net.synthesise(picture.faces[0]))];
  });
  assert.deepEqual(seen, [[true, 0], 'ClosedError']);
});

test('the names of before do as the new ones', async () => {
  const seen = await visit.page.evaluate(async () => {
    let read = 0;
    const picture = await net.read(bytes, { onReading: () => (read += 1) });
    const [one] = await net.redraw(picture.faces[0], ['happiness'], { size: 8 });
    const whole = await net.readWhole(picture);
    return [read, one.target, whole.index, net.redraws === net.synthesises];
  });
  assert.deepEqual(seen, [1, 'happiness', 1, true]);
});

test('weights are bytes, or an address as the page sees it', async () => {
  const classes = await visit.page.evaluate(async () => {
    const here = location.href;
    history.replaceState(null, '', '/');
    const address = 'weights/fersnet.safetensors';
    const file = new Uint8Array(await (await fetch(address)).arrayBuffer());
    const padded = new Uint8Array(file.length + 8);
    padded.set(file, 8);
    const classes = [];
    for (const weights of [address, file, file.buffer, padded.subarray(8)]) {
      const one = await api.FersNet.load({ device: 'cpu', program: 'fersnet-cpu.js', weights });
      classes.push(one.classes.concat(one.controls));
      one.close();
    }
    history.replaceState(null, '', here);
    return [net.classes.concat(net.controls), ...classes];
  });
  for (const found of classes.slice(1)) assert.deepEqual(found, classes[0]);
});

test('a program that breaks while it loads is told by the load alone', async () => {
  const breaks = 'export default () => new Promise(() => setTimeout(() => { throw new Error("broke"); }));';
  await visit.page.route('**/breaks.js', (route) =>
    route.fulfill({ contentType: 'text/javascript', body: breaks }),
  );
  await visit.page.route('**/breaks_bg.wasm', (route) =>
    route.fulfill({ contentType: 'application/wasm', body: Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) }),
  );
  const seen = await visit.page.evaluate(async () => {
    let heard = 0;
    const onBroken = () => (heard += 1);
    const load = api.FersNet.load({ device: 'cpu', program: '/breaks.js', onBroken });
    return [await load.then(() => 'none', (error) => error.message), heard];
  });
  assert.deepEqual(seen, ['broke', 0]);
});

test('a closed network says so', async () => {
  const names = await visit.page.evaluate(async () => {
    const closed = await api.FersNet.load({ device: 'cpu' });
    const asked = nameOf(closed.recognise(bytes));
    closed.close();
    return [await asked, await nameOf(closed.recognise(bytes))];
  });
  assert.deepEqual(names, ['ClosedError', 'ClosedError']);
});
