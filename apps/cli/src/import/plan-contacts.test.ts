import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createInputValidator, MAX_IMPORTED_CONTACTS } from '@deadlatch/catalogue';
import fc from 'fast-check';
import { verifies } from '../../../../test/requirements.ts';
import { CONTACTS_EXPORT, type ContactOnFile, contactLines, type OnFile } from './kinds.ts';
import { planImport } from './plan-import.ts';
import { readTable } from './read-table.ts';
import { writeTable } from './write-table.ts';

const VALIDATE = createInputValidator();
const HEADER = 'account,contact,site,may_request,name,phone,email';
const ON_FILE: OnFile = {
  accounts: [
    { id: 'a1', slug: 'acme' },
    { id: 'a2', slug: 'other' },
  ],
  sites: [
    { id: 's1', account_id: 'a1', slug: 'store-1', time_zone: 'America/Chicago', territory: 'south' },
    { id: 's2', account_id: 'a2', slug: 'store-9', time_zone: 'America/Denver', territory: 'west' },
  ],
  assets: [],
  technicians: [],
  contacts: [],
};

const row = (patch: Partial<ContactOnFile> = {}): ContactOnFile => ({
  id: 'm1',
  contact_id: 'c1',
  account_id: 'a1',
  site_id: null,
  may_request: true,
  approval_limit_cents: 0,
  state: 'ACTIVE',
  slug: 'manager-1',
  ...patch,
});

function plan(lines: readonly string[], contacts: readonly ContactOnFile[] = [], header = HEADER) {
  const bytes = Buffer.from([header, ...lines, ''].join('\n'));
  return planImport([readTable('contacts.csv', bytes)], { ...ON_FILE, contacts }, VALIDATE);
}

const problems = (lines: readonly string[], contacts: readonly ContactOnFile[] = []) =>
  plan(lines, contacts).problems.map(({ line, column, code }) => [line, column, code]);

describe('a line about a contact', () => {
  test('is taken in every form that a contact can have', () => {
    const { contacts, problems: none } = plan([
      'acme,manager-1,,yes,Nina Oxenham,+15125550177,nina@shop.example',
      'acme,manager-2,store-1,no,"O\'Brien, Jr.",(512) 555-0178,',
      'other,manager-1,store-9,yes,Éa Ó Néill,,ea@shop.example',
    ]);
    assert.deepEqual(none, []);
    assert.deepEqual(
      contacts.batches.map(({ account, rows }) => [
        account,
        rows.map(({ line, slug, site, mayRequest, details }) => [line, slug, site, mayRequest, details]),
      ]),
      [
        [
          'acme',
          [
            [
              2,
              'manager-1',
              null,
              true,
              { name: 'Nina Oxenham', phone: '+15125550177', email: 'nina@shop.example' },
            ],
            [3, 'manager-2', 'acme/store-1', false, { name: "O'Brien, Jr.", phone: '(512) 555-0178' }],
          ],
        ],
        [
          'other',
          [[4, 'manager-1', 'other/store-9', true, { name: 'Éa Ó Néill', email: 'ea@shop.example' }]],
        ],
      ],
    );
  });

  test('that is wrong is named by line, column and code, every one of them', () => {
    verifies('A.3b', 'I.4');
    assert.deepEqual(
      problems([
        ',m-1,,yes,Nina,+15125550101,',
        'acme,,,yes,Nina,+15125550102,',
        'acme,m-2,,,Nina,+15125550103,',
        'acme,m-3,,yes,,+15125550104,',
        'acme,m-4,,yes,Nina,,',
        'acme,=m,,yes,Nina,+15125550105,',
        'acme,m-5,,yes,=Nina,+15125550106,',
        'acme,m-6,,yes,Nina,,@nina',
        'acme,M 7,,yes,Nina,+15125550107,',
        'Acme Stores,m-8,,yes,Nina,+15125550108,',
        'acme,m-9,Store 1,yes,Nina,+15125550109,',
        'acme,m-10,,true,Nina,+15125550110,',
        'acme,m-11,,yes,Nina,555,',
        'acme,m-12,,yes,Nina,my number,',
        'acme,m-13,,yes,Nina,,nina',
        `acme,m-14,,yes,${'n'.repeat(201)},+15125550114,`,
        'nobody,m-15,,yes,Nina,+15125550115,',
        'acme,m-16,store-9,yes,Nina,+15125550116,',
        'acme,m-17,store-2,yes,Nina,+15125550117,',
      ]),
      [
        [2, 'account', 'required'],
        [3, 'contact', 'required'],
        [4, 'may_request', 'required'],
        [5, 'name', 'required'],
        [6, 'phone', 'required'],
        [7, 'contact', 'formula'],
        [8, 'name', 'formula'],
        [9, 'email', 'formula'],
        [10, 'contact', 'form'],
        [11, 'account', 'form'],
        [12, 'site', 'form'],
        [13, 'may_request', 'form'],
        [14, 'phone', 'form'],
        [15, 'phone', 'form'],
        [16, 'email', 'form'],
        [17, 'name', 'form'],
        [18, 'account', 'unknown_account'],
        [19, 'site', 'unknown_site'],
        [20, 'site', 'unknown_site'],
      ],
    );
  });

  test('with a code, a number or an address of an earlier line is named, however it is written', () => {
    verifies('T3.1', 'C.0');
    assert.deepEqual(
      problems([
        'acme,m-1,,yes,Nina,+15125550101,Nina@Shop.example',
        'acme,m-1,,yes,Nino,+15125550102,',
        'acme,m-2,,yes,Nina,(512) 555-0101,',
        'other,m-3,,yes,Nina,,nina@shop.EXAMPLE',
        // The same number twice within the tenant is nobody's, whatever the accounts.
        'other,m-4,,yes,Nina,512.555.0101,x@shop.example',
        // A line that is wrong itself still has the number.
        'acme,m 5,,yes,Nina,+15125550105,',
        'acme,m-6,,yes,Nina,+15125550105,',
      ]),
      [
        [3, 'contact', 'duplicate'],
        [4, 'phone', 'duplicate'],
        [5, 'email', 'duplicate'],
        [6, 'phone', 'duplicate'],
        [7, 'contact', 'form'],
        [8, 'phone', 'duplicate'],
      ],
    );
    // The same code at two accounts is two people.
    assert.deepEqual(problems(['acme,m-1,,yes,Nina,+15125550101,', 'other,m-1,,yes,Nino,+15125550102,']), []);
  });

  test('about somebody on file is left alone when place and right are the same, and wrong when they are not', () => {
    const line = (patch: Partial<{ contact: string; site: string; may: string }> = {}) => {
      const { contact = 'manager-1', site = '', may = 'yes' } = patch;
      return `acme,${contact},${site},${may},Nina,+15125550101,`;
    };
    const same = plan([line()], [row()]);
    assert.deepEqual([same.contacts.found, same.contacts.batches, same.problems], [1, [], []]);
    assert.deepEqual(problems([line({ site: 'store-1' })], [row()]), [[2, 'site', 'differs']]);
    assert.deepEqual(problems([line({ may: 'no' })], [row()]), [[2, 'may_request', 'differs']]);
    assert.deepEqual(problems([line()], [row({ state: 'INACTIVE' })]), [[2, 'contact', 'differs']]);
    // Who got a second place later is still the one who was imported.
    const both = [row(), row({ id: 'm2', site_id: 's1', may_request: false })];
    assert.deepEqual(problems([line()], both), []);
    assert.deepEqual(problems([line({ site: 'store-1', may: 'no' })], both), []);
    // Of another account, or without a code, nobody is meant.
    assert.equal(plan([line()], [row({ account_id: 'a2' })]).contacts.batches.length, 1);
    assert.equal(plan([line()], [row({ slug: null })]).contacts.batches.length, 1);
  });

  test('may name an account and a site of the same run', () => {
    const files = {
      'accounts.csv': ['account', 'new'],
      'sites.csv': ['account,site,time_zone,territory', 'new,shop-1,America/Chicago,south'],
      'contacts.csv': [
        HEADER,
        'new,m-1,shop-1,yes,Nina,+15125550101,',
        'new,m-2,shop-2,yes,Nino,,n@x.example',
      ],
    };
    const tables = Object.entries(files).map(([name, lines]) =>
      readTable(name, Buffer.from(lines.join('\n'))),
    );
    const { problems: found, steps } = planImport(tables, ON_FILE, VALIDATE);
    assert.deepEqual(
      found.map(({ file, line, code }) => [file, line, code]),
      [['contacts.csv', 3, 'unknown_site']],
    );
    assert.equal(steps.length, 2);
  });
});

describe('the acts of a file', () => {
  const lines = Array.from({ length: 2 * MAX_IMPORTED_CONTACTS + 7 }, (_, n) => {
    const account = n % 5 === 0 ? 'other' : 'acme';
    return `${account},m-${n},,yes,Somebody ${n},+1512555${String(1_000 + n)},`;
  });

  test('are as few as hold it, each of one account, under keys that follow from its bytes', () => {
    verifies('R.2');
    const { batches } = plan(lines).contacts;
    const acme = lines.filter((line) => line.startsWith('acme')).length;
    assert.deepEqual(
      batches.map(({ account, rows }) => [account, rows.length]).sort(),
      [
        ['acme', MAX_IMPORTED_CONTACTS],
        ['acme', acme - MAX_IMPORTED_CONTACTS],
        ['other', lines.length - acme],
      ].sort(),
    );
    const keys = (of: typeof batches) => of.flatMap(({ key }) => [key(0), key(1)]);
    assert.equal(new Set(keys(batches)).size, 2 * batches.length);
    assert.deepEqual(keys(plan(lines).contacts.batches), keys(batches));
    const changed = lines.with(0, (lines[0] ?? '').replace('Somebody', 'Anybody'));
    for (const key of keys(plan(changed).contacts.batches)) assert.ok(!keys(batches).includes(key));
    const texts = batches.flatMap(({ rows }) => rows.flatMap((r) => [r.textKey('name'), r.textKey('phone')]));
    assert.equal(new Set(texts).size, 2 * lines.length);
  });

  test('that are left after some were confirmed are the same ones, whichever those were', () => {
    verifies('R.1', 'R.2');
    const { batches } = plan(lines).contacts;
    for (const done of batches) {
      const accountId = done.account === 'acme' ? 'a1' : 'a2';
      const onFile = done.rows.map(({ slug }) => row({ account_id: accountId, slug, contact_id: slug }));
      const left = plan(lines, onFile).contacts;
      assert.equal(left.found, done.rows.length);
      assert.deepEqual(
        left.batches.map(({ key }) => key(0)).sort(),
        batches.flatMap((batch) => (batch === done ? [] : [batch.key(0)])).sort(),
      );
    }
  });
});

describe('a file of contacts of noise', () => {
  test('never has a value in a problem, and nothing is asked for that has a problem', () => {
    verifies('T5.1', 'T5.2');
    const CELL = fc.oneof(
      fc.constantFrom('acme', 'm-1', '', 'yes', 'store-1', '+15125550101'),
      fc.string({ minLength: 12, maxLength: 30, unit: 'grapheme-ascii' }),
    );
    fc.assert(
      fc.property(fc.array(fc.array(CELL, { minLength: 7, maxLength: 7 }), { maxLength: 5 }), (cells) => {
        const lines = cells.map((line) => line.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(','));
        const { contacts, problems: found } = plan(lines);
        const told = JSON.stringify(found);
        for (const cell of cells.flat().filter(({ length }) => length >= 12))
          assert.ok(!told.includes(JSON.stringify(cell).slice(1, -1)));
        const asked = contacts.batches.reduce((sum, { rows }) => sum + rows.length, 0);
        assert.equal(asked + contacts.found + found.filter(({ line }) => line !== null).length, lines.length);
      }),
      { numRuns: 200 },
    );
  });
});

describe('an export of contacts', () => {
  test('holds who may do what where, no person, and is known as nothing to import', () => {
    verifies('T5.6', 'T5.5');
    const contacts = [
      row({ site_id: 's1', approval_limit_cents: 50_000 }),
      row({ id: 'm2', contact_id: '0199aaaa-0000-7000-8000-000000000001', slug: null, may_request: false }),
      row({ id: 'm3', state: 'INACTIVE', slug: 'gone' }),
    ];
    const text = writeTable(CONTACTS_EXPORT, contactLines({ ...ON_FILE, contacts }));
    assert.deepEqual(text.trim().split('\r\n'), [
      'account,contact,site,may_request,approval_limit_cents',
      'acme,0199aaaa-0000-7000-8000-000000000001,,no,0',
      'acme,manager-1,store-1,yes,50000',
    ]);
    const read = readTable('contacts.csv', Buffer.from(text));
    assert.deepEqual(
      read.problems.map(({ line, code }) => [line, code]),
      [[1, 'no_values']],
    );
    assert.equal(read.table, null);
  });
});
