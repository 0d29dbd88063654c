import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { callAs } from '../../../apps/cli/src/commands/call.ts';
import { readRunFile } from '../../../apps/cli/src/run-file.ts';
import { verifies } from '../../requirements.ts';
import { followRunbook, readRunbook } from '../../support/runbook.ts';
import { until } from '../../support/signed-peer.ts';
import { freePortBase, type System, startSystem } from '../../support/system.ts';
import { cli } from '../start/start.fixture.ts';
import { addPhoto, enter, knowNothing, sendOut } from '../survival/load.ts';
import { sendText } from '../survival/senders.ts';

/** The runbooks of the log, followed to the letter, one after the other on one installation. */
let root: string;
let stateDir: string;
let portBase: number;
let system: System;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'deadlatch-log-runbooks-'));
  // PostgreSQL runs as another user here, and keeps its data in the state directory where that user may walk in.
  await chmod(root, 0o711);
  stateDir = join(root, 'state');
  portBase = await freePortBase();
  system = await startSystem({ stateDir, portBase });
});
after(async () => {
  await system?.stop();
  await rm(root, { recursive: true, force: true });
});

/** What waits longer than this is late. */
const DEADLINE_MS = 60_000;

async function asAdministrator<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const { postgres } = await readRunFile(stateDir);
  const password = (await readFile(join(stateDir, 'postgres', 'admin-password'), 'utf8')).trim();
  const client = new pg.Client({
    connectionString: `postgres://postgres:${password}@127.0.0.1:${postgres.port}/deadlatch`,
  });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const count = (client: pg.Client, from: string) =>
  client.query<{ n: number }>(`select count(*)::int as n from ${from}`).then(({ rows }) => rows[0]?.n ?? -1);

/** Every event has its place in the log, and the witness has seen it: database and log are of one moment. */
async function settled(): Promise<void> {
  await asAdministrator((client) =>
    until(async () => {
      const waiting = await count(client, 'audit.unsequenced');
      return waiting === 0 && (await count(client, 'audit.log_head where witnessed_size = size')) === 1;
    }),
  );
}

/** A customer writes, and is heard. */
async function textFrom(slug: string, text: string): Promise<void> {
  const heard = () => asAdministrator((client) => count(client, "dispatch.messages where direction = 'IN'"));
  const before = await heard();
  await sendText(await readRunFile(stateDir), slug, text, false);
  await until(async () => (await heard()) > before);
}

async function openTicket(): Promise<void> {
  const run = await readRunFile(stateDir);
  const body = JSON.stringify({ site_id: run.site_id });
  await callAs(run, 'dana-dispatcher', { name: 'ticket.create', targetId: undefined, body, key: undefined });
}

/** A technician asks for money, leaves, and the ticket waits for the answer. @returns the ticket */
async function leaveAsking(): Promise<string> {
  const people = await enter(await readRunFile(stateDir), knowNothing());
  const { client, person } = people.tom;
  const ticketId = await sendOut(people, 'tom-technician', client);
  const photo = await addPhoto(client, person, ticketId, 'photo.change.found_condition');
  const asked = await client.send('tech.request_change', ticketId, {
    kind: 'NTE_INCREASE',
    lines: [{ kind: 'PART', quantity: 1, unit_cents: 20_000, incurred: 'no', part_number: 'LKB-200' }],
    photos: [photo.result.evidence_id],
    reason: { text: 'The lock body is cracked.' },
  });
  assert.equal(asked.code, null);
  const left = await client.send('tech.check_out', ticketId, { outcome: 'WAITING_APPROVAL' });
  assert.equal(left.ticket?.state, 'ON_HOLD');
  await people.counter.close();
  return ticketId;
}

test('the witness is down', async () => {
  verifies('R.6');
  const runbook = await readRunbook('witness-down');
  const { services } = await readRunFile(stateDir);
  const { pid } = services.witness ?? { pid: 0 };
  assert.ok(pid > 0);
  process.kill(pid, 'SIGSTOP');
  try {
    await sleep(DEADLINE_MS + 5_000);
    await followRunbook(runbook, { stateDir, sections: ['What it looks like'] });
    await textFrom('maria-manager', 'front door will not lock');
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await sleep(12_000);
  await settled();
  await followRunbook(runbook, { stateDir, sections: ['Afterwards'] });
});

test('a backup is restored', async () => {
  verifies('F.8');
  const runbook = await readRunbook('restoring-a-backup');
  const database = join(stateDir, 'postgres');
  await textFrom('sam-shift-lead', 'back door does not latch');
  const asking = await leaveAsking();
  const key = await spareKey();
  await settled();
  assert.equal(await system.stop(), 0);
  await copyFolder(database, join(root, 'backup'));

  // What the backup does not know: a ticket, a session, a key that was revoked.
  system = await startSystem({ stateDir, portBase });
  await openTicket();
  await revoke(key);
  const ahead = await asAdministrator((client) => count(client, 'dispatch.tickets'));
  await settled();
  assert.equal(await system.stop(), 0);
  await rm(database, { recursive: true });
  await copyFolder(join(root, 'backup'), database);

  await assert.rejects(
    startSystem({ stateDir, portBase }),
    /is a restored backup: it knows \d+ of the log's/,
  );
  const people = join(stateDir, 'people');
  const values = await followRunbook(runbook, {
    stateDir,
    sections: ['Put it back'],
    values: {
      'first-key-file': join(people, 'adam-admin.pem'),
      'second-key-file': join(people, 'sue-supervisor.pem'),
    },
  });
  assert.ok(Number(values.known) < Number(values.all));
  await assert.rejects(
    followRunbook(runbook, {
      stateDir,
      sections: ['Put it back'],
      values: {
        'first-key-file': join(people, 'adam-admin.pem'),
        'second-key-file': join(people, 'sue-supervisor.pem'),
      },
    }),
    /nothing to accept/,
  );
  system = await startSystem({ stateDir, portBase });
  await asAdministrator(async (client) => {
    assert.ok((await count(client, 'dispatch.tickets')) < ahead);
    assert.equal(await count(client, 'dispatch.turns where ended_at is null'), 0);
    const revoked = `trust.service_keys where keyid = '${key}' and revoked_at is not null`;
    assert.equal(await count(client, revoked), 1, 'a revoked key came back with the backup');
    // What was asked is void, and the ticket goes on: nobody waits for an answer that cannot come.
    const isFree = `dispatch.tickets where id = '${asking}' and state = 'READY_TO_SCHEDULE' and scope_capped`;
    assert.equal(await count(client, isFree), 1);
    assert.equal(
      await count(client, `dispatch.approvals where ticket_id = '${asking}' and state = 'VOID'`),
      1,
    );
  });
  const run = await readRunFile(stateDir);
  const read = { name: 'ticket.list', targetId: undefined, body: undefined, key: undefined };
  await callAs(run, 'dana-dispatcher', read);
  await settled();
  await followRunbook(runbook, { stateDir, sections: ['Look at it, and let the agents go on'] });
});

test('verification fails', async () => {
  verifies('F.4');
  const runbook = await readRunbook('failed-verification');
  await settled();
  const event = await asAdministrator(async (client) => {
    await client.query('set session_replication_role = replica');
    const { rows } = await client.query<{ id: string }>(
      `update audit.events e
          set body = convert_to(replace(convert_from(e.body, 'UTF8'), '"decision":"accepted"', '"decision":"refused"'), 'UTF8')
         from audit.log_entries l
        where l.tenant_id = e.tenant_id and l.event_id = e.id and l.index = 20 returning e.id`,
    );
    return rows[0]?.id ?? '';
  });
  const values = await followRunbook(runbook, {
    stateDir,
    values: {
      event,
      'log-folder': join(stateDir, 'log'),
      'trust-file': join(stateDir, 'keys', 'trust.json'),
    },
  });
  assert.equal(values.index, '20');
});

/** As an operator would: owners and times stay as they are. */
async function copyFolder(from: string, to: string): Promise<void> {
  await promisify(execFile)('cp', ['-a', from, to]);
}

/** A second key of a service, which nothing signs with yet. @returns its thumbprint */
async function spareKey(): Promise<string> {
  const { code, stdout } = await cli(['keys', 'issue', 'vault', '--state-dir', stateDir]);
  const [, keyid = ''] = /^Issued (\S+) for vault/.exec(stdout) ?? [];
  assert.deepEqual([code, keyid.length], [0, 43], stdout);
  return keyid;
}

async function revoke(keyid: string): Promise<void> {
  const { code, stderr } = await cli(['keys', 'revoke', keyid, '--state-dir', stateDir]);
  assert.equal(code, 0, stderr);
}
