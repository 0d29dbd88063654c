import { createHash } from 'node:crypto';
import { closeSync, writeSync } from 'node:fs';
import { EVIDENCE_CONTENT_TYPES } from '@deadlatch/catalogue';
import { drawAnew } from './decoder/draw-anew.ts';
import { findFault } from './decoder/find-fault.ts';

/**
 * The program that decodes one picture: bytes on standard input, a verdict of one line on the fourth channel, and
 * then the picture on standard output. Whatever goes wrong is no verdict, and no verdict is a refusal.
 */
const VERDICT = 3;

const type = EVIDENCE_CONTENT_TYPES.find((known) => known === process.argv[2]);
if (type === undefined) throw new Error('no such content type');
const chunks: Buffer[] = [];
for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
const original = Buffer.concat(chunks);

const drawn = findFault(original, type) ?? (await drawAnew(original, type));
if (typeof drawn === 'string') {
  writeSync(VERDICT, `unusable ${drawn}\n`);
  closeSync(VERDICT);
} else {
  writeSync(VERDICT, `picture ${drawn.byteLength} ${createHash('sha256').update(drawn).digest('hex')}\n`);
  closeSync(VERDICT);
  process.stdout.write(drawn);
}
