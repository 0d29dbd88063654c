import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { cosign, leafHash, parseNote } from '@deadlatch/audit-log';
import { createReceiptCourier, createServiceClient } from '@deadlatch/http';
import { type JsonValue, parseStrictJson } from '@deadlatch/kernel';
import { loadSigningKey, type Receipt, signRequest, verifyReceipt, withoutEnd } from '@deadlatch/signing';
import { verifies } from '../../requirements.ts';
import {
  createDispatchWorld,
  type DispatchWorld,
  ENVIRONMENT,
  freePort,
  type Replica,
} from '../../support/dispatch-api.ts';
import { type Crew, createCrew, inbound } from '../../support/job.ts';
import { type LogProcesses, logProcesses } from '../../support/log-processes.ts';
import { until } from '../../support/signed-peer.ts';
import { alone, createWire, type Wire, type WireAnswer } from '../../support/wire.ts';

/** Receipts, a late witness and a restored backup, with the real sequencer and the real witness beside dispatch-api. */
let world: DispatchWorld;
let log: LogProcesses;
let replica: Replica;
let wire: Wire;
let crew: Crew;
let witnessUrl: string;

before(async () => {
  const ports = { sequencer: await freePort(), witness: await freePort() };
  witnessUrl = `http://127.0.0.1:${ports.witness}`;
  world = await createDispatchWorld({ witnessUrl });
  log = logProcesses(world, ports);
  await log.startWitness();
  await log.startSequencer();
  await startReplica();
});
after(async () => {
  await log.close();
  await world.close();
});

async function startReplica(until?: '/livez'): Promise<void> {
  replica = await world.start(undefined, until);
  wire = createWire(world, replica.port);
  crew = createCrew(world, wire);
}

const ORIGIN = `${ENVIRONMENT}.deadlatch/audit`;
const site = () => ({ site_id: world.tenant.siteId });
const resume = () => wire.command(crew.sue, 'autonomy.resume', null, { scope: 'tenant' });
const pause = () => wire.command(crew.dana, 'autonomy.pause', null, { scope: 'tenant' });
/** Whether an act of authority is accepted now. */
const mayAct = async () => {
  await pause();
  return (await resume()).status === 200;
};
const reads = () => wire.read(crew.dana, '/v1/attention');

function receiptIn({ body }: WireAnswer): Receipt {
  return verifyReceipt(body.receipt, {
    keys: [withoutEnd(world.grantKey)],
    issuer: `spiffe://${ENVIRONMENT}.deadlatch/dispatch-api`,
    origin: ORIGIN,
  });
}

async function storedBody(eventId: string): Promise<Buffer> {
  const { rows } = await world.admin.query<{ body: Buffer }>('select body from audit.events where id = $1', [
    eventId,
  ]);
  return rows[0]?.body ?? assert.fail('no such event');
}

async function indexOf(eventId: string): Promise<number | undefined> {
  const { rows } = await world.admin.query<{ index: number }>(
    'select index from audit.log_entries where event_id = $1',
    [eventId],
  );
  return rows[0]?.index;
}

async function head(): Promise<{ size: number; witnessed_size: number; witnessed_note: Buffer }> {
  const { rows } = await world.admin.query('select size, witnessed_size, witnessed_note from audit.log_head');
  return rows[0];
}

/** What the witness shows. */
async function witness(): Promise<{ size: number; alarms: { event_id: string; kind: string }[] }> {
  const headers = signRequest({
    method: 'GET',
    target: '/v1/checkpoint',
    body: new Uint8Array(),
    shape: { write: false, token: false },
    key: world.key('web'),
    audience: `spiffe://${ENVIRONMENT}.deadlatch/witness`,
    now: Date.now(),
  });
  return (await (await fetch(`${witnessUrl}/v1/checkpoint`, { headers })).json()) as never;
}

/** As any caller does it: through its courier. */
async function handOver(answer: JsonValue): Promise<void> {
  const courier = createReceiptCourier({
    witness: createServiceClient({
      service: 'web',
      key: () => world.key('web'),
      baseUrl: witnessUrl,
      audience: `spiffe://${ENVIRONMENT}.deadlatch/witness`,
      fetch,
      now: Date.now,
      random: (n) => crypto.getRandomValues(new Uint8Array(n)),
      timeoutMs: 5_000,
    }),
    environment: ENVIRONMENT,
    trust: () => ({ grantKeys: [withoutEnd(world.grantKey)], log: { origin: ORIGIN, key: '' } }),
    logger: { event: (...line) => assert.fail(line[0]) },
  });
  await courier.accompany({ write: async () => answer } as never).write('/', {});
  await courier.close();
}

/** Does what no role of the system may do: what the administrator, or a backup, can do to a database. */
async function asAttacker(...statements: readonly string[]): Promise<void> {
  await world.admin.query(
    ['begin', 'set local session_replication_role = replica', ...statements, 'commit'].join(';'),
  );
}

describe('a receipt', () => {
  test('promises exactly the stored bytes, and is kept: the event is in the log under that hash', async () => {
    verifies('F.5');
    const answer = await crew.does(crew.dana, 'ticket.create', null, site());
    const receipt = receiptIn(answer);
    const body = await storedBody(answer.body.event_id);
    assert.equal(receipt.event_id, answer.body.event_id);
    assert.equal(receipt.leaf_hash, Buffer.from(leafHash(body)).toString('base64url'));
    assert.equal(receipt.time, (parseStrictJson(body) as { time: string }).time);
    await until(async () => (await indexOf(receipt.event_id)) !== undefined);
    const { rows } = await world.admin.query<{ leaf_hash: Buffer }>(
      'select leaf_hash from audit.log_entries where event_id = $1',
      [receipt.event_id],
    );
    assert.equal(rows[0]?.leaf_hash.toString('base64url'), receipt.leaf_hash);
  });

  test('is the same for a replayed answer, also of another process', async () => {
    verifies('F.5', 'R.2');
    const key = randomUUID();
    const ask = () => wire.command(crew.dana, 'ticket.create', null, site(), { key });
    const first = await ask();
    const again = await ask();
    assert.equal(again.body.replayed, true);
    assert.deepEqual(receiptIn(again), receiptIn(first));
    await replica.kill();
    await startReplica();
    assert.deepEqual(receiptIn(await ask()), receiptIn(first));
  });

  test('comes with every accepted command, of whichever service, and with no refusal and no read', async () => {
    verifies('F.5');
    const { maria } = world.tenant.contacts;
    const text = await wire.command(alone('gateway'), 'message.receive', null, inbound(maria));
    for (const answer of [text, await pause(), await resume()]) {
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      assert.equal(receiptIn(answer).event_id, answer.body.event_id);
    }
    const refused = await wire.command(crew.fay, 'ticket.create', null, site());
    assert.deepEqual([refused.code, refused.body.receipt], ['not_granted', undefined]);
    assert.equal((await reads()).body.receipt, undefined);
  });

  test('of an event that is kept out of the log raises an alarm, and stops what follows from being witnessed', async () => {
    verifies('F.5');
    await until(async () => (await head()).witnessed_size === (await head()).size);
    await log.stopSequencer();
    const answer = await crew.does(crew.dana, 'ticket.create', null, site());
    const { event_id: id } = answer.body;
    // Somebody who may do anything to the database takes the event out of the queue.
    await asAttacker(`delete from audit.unsequenced where event_id = '${id}'`);
    await log.startSequencer();
    await handOver(answer.body);
    await until(async () => (await witness()).alarms.length > 0);
    const [alarm] = (await witness()).alarms;
    assert.deepEqual([alarm?.kind, alarm?.event_id], ['omitted', id]);
    const before = await head();
    await crew.does(crew.dana, 'ticket.create', null, site());
    await until(async () => (await witness()).size > before.witnessed_size);
    assert.equal((await head()).witnessed_size, before.witnessed_size, 'known to the witness, not cosigned');
    // It turns up: the alarm is over by itself.
    await asAttacker(
      `insert into audit.unsequenced (tenant_id, event_id, bytes)
       select tenant_id, id, octet_length(body) from audit.events where id = '${id}'`,
    );
    await until(async () => (await witness()).alarms.length === 0);
    await until(async () => (await head()).witnessed_size > before.witnessed_size);
  });
});

/** The database's note as it was some minutes ago: what a backup has, and what is left when nobody cosigns. */
async function ageNote(minutes: number): Promise<void> {
  const pem = await readFile(join(world.stateDir, 'keys/witness/witness.pem'), 'utf8');
  const note = (await head()).witnessed_note.toString();
  const { text } = parseNote(Buffer.from(note));
  const signed = note.slice(0, note.indexOf('\n', text.length + 1) + 1);
  const timeS = Math.floor(Date.now() / 1_000) - minutes * 60;
  const line = cosign(text, timeS, `${ENVIRONMENT}.deadlatch/witness`, loadSigningKey(pem));
  await asAttacker(
    `update audit.log_head set witnessed_note = decode('${Buffer.from(signed + line).toString('hex')}', 'hex')`,
  );
}

describe('while no witness has seen the log for a minute', () => {
  test('acts of authority are refused and say why; everything else goes on; then they are accepted again', async () => {
    verifies('R.6', 'C.0');
    await until(mayAct);
    await log.close();
    await replica.kill();
    await ageNote(2);
    await startReplica();
    await pause();
    const refused = await resume();
    assert.deepEqual(
      [refused.status, refused.code, refused.body.reason],
      [503, 'unavailable', 'witness_late'],
    );
    const { rows } = await world.admin.query<{ body: string }>(
      "select convert_from(body, 'UTF8') as body from audit.events order by at desc, id desc limit 1",
    );
    const event = JSON.parse(rows[0]?.body ?? '{}');
    assert.deepEqual([event.command, event.detail], ['autonomy.resume', 'witness_late'], 'and it is audited');
    // Intake, make-safe, reads, and whatever stops something.
    const { maria } = world.tenant.contacts;
    assert.equal((await wire.command(alone('gateway'), 'message.receive', null, inbound(maria))).status, 200);
    const ticketId = await crew.emergency();
    await crew.does(crew.dana, 'visit.dispatch_emergency', ticketId, {
      technician_id: world.tenant.technicians.tom,
      reason: 'CANNOT_SECURE',
    });
    assert.equal((await pause()).status, 200);
    assert.equal((await reads()).status, 200);
    assert.equal((await fetch(`http://127.0.0.1:${replica.port}/readyz`)).status, 200);
    await log.startWitness();
    await log.startSequencer();
    await until(mayAct);
  });
});

/** Puts the log's tables back to what they were, as a backup of that time does; it is ten minutes old by now. */
async function restore(backup: Awaited<ReturnType<typeof head>>): Promise<void> {
  const { size, witnessed_size: witnessed, witnessed_note: note } = backup;
  await asAttacker(
    `delete from audit.log_entries where index >= ${size}`,
    `update audit.log_head set size = ${size}, witnessed_size = ${witnessed},
       witnessed_note = decode('${note.toString('hex')}', 'hex')`,
  );
  await ageNote(10);
}

const isBehind = (answer: WireAnswer) =>
  answer.status === 503 && answer.code === 'unavailable' && answer.body.reason === 'restored_backup';

async function probe(path: string): Promise<readonly [status: number, reason: unknown]> {
  const response = await fetch(`http://127.0.0.1:${replica.port}${path}`);
  const body = response.headers.get('content-type')?.includes('json') ? await response.json() : {};
  return [response.status, (body as { reason?: unknown }).reason];
}

describe('a restored backup', () => {
  test('serves nothing: noticed while running, after a restart, and as soon as the witness can be asked', async () => {
    verifies('F.8');
    const create = () => wire.command(crew.dana, 'ticket.create', null, site());
    const isWitnessed = async () => (await head()).witnessed_size === (await head()).size;
    await until(isWitnessed);
    const backup = await head();
    await crew.does(crew.dana, 'ticket.create', null, site());
    await until(async () => (await head()).size > backup.size && (await isWitnessed()));
    // The running service has seen that size by its next look.
    await until(mayAct);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await log.stopSequencer();
    await restore(backup);

    assert.ok(isBehind(await create()), 'a command at once');
    await until(async () => isBehind(await reads()));
    assert.deepEqual(await probe('/readyz'), [503, 'restored_backup']);
    assert.equal((await probe('/livez'))[0], 200);
    assert.equal((await probe('/metrics'))[0], 200);
    assert.ok(isBehind(await pause()), 'nothing at all, for what it would stop may not be there');

    // After a restart the witness tells.
    await replica.kill();
    await startReplica('/livez');
    assert.ok(isBehind(await create()));
    assert.ok(isBehind(await reads()));

    // Without the witness nobody knows; the backup's own note is old, so no act of authority passes.
    await replica.kill();
    await log.stopWitness();
    await startReplica();
    assert.equal((await create()).status, 200);
    assert.deepEqual((await resume()).body.reason, 'witness_late');
    await log.startWitness();
    await until(async () => isBehind(await create()));
    await until(async () => isBehind(await reads()));
  });
});
