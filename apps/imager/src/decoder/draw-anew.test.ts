import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MAX_EVIDENCE_BYTES, MAX_EVIDENCE_PIXELS } from '@deadlatch/catalogue';
import sharp from 'sharp';
import { verifies } from '../../../../test/requirements.ts';
import { pngChunk, randomPicture } from '../../../../test/support/pictures.ts';
import { drawAnew as draw } from './draw-anew.ts';
import { findFault } from './find-fault.ts';

const LIMITS = { bytes: MAX_EVIDENCE_BYTES, pixels: MAX_EVIDENCE_PIXELS };
const drawAnew = (file: Buffer, type: (typeof FORMATS)[number][0]) => draw(file, type, LIMITS);

const PLACE = 'Krumme Lanke 7';
/** What cameras and telephones write beside a picture. */
const EXIF = {
  IFD0: { Copyright: PLACE, Make: 'Maker', Software: PLACE },
  IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '52/1 27/1 0/1' },
};

/** A picture that is red at its left and blue at its right, so that one can see how it was turned. */
const twoColours = () =>
  sharp({ create: { width: 64, height: 32, channels: 3, background: '#ff0000' } }).composite([
    {
      input: { create: { width: 32, height: 32, channels: 3, background: '#0000ff' } },
      left: 32,
      top: 0,
    },
  ]);

const FORMATS = [
  ['image/jpeg', 'jpeg'],
  ['image/png', 'png'],
  ['image/webp', 'webp'],
] as const;

async function drawn(file: Buffer, type: (typeof FORMATS)[number][0]): Promise<Buffer> {
  assert.equal(findFault(file, type), null);
  const result = await drawAnew(file, type);
  if (typeof result === 'string') throw new Error(result);
  return result;
}

describe('a picture drawn anew', () => {
  for (const [type, format] of FORMATS) {
    test(`of ${type} is of the same type, upright, and has nothing beside the picture`, async () => {
      verifies('T5.2', 'R.7');
      const file = await twoColours()
        .withMetadata({ orientation: 6, exif: EXIF, icc: 'p3' })
        .toFormat(format)
        .toBuffer();
      assert.ok(file.includes(PLACE));
      const before = await sharp(file).metadata();
      assert.ok(before.exif && before.icc && before.orientation === 6);

      const result = await drawn(file, type);
      const { exif, xmp, icc, iptc, orientation, width, height } = await sharp(result).metadata();
      assert.deepEqual([exif, xmp, icc, iptc, orientation], Array(5).fill(undefined));
      assert.ok(!result.includes(PLACE));
      // Turned by a quarter, clockwise: what was at the left is on top.
      assert.deepEqual([width, height], [32, 64]);
      const { data } = await sharp(result).removeAlpha().raw().toBuffer({ resolveWithObject: true });
      assert.ok((data[0] ?? 0) > 200 && (data.at(-1) ?? 0) > 200 && (data[2] ?? 255) < 60);
      assert.equal(findFault(result, type), null);
    });
  }

  test('is the same again: a process that dies after it does no harm', async () => {
    verifies('R.1');
    const file = randomPicture(40, 30);
    assert.deepEqual(await drawn(file, 'image/png'), await drawn(file, 'image/png'));
  });

  test('is not made of a type that only looks like the announced one', async () => {
    const heif = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypheic'), Buffer.alloc(64)]);
    assert.equal(await drawAnew(heif, 'image/jpeg'), 'undecodable');
    assert.equal(await drawAnew(randomPicture(), 'image/jpeg'), 'type_differs');
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
    for (const [type] of FORMATS) assert.equal(await drawAnew(svg, type), 'undecodable');
  });

  test('is not made of more pixels than there is room for, whatever they take in the file', async () => {
    verifies('I.4');
    const bomb = randomPicture();
    const side = Math.ceil(Math.sqrt(MAX_EVIDENCE_PIXELS)) + 1;
    const header = Buffer.from(bomb.subarray(16, 29));
    header.writeUInt32BE(side, 0);
    header.writeUInt32BE(side, 4);
    pngChunk('IHDR', header).copy(bomb, 8);
    assert.equal(findFault(bomb, 'image/png'), null);
    assert.equal(await drawAnew(bomb, 'image/png'), 'too_many_pixels');
  });

  test('is not made of what becomes larger than it may', async () => {
    verifies('I.4');
    const file = randomPicture(20, 20);
    assert.equal(await draw(file, 'image/png', { ...LIMITS, bytes: 500 }), 'too_large');
  });

  test('is not made of a picture whose inside is broken, though its outside is whole', async () => {
    verifies('C.0');
    const sound = await twoColours().png().toBuffer();
    const data = sound.indexOf('IDAT');
    const size = sound.readUInt32BE(data - 4);
    const broken = Buffer.concat([
      sound.subarray(0, data - 4),
      pngChunk('IDAT', Buffer.alloc(size, 7)),
      sound.subarray(data + 8 + size),
    ]);
    assert.equal(findFault(broken, 'image/png'), null);
    assert.equal(await drawAnew(broken, 'image/png'), 'undecodable');

    const photo = await sharp(randomPicture(200, 200)).jpeg().toBuffer();
    // Two thirds of it, and an end that claims to be all.
    const short = Buffer.concat([photo.subarray(0, (photo.length * 2) / 3), Buffer.from([0xff, 0xd9])]);
    assert.equal(findFault(short, 'image/jpeg'), null);
    assert.ok((await drawAnew(short, 'image/jpeg')) === 'undecodable');
  });
});
