import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_IMPORTED_CONTACTS, STAFF_ROLES } from '@deadlatch/catalogue';
import fc from 'fast-check';
import { verifies } from '../../../../test/requirements.ts';
import type { Caller } from '../caller.ts';
import type { Accepted, Decision } from '../changes.ts';
import { decide } from '../decide.ts';
import type { ActRow, BatchFacts, DirectoryFacts } from '../directory-rows.ts';
import type { Facts } from '../facts.ts';
import { NO_CONTEXT, request, staffCaller } from '../testing/callers.ts';
import {
  ACT,
  actRow,
  batchFacts,
  confirmer,
  DIRECTORY_INPUTS,
  directoryFacts,
  freeText,
} from '../testing/directory-facts.ts';
import { emptyFacts, placeFacts } from '../testing/facts.ts';
import { fixedId, IDS } from '../testing/ids.ts';
import { at, HOUR, staffMember } from '../testing/rows.ts';
import { createTestTools } from '../testing/tools.ts';

const tools = createTestTools();
const NAME = 'contact.import';

interface Row {
  readonly slug: string;
  readonly site_id?: string;
  readonly may_request: boolean;
  readonly name: ReturnType<typeof freeText>;
  readonly phone?: ReturnType<typeof freeText>;
  readonly email?: ReturnType<typeof freeText>;
}

/** As many different people as wanted, every third at the site. */
function rows(count: number): Row[] {
  return Array.from({ length: count }, (_, n) => ({
    slug: `manager-${n}`,
    ...(n % 3 === 0 && { site_id: IDS.site }),
    may_request: n % 2 === 0,
    name: freeText(3 * n),
    phone: freeText(3 * n + 1),
    ...(n % 2 === 0 && { email: freeText(3 * n + 2) }),
  }));
}
const inputOf = (contacts: readonly object[]) => ({ account_id: IDS.account, contacts });

interface Situation {
  readonly staff?: string;
  readonly role?: string;
  readonly directory?: Partial<DirectoryFacts>;
  readonly batch?: Partial<BatchFacts> | null;
  readonly facts?: Partial<Facts>;
}

function factsFor({
  staff = IDS.dispatcher,
  role = 'dispatcher',
  directory,
  batch,
  facts,
}: Situation): Facts {
  return emptyFacts({
    ...placeFacts(),
    subject: { ...staffMember(staff, 'admin'), roles: [role] as never },
    directory: directoryFacts(directory),
    batch: batch === null ? null : batchFacts(batch),
    ...facts,
  });
}

function ask(input: unknown, situation: Situation = {}): Decision {
  const caller = staffCaller(situation.staff ?? IDS.dispatcher);
  return decide(request(NAME, null, input), caller, factsFor(situation), tools);
}

function confirm(
  act: ActRow,
  situation: Situation = {},
  over: { readonly digest?: string; readonly decision?: string; readonly caller?: Partial<Caller> } = {},
): Decision {
  const caller = staffCaller(situation.staff ?? IDS.dispatcher, {
    service: 'identity',
    scope: 'step-up',
    assurance: 'L2',
    context: { ...NO_CONTEXT, actionDigest: over.digest ?? act.action_digest },
    ...over.caller,
  });
  const body = { decision: over.decision ?? 'CONFIRM', action_digest: act.action_digest };
  const facts = factsFor({ ...situation, directory: { act, ...situation.directory } });
  return decide(request('act.confirm', act.id, body), caller, facts, tools);
}

const asked = (input: unknown, patch: Partial<ActRow> = {}) =>
  actRow({ command: NAME, target: null, by: IDS.dispatcher, input }, patch);

function accepted(decision: Decision): Accepted {
  assert.equal(decision.kind, 'accepted', JSON.stringify(decision));
  return decision as Accepted;
}
const codeOf = (decision: Decision) => (decision.kind === 'refused' ? decision.code : decision.kind);

test('asking stores every row word for word, with the codes of the sites, and puts nobody on file', () => {
  verifies('T3.11', 'T3.4');
  const input = inputOf(rows(MAX_IMPORTED_CONTACTS));
  const { changes, event, answer } = accepted(ask(input));
  assert.deepEqual(Object.keys(changes).sort(), ['act', 'act_links']);
  const act = changes.act as ActRow;
  assert.deepEqual([act.state, act.deciders, act.proof_assurance], ['PENDING', 1, 'L2']);
  const said = JSON.parse(act.action);
  assert.deepEqual([said.input, said.account, said.places], [input, 'acme', { [IDS.site]: 'store-114' }]);
  assert.equal(tools.sha256Base64Url(act.action), act.action_digest);
  assert.deepEqual(
    changes.act_links?.map((link) => [link.staff_id, link.expires_at]),
    [[IDS.dispatcher, at(24 * HOUR)]],
  );
  assert.equal(act.expires_at, at(HOUR));
  assert.equal(answer.result.action_digest, act.action_digest);
  // What a person is known or reached by is in no event: not even its handle.
  assert.ok(!JSON.stringify(event).includes(rows(1)[0]?.name.text_id ?? ''));
});

test('the largest act fits where it has to: its signed statement, and the event that puts all of it on file', () => {
  verifies('C.0', 'F.1');
  const long = (n: number) => `${n}`.padStart(60, 'a');
  const contacts = Array.from({ length: MAX_IMPORTED_CONTACTS }, (_, n) => ({
    slug: long(n),
    site_id: fixedId(0x1000 + n),
    may_request: false,
    name: freeText(3 * n),
    phone: freeText(3 * n + 1),
    email: freeText(3 * n + 2),
  }));
  const sites = contacts.map(({ site_id: id, slug }) => ({
    id,
    account_id: IDS.account,
    slug,
    state: 'ACTIVE' as const,
  }));
  const { changes } = accepted(ask(inputOf(contacts), { batch: { sites } }));
  const action = changes.act?.action ?? '';
  assert.ok(action.length > 40_000, 'every row is as long as it can be');
  // `action+jwt` is at most 65,536 characters: base64 of these bytes and some hundred more.
  assert.ok((action.length * 4) / 3 < 65_000, String(action.length));
  assert.ok(JSON.stringify(inputOf(contacts)).length < 64 * 1024 - 1_000, 'a body');
  const done = accepted(confirm(asked(inputOf(contacts)), { batch: { sites } }));
  // Per contact two effects, two statements of 43 characters of digest with table and id.
  const effects = JSON.stringify(done.event.effects).length;
  const stated = MAX_IMPORTED_CONTACTS * ('"contacts:",'.length + '"contact_memberships:",'.length + 2 * 80);
  assert.ok(effects + stated < 60_000, String(effects + stated));
});

test('one yes of whoever asked does all of it: new people without a limit, for a day without a say, with their codes', () => {
  verifies('T3.11', 'T3.6');
  const input = inputOf(rows(MAX_IMPORTED_CONTACTS));
  const { changes, answer, outbox, event } = accepted(confirm(asked(input)));
  const { contacts = [], memberships = [], contact_codes: codes = [] } = changes;
  assert.equal(changes.act?.state, 'CONSUMED');
  assert.deepEqual([contacts.length, memberships.length, codes.length], Array(3).fill(MAX_IMPORTED_CONTACTS));
  assert.ok(contacts.every((c) => c.version === 1 && c.state === 'ACTIVE' && c.changed_at === at(0)));
  assert.equal(new Set(contacts.flatMap(({ id, person_id }) => [id, person_id])).size, 2 * contacts.length);
  assert.deepEqual(
    memberships.map((m) => [m.contact_id, m.site_id, m.may_request, m.may_approve, m.approval_limit_cents]),
    input.contacts.map((row, n) => [
      contacts[n]?.id,
      (row as Row).site_id ?? null,
      (row as Row).may_request,
      false,
      0,
    ]),
  );
  assert.deepEqual(
    codes.map((code) => [code.contact_id, code.account_id, code.slug, code.act_id]),
    rows(MAX_IMPORTED_CONTACTS).map(({ slug }, n) => [contacts[n]?.id, IDS.account, slug, ACT]),
  );
  assert.deepEqual(answer.result, {
    account_id: IDS.account,
    contacts: MAX_IMPORTED_CONTACTS,
    act_id: ACT,
    state: 'CONSUMED',
  });
  assert.deepEqual(outbox, []);
  const kinds = event.effects.map(({ object }) => object);
  assert.deepEqual(
    ['contact', 'membership', 'act'].map((kind) => kinds.filter((one) => one === kind).length),
    [MAX_IMPORTED_CONTACTS, MAX_IMPORTED_CONTACTS, 1],
  );
});

test('every row that could not be added alone, and every row that comes twice, makes all of it void, at both moments', () => {
  verifies('T3.1', 'T3.6', 'C.0', 'A.3b');
  const good = rows(4);
  const [first, second, third, fourth] = good as [Row, Row, Row, Row];
  const { phone: _phone, email: _email, ...nobody } = second;
  const bad: readonly (readonly [what: string, contacts: readonly object[], code: string])[] = [
    ['nobody', [], 'schema_mismatch'],
    ['one too many', rows(MAX_IMPORTED_CONTACTS + 1), 'schema_mismatch'],
    ['no way to reach them', [first, nobody], 'schema_mismatch'],
    ['a code twice', [first, { ...second, slug: first.slug }], 'schema_mismatch'],
    ['a name twice', [first, { ...second, name: first.name }], 'schema_mismatch'],
    ['a number twice', [first, second, { ...third, phone: first.phone }], 'schema_mismatch'],
    ["another's number as an address", [first, { ...second, email: first.phone }], 'schema_mismatch'],
    ['one handle as name and number', [{ ...first, phone: first.name }], 'schema_mismatch'],
    ['a site of another account', [first, { ...second, site_id: IDS.otherSite }], 'not_found'],
    ['a site of nobody here', [first, { ...second, site_id: fixedId(0x999) }], 'not_found'],
    ['words instead of a handle', [{ ...first, name: 'Nina' }], 'schema_mismatch'],
    ['a code that is a name', [{ ...first, slug: 'Nina Oxenham' }], 'schema_mismatch'],
    ['a limit', [{ ...first, approval_limit_cents: 1 }], 'schema_mismatch'],
    ['no right said', [{ ...first, may_request: undefined }], 'schema_mismatch'],
  ];
  for (const [what, contacts, code] of bad) {
    assert.equal(codeOf(ask(inputOf(contacts))), code, what);
    assert.notEqual(confirm(asked(JSON.parse(JSON.stringify(inputOf(contacts))))).kind, 'accepted', what);
  }
  assert.equal(codeOf(ask(inputOf(good))), 'accepted');
  // The refusal names the row at fault by its place and by nothing else.
  const twice = ask(inputOf([first, second, third, { ...fourth, slug: first.slug }]));
  assert.deepEqual(twice.kind === 'refused' && twice.extra.fields, ['/contacts/3/slug']);
  const taken = ask(inputOf(good), { batch: { taken: [second.slug] } });
  assert.deepEqual(taken.kind === 'refused' && [taken.code, taken.extra.fields], [
    'schema_mismatch',
    ['/contacts/1/slug'],
  ]);
});

test('what changed between the question and the yes makes it void, and what is not known permits nothing', () => {
  verifies('T3.4', 'C.0', 'T4.6');
  const input = inputOf(rows(3));
  const act = asked(input);
  const { account } = directoryFacts();
  assert.ok(account);
  const sites = batchFacts().sites.map((site) => ({ ...site, state: 'INACTIVE' as const }));
  const cases: readonly (readonly [what: string, situation: Situation, code: string])[] = [
    ['a code was given since', { batch: { taken: ['manager-2'] } }, 'schema_mismatch'],
    ['the site is of no use any more', { batch: { sites } }, 'invalid_state'],
    ['the site is gone', { batch: { sites: [] } }, 'not_found'],
    ['nothing is known of sites and codes', { batch: null }, 'unavailable'],
    ['the account is gone', { directory: { account: null } }, 'not_found'],
    ['another account', { directory: { account: { ...account, id: IDS.otherAccount } } }, 'not_found'],
    ['nothing is known of who is on file', { facts: { directory: null } }, 'not_found'],
    ['another tenant', { facts: { tenant: { id: IDS.otherTenant, autonomy_version: 1 } } }, 'not_found'],
    [
      'whoever asked is no dispatcher any more',
      { directory: { confirmers: [confirmer(IDS.dispatcher, 'supervisor')] } },
      'not_granted',
    ],
    ['the witness is late', { facts: { witness: 'late' } }, 'unavailable'],
  ];
  for (const [what, situation, code] of cases) assert.equal(codeOf(confirm(act, situation)), code, what);
  for (const patch of [{ expires_at: at(0) }, { state: 'CONSUMED' as const }, { state: 'DENIED' as const }]) {
    assert.equal(codeOf(confirm(asked(input, patch))), 'invalid_state', JSON.stringify(patch));
  }
  const other = asked(inputOf(rows(2)));
  assert.equal(codeOf(confirm({ ...act, input: other.input })), 'digest_mismatch');
  assert.equal(codeOf(confirm(act, {}, { digest: other.action_digest })), 'digest_mismatch');
  const no = accepted(confirm(act, {}, { decision: 'DECLINE' }));
  assert.deepEqual([Object.keys(no.changes), no.changes.act?.state], [['act'], 'DENIED']);
});

test('nobody but a dispatcher asks, and nobody but whoever asked says yes', () => {
  verifies('A.3a', 'T3.5', 'T3.11');
  const input = DIRECTORY_INPUTS[NAME];
  for (const role of STAFF_ROLES) {
    const expected = role === 'dispatcher' ? 'accepted' : 'not_granted';
    assert.equal(codeOf(ask(input, { role })), expected, role);
  }
  const act = asked(input);
  const everything = ['dispatcher', 'supervisor', 'admin'];
  for (const staff of [IDS.supervisor, IDS.admin]) {
    const directory = {
      confirmers: [confirmer(IDS.dispatcher, 'dispatcher'), confirmer(staff, ...everything)],
    };
    assert.equal(codeOf(confirm(act, { staff, directory })), 'not_granted', staff);
  }
  // The console's session is no second factor.
  for (const caller of [{ service: 'web', scope: 'person', assurance: 'L1' }, { assurance: 'L1' }] as const)
    assert.notEqual(confirm(act, {}, { caller }).kind, 'accepted');
});

test('whatever the rows are, all of them come on file or none', () => {
  verifies('T3.11', 'C.0');
  const SLUGS = ['manager-1', 'manager-2', 'manager-3', 'manager-4'];
  const ROW = fc.record(
    {
      slug: fc.constantFrom(...SLUGS),
      site_id: fc.constantFrom(IDS.site, IDS.otherSite),
      may_request: fc.boolean(),
      name: fc.integer({ min: 0, max: 12 }).map(freeText),
      phone: fc.integer({ min: 0, max: 12 }).map(freeText),
      email: fc.integer({ min: 0, max: 12 }).map(freeText),
    },
    { requiredKeys: ['slug', 'may_request', 'name'] },
  );
  fc.assert(
    fc.property(fc.array(ROW, { maxLength: 4 }), fc.subarray(SLUGS), (contacts, taken) => {
      const words = contacts.flatMap((row) =>
        [row.name, row.phone, row.email].flatMap((w) => w?.text_id ?? []),
      );
      const slugs = contacts.map(({ slug }) => slug);
      const isGood =
        contacts.length > 0 &&
        contacts.every((row) => row.phone !== undefined || row.email !== undefined) &&
        contacts.every((row) => row.site_id !== IDS.otherSite) &&
        new Set(words).size === words.length &&
        new Set(slugs).size === slugs.length &&
        !slugs.some((slug) => taken.includes(slug));
      const decision = confirm(asked(inputOf(contacts)), { batch: { taken } });
      assert.equal(decision.kind === 'accepted', isGood);
      if (decision.kind === 'accepted') assert.equal(decision.changes.contacts?.length, contacts.length);
    }),
    { numRuns: 300 },
  );
});
