import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifies } from '../../../../test/requirements.ts';
import type { Caller } from '../caller.ts';
import type { Accepted, Decision } from '../changes.ts';
import { decide } from '../decide.ts';
import type { ActRow, DirectoryFacts } from '../directory-rows.ts';
import type { Facts } from '../facts.ts';
import { NO_CONTEXT, request, staffCaller } from '../testing/callers.ts';
import {
  ACT,
  actRow,
  CONTACT,
  confirmer,
  DIRECTORY_INPUTS,
  directoryFacts,
  membershipRow,
  NEW_CONTRACT,
  SECOND_ADMIN,
  STAFF,
} from '../testing/directory-facts.ts';
import { emptyFacts, placeFacts } from '../testing/facts.ts';
import { FREE_TEXT, IDS, personOf } from '../testing/ids.ts';
import { at, HOUR, staffMember } from '../testing/rows.ts';
import { createTestTools } from '../testing/tools.ts';

const tools = createTestTools();
const RESET = { command: 'contact.reset', target: CONTACT, by: IDS.dispatcher, input: {} } as const;
const LIMIT = {
  command: 'contact.set_limit',
  target: CONTACT,
  by: IDS.admin,
  input: DIRECTORY_INPUTS['contact.set_limit'],
} as const;

function factsFor(
  staff: string,
  roles: readonly string[],
  directory: Partial<DirectoryFacts> = {},
  patch: Partial<Facts> = {},
): Facts {
  return emptyFacts({
    ...placeFacts(),
    subject: { ...staffMember(staff, 'admin'), roles: roles as never },
    directory: directoryFacts(directory),
    ...patch,
  });
}

function sent(
  command: string,
  targetId: string | null,
  input: unknown,
  facts: Facts,
  caller: Caller = staffCaller(facts.subject?.id ?? ''),
): Decision {
  return decide(request(command, targetId, input), caller, facts, tools);
}

function confirmed(
  staff: string,
  roles: readonly string[],
  act: ActRow,
  directory: Partial<DirectoryFacts> = {},
  over: { readonly digest?: string; readonly decision?: string; readonly caller?: Partial<Caller> } = {},
): Decision {
  const caller = staffCaller(staff, {
    service: 'identity',
    scope: 'step-up',
    assurance: 'L2',
    context: { ...NO_CONTEXT, actionDigest: over.digest ?? act.action_digest },
    ...over.caller,
  });
  const input = { decision: over.decision ?? 'CONFIRM', action_digest: act.action_digest };
  return sent('act.confirm', act.id, input, factsFor(staff, roles, { act, ...directory }), caller);
}

function accepted(decision: Decision): Accepted {
  assert.equal(decision.kind, 'accepted', JSON.stringify(decision));
  return decision as Accepted;
}

const codeOf = (decision: Decision) => (decision.kind === 'refused' ? decision.code : decision.kind);

test('asking changes nothing but the question: word for word, with links for whoever can say yes', () => {
  verifies('T3.11', 'T3.4');
  const { changes, answer, outbox, event } = accepted(
    sent('contact.set_limit', CONTACT, LIMIT.input, factsFor(IDS.admin, ['admin'])),
  );
  assert.deepEqual(Object.keys(changes).sort(), ['act', 'act_links']);
  assert.deepEqual(outbox, []);
  const act = changes.act as ActRow;
  assert.deepEqual([act.state, act.deciders, act.proof_assurance], ['PENDING', 2, 'L2']);
  assert.equal(tools.sha256Base64Url(act.action), act.action_digest);
  const said = JSON.parse(act.action);
  assert.deepEqual(
    [said.command, said.input, said.target, said.asked_by],
    ['contact.set_limit', LIMIT.input, { id: CONTACT, version: 3 }, IDS.admin],
  );
  assert.deepEqual(changes.act_links?.map((l) => l.staff_id).sort(), [IDS.admin, SECOND_ADMIN].sort());
  assert.equal(event.details.action_digest, act.action_digest);
  assert.equal(answer.result.deciders, 2);
});

test('one who asked says yes alone to a contact; two admins to the first limit; two of admin and supervisor to money', () => {
  verifies('T3.5', 'T3.11');
  const reset = accepted(confirmed(IDS.dispatcher, ['dispatcher'], actRow(RESET)));
  assert.equal(reset.changes.contact?.changed_at, at(0));
  assert.equal(reset.changes.act?.state, 'CONSUMED');
  // Somebody else's question is nobody's business, however many roles they have.
  assert.equal(codeOf(confirmed(IDS.supervisor, ['supervisor', 'dispatcher'], actRow(RESET))), 'not_granted');

  const limit = actRow(LIMIT, { deciders: 2 });
  const first = accepted(confirmed(IDS.admin, ['admin'], limit));
  assert.deepEqual(Object.keys(first.changes).sort(), ['act', 'act_confirmation']);
  assert.equal(first.changes.act?.state, 'PENDING');
  const both = { confirmed_by: [personOf(IDS.admin)] };
  const second = accepted(confirmed(SECOND_ADMIN, ['admin'], limit, both));
  assert.equal(second.changes.act?.state, 'CONSUMED');
  assert.deepEqual(
    second.changes.memberships?.map((m) => [m.approval_limit_cents, m.may_approve, m.changed_at]),
    [[50_000, true, at(0)]],
  );
  assert.equal(codeOf(confirmed(IDS.supervisor, ['supervisor'], limit, both)), 'not_granted');
  assert.equal(codeOf(confirmed(IDS.dispatcher, ['dispatcher'], limit, both)), 'not_granted');

  const input = { contract: NEW_CONTRACT };
  const money = actRow(
    { command: 'account.change', target: IDS.account, by: IDS.admin, input },
    { deciders: 2 },
  );
  assert.equal(accepted(confirmed(IDS.supervisor, ['supervisor'], money)).changes.account, undefined);
  const done = accepted(confirmed(IDS.supervisor, ['supervisor'], money, both));
  assert.deepEqual(done.changes.account?.contract, { ...NEW_CONTRACT, desk_hours: null });
});

test('the same person twice is one person, whichever account they use', () => {
  verifies('T3.5');
  const limit = actRow(LIMIT, { deciders: 2 });
  const before = { confirmed_by: [personOf(IDS.admin)] };
  assert.equal(codeOf(confirmed(IDS.admin, ['admin'], limit, before)), 'separation_of_duty');
  const alias = [
    confirmer(IDS.admin, 'admin'),
    { ...confirmer(SECOND_ADMIN, 'admin'), person_id: personOf(IDS.admin) },
  ];
  const facts = factsFor(SECOND_ADMIN, ['admin'], { act: limit, confirmers: alias, ...before });
  const subject = { ...staffMember(SECOND_ADMIN, 'admin'), person_id: personOf(IDS.admin) };
  const caller = staffCaller(SECOND_ADMIN, {
    service: 'identity',
    scope: 'step-up',
    assurance: 'L2',
    context: { ...NO_CONTEXT, actionDigest: limit.action_digest },
  });
  const body = { decision: 'CONFIRM', action_digest: limit.action_digest };
  assert.equal(codeOf(sent('act.confirm', ACT, body, { ...facts, subject }, caller)), 'separation_of_duty');
  // And two accounts of one person cannot even be asked.
  const asked = sent(
    'contact.set_limit',
    CONTACT,
    LIMIT.input,
    factsFor(IDS.admin, ['admin'], { confirmers: alias }),
  );
  assert.equal(codeOf(asked), 'not_eligible');
});

test('a yes counts only for exactly what was shown', () => {
  verifies('T3.4', 'T3.11');
  const act = actRow(RESET);
  const dispatcher = ['dispatcher'];
  const other = 'x'.repeat(43);
  assert.equal(codeOf(confirmed(IDS.dispatcher, dispatcher, act, {}, { digest: other })), 'digest_mismatch');
  const { action_digest: digest } = act;
  for (const [what, forged] of Object.entries({
    bytes: { ...act, action: act.action.replace('contact.reset', 'contact.add') },
    command: { ...act, command: 'contact.deactivate' },
    target: { ...act, target_id: IDS.approver },
    input: { ...act, input: { more: true } },
    asker: { ...act, asked_by: SECOND_ADMIN },
    deciders: { ...act, deciders: 2 },
    expiry: { ...act, expires_at: at(5 * HOUR) },
  } satisfies Record<string, ActRow>)) {
    const facts = factsFor(IDS.dispatcher, dispatcher, { act: forged });
    const caller = staffCaller(IDS.dispatcher, {
      service: 'identity',
      scope: 'step-up',
      assurance: 'L2',
      context: { ...NO_CONTEXT, actionDigest: digest },
    });
    const answer = sent('act.confirm', ACT, { decision: 'CONFIRM', action_digest: digest }, facts, caller);
    assert.notEqual(answer.kind, 'accepted', what);
  }
  const changed = directoryFacts().contact;
  assert.ok(changed);
  const moved = { contact: { ...changed, version: 4 } };
  assert.equal(codeOf(confirmed(IDS.dispatcher, dispatcher, act, moved)), 'superseded');
  const late = actRow(RESET, { expires_at: at(0) });
  assert.equal(codeOf(confirmed(IDS.dispatcher, dispatcher, late)), 'invalid_state');
  for (const state of ['CONSUMED', 'DENIED'] as const)
    assert.equal(codeOf(confirmed(IDS.dispatcher, dispatcher, { ...act, state })), 'invalid_state', state);
  // The console's session is no second factor.
  for (const caller of [{ service: 'web', scope: 'person', assurance: 'L1' }, { assurance: 'L1' }] as const)
    assert.notEqual(confirmed(IDS.dispatcher, dispatcher, act, {}, { caller }).kind, 'accepted');
  // A no ends it, and does nothing.
  const no = accepted(confirmed(IDS.dispatcher, dispatcher, act, {}, { decision: 'DECLINE' }));
  assert.deepEqual([Object.keys(no.changes), no.changes.act?.state], [['act'], 'DENIED']);
});

test('whoever lost their role since says nothing, asks nothing, and their earlier yes is void', () => {
  verifies('T3.5');
  const limit = actRow(LIMIT, { deciders: 2 });
  const yes = { confirmed_by: [personOf(IDS.admin)] };
  const without = [confirmer(SECOND_ADMIN, 'admin'), confirmer(IDS.admin, 'supervisor')];
  assert.equal(
    codeOf(confirmed(SECOND_ADMIN, ['admin'], limit, { ...yes, confirmers: without })),
    'not_granted',
  );
  const byAnother = actRow({ ...LIMIT, by: SECOND_ADMIN }, { deciders: 2 });
  const first = accepted(confirmed(SECOND_ADMIN, ['admin'], byAnother, { ...yes, confirmers: without }));
  assert.equal(first.changes.act?.state, 'PENDING');
});

test('nobody changes their own rights, as a person', () => {
  verifies('T3.5', 'T3.11');
  const contact = directoryFacts().contact;
  assert.ok(contact);
  const self = { contact: { ...contact, person_id: personOf(IDS.admin) } };
  assert.equal(
    codeOf(sent('contact.set_limit', CONTACT, LIMIT.input, factsFor(IDS.admin, ['admin'], self))),
    'separation_of_duty',
  );
  const limit = actRow({ ...LIMIT, by: SECOND_ADMIN }, { deciders: 2 });
  assert.equal(codeOf(confirmed(IDS.admin, ['admin'], limit, self)), 'separation_of_duty');
  const staff = directoryFacts().staff;
  assert.ok(staff);
  const mine = { staff: { ...staff, person_id: personOf(IDS.admin) } };
  for (const [command, input] of [
    ['role.grant', { role: 'finance' }],
    ['role.revoke', { role: 'qa' }],
  ] as const) {
    const answer = sent(command, STAFF, input, factsFor(IDS.admin, ['admin'], mine));
    assert.equal(codeOf(answer), 'separation_of_duty', command);
  }
});

test('roles, keys of services and more autonomy wait for passkeys, and the last admin for nothing', () => {
  verifies('T3.2', 'T3.11');
  const staff = directoryFacts().staff;
  assert.ok(staff);
  const admin = { staff: { ...staff, roles: ['admin' as const] } };
  const facts = (directory: Partial<DirectoryFacts> = {}) =>
    factsFor(IDS.supervisor, ['supervisor'], directory);
  const lonely = {
    ...admin,
    confirmers: [confirmer(STAFF, 'admin'), confirmer(IDS.supervisor, 'supervisor')],
  };
  const CASES: readonly (readonly [string, string | null, unknown, Partial<DirectoryFacts>, string])[] = [
    ['role.grant', STAFF, { role: 'finance' }, {}, 'assurance_required'],
    ['role.grant', STAFF, { role: 'qa' }, {}, 'invalid_state'],
    ['role.revoke', STAFF, { role: 'qa' }, {}, 'assurance_required'],
    ['role.revoke', STAFF, { role: 'admin' }, {}, 'invalid_state'],
    ['role.revoke', STAFF, { role: 'admin' }, admin, 'assurance_required'],
    ['role.revoke', STAFF, { role: 'admin' }, lonely, 'not_eligible'],
    [
      'service_account.register',
      null,
      DIRECTORY_INPUTS['service_account.register'],
      {},
      'assurance_required',
    ],
    ['service_account.rotate', null, DIRECTORY_INPUTS['service_account.rotate'], {}, 'assurance_required'],
    ['service_account.revoke', null, DIRECTORY_INPUTS['service_account.revoke'], {}, 'assurance_required'],
    ['autonomy.set', IDS.account, { level: 3 }, {}, 'assurance_required'],
    ['autonomy.set', IDS.account, { level: 2 }, {}, 'invalid_state'],
    ['autonomy.set', IDS.account, { level: 1 }, {}, 'accepted'],
    ['autonomy.set', IDS.account, { level: 0 }, { autonomy_level: null }, 'unavailable'],
  ];
  for (const [command, target, input, directory, expected] of CASES) {
    const answer = sent(command, target, input, facts(directory));
    assert.equal(codeOf(answer), expected, `${command} ${JSON.stringify(input)}`);
  }
  const lower = accepted(sent('autonomy.set', IDS.account, { level: 1 }, facts()));
  assert.deepEqual(lower.changes.autonomy, { account_id: IDS.account, level: 1, version: 4 });
});

test('a limit after the first approver takes a passkey; a lower one takes the admin who asks', () => {
  verifies('T3.2', 'T3.11');
  const had = { has_had_approver: true };
  const ask = (limit: number, directory: Partial<DirectoryFacts>) =>
    sent(
      'contact.set_limit',
      CONTACT,
      { account_id: IDS.account, approval_limit_cents: limit },
      factsFor(IDS.admin, ['admin'], directory),
    );
  assert.equal(codeOf(ask(1, had)), 'assurance_required');
  const able = { ...had, memberships: [membershipRow({ may_approve: true, approval_limit_cents: 500 })] };
  assert.equal(codeOf(ask(501, able)), 'assurance_required');
  assert.equal(codeOf(ask(500, able)), 'schema_mismatch');
  assert.equal(accepted(ask(499, able)).changes.act?.deciders, 1);
  // Asked while there was none, confirmed when there is one: another proof is needed now.
  const limit = actRow(LIMIT, { deciders: 2 });
  const yes = { confirmed_by: [personOf(IDS.admin)] };
  assert.equal(codeOf(confirmed(SECOND_ADMIN, ['admin'], limit, { ...yes, ...had })), 'assurance_required');
});

test('who is new can approve nothing, and where they may ask must be a place of the account', () => {
  verifies('T3.6', 'T3.1');
  const input = { account_id: IDS.account, may_request: true, name: FREE_TEXT, email: FREE_TEXT };
  const act = actRow({ command: 'contact.add', target: null, by: IDS.dispatcher, input });
  const { changes, answer } = accepted(confirmed(IDS.dispatcher, ['dispatcher'], act));
  assert.equal(changes.contact?.changed_at, at(0));
  assert.deepEqual(
    changes.memberships?.map((m) => [m.may_request, m.may_approve, m.approval_limit_cents]),
    [[true, false, 0]],
  );
  assert.deepEqual(answer.result, {
    contact_id: changes.contact?.id,
    account_id: IDS.account,
    name_text_id: FREE_TEXT.text_id,
    phone_text_id: null,
    email_text_id: FREE_TEXT.text_id,
    act_id: ACT,
    state: 'CONSUMED',
  });
  const ask = (patch: object, directory: Partial<DirectoryFacts> = {}) =>
    codeOf(
      sent('contact.add', null, { ...input, ...patch }, factsFor(IDS.dispatcher, ['dispatcher'], directory)),
    );
  assert.equal(ask({}), 'accepted');
  assert.equal(ask({ site_id: IDS.otherSite }), 'not_found');
  assert.equal(ask({ account_id: IDS.otherAccount }), 'not_found');
  assert.equal(ask({ email: undefined }), 'schema_mismatch');
  assert.equal(ask({}, { account: null }), 'not_found');
});

test('a plan is written whole, by a version of whom it is of, and not when nobody could work by it', () => {
  verifies('C.0');
  const weekly = [{ weekday: 1, from_minute: 480, to_minute: 1_020 }];
  const hours = { time_zone: 'America/Chicago', weekly, exceptions: [] };
  const plan = { shifts: hours, certifications: [], absences: [] };
  const change = (schedule: object) =>
    sent('technician.change', IDS.technician, { schedule }, factsFor(IDS.admin, ['admin']));
  const home = { lat_e6: 30_000_000, lon_e6: -97_000_000 };
  const { changes } = accepted(change({ ...plan, home }));
  const { technician, technician_schedule: written } = changes;
  assert.deepEqual(
    [written?.id, written?.version, written?.shifts, written?.home_lat_e6],
    [IDS.technician, technician?.version, hours, home.lat_e6],
  );
  const [early, late] = [at(0), at(HOUR)];
  const bad: readonly object[] = [
    { ...plan, shifts: { ...hours, time_zone: 'Mars/Olympus' } },
    { ...plan, shifts: { ...hours, weekly: [{ weekday: 1, from_minute: 600, to_minute: 600 }] } },
    { ...plan, shifts: { ...hours, exceptions: [{ date: '2026-02-30', ranges: [] }] } },
    { ...plan, absences: [{ starts_at: late, ends_at: early }] },
    { ...plan, certifications: [{ name: 'fire-doors', valid_from: late, valid_until: late }] },
    { ...plan, shifts: undefined },
  ];
  for (const schedule of bad)
    assert.equal(codeOf(change(schedule)), 'schema_mismatch', JSON.stringify(schedule));
  const opening = accepted(
    sent('site.change', IDS.site, { schedule: { hours } }, factsFor(IDS.admin, ['admin'])),
  );
  assert.deepEqual(opening.changes.site_schedule, {
    id: IDS.site,
    version: 4,
    hours,
    lat_e6: null,
    lon_e6: null,
  });
});

test('what is taken out of use stays so, and two things are not called the same', () => {
  verifies('C.3', 'T1.2');
  const facts = (patch: Partial<DirectoryFacts>) => factsFor(IDS.admin, ['admin'], patch);
  const { asset, technician, contact } = directoryFacts();
  assert.ok(asset && technician && contact);
  const over = { state: 'INACTIVE' } as const;
  const CASES: readonly (readonly [string, string | null, Partial<DirectoryFacts>, string])[] = [
    ['asset.retire', asset.id, { asset: { ...asset, ...over } }, 'invalid_state'],
    ['asset.change', asset.id, { asset: { ...asset, ...over } }, 'invalid_state'],
    ['technician.change', technician.id, { technician: { ...technician, ...over } }, 'invalid_state'],
    ['technician.deactivate', technician.id, { technician: { ...technician, ...over } }, 'invalid_state'],
    ['contact.set_limit', contact.id, { contact: { ...contact, ...over } }, 'invalid_state'],
    ['account.create', null, { is_slug_taken: true }, 'schema_mismatch'],
    ['site.create', null, { is_slug_taken: true }, 'schema_mismatch'],
    ['asset.create', null, { is_slug_taken: true }, 'schema_mismatch'],
    ['technician.create', null, { is_slug_taken: true }, 'schema_mismatch'],
    ['site.create', null, { account: null }, 'not_found'],
    ['asset.create', null, { site: null }, 'not_found'],
  ];
  for (const [command, target, patch, expected] of CASES) {
    const answer = sent(command, target, DIRECTORY_INPUTS[command], facts(patch));
    assert.equal(codeOf(answer), expected, command);
    assert.equal(codeOf(sent(command, target, DIRECTORY_INPUTS[command], facts({}))), 'accepted', command);
  }
  const zone = { ...(DIRECTORY_INPUTS['site.create'] as object), time_zone: 'Mars/Olympus' };
  assert.equal(codeOf(sent('site.create', null, zone, facts({}))), 'schema_mismatch');
  assert.equal(codeOf(sent('site.change', IDS.site, {}, facts({}))), 'schema_mismatch');
});
