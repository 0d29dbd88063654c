import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import {
  ASSURANCES,
  type Assurance,
  COMMANDS,
  SERVICES,
  type ServiceName,
  SUBJECT_KINDS,
  type SubjectKind,
} from '@deadlatch/catalogue';
import { verifies } from '../../requirements.ts';
import type { DispatchWorld } from '../../support/dispatch-api.ts';
import { createCrew } from '../../support/job.ts';
import { REFUSAL_WRITES, tableState } from '../../support/table-state.ts';
import { type Actor, alone, type Claims, createWire, stepUp, type Wire } from '../../support/wire.ts';
import { createWitnessedWorld } from '../../support/witnessed-world.ts';

/** Each service's stolen key, with every token that identity could be made to mint, against every command. */
let world: DispatchWorld;
let wire: Wire;

before(async () => {
  world = await createWitnessedWorld();
  wire = createWire(world, (await world.start()).port);
});
after(() => world.close());

type Scope = 'person' | 'turn' | 'step-up';
const SCOPES: readonly Scope[] = ['person', 'turn', 'step-up'];
const AT_ONCE = 16;

const AGENTS = [
  'conversation.reply',
  'ticket.create',
  'ticket.request_info',
  'ticket.provide_info',
  'ticket.triage',
  'ticket.ready',
  'ticket.link_duplicate',
  'schedule.propose',
  'schedule.confirm',
  'schedule.release',
  'schedule.reschedule',
  'visit.dispatch',
];
const NOBODYS = [
  'message.receive',
  'message.report_delivery',
  'approval.expire',
  'choice.make',
  'visit.escalate',
  'visit.miss',
  'suggestion.expire',
  'conversation.reply',
];
/** What identity alone sends, after a second factor. */
const DECISIONS = ['approval.decide', 'act.confirm'];
const PEOPLES = COMMANDS.map(({ name }) => name).filter((name) => ![...NOBODYS, ...DECISIONS].includes(name));

interface Row {
  readonly scope: Scope;
  readonly commands: readonly string[];
  readonly subjects: readonly SubjectKind[];
  readonly upTo: Assurance;
}

/** The table of ceilings in the design, written out; who is not in it sends nothing for anybody. */
const TABLE: Readonly<Partial<Record<ServiceName, Row>>> = {
  'tool-bridge': { scope: 'turn', commands: AGENTS, subjects: ['contact', 'system'], upTo: 'L1' },
  web: {
    scope: 'person',
    commands: PEOPLES,
    subjects: ['staff', 'technician', 'contact'],
    upTo: 'L1',
  },
  cli: { scope: 'person', commands: PEOPLES, subjects: ['staff', 'technician', 'contact'], upTo: 'L1' },
  identity: {
    scope: 'step-up',
    commands: DECISIONS,
    subjects: ['contact', 'staff'],
    upTo: 'L3',
  },
};

interface Cell {
  readonly scope: Scope;
  readonly command: string;
  readonly kind: SubjectKind;
  readonly assurance: Assurance;
}

/** Every command with every kind of subject in every scope; over all commands every assurance with each of them. */
const CELLS: readonly Cell[] = SCOPES.flatMap((scope, s) =>
  COMMANDS.flatMap(({ name: command }, c) =>
    SUBJECT_KINDS.map((kind, k) => {
      const assurance = ASSURANCES[(s + c + k) % ASSURANCES.length] as Assurance;
      return { scope, command, kind, assurance };
    }),
  ),
);

const isUnder = (service: ServiceName, { scope, command, kind, assurance }: Cell): boolean => {
  const row = TABLE[service];
  return (
    row !== undefined &&
    row.scope === scope &&
    row.commands.includes(command) &&
    row.subjects.includes(kind) &&
    ASSURANCES.indexOf(assurance) <= ASSURANCES.indexOf(row.upTo)
  );
};

/** A subject of its own in every cell, so that nobody is refused too often. */
function actorOf(service: ServiceName, { scope, kind, assurance }: Cell): Actor {
  const tctx = { correlation_id: randomUUID() };
  const more: Readonly<Record<Scope, Claims>> = {
    person: {},
    turn: {
      act: { role: 'agent.intake', turn: randomUUID() },
      tctx: { ...tctx, conversation_id: randomUUID() },
    },
    'step-up': { tctx: { ...tctx, action_digest: 'A'.repeat(43) } },
  };
  const rctx = { channel: 'web', assurance, amr: ['passkey'] };
  return { service, claims: { sub: `${kind}:${randomUUID()}`, scope, rctx, ...more[scope] } };
}

async function forAll<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < items.length; at = next++) await work(items[at] as T);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

describe('every command x subject x scope x assurance', () => {
  for (const service of SERVICES) {
    test(`with the stolen key of ${service}: nothing beyond its ceiling`, async () => {
      verifies('T4.2', 'T4.5', 'T3.11', 'A.3c', 'A.4');
      const before = await tableState(world.admin, ...REFUSAL_WRITES);
      const wrong: string[] = [];
      await forAll(CELLS, async (cell) => {
        const target = COMMANDS.find(({ name }) => name === cell.command)?.target;
        // A body that no command takes, so that what is under the ceiling is seen by its schema and goes no further.
        const { status, code } = await wire.command(
          actorOf(service, cell),
          cell.command,
          target === 'none' ? null : randomUUID(),
          { nothing: true },
        );
        const expected = isUnder(service, cell) ? '400 schema_mismatch' : '403 above_ceiling';
        // Keys that nobody pinned, and tokens that cannot be.
        const isNobody = `${status} ${code}` === '401 unauthenticated' && !isUnder(service, cell);
        if (`${status} ${code}` !== expected && !isNobody) {
          wrong.push(`${JSON.stringify(cell)}: ${status} ${code}, not ${expected}`);
        }
      });
      assert.deepEqual(wrong, []);
      assert.deepEqual(await tableState(world.admin, ...REFUSAL_WRITES), before);
    });
  }

  test('covers every pair of a subject and an assurance in every scope', () => {
    const seen = new Set(CELLS.map(({ scope, kind, assurance }) => `${scope} ${kind} ${assurance}`));
    assert.equal(seen.size, SCOPES.length * SUBJECT_KINDS.length * ASSURANCES.length);
  });

  test('without a token: only what a service may send for nobody', async () => {
    verifies('T4.2', 'A.2', 'A.3c');
    const MAY: Readonly<Partial<Record<ServiceName, readonly string[]>>> = {
      gateway: ['message.receive', 'message.report_delivery'],
      web: ['choice.make'],
      worker: [
        'approval.expire',
        'ticket.close',
        'suggestion.expire',
        'schedule.release',
        'visit.escalate',
        'visit.miss',
      ],
    };
    const wrong: string[] = [];
    for (const service of SERVICES) {
      await forAll(COMMANDS, async ({ name, target }) => {
        const id = target === 'none' ? null : randomUUID();
        const { code } = await wire.command(alone(service), name, id, { nothing: true });
        const may = MAY[service]?.includes(name) === true;
        const isRight = may
          ? code === 'schema_mismatch'
          : ['unauthenticated', 'above_ceiling'].includes(code) &&
            (MAY[service] !== undefined || code === 'unauthenticated');
        if (!isRight) wrong.push(`${service} ${name}: ${code}`);
      });
    }
    assert.deepEqual(wrong, []);
  });
});

describe('L3', () => {
  const amr = [['passkey'], ['hwk', 'user', 'mfa'], ['sms-link', 'email-code', 'passkey']] as const;

  test('is believed nobody: not even identity with its own token key releases money that needs it', async () => {
    verifies('T4.8', 'T4.5', 'T3.2');
    const crew = createCrew(world, wire);
    const job = await crew.started();
    const { approvalId, digest } = await crew.asksForMoney(job, 40_000);
    const { rows } = await world.admin.query('select proof_assurance from dispatch.approvals where id = $1', [
      approvalId,
    ]);
    assert.equal(rows[0].proof_assurance, 'L3');
    const body = { decision: 'APPROVE', action_digest: digest };
    const before = await tableState(world.admin, ...REFUSAL_WRITES);
    for (const proof of amr) {
      for (const [assurance, sub] of [
        ['L3', world.tenant.contacts.alan],
        ['L2', world.tenant.contacts.alan],
        ['L3', world.tenant.contacts.olga],
      ] as const) {
        const claimed = stepUp(sub, digest, { rctx: { channel: 'web', assurance, amr: proof } });
        const { status, code } = await wire.command(claimed, 'approval.decide', approvalId, body);
        const isAnswer = ['assurance_required', 'not_granted', 'not_found', 'digest_mismatch'].includes(code);
        assert.ok(isAnswer && status >= 400, `${assurance} ${sub}: ${status} ${code}`);
      }
    }
    const extra = { ...body, assertion: { id: 'x', response: {} }, assurance: 'L3' };
    const smuggled = await wire.command(
      stepUp(world.tenant.contacts.alan, digest),
      'approval.decide',
      approvalId,
      extra,
    );
    assert.equal(smuggled.code, 'schema_mismatch');
    assert.deepEqual(await tableState(world.admin, ...REFUSAL_WRITES), before);
  });
});
