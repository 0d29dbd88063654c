import { createHash } from 'node:crypto';
import { closeSync, writeSync } from 'node:fs';
import { contentTypeOf, drawAnew } from './decoder/draw-anew.ts';
import { findFault } from './decoder/find-fault.ts';

/**
 * The program that decodes one picture: bytes on standard input, a verdict of one line on the fourth channel, and
 * then the picture on standard output. Whatever goes wrong is no verdict, and no verdict is a refusal. It is given the
 * content type, and how many bytes and pixels a picture may have: it starts for every photo, and loads nothing it
 * does not need.
 */
const VERDICT = 3;

const [given = '', maxBytes = '', maxPixels = ''] = process.argv.slice(2);
const type = contentTypeOf(given);
const limits = { bytes: Number(maxBytes), pixels: Number(maxPixels) };
if (type === null || !(limits.bytes > 0) || !(limits.pixels > 0)) throw new Error('no type, or no limits');
const chunks: Buffer[] = [];
for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
const original = Buffer.concat(chunks);

const drawn = findFault(original, type) ?? (await drawAnew(original, type, limits));
if (typeof drawn === 'string') {
  writeSync(VERDICT, `unusable ${drawn}\n`);
  closeSync(VERDICT);
} else {
  writeSync(VERDICT, `picture ${drawn.byteLength} ${createHash('sha256').update(drawn).digest('hex')}\n`);
  closeSync(VERDICT);
  process.stdout.write(drawn);
}
