import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { COMMANDS, routeOf, SERVICES, type ServiceName, spiffeId } from '@deadlatch/catalogue';
import { asOperator } from '../../../apps/cli/src/operator.ts';
import { type RunFile, readRunFile } from '../../../apps/cli/src/run-file.ts';
import { verifies } from '../../requirements.ts';
import { until } from '../../scenario/browser.ts';
import { createStage } from '../../scenario/create-stage.ts';
import {
  accepted,
  addPhoto,
  codeIn,
  linkIn,
  openApproval,
  readTicket,
  type Stage,
} from '../../scenario/stage.ts';
import { freePortBase, type System, startSystem } from '../../support/system.ts';
import { steal } from './stolen.ts';

// Longer than 400 lines because every thief is let loose in one and the same living system.
/** A whole system of which one service is somebody else's: with its keys, its database role and its peers. */
let system: System;
let stateDir: string;
let run: RunFile;
let stage: Stage;
let ticketId: string;

before(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'deadlatch-compromised-'));
  system = await startSystem({ stateDir, portBase: await freePortBase() });
  run = await readRunFile(stateDir);
  stage = createStage(run);
  ticketId = await workInProgress();
});
after(async () => {
  await system?.stop();
  await rm(stateDir, { recursive: true, force: true });
});

const idOf = (slug: string) => run.subjects[slug]?.id ?? '';
const ticket = async () => readTicket(await stage.as('dana-dispatcher'), ticketId);

/** An emergency on which the technician works; nothing has been asked for yet. */
async function workInProgress(): Promise<string> {
  const [dana, tom] = [await stage.as('dana-dispatcher'), await stage.as('tom-technician')];
  const created = accepted(await dana.command('ticket.create', null, { site_id: run.site_id }));
  const { id } = created.ticket as { id: string };
  accepted(await dana.command('ticket.triage', id, { type: 'DOOR_CANNOT_SECURE', answers: [] }));
  const offer = { technician_id: idOf('tom-technician'), reason: 'CANNOT_SECURE' };
  accepted(await dana.command('visit.dispatch_emergency', id, offer));
  accepted(await tom.command('visit.accept', id, {}));
  accepted(await tom.command('tech.check_in', id, {}));
  for (const name of ['site_overview', 'opening', 'failed_lock'])
    await addPhoto(tom, id, `photo.before.${name}`);
  accepted(await tom.command('tech.start', id, {}));
  return id;
}

interface Question {
  readonly approvalId: string;
  readonly link: string;
  readonly digest: string;
}

/** The technician asks; whoever is to decide gets a link. */
async function asksForMoney(cents: number): Promise<Question> {
  const tom = await stage.as('tom-technician');
  const slugs = ['alan-approver', 'olga-owner'];
  const heard = new Map<string, number>();
  for (const slug of slugs) heard.set(slug, (await stage.phones.received(slug)).length);
  const shot = await addPhoto(tom, ticketId, 'photo.change.found_condition');
  const asked = accepted(
    await tom.command('tech.request_change', ticketId, {
      kind: 'NTE_INCREASE',
      lines: [{ kind: 'PART', quantity: 1, unit_cents: cents, incurred: 'no', part_number: 'LKB-200' }],
      photos: [shot],
      reason: { text: 'The lock body is cracked.' },
    }),
  );
  const approvalId = (asked.result as { approval_id: string }).approval_id;
  const link = await until('a text to an approver', async () => {
    for (const slug of slugs) {
      const fresh = (await stage.phones.received(slug)).slice(heard.get(slug));
      const found = fresh.find(({ body }) => body.includes('/approve/'));
      if (found) return linkIn(found.body);
    }
    return undefined;
  });
  const digest = await asOperator(stateDir, async ({ client }) => {
    const text = 'select action_digest from dispatch.approvals where id = $1';
    return String((await client.query(text, [approvalId])).rows[0]?.action_digest);
  });
  return { approvalId, link, digest };
}

async function withdraw({ approvalId }: Question): Promise<void> {
  accepted(await (await stage.as('tom-technician')).command('approval.withdraw', approvalId, {}));
}

/** Whoever did what was accepted since; the thief appears nowhere, and no money was released. */
async function acceptedCommands(): Promise<string[]> {
  return asOperator(stateDir, async ({ client }) =>
    (
      await client.query<{ command: string }>(
        `select command from audit.events where decision = 'accepted' and origin = 'dispatch' order by at, id`,
      )
    ).rows.map(({ command }) => command),
  );
}

async function everyTable(): Promise<string[]> {
  return asOperator(stateDir, async ({ client }) =>
    (
      await client.query<{ name: string }>(
        `select schemaname || '.' || tablename as name from pg_tables
          where schemaname in ('dispatch', 'audit', 'context', 'identity', 'vault', 'trust') order by 1`,
      )
    ).rows.map(({ name }) => name),
  );
}

const DENIED = '42501';

describe('a compromised gateway', () => {
  test('cannot approve, and learns no code', async () => {
    verifies('T4.2', 'T3.9', 'T3.7', 'T3.8');
    const gateway = await steal(run, 'gateway');
    const question = await asksForMoney(20_000);
    const secret = question.link.split('/').at(-1) ?? '';
    const [api, identity, vault] = (['dispatch-api', 'identity', 'vault'] as const).map((peer) =>
      gateway.to(peer),
    );
    assert.ok(api && identity && vault);
    const before = await ticket();

    // With what it has rightly seen: the message with the link.
    const body = { decision: 'APPROVE', action_digest: question.digest };
    const decide = `/v1/approvals/${question.approvalId}/approval.decide`;
    assert.equal(await gateway.outcome(api.write(decide, body)), 'above_ceiling');
    const stepUp = {
      sub: `contact:${idOf('alan-approver')}`,
      scope: 'step-up',
      tctx: { correlation_id: randomUUID(), action_digest: question.digest },
      rctx: { channel: 'web', assurance: 'L2', amr: ['sms-link', 'email-code'] },
    };
    const token = await gateway.forge('signing.pem', 'txntoken+jwt', gateway.claims(stepUp));
    assert.equal(await gateway.outcome(api.write(decide, body, { token })), 'unauthenticated');
    assert.equal(await gateway.outcome(api.read(`/v1/step-ups/${secret}`)), 'above_ceiling');
    assert.equal(await gateway.outcome(api.read(`/v1/tickets/${ticketId}`)), 'above_ceiling');
    for (const [path, given] of [
      ['/v1/sessions', { link: secret }],
      ['/v1/tokens/session', { session: secret, correlation_id: randomUUID() }],
      ['/v1/tokens/turn', { turn_grant: token }],
    ] as const) {
      assert.equal(await gateway.outcome(identity.write(path, given)), 'above_ceiling', path);
    }

    // A grant to reveal where the code goes, made by itself.
    const iat = Math.floor(Date.now() / 1000);
    const reveal = {
      iss: spiffeId(run.environment, 'dispatch-api'),
      aud: spiffeId(run.environment, 'vault'),
      iat,
      exp: iat + 60,
      jti: randomUUID(),
      tenant: run.tenant_id,
      contact: idOf('alan-approver'),
      fields: ['email'],
      purpose: 'code',
      ref: question.approvalId,
      holder: spiffeId(run.environment, 'gateway'),
      correlation_id: randomUUID(),
    };
    const grant = await gateway.forge('signing.pem', 'reveal-grant+jwt', reveal);
    assert.equal(await gateway.outcome(vault.write('/v1/reveals', { grant })), 'unauthenticated');
    assert.equal(await gateway.outcome(vault.write('/v1/texts', { text: 'x' })), 'above_ceiling');

    // The approver's words, in the approver's name: L1 at best, and a free-text yes is none.
    const words = await api.write('/v1/message.receive', {
      channel: 'sms',
      provider_id: `SM${randomBytes(16).toString('hex')}`,
      contact_id: idOf('alan-approver'),
      sender_hash: randomBytes(32).toString('base64url'),
      doubts: [],
      received_at: new Date().toISOString(),
      text_id: randomUUID(),
      mask_state: 'RELEASED',
      masked_text: 'yes, approved',
    });
    assert.equal(JSON.stringify(words).includes('grant'), false, 'no grant comes back to it');

    // The page itself, opened with the stolen link: the code goes elsewhere, and guesses end.
    const visit = await openApproval(question.link);
    const mails = await stage.phones.mails('alan-approver');
    const texts = (await stage.phones.received('alan-approver')).length;
    await visit.askForCode();
    const code = codeIn(await stage.phones.mail('alan-approver', mails));
    const sent = (await stage.phones.received('alan-approver')).slice(texts);
    assert.equal(sent.filter(({ body: text }) => text.includes(code)).length, 0, 'no text holds the code');
    for (const place of [join(stateDir, 'inbox'), join(stateDir, 'logs')]) {
      for (const name of await readdir(place, { recursive: true })) {
        const held = await readFile(join(place, name), 'utf8').catch(() => '');
        assert.equal(held.includes(code), false, name);
      }
    }
    const guesses: number[] = [];
    for (let n = 0; n < 12; n += 1) {
      const guess = String((Number(code) + 1 + n) % 100_000_000).padStart(8, '0');
      guesses.push((await visit.decide('APPROVE', guess)).status);
    }
    assert.ok(guesses.every((status) => status >= 400));
    assert.ok(
      (await visit.decide('APPROVE', code)).status >= 400,
      'after too many guesses not even the code works',
    );

    const { nte_cents, state } = await ticket();
    assert.deepEqual([nte_cents, state], [before.nte_cents, 'APPROVAL_REQUIRED']);
    assert.equal((await acceptedCommands()).includes('approval.decide'), false);
    await withdraw(question);
    await gateway.close();
  });
});

describe('a compromised bridge', () => {
  test('cannot act outside a live turn', async () => {
    verifies('T1.9', 'T4.2', 'T4.5', 'T4.8');
    const bridge = await steal(run, 'tool-bridge');
    const [api, identity] = [bridge.to('dispatch-api'), bridge.to('identity')];
    const created = () => bridge.outcome(api.write('/v1/ticket.create', {}));
    assert.equal(await created(), 'unauthenticated', 'not without a token');

    // No grant, no token: none of its own making, and no session's.
    const iat = Math.floor(Date.now() / 1000);
    const turn = {
      iss: spiffeId(run.environment, 'dispatch-api'),
      aud: spiffeId(run.environment, 'identity'),
      iat,
      exp: iat + 300,
      jti: randomUUID(),
      tenant: run.tenant_id,
      turn: randomUUID(),
      conversation: randomUUID(),
      message: randomUUID(),
      subject: `contact:${idOf('maria-manager')}`,
      assurance: 'L1',
      agent_role: 'agent.intake',
      ticket: null,
      correlation_id: randomUUID(),
    };
    const forged = await bridge.forge('signing.pem', 'turn-grant+jwt', turn);
    const mint = (grant: string) => identity.write('/v1/tokens/turn', { turn_grant: grant });
    assert.equal(await bridge.outcome(mint(forged)), 'unauthenticated');
    for (const path of ['/v1/sessions', '/v1/sessions/end', '/v1/tokens/session']) {
      const given = { link: 'x'.repeat(43), session: 'x'.repeat(43), correlation_id: randomUUID() };
      assert.equal(await bridge.outcome(identity.write(path, given)), 'above_ceiling', path);
    }
    const own = await bridge.forge('signing.pem', 'txntoken+jwt', bridge.claims({ sub: turn.subject }));
    assert.equal(await bridge.outcome(api.write('/v1/ticket.create', {}, { token: own })), 'unauthenticated');

    // A real turn that has ended: its grant still mints, and the token opens nothing.
    const heard = (await stage.phones.received('sam-shift-lead')).length;
    await stage.phones.text('sam-shift-lead', 'the back door slams shut');
    await stage.phones.waitFor('sam-shift-lead', heard, /.*/);
    const ended = await asOperator(stateDir, async ({ client }) => {
      const { rows } = await client.query<{ grant: string; turn: string }>(
        `select o.payload ->> 'turn_grant' as grant, o.ref_id as turn from dispatch.outbox o
           join dispatch.turns t on t.tenant_id = o.tenant_id and t.id = o.ref_id
          where o.kind = 'agent.wake' and t.subject_id = $1 order by o.created_at desc limit 1`,
        [idOf('sam-shift-lead')],
      );
      return rows[0];
    });
    const live = (await mint(ended?.grant ?? '')) as { token: string };
    const reply = { phrase: 'thanks_noted' };
    const say = (token: string) => api.write('/v1/conversation.reply', reply, { token });
    assert.equal(await bridge.outcome(say(live.token)), 'ok', 'within the live turn it may');
    for (const { name, target } of COMMANDS.filter(({ agents }) => agents.length === 0)) {
      const path = routeOf({ name, target } as (typeof COMMANDS)[number]).replace(':id', ticketId);
      const refused = await bridge.outcome(api.write(path, {}, { token: live.token }));
      assert.equal(refused, 'above_ceiling', name);
    }
    const other = api.write(`/v1/tickets/${ticketId}/ticket.ready`, {}, { token: live.token });
    assert.equal(await bridge.outcome(other), 'not_found', 'the ticket of another conversation');
    await stage.phones.text('sam-shift-lead', 'it is the back door');
    await until('the turn to end', async () =>
      (await bridge.outcome(say(live.token))) === 'turn_ended' ? true : undefined,
    );
    const again = (await mint(ended?.grant ?? '')) as { token: string };
    assert.equal(await bridge.outcome(say(again.token)), 'turn_ended');
    await bridge.close();
  });
});

/** What the worker sends when it is due. */
const TIMERS = ['schedule.release', 'visit.escalate', 'visit.miss', 'ticket.close', 'suggestion.expire'];

describe('a compromised worker', () => {
  test('cannot act as a person, nor before a timer is due', async () => {
    verifies('T4.2', 'T4.5', 'T4.8', 'R.3');
    const worker = await steal(run, 'worker');
    const [api, identity, vault] = (['dispatch-api', 'identity', 'vault'] as const).map((peer) =>
      worker.to(peer),
    );
    assert.ok(api && identity && vault);
    const question = await asksForMoney(20_000);
    const expire = () => api.write(`/v1/approvals/${question.approvalId}/approval.expire`, {});
    assert.equal(await worker.outcome(expire()), 'not_due');
    for (const column of ['attempts = 9', "next_try_at = now() - interval '1 day'"]) {
      assert.equal(await worker.query(`update dispatch.timers set ${column}`), 'ok');
    }
    for (const column of [
      'due_at = now()',
      'target_id = id',
      "kind = 'x'",
      'event_id = id',
      'tenant_id = id',
    ]) {
      assert.equal(await worker.query(`update dispatch.timers set ${column}`), DENIED, column);
    }
    for (const column of [
      "payload = '{}'",
      'ref_id = id',
      "kind = 'x'",
      "order_key = 'x'",
      'created_at = now()',
    ]) {
      assert.equal(await worker.query(`update dispatch.outbox set ${column}`), DENIED, column);
    }
    assert.equal(await worker.outcome(expire()), 'not_due', 'whatever it wrote');

    // Turn grants pass through its hands; they are worth nothing to it.
    const [row] = await worker.rows<{ grant: string | null }>(
      `select payload ->> 'turn_grant' as grant from dispatch.outbox
        where kind = 'agent.wake' order by created_at desc limit 1`,
    );
    const grant = row?.grant ?? randomBytes(60).toString('base64url');
    assert.equal(
      await worker.outcome(identity.write('/v1/tokens/turn', { turn_grant: grant })),
      'above_ceiling',
    );
    const bridge = worker.connect('tool-bridge');
    const mcp = await bridge.fetch(`${bridge.url}/mcp`, {
      method: 'POST',
      headers: { authorization: `Bearer ${grant}`, 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
    });
    assert.equal(mcp.status, 403, 'the bridge takes grants of the agent alone');
    // With the signing key of somebody else and a certificate that is its own.
    const web = await steal(run, 'web');
    const asWeb = worker.to('dispatch-api', web).write('/v1/ticket.create', { site_id: run.site_id });
    assert.equal(await worker.outcome(asWeb), 'unauthenticated');
    for (const sub of [`staff:${idOf('dana-dispatcher')}`, `system:${randomUUID()}`]) {
      const token = await worker.forge('signing.pem', 'txntoken+jwt', worker.claims({ sub }));
      const create = api.write('/v1/ticket.create', { site_id: run.site_id }, { token });
      assert.equal(await worker.outcome(create), 'unauthenticated');
    }
    for (const { name, target } of COMMANDS.filter(({ name }) => name !== 'approval.expire')) {
      const path = routeOf({ name, target } as (typeof COMMANDS)[number]).replace(':id', ticketId);
      // Nothing is due on a ticket that is being worked on.
      const expected = TIMERS.includes(name) ? ['not_due', 'not_found', 'invalid_state'] : ['above_ceiling'];
      const outcome = await worker.outcome(api.write(path, {}));
      assert.ok(expected.includes(outcome), `${name}: ${outcome}`);
    }
    for (const path of ['/v1/inbound', '/v1/texts', '/v1/reveals', '/v1/exit-checks']) {
      assert.equal(await worker.outcome(vault.write(path, {})), 'above_ceiling', path);
    }

    // Its role sees two tables, and adds or removes nothing in any.
    for (const table of await everyTable()) {
      const mayRead = ['dispatch.outbox', 'dispatch.timers'].includes(table);
      assert.equal(await worker.query(`select * from ${table} limit 1`), mayRead ? 'ok' : DENIED, table);
      assert.equal(await worker.query(`insert into ${table} default values`), DENIED, table);
      assert.equal(await worker.query(`delete from ${table}`), DENIED, table);
      assert.equal(await worker.query(`truncate ${table}`), DENIED, table);
    }
    for (const call of [
      "dispatch.commit_decision('{}')",
      'dispatch.prune_nonces()',
      "dispatch.read_facts('{}')",
    ]) {
      assert.equal(await worker.query(`select ${call}`), DENIED, call);
    }
    await withdraw(question);
    await worker.close();
  });
});

describe('a compromised identity', () => {
  test('cannot pass L3, nor act as a person without a step-up, nor read what is not its own', async () => {
    verifies('T4.8', 'T4.5', 'T4.2', 'T3.2');
    const identity = await steal(run, 'identity');
    const [api, vault] = [identity.to('dispatch-api'), identity.to('vault')];
    const question = await asksForMoney(40_000);
    const before = await ticket();
    const body = { decision: 'APPROVE', action_digest: question.digest };
    const decide = (token: string) =>
      api.write(`/v1/approvals/${question.approvalId}/approval.decide`, body, { token });
    for (const slug of ['alan-approver', 'olga-owner']) {
      for (const amr of [['passkey'], ['hwk', 'user', 'mfa'], ['sms-link', 'email-code']]) {
        const claims = identity.claims({
          sub: `contact:${idOf(slug)}`,
          scope: 'step-up',
          tctx: { correlation_id: randomUUID(), action_digest: question.digest },
          rctx: { channel: 'web', assurance: 'L3', amr },
        });
        const token = await identity.forge('token.pem', 'txntoken+jwt', claims);
        assert.ok(
          ['assurance_required', 'not_granted', 'not_found'].includes(await identity.outcome(decide(token))),
        );
      }
    }
    // Whatever person it claims to be, its own requests may only decide what was asked.
    for (const service of ['identity', 'web', 'cli', 'tool-bridge'] as const) {
      const claims = identity.claims({
        sub: `staff:${idOf('dana-dispatcher')}`,
        req_wl: spiffeId(run.environment, service),
      });
      const token = await identity.forge('token.pem', 'txntoken+jwt', claims);
      const create = api.write('/v1/ticket.create', { site_id: run.site_id }, { token });
      const expected = service === 'identity' ? 'above_ceiling' : 'unauthenticated';
      assert.equal(await identity.outcome(create), expected, service);
      const look = api.read(`/v1/tickets/${ticketId}`, { token });
      assert.equal(await identity.outcome(look), expected, service);
    }
    // Grants are dispatch-api's to sign.
    const iat = Math.floor(Date.now() / 1000);
    for (const name of ['token.pem', 'signing.pem']) {
      const grant = await identity.forge(name, 'reveal-grant+jwt', {
        iss: spiffeId(run.environment, 'dispatch-api'),
        aud: spiffeId(run.environment, 'vault'),
        iat,
        exp: iat + 60,
        jti: randomUUID(),
        tenant: run.tenant_id,
        contact: idOf('alan-approver'),
        fields: ['email'],
        purpose: 'code',
        ref: question.approvalId,
        holder: spiffeId(run.environment, 'identity'),
        correlation_id: randomUUID(),
      });
      assert.equal(await identity.outcome(vault.write('/v1/reveals', { grant })), 'unauthenticated', name);
    }
    for (const table of await everyTable()) {
      const [schema] = table.split('.');
      const mayRead =
        schema === 'identity' ||
        ['trust.service_keys', 'audit.log_head', 'audit.unsequenced'].includes(table);
      assert.equal(await identity.query(`select * from ${table} limit 1`), mayRead ? 'ok' : DENIED, table);
      if (schema !== 'identity') {
        assert.equal(await identity.query(`delete from ${table}`), DENIED, table);
        assert.equal(await identity.query(`truncate ${table}`), DENIED, table);
      }
    }
    const event = `insert into audit.events (tenant_id, id, origin, command, actor, decision, correlation_id, body)
      values ($1, $2, 'dispatch', 'approval.decide', 'contact:x', 'accepted', $2, '{}')`;
    assert.equal(
      await identity.query(event, [run.tenant_id, randomUUID()]),
      DENIED,
      'an event of another origin',
    );
    const { nte_cents, version } = await ticket();
    assert.deepEqual([nte_cents, version], [before.nte_cents, before.version]);
    assert.equal((await acceptedCommands()).includes('approval.decide'), false);
    await withdraw(question);
    await identity.close();
  });
});

describe('every other service', () => {
  test('gets no token, no person and no personal data with its key', async () => {
    verifies('T4.2', 'T4.5', 'T4.8');
    const withKey = SERVICES.filter((name) =>
      ['vault', 'dispatch-api', 'sequencer', 'witness'].includes(name),
    );
    for (const service of withKey) {
      const thief = await steal(run, service as ServiceName);
      for (const [peer, path] of [
        ['identity', '/v1/sessions'],
        ['identity', '/v1/tokens/session'],
        ['identity', '/v1/tokens/turn'],
        ['vault', '/v1/inbound'],
        ['vault', '/v1/texts'],
        ['vault', '/v1/reveals'],
      ] as const) {
        const answer = await thief.outcome(thief.to(peer).write(path, {}));
        assert.ok(
          ['above_ceiling', 'unauthenticated'].includes(answer),
          `${service} ${peer}${path}: ${answer}`,
        );
      }
      const create = thief.to('dispatch-api').write('/v1/ticket.create', { site_id: run.site_id });
      assert.equal(await thief.outcome(create), 'unauthenticated', service);
      await thief.close();
    }
  });
});
