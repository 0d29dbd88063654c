import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { followRunbook, matchLines, parseRunbook } from './runbook.ts';

const page = (...lines: string[]) => parseRunbook('page.md', lines.join('\n'));
const NOWHERE = '/nonexistent/deadlatch';

describe('a runbook', () => {
  it('is the commands of its console blocks, with what they print and how they end', () => {
    const { steps, sections } = page(
      '# Page',
      '```console',
      '$ deadlatch keys list',
      'web … <old>',
      '$ deadlatch call ticket.get \\',
      "    --as 'some body'",
      'no',
      '(exit 3)',
      '```',
      '```sh',
      '$ rm -rf /',
      '```',
      '## After',
      '```console',
      '$ deadlatch help',
      '```',
    );
    assert.deepEqual(
      steps.map(({ line, section, command, expected, exitCode }) => [
        line,
        section,
        command,
        expected,
        exitCode,
      ]),
      [
        [3, 'Page', 'deadlatch keys list', ['web … <old>'], 0],
        [5, 'Page', "deadlatch call ticket.get --as 'some body'", ['no'], 3],
        [15, 'After', 'deadlatch help', [], 0],
      ],
    );
    assert.deepEqual(sections, ['Page', 'After']);
  });

  it('without commands, with those of others, or cut off is none', () => {
    assert.throws(() => page('# Page'), /no commands/);
    assert.throws(() => page('```console', '$ rm -rf /', '```'), /not ours/);
    assert.throws(() => page('```console', 'deadlatch help', '```'), /begins with a command/);
    assert.throws(() => page('```console', '$ deadlatch help'), /not closed/);
  });
});

describe('what a command prints', () => {
  const values = () => new Map<string, string>();

  it('is the expected lines, with any spaces, and nothing else', () => {
    assert.ok(matchLines(['a  b'], ['a b'], values()));
    for (const lines of [[], ['a b', 'c'], ['a bc'], ['xa b'], ['ab']])
      assert.ok(!matchLines(['a  b'], lines, values()), lines.join('|'));
    assert.ok(!matchLines(['a.c'], ['abc'], values()));
  });

  it('may be anything where the page says so', () => {
    assert.ok(matchLines(['a … z'], ['a b c z'], values()));
    assert.ok(!matchLines(['a … z'], ['a b c'], values()));
    assert.ok(matchLines(['…', 'b', '…'], ['a', 'b', 'c', 'd'], values()));
    assert.ok(matchLines(['…'], [], values()));
    assert.ok(!matchLines(['…', 'b'], ['a', 'c'], values()));
  });

  it('gives names, which stand for the same from then on', () => {
    const known = values();
    assert.ok(matchLines(['…', 'web <old-key> <old-key>'], ['a', 'web k1 k2', 'web k3 k3'], known) === true);
    assert.deepEqual([...known], [['old-key', 'k3']]);
    assert.ok(!matchLines(['<old-key>'], ['k4'], known));
    assert.ok(matchLines(['is <old-key>.'], ['is k3.'], known));
    assert.ok(matchLines(['now <new-key>; …'], ['now k5; k3 goes'], known));
    assert.equal(known.get('new-key'), 'k5');
    const untouched = values();
    assert.ok(!matchLines(['<a>', 'b'], ['x', 'c'], untouched));
    assert.equal(untouched.size, 0);
  });
});

describe('following', () => {
  const follow = (...lines: string[]) =>
    followRunbook(page('```console', ...lines, '```'), { stateDir: NOWHERE });

  it('does what the page says', async () => {
    await follow('$ deadlatch keys list', 'deadlatch: There are no keys in …', '(exit 1)');
  });

  it('ends at the first command that does something else, naming its line', async () => {
    await assert.rejects(follow('$ deadlatch help', '$ deadlatch keys list'), /page\.md:3: .*\nends with 1/);
    await assert.rejects(follow('$ deadlatch fly', 'deadlatch: it flies', '(exit 2)'), /does not print/);
    await assert.rejects(follow('$ deadlatch keys revoke <key>'), /nothing said what <key> is/);
  });

  it('knows its headings', async () => {
    const runbook = page('# Page', '```console', '$ deadlatch help', '```');
    const options = { stateDir: NOWHERE, sections: ['Elsewhere'] };
    await assert.rejects(followRunbook(runbook, options), /no commands under "Elsewhere"/);
  });
});
