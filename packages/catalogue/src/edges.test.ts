import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verifies } from '../../../test/requirements.ts';
import { COMMANDS, findCommand } from './commands.ts';
import {
  ACT_EDGES,
  ALL_EDGES,
  APPROVAL_EDGES,
  CONVERSATION_EDGES,
  DIRECTORY_EDGES,
  type Edge,
  EVIDENCE_EDGES,
  INVOICE_EDGES,
  SUGGESTION_EDGES,
  TICKET_EDGES,
  ticketSources,
  VISIT_EDGES,
} from './edges.ts';
import {
  ACT_STATES,
  APPROVAL_STATES,
  CONVERSATION_STATES,
  DIRECTORY_STATES,
  EVIDENCE_STATES,
  INVOICE_STATES,
  SUGGESTION_STATES,
  TERMINAL_TICKET_STATES,
  TERMINAL_VISIT_STATES,
  TICKET_STATES,
  VISIT_STATES,
} from './states.ts';

/** Commands that change rows beside the life cycles: messages, pauses, publications. */
const WITHOUT_EDGES = [
  'autonomy.pause',
  'autonomy.resume',
  'choice.make',
  'conversation.reply',
  'incident_type.publish',
  'message.report_delivery',
  'message.send',
  // Wait for passkeys.
  'role.grant',
  'role.revoke',
  'service_account.register',
  'service_account.revoke',
  'service_account.rotate',
  'template.publish',
];

const LIFE_CYCLES: readonly [string, readonly Edge[], readonly string[], readonly string[]][] = [
  ['ticket', TICKET_EDGES, TICKET_STATES, TERMINAL_TICKET_STATES],
  ['visit', VISIT_EDGES, VISIT_STATES, TERMINAL_VISIT_STATES],
  ['approval', APPROVAL_EDGES, APPROVAL_STATES, APPROVAL_STATES.filter((s) => s !== 'PENDING')],
  ['invoice', INVOICE_EDGES, INVOICE_STATES, ['PAID', 'VOID']],
  ['evidence', EVIDENCE_EDGES, EVIDENCE_STATES, ['FINALIZED']],
  ['act', ACT_EDGES, ACT_STATES, ['CONSUMED', 'DENIED']],
  ...(['account', 'site', 'asset', 'contact', 'membership', 'staff', 'technician'] as const).map(
    (object): [string, readonly Edge[], readonly string[], readonly string[]] => [
      object,
      DIRECTORY_EDGES.filter((edge) => edge.object === object),
      DIRECTORY_STATES,
      ['INACTIVE'],
    ],
  ),
  ['conversation', CONVERSATION_EDGES, CONVERSATION_STATES, ['CLOSED']],
  ['suggestion', SUGGESTION_EDGES, SUGGESTION_STATES, SUGGESTION_STATES.filter((s) => s !== 'OPEN')],
];

const served = (edge: Edge) => findCommand(edge.command) !== undefined;
const key = (edge: Edge) => [edge.object, edge.command, edge.from, edge.to].join(' ');

describe('edges', () => {
  it('exist for every command that is served, and are missing only where listed', () => {
    verifies('T1.2');
    const withEdges = new Set(ALL_EDGES.map((edge) => edge.command));
    const without = COMMANDS.filter((entry) => !withEdges.has(entry.name)).map((entry) => entry.name);
    assert.deepEqual(without.sort(), WITHOUT_EDGES);
    for (const entry of COMMANDS.filter((c) => c.target === 'ticket')) {
      assert.ok(ticketSources(entry.name).length > 0, entry.name);
    }
  });

  it('are listed once each', () => {
    assert.equal(new Set(ALL_EDGES.map(key)).size, ALL_EDGES.length);
  });

  for (const [object, edges, states, terminal] of LIFE_CYCLES) {
    it(`of a ${object} connect its own states and never lead out of its end`, () => {
      verifies('C.3', 'C.8');
      const known = new Set(states);
      for (const edge of edges) {
        assert.equal(edge.object, object);
        assert.ok(edge.from === '-' || known.has(edge.from), key(edge));
        assert.ok(known.has(edge.to), key(edge));
        assert.ok(!terminal.includes(edge.from), `${key(edge)} leaves the end`);
      }
      assert.ok(
        edges.some((edge) => edge.from === '-'),
        `no ${object} comes into being`,
      );
    });
  }

  it('give every ticket state that is not the end an exit by a served command', () => {
    verifies('T1.2');
    const ends: ReadonlySet<string> = new Set(TERMINAL_TICKET_STATES);
    for (const state of TICKET_STATES.filter((s) => !ends.has(s))) {
      const exits = TICKET_EDGES.filter((e) => e.from === state && e.to !== state && served(e));
      assert.ok(exits.length > 0, `${state} is a dead end`);
    }
  });

  it('enter APPROVAL_REQUIRED and ON_HOLD by pausing, and leave them by resuming or cancelling', () => {
    const paused = ['APPROVAL_REQUIRED', 'ON_HOLD'];
    for (const edge of TICKET_EDGES.filter((e) => e.from !== e.to)) {
      if (paused.includes(edge.to)) {
        // A hold lifted off an open question goes back to the question.
        assert.equal(edge.mode, edge.from === 'ON_HOLD' ? 'resume' : 'pause', key(edge));
      } else if (paused.includes(edge.from)) {
        assert.equal(edge.mode, edge.command === 'ticket.cancel' ? 'plain' : 'resume', key(edge));
      } else {
        assert.equal(edge.mode, 'plain', key(edge));
      }
    }
  });

  it('approve only through approval.decide', () => {
    const consuming = APPROVAL_EDGES.filter((edge) => edge.to === 'CONSUMED');
    assert.deepEqual(consuming.map(key), ['approval approval.decide PENDING CONSUMED']);
  });

  it('change a contact and their rights only through act.confirm', () => {
    verifies('T3.11');
    const changing = DIRECTORY_EDGES.filter((e) => e.object === 'contact' || e.object === 'membership');
    const commands = new Set(changing.map((edge) => edge.command));
    assert.deepEqual([...commands].sort(), ['act.confirm', 'operator.bootstrap']);
  });

  it('answer no source for a command that does not exist', () => {
    assert.deepEqual(ticketSources('constructor'), []);
    assert.deepEqual(ticketSources('ticket.create'), []);
    assert.deepEqual(ticketSources('tech.start'), ['ON_SITE']);
  });
});
