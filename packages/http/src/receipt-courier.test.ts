import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { DispatchError, type JsonValue } from '@deadlatch/kernel';
import {
  generateSigningKeyPem,
  loadSigningKey,
  type Receipt,
  signReceipt,
  withoutEnd,
} from '@deadlatch/signing';
import { createLogger } from '@deadlatch/telemetry';
import { verifies } from '../../../test/requirements.ts';
import { createReceiptCourier } from './receipt-courier.ts';
import type { ServiceClient } from './service-client.ts';

const ORIGIN = 'demo.deadlatch/audit';
const newKey = () => loadSigningKey(generateSigningKeyPem());
const grantKey = newKey();

function receiptOf(eventId: string, changes: Partial<Receipt> = {}, key = grantKey): string {
  return signReceipt(
    {
      iss: 'spiffe://demo.deadlatch/dispatch-api',
      origin: ORIGIN,
      event_id: eventId,
      leaf_hash: 'A'.repeat(43),
      time: '2026-03-01T12:00:00.000Z',
      ...changes,
    },
    key,
  );
}

type Witness = (receipts: readonly string[]) => JsonValue | Promise<JsonValue>;
const takesAll: Witness = (receipts) => ({ accepted: receipts.length, refused: [] });

/** A courier between an authority that gives these answers and a witness; both on the other side of a network. */
function setUp(witness: Witness, options: { readonly maxWaiting?: number } = {}) {
  const lines: string[] = [];
  const batches: (readonly string[])[] = [];
  const state = { witness };
  const courier = createReceiptCourier({
    witness: {
      write: async (path, body) => {
        assert.equal(path, '/v1/receipts');
        const { receipts } = body as { readonly receipts: readonly string[] };
        batches.push(receipts);
        return state.witness(receipts);
      },
    },
    environment: 'demo',
    trust: () => ({ grantKeys: [withoutEnd(grantKey)], log: { origin: ORIGIN, key: 'unused' } }),
    logger: createLogger({ service: 'web', level: 'debug', write: (line) => lines.push(line) }),
    gatherMs: 5,
    retryMs: 5,
    ...options,
  });
  let next: JsonValue = null;
  const api = courier.accompany({ write: async () => next } as unknown as ServiceClient);
  const ask = (answer: JsonValue) => {
    next = answer;
    return api.write('/v1/ticket.create', {});
  };
  return { courier, ask, batches, lines, state };
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let tries = 0; !isTrue(); tries += 1) {
    if (tries > 1_000) throw new Error('it never became true');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('receipt courier', () => {
  it('takes the receipt out of every answer and hands it to the witness', async () => {
    verifies('F.5');
    const { courier, ask, batches, lines } = setUp(takesAll);
    const ids = Array.from({ length: 3 }, () => randomUUID());
    const answers = await Promise.all(
      ids.map((id) => ask({ event_id: id, receipt: receiptOf(id), ticket: { state: 'NEW' } })),
    );
    assert.deepEqual(answers[0], { event_id: ids[0], ticket: { state: 'NEW' } });
    await until(() => batches.flat().length === 3);
    assert.deepEqual(
      batches.flat(),
      ids.map((id) => receiptOf(id)),
    );
    assert.deepEqual(lines, []);
    await courier.close();
  });

  it('gives an answer without a valid receipt as it is, and says so: the command did happen', async () => {
    verifies('F.5');
    const { courier, ask, batches, lines } = setUp(takesAll);
    const id = randomUUID();
    const wrong: readonly (readonly [receipt: JsonValue | undefined, reason: string])[] = [
      [undefined, 'absent'],
      [null, 'absent'],
      [{ event_id: id }, 'absent'],
      ['', 'not_genuine'],
      [receiptOf(randomUUID()), 'other_event'],
      [receiptOf(id, {}, newKey()), 'not_genuine'],
      [receiptOf(id, { origin: 'other.deadlatch/audit' }), 'not_genuine'],
      [receiptOf(id, { iss: 'spiffe://demo.deadlatch/web' }), 'not_genuine'],
    ];
    for (const [receipt, reason] of wrong) {
      lines.length = 0;
      const answer = receipt === undefined ? { event_id: id } : { event_id: id, receipt };
      assert.deepEqual(await ask(answer), { event_id: id });
      const { event, ...said } = JSON.parse(lines[0] ?? '{}');
      assert.deepEqual([event, said.reason, said.event_id], ['receipt.missing', reason, id]);
    }
    assert.equal(await ask('not an answer'), 'not an answer');
    assert.deepEqual(batches, []);
    await courier.close();
  });

  it('passes on what was refused, of which there is no receipt', async () => {
    const { courier, lines } = setUp(takesAll);
    const refusing = courier.accompany({
      write: async () => {
        throw new DispatchError('invalid_state');
      },
    } as unknown as ServiceClient);
    await assert.rejects(
      refusing.write('/v1/x', {}),
      (e) => e instanceof DispatchError && e.code === 'invalid_state',
    );
    assert.deepEqual(lines, []);
  });

  it('keeps receipts while the witness is away, refuses or talks nonsense, and brings each of them later', async () => {
    verifies('F.5');
    const { courier, ask, batches, lines, state } = setUp(() => {
      throw new DispatchError('unavailable');
    });
    const id = randomUUID();
    const other = randomUUID();
    await ask({ event_id: id, receipt: receiptOf(id) });
    await until(() => batches.length >= 2);
    state.witness = () => ({ accepted: 1 });
    const nonsense = batches.length;
    await until(() => batches.length > nonsense);
    // Of these the witness knows the key of one only.
    state.witness = (receipts) => ({ accepted: 1, refused: receipts.length > 1 ? [0] : [] });
    await ask({ event_id: other, receipt: receiptOf(other) });
    await until(() => batches.some((batch) => batch.length === 2));
    const before = batches.length;
    await until(() => batches.length > before);
    assert.deepEqual(batches.at(-1), [receiptOf(id)]);
    assert.ok(lines.some((line) => line.includes('receipts.waiting')));
    await courier.close();
  });

  it('gives up what the witness never takes, and what it has no room for, and says how many', async () => {
    const never = setUp((receipts) => ({ accepted: 0, refused: receipts.map((_, at) => at) }));
    const id = randomUUID();
    await never.ask({ event_id: id, receipt: receiptOf(id) });
    await until(() => never.lines.some((line) => line.includes('"reason":"refused"')));
    const tries = never.batches.length;
    await never.courier.close();
    assert.equal(never.batches.length, tries);

    const full = setUp(() => Promise.reject(new DispatchError('unavailable')), { maxWaiting: 2 });
    for (const each of Array.from({ length: 3 }, () => randomUUID())) {
      await full.ask({ event_id: each, receipt: receiptOf(each) });
    }
    assert.equal(full.lines.filter((line) => line.includes('"reason":"no_room"')).length, 1);
    await full.courier.close();
    assert.ok(full.lines.some((line) => line.includes('"reason":"closing"') && line.includes('"count":2')));
  });

  it('hands over what waits before it ends, and in batches that the witness takes', async () => {
    const { courier, ask, batches } = setUp(takesAll);
    const ids = Array.from({ length: 300 }, () => randomUUID());
    for (const id of ids) await ask({ event_id: id, receipt: receiptOf(id) });
    await courier.close();
    assert.equal(new Set(batches.flat()).size, 300);
    assert.ok(batches.every((batch) => batch.length <= 256));
  });
});
