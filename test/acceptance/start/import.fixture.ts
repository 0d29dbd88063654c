import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { callAs } from '../../../apps/cli/src/commands/call.ts';
import type { RunFile } from '../../../apps/cli/src/run-file.ts';
import { verifies } from '../../requirements.ts';
import { codeIn, createPhones, openApproval } from '../../scenario/stage.ts';
import type { Ended } from './start.fixture.ts';

export interface ImportStage {
  /** For files of the test. */
  readonly folder: string;
  readonly stateDir: string;
  readonly run: RunFile;
  /** The command line at this installation. */
  readonly there: (...args: string[]) => Promise<Ended>;
}

/**
 * A file of contacts in a whole system: asked for at the command line, confirmed on identity's page with a mailed code,
 * and then recognised.
 */
export function describeImport(system: () => ImportStage): void {
  describe('deadlatch import', () => {
    const HEADER = 'account,contact,site,may_request,name,phone,email';
    const NUMBER = '+1 (512) 555-0199';
    const fileOf = async (lines: readonly string[]) => {
      const path = join(system().folder, 'contacts.csv');
      await writeFile(path, [HEADER, ...lines, ''].join('\n'));
      return path;
    };
    const imports = async (path: string, ...more: string[]) => {
      const ended = await system().there('import', path, '--as', 'dana-dispatcher', '--json', ...more);
      return {
        ...ended,
        json: ended.stdout === '' ? null : JSON.parse(ended.stdout.trim().split('\n').at(-1) ?? ''),
      };
    };

    test('puts contacts on file with one mailed code; somebody whom nobody knew is recognised and gets a ticket', async () => {
      verifies('T3.11', 'T3.6', 'T5.2', 'R.2');
      const phones = createPhones(system().run.simulator_url ?? '');
      const bad = await imports(
        await fileOf([
          `northside-stores,m-1,,yes,Nina Oxenham,${NUMBER},`,
          'northside-stores,m-2,,yes,Zebulon Quux,5,',
        ]),
      );
      assert.deepEqual(
        [bad.code, bad.json.problems],
        [1, [{ file: 'contacts.csv', line: 3, column: 'phone', code: 'form' }]],
      );
      assert.doesNotMatch(bad.stdout + bad.stderr, /Zebulon|Oxenham/);
      const path = await fileOf([
        `northside-stores,night-manager,store-114,yes,Nina Oxenham,${NUMBER},`,
        'northside-stores,day-manager,,no,Zebulon Quux,,zebulon@shop.example',
      ]);
      const admin = await system().there('import', path, '--as', 'adam-admin', '--json');
      assert.deepEqual(
        [admin.code, JSON.parse(admin.stdout)],
        [3, { done: 0, file: 'contacts.csv', line: 2, code: 'not_granted' }],
      );
      const asked = await imports(path);
      assert.equal(asked.code, 0, asked.stdout + asked.stderr);
      const [act] = asked.json.waiting;
      assert.deepEqual([act.account, act.contacts], ['northside-stores', 2]);
      // Given again, it is the same act: there is no other to wait for.
      const waiting = imports(path, '--wait');
      const mails = await phones.mails('dana-dispatcher');
      const visit = await openApproval(act.confirm_url);
      assert.match(visit.page.text, /Put 2 contacts on file/);
      assert.ok(visit.page.text.includes(act.action_digest));
      await visit.askForCode();
      const done = await visit.decide('APPROVE', codeIn(await phones.mail('dana-dispatcher', mails)));
      assert.match(done.text, /2 of 2 contacts have their number or address/);
      const ended = await waiting;
      assert.deepEqual(
        [ended.code, ended.json.waiting, ended.json.found],
        [0, [], 2],
        ended.stdout + ended.stderr,
      );
      const before = (await phones.received('stranger')).length;
      await phones.text('stranger', "front door won't lock, we close in an hour");
      const told = await phones.waitFor('stranger', before, /DL-[A-Z0-9]+/);
      const [reference] = /DL-[A-Z0-9]+/.exec(told.body) ?? [];
      const { tickets } = (await callAs(system().run, 'dana-dispatcher', {
        name: 'ticket.list',
        targetId: undefined,
        body: undefined,
        key: undefined,
      })) as unknown as { tickets: readonly { reference: string }[] };
      assert.ok(
        tickets.some((ticket) => ticket.reference === reference),
        told.body,
      );
      for (const name of await readdir(join(system().stateDir, 'logs'))) {
        const log = await readFile(join(system().stateDir, 'logs', name), 'utf8');
        assert.doesNotMatch(log, /Oxenham|Zebulon|555.{0,2}0199/i, name);
      }
      const verified = await system().there('audit', 'verify', '--json');
      assert.deepEqual(JSON.parse(verified.stdout).problems, []);
    });

    test('what is exported holds nobody; everybody at once is refused until there are passkeys', async () => {
      verifies('T5.5', 'T5.6');
      const directory = join(system().folder, 'out');
      const reveal = await system().there(
        'export',
        directory,
        '--as',
        'dana-dispatcher',
        '--reveal',
        '--json',
      );
      assert.deepEqual([reveal.code, JSON.parse(reveal.stdout).code], [3, 'assurance_required']);
      await assert.rejects(stat(directory));
      assert.equal((await system().there('export', directory, '--as', 'dana-dispatcher')).code, 0);
      const text = await readFile(join(directory, 'contacts.csv'), 'utf8');
      assert.match(text, /^northside-stores,night-manager,store-114,yes,0\r$/m);
      assert.doesNotMatch(text, /Oxenham|0199|@/);
      const again = await imports(join(directory, 'contacts.csv'));
      assert.deepEqual([again.code, again.json.problems[0].code], [1, 'no_values']);
    });
  });
}
