import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createInputValidator, MAX_IMPORTED_CONTACTS } from '@deadlatch/catalogue';
import { DispatchError, type ErrorCode, type JsonValue } from '@deadlatch/kernel';
import { verifyGrant, withoutEnd } from '@deadlatch/signing';
import { type AskedBatch, askForContacts } from '../../../apps/cli/src/import/ask-contacts.ts';
import { contactLines } from '../../../apps/cli/src/import/kinds.ts';
import { placeOf, planImport } from '../../../apps/cli/src/import/plan-import.ts';
import { readDirectory } from '../../../apps/cli/src/import/read-directory.ts';
import { readTable } from '../../../apps/cli/src/import/read-table.ts';
import { LineRefused, type SendCommand } from '../../../apps/cli/src/import/run-import.ts';
import { verifies } from '../../requirements.ts';
import type { DispatchWorld } from '../../support/dispatch-api.ts';
import { storedEvents } from '../../support/table-state.ts';
import { type Actor, alone, createWire, person, stepUp, type Wire } from '../../support/wire.ts';
import { createWitnessedWorld } from '../../support/witnessed-world.ts';

/** Files of contacts go in through the gate, many in one act; the vault is a key for each handle. */
let world: DispatchWorld;
let wire: Wire;

before(async () => {
  world = await createWitnessedWorld();
  wire = createWire(world, (await world.start()).port);
});
after(() => world.close());

const staff = (name: 'adam' | 'dana' | 'sue' | 'fay') => person('staff', world.tenant.staff[name]);

/** A yes with a code, as identity sends it. */
const confirm = (
  name: 'adam' | 'dana' | 'sue',
  act: { act_id: string; action_digest: string },
  decision = 'CONFIRM',
) => {
  const id = world.tenant.staff[name];
  const actor = stepUp(id, act.action_digest);
  const yes = { ...actor, claims: { ...actor.claims, sub: `staff:${id}` } };
  const body = { decision, action_digest: act.action_digest };
  return wire.command(yes, 'act.confirm', act.act_id, body);
};

describe('contacts from a file', () => {
  const HEADER = 'account,contact,site,may_request,name,phone,email';
  const line = (n: number, account = 'acme-stores') =>
    `${account},manager-${n},${n % 2 ? 'store-114' : ''},yes,Nina ${n},+1512555${1_000 + n},`;
  const LINES = Array.from({ length: MAX_IMPORTED_CONTACTS + 4 }, (_, n) => line(n));
  const dana = (): Actor => person('staff', world.tenant.staff.dana, 'cli');
  const reads = async (path: string) => {
    const { status, code, body } = await wire.read(dana(), path);
    if (status !== 200) throw new DispatchError(code as ErrorCode);
    return body as JsonValue;
  };
  const sends: SendCommand = async (command, input, key) => {
    const { status, code, body } = await wire.command(dana(), command, null, input, { key });
    if (status === 200) return body as JsonValue;
    throw new DispatchError(code as ErrorCode, { extra: { fields: body.fields ?? [] } });
  };
  const planned = async (lines: readonly string[] = LINES) =>
    planImport(
      [readTable('contacts.csv', Buffer.from([HEADER, ...lines].join('\n')))],
      await readDirectory(reads),
      createInputValidator(),
    );
  /** What the command line does, with a vault that gives each key its handle. */
  async function asks(send = sends, lines: readonly string[] = LINES): Promise<readonly AskedBatch[]> {
    const { contacts, ids, problems } = await planned(lines);
    assert.deepEqual(problems, []);
    return askForContacts(contacts.batches, {
      idOf: (kind, name) => ids.get(placeOf(kind, name)) ?? '',
      send,
      seal: async (_text, key) => ({ text_id: key, commitment: 'c'.repeat(43) }),
      readActs: () => reads('/v1/acts'),
      isOnFile: async ({ key }) =>
        !(await planned(lines)).contacts.batches.some((left) => left.key(0) === key(0)),
      onStep: () => undefined,
    });
  }
  const onFile = async () => {
    const { rows } = await world.admin.query<{ codes: number; acts: number }>(
      `select (select count(*)::int from dispatch.contact_codes) as codes,
              (select count(*)::int from dispatch.acts where command = 'contact.import') as acts`,
    );
    return rows[0];
  };
  const secretOf = ({ confirmUrl }: AskedBatch) => confirmUrl.split('/').at(-1) ?? '';
  const confirmed = ({ actId, digest }: AskedBatch, decision?: string) =>
    confirm('dana', { act_id: actId, action_digest: digest }, decision);

  test('are asked for in as few acts as hold them; a run that was cut off asks for none of them twice', async () => {
    verifies('R.1', 'R.2', 'T3.11');
    const losing: SendCommand = async (...call) => {
      await sends(...call);
      throw new DispatchError('unavailable');
    };
    await assert.rejects(asks(losing), LineRefused);
    assert.deepEqual(await onFile(), { codes: 0, acts: 1 });
    const asked = await asks();
    assert.deepEqual(
      asked.map(({ batch }) => batch.rows.length),
      [MAX_IMPORTED_CONTACTS, 4],
    );
    assert.deepEqual(
      (await asks()).map(({ actId }) => actId),
      asked.map(({ actId }) => actId),
    );
    assert.deepEqual(await onFile(), { codes: 0, acts: 2 });
    // What is to be confirmed holds handles, a code of each and nothing that anybody is known by.
    const [first] = asked;
    assert.ok(first);
    const { body } = await wire.read(alone('identity'), `/v1/step-ups/${secretOf(first)}`);
    assert.equal(body.action_digest, first.digest);
    assert.equal(JSON.parse(body.action).input.contacts.length, MAX_IMPORTED_CONTACTS);
    assert.doesNotMatch(body.action, /Nina|\+1512/);
    // Nobody else asks, and nobody else confirms.
    for (const name of ['adam', 'sue', 'fay'] as const) {
      const input = JSON.parse(body.action).input;
      assert.equal(
        (await wire.command(staff(name), 'contact.import', null, input)).code,
        'not_granted',
        name,
      );
    }
    for (const name of ['adam', 'sue'] as const) {
      const answer = await confirm(name, { act_id: first.actId, action_digest: first.digest });
      assert.equal(answer.code, 'not_granted', name);
    }
  });

  test('come on file with one yes, a whole act at once, and identity gets what their words are kept by', async () => {
    verifies('T3.6', 'T4.8', 'F.1');
    const [first, second] = await asks();
    assert.ok(first && second);
    const adoptions = async (batch: AskedBatch, service: 'identity' | 'web' = 'identity') =>
      wire.read(alone(service), `/v1/step-ups/${secretOf(batch)}/adoptions`);
    assert.equal((await adoptions(first)).code, 'not_found');
    const done = await confirmed(first);
    assert.deepEqual([done.status, done.body.result.state], [200, 'CONSUMED']);
    assert.equal(done.body.result.contacts, MAX_IMPORTED_CONTACTS);
    assert.equal((await onFile())?.codes, MAX_IMPORTED_CONTACTS);
    const { body } = await adoptions(first);
    assert.equal(body.contacts.length, MAX_IMPORTED_CONTACTS);
    for (const [n, row] of first.batch.rows.entries()) {
      const given = body.contacts.find((one: { slug: string }) => one.slug === row.slug);
      if (n % 20 > 0) continue;
      const claims = verifyGrant('adopt', given.adopt_grant, {
        keys: [withoutEnd(world.grantKey)],
        now: Date.now(),
      });
      assert.deepEqual(
        [claims.contact, claims.account, claims.name, claims.phone, claims.email],
        [given.contact_id, world.tenant.accountId, row.textKey('name'), row.textKey('phone'), null],
      );
    }
    const { body: over } = await wire.read(alone('identity'), `/v1/step-ups/${secretOf(first)}`);
    assert.deepEqual([over.state, over.imported.length], ['CONSUMED', MAX_IMPORTED_CONTACTS]);
    assert.equal((await adoptions(first, 'web')).code, 'above_ceiling');
    assert.equal((await adoptions(second)).code, 'not_found');
    assert.equal((await confirmed(first)).code, 'invalid_state');
    // Whoever was changed since keeps what they were changed to.
    const changed = body.contacts[0];
    const asked = await wire.command(staff('dana'), 'contact.reset', changed.contact_id, {});
    assert.equal((await confirm('dana', asked.body.result)).status, 200);
    const again = (await adoptions(first)).body.contacts;
    assert.equal(again.length, MAX_IMPORTED_CONTACTS - 1);
    assert.ok(!again.some((one: { slug: string }) => one.slug === changed.slug));
    // Each is stated by the event that put them there.
    const events = await storedEvents(world.admin, world.tenant.tenantId);
    const stated = events
      .filter(({ body: event }) => event.command === 'act.confirm')
      .flatMap(
        ({ body: event }) =>
          (event as unknown as { details: { directory?: string[] } }).details.directory ?? [],
      );
    for (const { contact_id: id } of body.contacts)
      assert.ok(stated.some((entry) => entry.startsWith(`contacts:${id}:`)));
  });

  test('that are left are the same act; declined or lapsed, they are asked for anew; and a code that is given away voids its act', async () => {
    verifies('R.2', 'T3.4');
    const [left, ...none] = await asks();
    assert.ok(left);
    assert.deepEqual([left.batch.rows.length, none], [4, []]);
    assert.equal((await confirmed(left, 'DECLINE')).body.result.state, 'DENIED');
    const [second] = await asks();
    assert.ok(second && second.actId !== left.actId);
    // Its hour is over: the link says so, and nobody can say yes to it.
    await world.admin.query(`begin; set local session_replication_role = replica;
      update dispatch.acts set asked_at = now() - interval '2 hours', expires_at = now() - interval '1 hour'
       where id = '${second.actId}'; commit`);
    const { body: lapsed } = await wire.read(alone('identity'), `/v1/step-ups/${secretOf(second)}`);
    assert.deepEqual([lapsed.state, lapsed.step_up_grant, lapsed.reveal_grant], ['EXPIRED', null, null]);
    assert.equal((await confirmed(second)).code, 'invalid_state');
    const [anew] = await asks();
    assert.ok(anew && ![left.actId, second.actId].includes(anew.actId));
    // Another file for the same people, confirmed first.
    const rest = LINES.slice(MAX_IMPORTED_CONTACTS).map((text, n) => `${text}m${n}@shop.example`);
    const [other] = await asks(sends, rest);
    assert.ok(other);
    assert.equal(other.batch.rows.length, 4);
    assert.equal((await confirmed(other)).status, 200);
    const before = await onFile();
    assert.equal((await confirmed(anew)).code, 'schema_mismatch');
    assert.deepEqual(await onFile(), before);
    assert.deepEqual(await asks(), []);
    const { contacts } = await planned();
    assert.deepEqual([contacts.found, contacts.batches], [LINES.length, []]);
    const exported = contactLines(await readDirectory(reads)).map(({ cells }) => cells);
    assert.deepEqual(
      exported.find(({ contact }) => contact === 'manager-1'),
      {
        account: 'acme-stores',
        contact: 'manager-1',
        site: 'store-114',
        may_request: 'yes',
        approval_limit_cents: '0',
      },
    );
  });
});
