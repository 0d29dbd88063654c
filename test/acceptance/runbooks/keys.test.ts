import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { callAs } from '../../../apps/cli/src/commands/call.ts';
import { type RunFile, readRunFile } from '../../../apps/cli/src/run-file.ts';
import { verifies } from '../../requirements.ts';
import { followRunbook, readRunbook } from '../../support/runbook.ts';
import { freePortBase, type System, startSystem } from '../../support/system.ts';
import { sendText } from '../survival/senders.ts';

/** The runbooks of keys, followed to the letter on a system that works meanwhile. */
const PAUSE_MS = 400;
const TEXT_EVERY = 5;
const [RUNS, RUNS_NOT] = ['While it runs', 'When nothing runs'];

let stateDir: string;
let portBase: number;
let system: System;

before(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'deadlatch-runbooks-'));
  portBase = await freePortBase();
  system = await startSystem({ stateDir, portBase });
});
after(async () => {
  await system?.stop();
  await rm(stateDir, { recursive: true, force: true });
});

const lose = (service: string) => rm(join(stateDir, 'keys', service, 'signing.pem'));

async function opensTicket(run: RunFile): Promise<void> {
  const body = JSON.stringify({ site_id: run.site_id });
  const input = { name: 'ticket.create', targetId: undefined, body, key: randomUUID() };
  await callAs(run, 'dana-dispatcher', input);
}

interface Use<T> {
  readonly done: T;
  readonly commands: number;
  readonly failures: readonly string[];
}

/** A dispatcher who opens tickets, and a customer who writes, until `work` is done. */
async function whileUsed<T>(work: () => Promise<T>): Promise<Use<T>> {
  const run = await readRunFile(stateDir);
  const failures: string[] = [];
  let isOver = false;
  let commands = 0;
  const using = (async () => {
    for (; !isOver; commands += 1) {
      await opensTicket(run).catch((error) => failures.push(inspect(error, { depth: 4 })));
      if (commands % TEXT_EVERY === 0)
        await sendText(run, 'maria-manager', 'front door will not lock', false);
      await sleep(PAUSE_MS);
    }
  })();
  try {
    return { done: await work(), commands, failures };
  } finally {
    isOver = true;
    await using;
  }
}

/** What services logged since then about somebody who was not believed, or keys that could not be read. */
async function troubleSince(startMs: number): Promise<readonly string[]> {
  const folder = join(stateDir, 'logs');
  const texts = await Promise.all(
    (await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')),
  );
  return texts
    .flatMap((text) => text.split('\n'))
    .filter((line) => /"unauthenticated"|"keys_unreadable"|keys\.file_not_taken/.test(line))
    .filter((line) => Date.parse(JSON.parse(line).time) >= startMs);
}

describe('the runbooks of keys', () => {
  test('rotating every key refuses nobody', async () => {
    verifies('T4.2');
    const runbook = await readRunbook('rotating-everything');
    const startedMs = Date.now();
    const { done: values, commands, failures } = await whileUsed(() => followRunbook(runbook, { stateDir }));
    assert.ok(commands > 20, `${commands} commands are no load`);
    assert.deepEqual(failures, []);
    assert.deepEqual(await troubleSince(startedMs), []);
    assert.notEqual(values['grant-key'], values['old-grant-key']);
  });

  test('a lost key is replaced while the system works', async () => {
    verifies('T4.2');
    const runbook = await readRunbook('lost-key');
    assert.deepEqual(runbook.sections, [RUNS, RUNS_NOT]);
    await lose('web');
    const { failures } = await whileUsed(() => followRunbook(runbook, { stateDir, sections: [RUNS] }));
    assert.deepEqual(failures, []);
  });

  test('a stolen key is revoked, and its service comes back with another', async () => {
    verifies('T4.2');
    await followRunbook(await readRunbook('revoked-service'), { stateDir });
    // By then every receiver has the new key.
    await sleep(30_000);
    const startedMs = Date.now();
    const run = await readRunFile(stateDir);
    await sendText(run, 'maria-manager', 'the lock is broken', false);
    await turnFinished(startedMs);
    assert.deepEqual(await troubleSince(startedMs), []);
  });

  test('a key that is lost when nothing runs is made anew before the next start', async () => {
    assert.equal(await system.stop(), 0);
    await lose('worker');
    await followRunbook(await readRunbook('lost-key'), { stateDir, sections: [RUNS_NOT] });
    system = await startSystem({ stateDir, portBase });
    const startedMs = Date.now();
    await sendText(await readRunFile(stateDir), 'maria-manager', 'the lock is broken again', false);
    await turnFinished(startedMs);
  });
});

/** The agent has played a turn: worker, agent, bridge, identity and authority believed each other. */
async function turnFinished(startMs: number): Promise<void> {
  for (const until = Date.now() + 20_000; Date.now() < until; await sleep(250)) {
    const lines = (await readFile(join(stateDir, 'logs', 'agent.log'), 'utf8')).split('\n');
    const finished = lines.filter((line) => line.includes('"turn.finished"')).map((line) => JSON.parse(line));
    if (finished.some(({ time, steps }) => Date.parse(time) >= startMs && steps > 0)) return;
  }
  assert.fail('no turn was played');
}
