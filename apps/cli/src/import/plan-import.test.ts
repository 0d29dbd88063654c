import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createInputValidator } from '@deadlatch/catalogue';
import fc from 'fast-check';
import { verifies } from '../../../../test/requirements.ts';
import type { OnFile, RowKind } from './kinds.ts';
import { planImport } from './plan-import.ts';
import { readTable } from './read-table.ts';
import { LineRefused, runImport } from './run-import.ts';

const VALIDATE = createInputValidator();
const NOTHING: OnFile = { accounts: [], sites: [], assets: [], technicians: [], contacts: [] };
const ON_FILE: OnFile = {
  accounts: [
    { id: 'a1', slug: 'acme' },
    { id: 'a2', slug: 'other' },
  ],
  sites: [
    { id: 's1', account_id: 'a1', slug: 'store-1', time_zone: 'America/Chicago', territory: 'south' },
    { id: 's2', account_id: 'a2', slug: 'store-9', time_zone: 'America/Denver', territory: 'west' },
  ],
  assets: [{ id: 'k1', site_id: 's1', kind: 'DOOR', slug: 'front', model: 'DX 200', serial: null }],
  technicians: [{ id: 't1', slug: 'tom', skills: ['doors', 'locksmith'], territories: ['south'] }],
  contacts: [],
};

const HEADERS: Readonly<Record<RowKind, string>> = {
  accounts: 'account',
  sites: 'account,site,time_zone,territory',
  assets: 'account,site,asset,kind,model,serial',
  technicians: 'technician,skills,territories',
};

type Files = Partial<Record<RowKind, readonly string[]>>;

function plan(files: Files, onFile = ON_FILE) {
  const tables = Object.entries(files).map(([kind, lines]) =>
    readTable(`${kind}.csv`, Buffer.from([HEADERS[kind as RowKind], ...lines, ''].join('\n'))),
  );
  return planImport(tables, onFile, VALIDATE);
}

const problems = (files: Files, onFile = ON_FILE) =>
  plan(files, onFile).problems.map(({ file, line, column, code }) => [file, line, column, code]);

describe('every line is decided', () => {
  test('good ones: in the order in which they can be done, whatever the order of the files', () => {
    const { steps, problems: none } = plan(
      {
        assets: ['acme,store-1,front,DOOR,,'],
        technicians: ['tina,locksmith; rolling_doors;locksmith,south'],
        sites: ['acme,store-1,America/Chicago,south'],
        accounts: ['acme'],
      },
      NOTHING,
    );
    assert.deepEqual(none, []);
    assert.deepEqual(
      steps.map(({ kind, name }) => [kind, name]),
      [
        ['accounts', 'acme'],
        ['sites', 'acme/store-1'],
        ['assets', 'acme/store-1/front'],
        ['technicians', 'tina'],
      ],
    );
    const bodies = steps.map((step) => step.body((kind, name) => `${kind}:${name}`));
    assert.deepEqual(bodies, [
      { slug: 'acme' },
      { account_id: 'accounts:acme', slug: 'store-1', time_zone: 'America/Chicago', territory: 'south' },
      { site_id: 'sites:acme/store-1', kind: 'DOOR', slug: 'front' },
      { slug: 'tina', skills: ['locksmith', 'rolling_doors'], territories: ['south'] },
    ]);
  });

  test('bad ones: named by file, line, column and code', () => {
    assert.deepEqual(problems({ accounts: ['new', 'New', 'a b', '=new', 'x'.repeat(61)] }), [
      ['accounts.csv', 3, 'account', 'form'],
      ['accounts.csv', 4, 'account', 'form'],
      ['accounts.csv', 5, 'account', 'formula'],
      ['accounts.csv', 6, 'account', 'form'],
    ]);
    assert.deepEqual(
      problems({
        sites: [
          'acme,store-2,America/Chicago,south',
          ',store-3,America/Chicago,south',
          'acme,store-4,Mars/Olympus,south',
          'acme,store-5,America/Chicago,',
          'acme,store-6,America/Chicago,@south',
          'nobody,store-7,America/Chicago,south',
          'acme/store,x,America/Chicago,south',
        ],
      }),
      [
        ['sites.csv', 3, 'account', 'required'],
        ['sites.csv', 4, 'time_zone', 'unknown_time_zone'],
        ['sites.csv', 5, 'territory', 'required'],
        ['sites.csv', 6, 'territory', 'formula'],
        ['sites.csv', 7, 'account', 'unknown_account'],
        ['sites.csv', 8, 'account', 'form'],
      ],
    );
    assert.deepEqual(
      problems({
        assets: ['acme,store-1,back,WINDOW,,', 'acme,store-1,side,DOOR,-1,', 'acme,store-1,top,DOOR,,"x;y"'],
        technicians: ['tina,"Lock Smith",south', 'tess,,'],
      }),
      [
        ['assets.csv', 2, 'kind', 'form'],
        ['assets.csv', 3, 'model', 'formula'],
        ['assets.csv', 4, 'serial', 'form'],
        ['technicians.csv', 2, 'skills', 'form'],
      ],
    );
  });

  test('a name that comes twice, in the file or in another form of it, is named at the second', () => {
    assert.deepEqual(problems({ accounts: ['new', 'newer', 'new', '"new"', ' new '] }), [
      ['accounts.csv', 4, 'account', 'duplicate'],
      ['accounts.csv', 5, 'account', 'duplicate'],
      ['accounts.csv', 6, 'account', 'duplicate'],
    ]);
    const zone = 'America/Chicago,south';
    // The same code at two accounts is two sites.
    assert.deepEqual(problems({ sites: [`acme,store-2,${zone}`, `other,store-2,${zone}`] }), []);
  });

  test('a site of another account is none of this account', () => {
    verifies('A.3b');
    assert.deepEqual(problems({ assets: ['acme,store-9,front,DOOR,,'] }), [
      ['assets.csv', 2, 'site', 'unknown_site'],
    ]);
    assert.deepEqual(problems({ assets: ['other,store-9,front,DOOR,,'] }), []);
    // Nor does it become one by being in the file for the other.
    assert.deepEqual(
      problems({
        sites: ['other,store-5,America/Denver,west'],
        assets: ['acme,store-5,front,DOOR,,', 'other,store-5,front,DOOR,,'],
      }),
      [['assets.csv', 2, 'site', 'unknown_site']],
    );
  });

  test('what is on file exactly so is left alone; what differs is refused, not changed', () => {
    const same = plan({
      accounts: ['acme', 'new'],
      sites: ['acme,store-1,America/Chicago,south'],
      assets: ['acme,store-1,front,DOOR,DX 200,'],
      technicians: ['tom,locksmith;doors,south'],
    });
    assert.deepEqual(same.problems, []);
    assert.deepEqual(
      same.steps.map(({ id }) => id),
      ['a1', null, 's1', 'k1', 't1'],
    );
    assert.deepEqual(
      problems({
        sites: ['acme,store-1,America/Denver,south'],
        assets: ['acme,store-1,front,LOCK,DX 200,', 'acme,store-1,front,DOOR,DX 200,SN-1'],
        technicians: ['tom,doors,south'],
      }),
      [
        ['sites.csv', 2, 'time_zone', 'differs'],
        ['assets.csv', 2, 'kind', 'differs'],
        ['assets.csv', 3, 'serial', 'differs'],
        ['technicians.csv', 2, 'skills', 'differs'],
      ].map((line) => (line[1] === 3 ? ['assets.csv', 3, 'asset', 'duplicate'] : line)),
    );
  });

  test('ten thousand lines, each once', () => {
    const lines = Array.from({ length: 10_000 }, (_, n) => `acme,store-${n + 2},America/Chicago,t-${n % 7}`);
    const good = plan({ sites: lines });
    assert.equal(good.steps.length, 10_000);
    assert.equal(new Set(good.steps.map(({ key }) => key)).size, 10_000);
    const bad = plan({
      sites: lines.map((line, n) => (n % 100 === 0 ? line.replace('acme', 'acne') : line)),
    });
    assert.equal(bad.problems.length, 100);
    assert.ok(bad.problems.every(({ code, column }) => code === 'unknown_account' && column === 'account'));
  });

  test('a problem never holds the value that is wrong', () => {
    verifies('T5.2');
    fc.assert(
      fc.property(fc.string({ minLength: 12, maxLength: 40, unit: 'grapheme-ascii' }), (word) => {
        const cell = `"${word.replaceAll('"', '""')}"`;
        const found = plan({
          accounts: [cell],
          sites: [`${cell},${cell},${cell},${cell}`],
          technicians: [`${cell},${cell},${cell}`],
        }).problems;
        assert.ok(!JSON.stringify(found).includes(JSON.stringify(word).slice(1, -1)));
      }),
    );
  });
});

describe('a run', () => {
  const files = {
    accounts: ['new'],
    sites: ['new,store-1,America/Chicago,south', 'acme,store-2,America/Chicago,south'],
    assets: ['new,store-1,front,DOOR,,', 'acme,store-1,front,DOOR,DX 200,'],
  };

  test('sends what is not there, with the ids of what is, under keys that the next run has too', async () => {
    const sent: [string, object, string][] = [];
    const once = plan(files);
    const done = await runImport(once, {
      onStep: () => undefined,
      send: async (command, body, key) => {
        sent.push([command, body, key]);
        return { result: { [`${command.split('.')[0]}_id`]: `made-${sent.length}` } };
      },
    });
    assert.deepEqual([done.made, done.found], [4, 1]);
    assert.deepEqual(
      sent.map(([command, body]) => [command, body]),
      [
        ['account.create', { slug: 'new' }],
        [
          'site.create',
          { account_id: 'made-1', slug: 'store-1', time_zone: 'America/Chicago', territory: 'south' },
        ],
        [
          'site.create',
          { account_id: 'a1', slug: 'store-2', time_zone: 'America/Chicago', territory: 'south' },
        ],
        ['asset.create', { site_id: 'made-2', kind: 'DOOR', slug: 'front' }],
      ],
    );
    assert.deepEqual(
      plan(files).steps.map(({ key }) => key),
      once.steps.map(({ key }) => key),
    );
    const other = plan({ ...files, accounts: ['newer', 'new'] }).steps;
    assert.ok(
      !other.some(({ key, kind }) => kind === 'accounts' && once.steps.some((step) => step.key === key)),
    );
  });

  test('ends at a refusal, names its line, and sends nothing after it', async () => {
    let count = 0;
    const run = runImport(plan(files), {
      onStep: () => undefined,
      send: async () => {
        count += 1;
        if (count < 3) return { result: { account_id: 'x', site_id: 'y' } };
        return { result: {} };
      },
    });
    await assert.rejects(run, (error) => error instanceof LineRefused && error.step.line === 3);
    assert.equal(count, 3);
  });
});
