// Files that must not do harm: pictures that are none, and weight files that are damaged.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { ROOT } from './browser.mjs';

const SAMPLE = join(ROOT, 'tests/photos/rendered-S1004-neutral.jpg');

/** What a person may drop onto the page, and the code of the error that must answer. */
export async function hostilePictures() {
  const jpeg = await readFile(SAMPLE);
  const text = Buffer.from('Dear diary, today I was renamed to a picture.\n'.repeat(20));
  return [
    { name: 'empty.jpg', mimeType: 'image/jpeg', buffer: Buffer.alloc(0), code: 'picture-empty' },
    { name: 'diary.jpg', mimeType: 'image/jpeg', buffer: text, code: 'picture-format' },
    {
      name: 'half.jpg',
      mimeType: 'image/jpeg',
      buffer: jpeg.subarray(0, jpeg.length / 2),
      code: 'picture-truncated',
    },
    {
      name: 'huge.png',
      mimeType: 'image/png',
      buffer: pngOfSize(10_000, 5_000),
      code: 'picture-too-large',
    },
  ];
}

/** A PNG file whose header promises a picture of this size and that holds nothing else. */
function pngOfSize(width, height) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IEND', Buffer.alloc(0))]);
}

export function chunk(kind, body) {
  const content = Buffer.concat([Buffer.from(kind, 'latin1'), body]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(body.length);
  check.writeUInt32BE(crc32(content));
  return Buffer.concat([length, content, check]);
}

/** PNG's checksum, bit by bit: node has one of its own only since 20.15. */
function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return ~crc >>> 0;
}

/** Damaged forms of a weight file, by what was done to it. */
export function damagedWeights(whole) {
  // The first tensors are floats; among bytes with scales every value is a number.
  const notANumber = Buffer.from(whole);
  const data = 8 + Number(whole.readBigUInt64LE(0));
  notANumber.fill(0xff, data, data + 64);
  const header = Buffer.from(whole);
  header.fill(0x20, 8, 40);
  return {
    'cut short': whole.subarray(0, Math.floor(whole.length / 2)),
    'with values that are no numbers': notANumber,
    'with a broken header': header,
    'that is a text': Buffer.from('<!doctype html><title>404</title>'),
    empty: Buffer.alloc(0),
  };
}
