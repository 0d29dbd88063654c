import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verifies } from '../../../test/requirements.ts';
import { findCommand } from './commands.ts';
import { findRead } from './reads.ts';
import { CEILINGS, DEFAULT_PORTS, SERVICES, spiffeId } from './services.ts';

describe('ceilings', () => {
  it('of the gateway are its two commands and one read, at L1, ever', () => {
    verifies('T4.5', 'T3.11');
    assert.deepEqual(CEILINGS.gateway, {
      commands: ['message.receive', 'message.report_delivery'],
      except: [],
      subjects: ['contact', 'unknown_sender'],
      upTo: 'L1',
      withoutToken: true,
      reads: ['message.rendered'],
    });
  });

  it('of identity are decisions it ran a step-up for', () => {
    verifies('T4.5');
    assert.deepEqual(CEILINGS.identity, {
      commands: ['approval.decide', 'act.confirm'],
      except: [],
      subjects: ['contact', 'staff'],
      upTo: 'L3',
      withoutToken: false,
      reads: ['step_up.get', 'step_up.adoptions'],
    });
  });

  it('of the worker are its timers', () => {
    assert.deepEqual(CEILINGS.worker, {
      commands: [
        'approval.expire',
        'ticket.close',
        'suggestion.expire',
        'schedule.release',
        'visit.escalate',
        'visit.miss',
      ],
      except: [],
      subjects: ['system'],
      upTo: 'L1',
      withoutToken: true,
      reads: [],
    });
  });

  it('of the bridge are the agent pairs and four reads, never a member of staff', () => {
    verifies('T1.9');
    const { commands, except, subjects, upTo, withoutToken, reads } = CEILINGS['tool-bridge'];
    assert.deepEqual(
      [commands, except, subjects, upTo, withoutToken],
      ['agent-pairs', [], ['contact', 'system'], 'L1', false],
    );
    assert.deepEqual(reads, ['turn.tools', 'conversation.get', 'ticket.get', 'schedule.options']);
  });

  it('of web and cli exclude deciding about money and stay at L1', () => {
    verifies('T3.11');
    for (const service of ['web', 'cli'] as const) {
      const { commands, except, upTo, withoutToken } = CEILINGS[service];
      assert.deepEqual(
        [commands, except, upTo, withoutToken],
        ['person-roles', ['approval.decide', 'act.confirm'], 'L1', false],
      );
    }
    assert.deepEqual(CEILINGS.web.subjects, ['staff', 'technician', 'contact', 'link']);
    assert.deepEqual(CEILINGS.cli.subjects, ['staff', 'technician', 'contact']);
    const byLink = SERVICES.map((service) => [service, CEILINGS[service].byLink ?? []]);
    assert.deepEqual(
      byLink.filter(([, commands]) => commands?.length !== 0),
      [['web', ['choice.make']]],
    );
  });

  it('of everybody else are nothing', () => {
    for (const service of ['dispatch-api', 'vault', 'agent', 'sequencer', 'witness', 'simulator'] as const) {
      const { commands, subjects, reads, upTo } = CEILINGS[service];
      assert.deepEqual([commands, subjects, reads, upTo], [[], [], [], 'L0'], service);
    }
  });

  it('name only commands and reads that exist', () => {
    for (const service of SERVICES) {
      const { commands, except, reads } = CEILINGS[service];
      const named = typeof commands === 'string' ? except : [...commands, ...except];
      for (const name of named) assert.ok(findCommand(name), `${service}: ${name}`);
      for (const name of reads) assert.ok(findRead(name), `${service}: ${name}`);
    }
  });

  it('let only one service decide about money, and only one receive messages', () => {
    const explicit = (name: string) =>
      SERVICES.filter((s) => {
        const { commands } = CEILINGS[s];
        return typeof commands !== 'string' && commands.includes(name);
      });
    assert.deepEqual(explicit('approval.decide'), ['identity']);
    assert.deepEqual(explicit('act.confirm'), ['identity']);
    assert.deepEqual(explicit('message.receive'), ['gateway']);
    // The derived ceilings cannot contain it: no person holds it.
    assert.deepEqual(findCommand('message.receive')?.who, [{ role: 'gateway', membership: 'tenant' }]);
  });
});

describe('names', () => {
  it('carry the environment in the trust domain', () => {
    verifies('T4.2');
    assert.equal(spiffeId('demo', 'gateway'), 'spiffe://demo.deadlatch/gateway');
    assert.notEqual(spiffeId('prod', 'gateway'), spiffeId('demo', 'gateway'));
  });

  it('have default ports that do not collide', () => {
    const ports = Object.values(DEFAULT_PORTS);
    assert.equal(new Set(ports).size, ports.length);
    assert.equal(DEFAULT_PORTS['dispatch-api'], 4310);
    assert.equal(DEFAULT_PORTS.postgres, 4399);
  });
});
