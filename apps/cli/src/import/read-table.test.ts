import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { verifies } from '../../../../test/requirements.ts';
import { FILE_KINDS, type FileKind, type FileLine, KINDS } from './kinds.ts';
import { MAX_LINES, readTable } from './read-table.ts';
import { writeTable } from './write-table.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const HEADER = 'account,site,time_zone,territory';
const read = (text: string | Uint8Array, name = 'sites.csv') =>
  readTable(`/somewhere/${name}`, typeof text === 'string' ? bytes(text) : text);
const codes = (text: string | Uint8Array, name?: string) =>
  read(text, name).problems.map(({ line, code }) => [line, code]);

describe('a file', () => {
  test('is read with its lines, in any order of columns, with or without a byte order mark', () => {
    const plain = `${HEADER}\nacme,store-1,America/Chicago,south\r\n\n"acme",store-2,"America/Chicago",north\n`;
    for (const text of [plain, `\uFEFF${plain}`]) {
      const { table, problems } = read(text);
      assert.deepEqual(problems, []);
      assert.deepEqual(
        table?.lines.map(({ line, cells }) => [line, cells.get('site'), cells.get('territory')]),
        [
          [2, 'store-1', 'south'],
          [4, 'store-2', 'north'],
        ],
      );
    }
    const turned = read('site,territory,account,time_zone\nstore-1,south,acme,America/Chicago\n');
    assert.equal(turned.table?.lines[0]?.cells.get('account'), 'acme');
  });

  test('that is none is named as a whole, with where it breaks', () => {
    verifies('I.4');
    assert.deepEqual(codes(`${HEADER}\n`, 'people.csv'), [[null, 'unknown_file']]);
    assert.deepEqual(codes('', 'sites.csv'), [[null, 'empty_file']]);
    assert.deepEqual(codes('\uFEFF\n\n'), [[null, 'empty_file']]);
    assert.deepEqual(codes(Buffer.from(`${HEADER}\n`, 'utf16le')), [[null, 'not_utf8']]);
    assert.deepEqual(codes(Buffer.from([0xff, 0xfe, 0x61, 0x00])), [[null, 'not_utf8']]);
    assert.deepEqual(
      codes(Buffer.concat([bytes(`${HEADER}\nM`), Buffer.from([0xfc]), bytes('ller,a,b,c')])),
      [[null, 'not_utf8']],
    );
    assert.deepEqual(codes(`${HEADER}\na\u0000,b,c,d\n`), [[null, 'not_utf8']]);
    assert.deepEqual(codes(new Uint8Array(20_000_001)), [[null, 'too_large']]);
    assert.equal(codes(`${HEADER}\na,"b,c,d\n`)[0]?.[1], 'malformed_csv');
    assert.equal(codes(`${HEADER}\na,b"b,c,d\n`)[0]?.[1], 'malformed_csv');
    assert.equal(codes(`${HEADER}\n${'a'.repeat(20_000)},b,c,d\n`)[0]?.[1], 'malformed_csv');
    assert.deepEqual(codes(`account\n${'a\n'.repeat(MAX_LINES + 1)}`, 'accounts.csv'), [[null, 'too_large']]);
    for (const header of [
      'account,site,time_zone',
      `${HEADER},phone`,
      'account,site,time_zone,time_zone',
      'Account,Site,Time_zone,Territory',
      'acme,store-1,America/Chicago,south',
    ]) {
      assert.deepEqual(codes(`${header}\n`), [[1, 'wrong_header']], header);
    }
  });

  test('with a line of another length goes on with the others', () => {
    const { table, problems } = read(`${HEADER}\na,b\na,b,c,d\na,b,c,d,e\n`);
    assert.deepEqual(
      problems.map(({ line, code }) => [line, code]),
      [
        [2, 'wrong_cells'],
        [4, 'wrong_cells'],
      ],
    );
    assert.deepEqual(
      table?.lines.map(({ line }) => line),
      [3],
    );
  });

  test('of noise is refused or read, and never anything else', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.string({ maxLength: 300, unit: 'binary' }),
        (raw, text) => {
          for (const [at, data] of [raw, bytes(text), bytes(`${HEADER}\n${text}`)].entries()) {
            const { table, problems } = read(data);
            assert.ok(table !== null || problems.length > 0);
            for (const { line } of table?.lines ?? []) assert.ok(line > 0, String(at));
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  test('has the hash of its bytes', () => {
    const one = read(`${HEADER}\na,b,c,d\n`).table?.hash;
    assert.match(one ?? '', /^[0-9a-f]{64}$/);
    assert.equal(read(`${HEADER}\na,b,c,d\n`).table?.hash, one);
    assert.notEqual(read(`${HEADER}\na,b,c,e\n`).table?.hash, one);
  });
});

describe('what is exported', () => {
  /** Anything that fits into a line. */
  const ROW = fc
    .string({ maxLength: 20, unit: 'grapheme' })
    .map((text) => text.replaceAll(/\p{Cc}/gu, '').trim());

  test('is read back the same, whatever is in it, and nothing of it is a formula', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...KINDS),
        fc.array(fc.array(ROW, { minLength: 7, maxLength: 7 }), { maxLength: 10 }),
        (kind: FileKind, rows) => {
          const { columns } = FILE_KINDS[kind];
          const lines: FileLine[] = rows.map((row, at) => ({
            id: String(at),
            cells: Object.fromEntries(columns.map((column, n) => [column, `x${row[n] ?? ''}`.trim()])),
          }));
          const { table, problems } = read(writeTable(columns, lines), `${kind}.csv`);
          assert.deepEqual(problems, []);
          const key = (cells: Readonly<Record<string, string>>) =>
            columns.map((c) => cells[c]).join('\u0001');
          assert.deepEqual(
            table?.lines.map((line) => key(Object.fromEntries(line.cells))).sort(),
            lines.map((line) => key(line.cells)).sort(),
          );
        },
      ),
    );
  });

  test('begins no cell like a formula', () => {
    verifies('T5.6');
    for (const evil of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '=HYPERLINK("http://x","y")']) {
      const text = writeTable(['account'], [{ id: '1', cells: { account: evil } }]);
      const [, line = ''] = text.split('\r\n');
      assert.match(line, /^"?'/, evil);
    }
  });
});
