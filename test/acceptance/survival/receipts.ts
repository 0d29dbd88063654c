import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { verifyCheckpoint, verifyInclusion } from '@deadlatch/audit-log';
import type { ServiceClient } from '@deadlatch/http';
import type { JsonValue } from '@deadlatch/kernel';
import { auditTrust } from '../../../apps/cli/src/audit/audit-trust.ts';
import { peersOf } from '../../../apps/cli/src/peers.ts';
import { type RunFile, readRunFile } from '../../../apps/cli/src/run-file.ts';
import type { Trust } from '../../../apps/cli/src/up/keys.ts';
import { stateDirAt } from '../../../apps/cli/src/up/state-dir.ts';
import { until } from '../../scenario/browser.ts';
import { serviceClient } from './senders.ts';

/** What witness and sequencer take at once. */
const BATCH = 256;
const SETTLED_WITHIN_MS = 30_000;

interface ProofAnswer {
  readonly checkpoint: string;
  readonly proofs: readonly {
    readonly leaf_hash: string;
    readonly index: number | null;
    readonly hashes?: readonly string[];
  }[];
}

/**
 * Has every receipt resolved, by somebody who holds the public keys alone: the log proves each event under a
 * checkpoint that a witness cosigned, and the witness, shown all of them once more, misses none.
 * @param receipts as they were answered; one may be there more than once
 */
export async function assertResolved(stateDir: string, receipts: readonly string[]): Promise<void> {
  const run = await readRunFile(stateDir);
  const trustFile = join(stateDirAt(stateDir).keys, 'trust.json');
  const trust = auditTrust(JSON.parse(await readFile(trustFile, 'utf8')) as Trust);
  const peers = peersOf(run);
  const [sequencer, witness] = [serviceClient(run, peers, 'sequencer'), serviceClient(run, peers, 'witness')];
  const once = [...new Set(receipts)];
  for (let at = 0; at < once.length; at += BATCH) {
    const batch = once.slice(at, at + BATCH);
    const taken = await witness.write('/v1/receipts', { receipts: batch });
    assert.deepEqual(taken, { accepted: batch.length, refused: [] }, 'the witness takes every receipt');
    await demandProofs(sequencer, batch.map(trust.readReceipt), trust.log);
  }
  await until(
    'the witness to have seen every event that it was promised',
    async () => ((await measured(run, 'receipts_pending')) === 0 ? true : undefined),
    SETTLED_WITHIN_MS,
  );
  const { alarms } = (await witness.read('/v1/checkpoint')) as { readonly alarms?: JsonValue };
  assert.deepEqual(alarms, [], 'the witness has no alarm');
}

type Trusted = ReturnType<typeof auditTrust>;

async function demandProofs(
  sequencer: ServiceClient,
  promised: readonly ReturnType<Trusted['readReceipt']>[],
  { logKey, policy }: Trusted['log'],
): Promise<void> {
  const hashes = promised.map(({ leafHash }) => Buffer.from(leafHash).toString('base64url'));
  const answer = (await sequencer.write('/v1/proofs', { leaf_hashes: hashes })) as unknown as ProofAnswer;
  const { size, root } = verifyCheckpoint(Buffer.from(answer.checkpoint), logKey, policy);
  assert.deepEqual(
    answer.proofs.map((proof) => proof.leaf_hash),
    hashes,
    'each receipt has its proof',
  );
  for (const [place, { index, hashes: path = [] }] of answer.proofs.entries()) {
    const receipt = promised[place];
    assert.ok(receipt !== undefined && index !== null, `${receipt?.eventId} is in the witnessed log`);
    const proof = path.map((hash) => Buffer.from(hash, 'base64url'));
    verifyInclusion({ index, size, root, leafHash: receipt.leafHash, proof });
  }
}

/** A gauge of the witness. */
async function measured(run: RunFile, name: string): Promise<number> {
  const peers = peersOf(run);
  const response = await peers.fetchTo('witness')(`${peers.urlOf('witness')}/metrics`);
  const line = (await response.text()).split('\n').find((one) => one.startsWith(`deadlatch_${name} `));
  return Number(line?.split(' ')[1] ?? Number.NaN);
}
