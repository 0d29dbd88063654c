import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { EVIDENCE_CONTENT_TYPES } from '@deadlatch/catalogue';
import fc from 'fast-check';
import sharp from 'sharp';
import { verifies } from '../../../../test/requirements.ts';
import { pngChunk, randomPicture } from '../../../../test/support/pictures.ts';
import { findFault } from './find-fault.ts';

type ContentType = (typeof EVIDENCE_CONTENT_TYPES)[number];
const files = new Map<ContentType, Buffer>();
const sound = (type: ContentType) => files.get(type) ?? Buffer.alloc(0);

before(async () => {
  const source = randomPicture(120, 90);
  files.set('image/jpeg', await sharp(source).jpeg({ progressive: true }).toBuffer());
  files.set('image/png', source);
  files.set('image/webp', await sharp(source).webp().toBuffer());
});

describe('a file', () => {
  test('that is one whole picture of the announced type has no fault', async () => {
    for (const type of EVIDENCE_CONTENT_TYPES) assert.equal(findFault(sound(type), type), null, type);
    const withAlpha = await sharp(sound('image/png')).ensureAlpha(0.5).webp({ lossless: true }).toBuffer();
    assert.equal(findFault(withAlpha, 'image/webp'), null);
    assert.equal(findFault(await sharp(sound('image/png')).jpeg().toBuffer(), 'image/jpeg'), null);
  });

  test('is of the type that its bytes say, never of the one that somebody announces', () => {
    verifies('I.4', 'C.0');
    for (const type of EVIDENCE_CONTENT_TYPES) {
      for (const other of EVIDENCE_CONTENT_TYPES.filter((one) => one !== type)) {
        assert.equal(findFault(sound(type), other), 'type_differs', `${type} as ${other}`);
      }
      for (const text of [
        '',
        '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        '<!doctype html><script>alert(1)</script>',
        'GIF89a/*',
        '%PDF-1.7',
        'PK\u0003\u0004',
        '\u007fELF',
        'RIFF\u0004\u0000\u0000\u0000WAVE',
      ]) {
        assert.equal(findFault(Buffer.from(text, 'latin1'), type), 'type_differs', text);
        // In front of a picture it is no picture either.
        assert.equal(findFault(Buffer.concat([Buffer.from(text || ' '), sound(type)]), type), 'type_differs');
      }
    }
  });

  test('that ends anywhere before its end is not whole', () => {
    verifies('R.7', 'C.4');
    for (const type of EVIDENCE_CONTENT_TYPES) {
      const file = sound(type);
      fc.assert(
        fc.property(fc.integer({ min: 1, max: file.length - 1 }), (cut) => {
          assert.notEqual(findFault(file.subarray(0, cut), type), null);
        }),
      );
      assert.equal(findFault(file.subarray(0, file.length - 1), type), 'not_whole');
      assert.equal(findFault(file.subarray(0, file.length / 2), type), 'not_whole');
    }
  });

  test('that is a picture and something else too is refused', () => {
    verifies('I.4', 'C.0');
    const archive = Buffer.from('PK\u0003\u0004somebody\u2019s archivePK\u0005\u0006', 'latin1');
    const page = Buffer.from('<script>alert(1)</script>');
    for (const type of EVIDENCE_CONTENT_TYPES) {
      for (const other of [archive, page, Buffer.from([1])]) {
        assert.equal(findFault(Buffer.concat([sound(type), other]), type), 'trailing_data', type);
      }
    }
  });

  test('may end as telephones end a photo: with zeroes, a second picture, or their maker\u2019s notes', () => {
    const photo = sound('image/jpeg');
    const tails = [Buffer.alloc(512), photo, Buffer.from('notes SEFT', 'latin1')];
    for (const tail of tails) assert.equal(findFault(Buffer.concat([photo, tail]), 'image/jpeg'), null);
    assert.equal(
      findFault(Buffer.concat([sound('image/png'), Buffer.alloc(4)]), 'image/png'),
      'trailing_data',
    );
  });

  test('that moves is refused', async () => {
    verifies('C.0');
    const frames = sharp([sound('image/png'), randomPicture(120, 90)], { join: { animated: true } });
    assert.equal(findFault(await frames.webp().toBuffer(), 'image/webp'), 'animated');
    const png = sound('image/png');
    const moving = Buffer.concat([
      png.subarray(0, 33),
      pngChunk('acTL', Buffer.alloc(8, 1)),
      png.subarray(33),
    ]);
    assert.equal(findFault(moving, 'image/png'), 'animated');
  });

  test('of any bytes has a fault or none, and is never read for ever', () => {
    verifies('I.4');
    const heads = [
      Buffer.from([0xff, 0xd8, 0xff]),
      sound('image/png').subarray(0, 8),
      Buffer.from('RIFF\0\0\0\0WEBP'),
    ];
    fc.assert(
      fc.property(fc.constantFrom(...heads), fc.uint8Array({ maxLength: 400 }), (head, rest) => {
        for (const type of EVIDENCE_CONTENT_TYPES) findFault(Buffer.concat([head, rest]), type);
      }),
      { numRuns: 2_000 },
    );
  });
});
