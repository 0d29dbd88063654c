import { createHash } from 'node:crypto';

/** The definitions of RFC 9162 section 2.1 word for word, slow and obvious: what the log is compared with. */
type Entries = readonly Uint8Array[];

const sha256 = (...parts: readonly Uint8Array[]): Uint8Array => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

function largestPowerBelow(n: number): number {
  return 2 ** ((n - 1).toString(2).length - 1);
}

/** MTH(D_n) */
export function naiveRoot(d: Entries): Uint8Array {
  const [only] = d;
  if (only === undefined) return sha256();
  if (d.length === 1) return sha256(Uint8Array.of(0), only);
  const k = largestPowerBelow(d.length);
  return sha256(Uint8Array.of(1), naiveRoot(d.slice(0, k)), naiveRoot(d.slice(k)));
}

/** PATH(m, D_n) */
export function naivePath(m: number, d: Entries): Uint8Array[] {
  if (d.length === 1) return [];
  const k = largestPowerBelow(d.length);
  return m < k
    ? [...naivePath(m, d.slice(0, k)), naiveRoot(d.slice(k))]
    : [...naivePath(m - k, d.slice(k)), naiveRoot(d.slice(0, k))];
}

/** PROOF(m, D_n) */
export function naiveConsistency(m: number, d: Entries): Uint8Array[] {
  return subproof(m, d, true);
}

function subproof(m: number, d: Entries, isWhole: boolean): Uint8Array[] {
  if (m === d.length) return isWhole ? [] : [naiveRoot(d)];
  const k = largestPowerBelow(d.length);
  return m <= k
    ? [...subproof(m, d.slice(0, k), isWhole), naiveRoot(d.slice(k))]
    : [...subproof(m - k, d.slice(k), false), naiveRoot(d.slice(0, k))];
}

/** `n` entries that are all different. */
export function entriesOf(n: number): Uint8Array[] {
  return Array.from({ length: n }, (_, i) => Buffer.from(`entry ${i}`));
}
