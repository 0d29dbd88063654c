import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TEXT_RULES, textProblems } from './text-rules.ts';

/** Built from pieces, so that this file passes the check that it tests. */
const glue = (...pieces: string[]) => pieces.join('');

const BAD: readonly (readonly [string, string, string])[] = [
  ['registry-host', 'package-lock.json', glue('"resolved": "https://regis', 'try.example.org/x.tgz"')],
  ['registry-host', 'README.md', glue('see npm', 'js.com')],
  ['machine-path', 'docs/a.md', glue('cd /ho', 'me/alice/deadlatch')],
  ['machine-path', 'tools/a.ts', glue("const dir = '/tm", "p/state';")],
  ['untracked-work', 'tools/a.ts', glue('// TO', 'DO: later')],
  ['untracked-work', 'sql/a.sql', glue('-- FIX', 'ME')],
  ['unknown-document', 'packages/http/src/a.ts', glue(' * @source 0', '2-identity-and-signing, T4.4')],
  ['merge-conflict', 'a.json', glue('<<<<', '<<< HEAD')],
  ['focused-or-skipped-test', 'a.test.ts', glue('it.on', "ly('x', () => {});")],
  ['silenced-compiler', 'a.ts', glue('// @ts-', 'ignore')],
];

const GOOD: readonly (readonly [string, string])[] = [
  ['tools/a.ts', glue('// TO', 'DO(#12): a fixed-width form')],
  ['tools/a.ts', "const path = '/v1/tickets'; const route = '/work-orders';"],
  ['docs/a.md', 'The state directory is `.deadlatch/`.'],
  ['a.ts', 'describe.each; it("only", () => {});'],
];

describe('textProblems', () => {
  for (const [rule, path, text] of BAD) {
    it(`finds ${rule} in ${path}`, () => {
      assert.deepEqual(textProblems(path, `fine\n${text}\nfine`), [`${path}:2: ${rule}`]);
    });
  }

  it('has a case for every rule', () => {
    const covered = new Set(BAD.map(([rule]) => rule));
    assert.deepEqual(
      TEXT_RULES.filter((rule) => !covered.has(rule.name)),
      [],
    );
  });

  it('leaves alone what only looks like it', () => {
    for (const [path, text] of GOOD) assert.deepEqual(textProblems(path, text), []);
  });

  it('wants a reason for a long file, a meaning for its name, and kebab-case', () => {
    const long = 'const x = 1;\n'.repeat(401);
    assert.match(textProblems('a.ts', long).join(), /long-file/);
    assert.deepEqual(textProblems('a.ts', `// Longer than 400 lines because it is a table.\n${long}`), []);
    assert.match(textProblems('apps/web/src/utils.ts', '').join(), /empty-name/);
    assert.match(textProblems('apps/web/src/key-manager.ts', '').join(), /empty-name/);
    assert.match(textProblems('apps/web/src/someThing.ts', '').join(), /file-name/);
    assert.deepEqual(textProblems('apps/web/src/relay.sql.ts', ''), []);
  });
});
