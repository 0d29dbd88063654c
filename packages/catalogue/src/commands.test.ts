import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verifies } from '../../../test/requirements.ts';
import { COMMANDS, findCommand, inputSchema, routeOf } from './commands.ts';
import { NEEDS } from './define.ts';
import { findRead, READS } from './reads.ts';
import { AGENT_ROLES, IMPERSONAL_ROLES, PERSON_ROLES, ROLES_OF_KIND, SUBJECT_KINDS } from './roles.ts';

/** What no agent may ever hold, by name or by family (`billing.`). */
const NEVER_AN_AGENT = [
  'approval.decide',
  // Its amounts are literals until they can be references to a price list.
  'approval.request',
  'approval.withdraw',
  'approval.expire',
  'evidence.waive',
  'qa.verify',
  'remedy.submit',
  'billing.',
  'payment.',
  'ticket.close',
  'ticket.reopen',
  'ticket.cancel',
  'autonomy.',
  'visit.dispatch_emergency',
  'visit.reassign',
  'visit.escalate',
  'visit.miss',
  'choice.make',
  'message.',
  'report.',
  'suggestion.',
  'conversation.close',
  'conversation.take_over',
  'conversation.hand_back',
  'ticket.retriage',
  'account.',
  'site.',
  'asset.',
  'act.',
  'contact.',
  'technician.',
  'role.',
  'incident_type.',
  'template.',
  'service_account.',
];

describe('the command catalogue', () => {
  it('lists exactly these commands', () => {
    assert.deepEqual(COMMANDS.map((entry) => entry.name).sort(), [
      'account.change',
      'account.create',
      'act.confirm',
      'approval.decide',
      'approval.expire',
      'approval.request',
      'approval.withdraw',
      'asset.change',
      'asset.create',
      'asset.retire',
      'autonomy.pause',
      'autonomy.resume',
      'autonomy.set',
      'billing.dispute',
      'billing.generate_invoice',
      'billing.issue',
      'billing.void',
      'choice.make',
      'contact.add',
      'contact.change',
      'contact.deactivate',
      'contact.import',
      'contact.reset',
      'contact.set_limit',
      'conversation.close',
      'conversation.hand_back',
      'conversation.reply',
      'conversation.take_over',
      'evidence.finalize',
      'evidence.presign',
      'evidence.waive',
      'incident_type.publish',
      'message.receive',
      'message.report_delivery',
      'message.send',
      'part.record',
      'payment.record',
      'qa.verify',
      'remedy.submit',
      'report.attach',
      'role.grant',
      'role.revoke',
      'schedule.confirm',
      'schedule.propose',
      'schedule.release',
      'schedule.reschedule',
      'service_account.register',
      'service_account.revoke',
      'service_account.rotate',
      'site.change',
      'site.create',
      'suggestion.accept',
      'suggestion.expire',
      'suggestion.reject',
      'tech.check_in',
      'tech.check_out',
      'tech.complete',
      'tech.request_change',
      'tech.start',
      'technician.change',
      'technician.create',
      'technician.deactivate',
      'template.publish',
      'test.record',
      'ticket.cancel',
      'ticket.close',
      'ticket.create',
      'ticket.hold',
      'ticket.link_duplicate',
      'ticket.provide_info',
      'ticket.ready',
      'ticket.reopen',
      'ticket.request_info',
      'ticket.resume',
      'ticket.retriage',
      'ticket.triage',
      'time.record',
      'visit.accept',
      'visit.decline',
      'visit.depart',
      'visit.dispatch',
      'visit.dispatch_emergency',
      'visit.escalate',
      'visit.miss',
      'visit.reassign',
    ]);
  });

  it('finds a listed command and nothing that an object inherits', () => {
    verifies('C.8');
    assert.equal(findCommand('ticket.triage')?.name, 'ticket.triage');
    for (const name of ['constructor', '__proto__', 'toString', 'ticket.Triage', 'ticket.triage ', '']) {
      assert.equal(findCommand(name), undefined, name);
      assert.equal(findRead(name), undefined, name);
    }
  });

  it('gives every command and read a route of its own', () => {
    const routes = [
      ...COMMANDS.map((entry) => `POST ${routeOf(entry)}`),
      ...READS.map((read) => `GET ${read.route}`),
    ].map((route) => route.replace(/:[a-z]+/gi, ':x'));
    assert.equal(new Set(routes).size, routes.length);
    assert.equal(routeOf(entryOf('ticket.triage')), '/v1/tickets/:id/ticket.triage');
    assert.equal(routeOf(entryOf('ticket.create')), '/v1/ticket.create');
    assert.equal(routeOf(entryOf('approval.decide')), '/v1/approvals/:id/approval.decide');
  });

  it('asks only for facts that exist', () => {
    const known: ReadonlySet<string> = new Set(NEEDS);
    for (const entry of COMMANDS) {
      for (const need of entry.needs) assert.ok(known.has(need), `${entry.name} needs ${need}`);
      assert.equal(new Set(entry.needs).size, entry.needs.length, entry.name);
    }
  });
});

describe('agents', () => {
  it('hold exactly these pairs', () => {
    verifies('T1.1', 'T1.9');
    assert.deepEqual(
      COMMANDS.flatMap((entry) =>
        entry.agents.map((pair) => `${entry.name}: ${pair.agent} for ${pair.for} at ${pair.level}`),
      ),
      [
        ['conversation.reply', 'intake', 1],
        ['conversation.reply', 'scheduling', 1],
        ['ticket.create', 'intake', 1],
        ['ticket.request_info', 'intake', 1],
        ['ticket.provide_info', 'intake', 1],
        ['ticket.triage', 'intake', 2],
        ['ticket.ready', 'intake', 2],
        ['ticket.link_duplicate', 'intake', 4],
        ['schedule.propose', 'scheduling', 2],
        ['schedule.confirm', 'scheduling', 2],
        ['schedule.release', 'scheduling', 2],
        ['schedule.reschedule', 'scheduling', 2],
        ['visit.dispatch', 'scheduling', 3],
      ].flatMap(([name, agent, level]) => [
        `${name}: agent.${agent} for requester at ${level}`,
        `${name}: agent.${agent} for system at ${level}`,
      ]),
    );
  });

  it('never hold what decides money, evidence, verification or authority', () => {
    verifies('T1.1');
    for (const entry of COMMANDS.filter((c) => c.agents.length > 0 || c.agentInput !== null)) {
      const forbidden = NEVER_AN_AGENT.find((name) =>
        name.endsWith('.') ? entry.name.startsWith(name) : entry.name === name,
      );
      assert.equal(forbidden, undefined, entry.name);
    }
  });

  it('have an input of their own exactly where a pair exists', () => {
    for (const entry of COMMANDS) {
      assert.equal(entry.agentInput !== null, entry.agents.length > 0, entry.name);
      assert.equal(inputSchema(entry, true), entry.agentInput);
      assert.equal(inputSchema(entry, false), entry.input);
    }
  });
});

describe('roles', () => {
  it('of agents are disjoint from those of people and of nobody', () => {
    const people: ReadonlySet<string> = new Set([...PERSON_ROLES, ...IMPERSONAL_ROLES]);
    for (const role of AGENT_ROLES) assert.equal(people.has(role), false);
    assert.equal(people.size, PERSON_ROLES.length + IMPERSONAL_ROLES.length);
  });

  it('belong to exactly one kind of subject, so no alias raises a privilege', () => {
    const all = SUBJECT_KINDS.flatMap((kind) => ROLES_OF_KIND[kind]);
    assert.equal(new Set(all).size, all.length);
    assert.deepEqual(ROLES_OF_KIND.contact, ['requester', 'approver']);
    assert.deepEqual(ROLES_OF_KIND.technician, ['technician']);
    assert.deepEqual(ROLES_OF_KIND.link, ['link']);
    assert.deepEqual(ROLES_OF_KIND.unknown_sender, ['unknown_sender']);
  });

  it('auditor and unknown sender hold no command, a link one, and admin none about a ticket or money', () => {
    verifies('C.2');
    for (const role of ['auditor', 'link', 'unknown_sender'] as const) {
      const held = COMMANDS.filter((entry) => entry.who.some((grant) => (grant.role as string) === role));
      assert.deepEqual(
        held.map((entry) => entry.name),
        role === 'link' ? ['choice.make'] : [],
        role,
      );
    }
    const admins = COMMANDS.filter((entry) => entry.who.some((grant) => grant.role === 'admin'));
    const abouts = new Set(admins.map((entry) => entry.target));
    for (const target of ['ticket', 'approval', 'conversation', 'message'] as const)
      assert.equal(abouts.has(target), false, target);
  });

  it('only the approver decides, and never below L2', () => {
    verifies('T3.2');
    const decide = entryOf('approval.decide');
    assert.deepEqual(decide.who, [{ role: 'approver', membership: 'own' }]);
    assert.equal(decide.proof, 'L2');
    assert.deepEqual(decide.agents, []);
  });
});

function entryOf(name: string) {
  const entry = findCommand(name);
  assert.ok(entry, name);
  return entry;
}
