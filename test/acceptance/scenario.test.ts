import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { AuditEvent } from '@deadlatch/audit-log';
import { verifyInstallation } from '../../apps/cli/src/audit/verify-installation.ts';
import { asOperator } from '../../apps/cli/src/operator.ts';
import { readRunFile } from '../../apps/cli/src/run-file.ts';
import { verifies } from '../requirements.ts';
import { createStage } from '../scenario/create-stage.ts';
import { newOutcome, type Outcome } from '../scenario/outcome.ts';
import { playScenario } from '../scenario/play.ts';
import { freePortBase, type System, startSystem } from '../support/system.ts';

describe('the canonical scenario over every process', { timeout: 240_000 }, () => {
  let system: System;
  let stateDir: string;
  let ticketId: string;
  const outcome: Outcome = newOutcome(() => undefined);

  before(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'deadlatch-scenario-'));
    system = await startSystem({ stateDir, portBase: await freePortBase() });
    ticketId = await playScenario(createStage(await readRunFile(stateDir)), outcome);
  });
  after(async () => {
    await system?.stop();
    await rm(stateDir, { recursive: true, force: true });
  });

  it('carries out every step', () => {
    verifies('T2.1', 'T2.2', 'T3.2', 'I.3');
    assert.ok(outcome.steps.length >= 20);
    assert.deepEqual(
      outcome.steps.filter((s) => !s.ok),
      [],
    );
  });

  it('refuses every attack woven into it', () => {
    verifies('T1.4', 'T3.4', 'T3.8', 'T3.9', 'A.3b');
    assert.ok(outcome.attacks.length >= 15);
    assert.deepEqual(
      outcome.attacks.filter((a) => !a.refused),
      [],
    );
  });

  it('leaves one chain from the inbound message to the delivery of what was said about it', async () => {
    verifies('F.2', 'T2.3');
    const chain = await asOperator(stateDir, async ({ client, tenantId }) => {
      const { rows } = await client.query<{ body: string }>(
        `select convert_from(body, 'UTF8') as body from audit.events
         where tenant_id = $1 and correlation_id = (
           select correlation_id from audit.events
           where tenant_id = $1 and ticket_id = $2 and command = 'ticket.create')
         order by at, id`,
        [tenantId, ticketId],
      );
      return rows.map(({ body }) => JSON.parse(body) as AuditEvent);
    });
    assert.equal(chain[1]?.command, 'token.mint', 'the token of the turn is part of the chain');
    const commands = chain.filter((event) => event.origin === 'dispatch').map((event) => event.command);
    // Deliveries do not wait for the turn to end, so they are reported anywhere after what they tell of.
    const done = commands.filter((command) => command !== 'message.report_delivery');
    assert.deepEqual(done.slice(0, 3), ['message.receive', 'ticket.create', 'ticket.triage']);
    assert.ok(commands.includes('message.report_delivery'), commands.join(' '));
    const turns = new Set(
      chain.flatMap((event) => (event.actor.turn_id === null ? [] : [event.actor.turn_id])),
    );
    assert.equal(turns.size, 1, 'one turn did all of it');
  });

  it('backs every text that was sent with exactly one accepted event of the same correlation', async () => {
    verifies('T2.3');
    const unbacked = await asOperator(stateDir, async ({ client, tenantId }) => {
      const { rows } = await client.query<{ template: string; backing: number }>(
        `select m.template, (
           select count(*)::int from dispatch.outbox o join audit.events e
             on e.tenant_id = o.tenant_id and e.id = o.event_id
           where o.tenant_id = m.tenant_id and o.ref_id = m.id and e.decision = 'accepted'
             and e.correlation_id = m.correlation_id) as backing
         from dispatch.messages m where m.tenant_id = $1 and m.direction = 'OUT'`,
        [tenantId],
      );
      assert.ok(rows.length > 5);
      return rows.filter((row) => row.backing !== 1);
    });
    assert.deepEqual(unbacked, []);
  });

  it('leaves a trail that verifies against the rows', async () => {
    verifies('F.1');
    const report = await asOperator(stateDir, (operator) => verifyInstallation(operator));
    assert.deepEqual(report.problems, []);
    assert.ok(report.events > 100 && report.signatures > 80 && report.objects > 10);
  });
});
