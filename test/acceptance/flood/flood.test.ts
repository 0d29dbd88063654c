import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { RATES } from '@deadlatch/http';
import { type Flooded, type Played, playFlood } from '../../flood/play-flood.ts';
import { verifies } from '../../requirements.ts';
import { freePortBase, type System, startSystem } from '../../support/system.ts';

/** A small flood of each kind against a whole system: what it leaves is bounded by time, not by its size. */
const COUNT = 3_000;
/** Written one by one of each kind in a minute, and one that counts the others. */
const EVENTS_A_MINUTE = 61;
/** Services that refuse strangers on behalf of somebody else, and the codes they do it with: counted generously. */
const KINDS = 10;

let system: System;
let stateDir: string;
let played: Played;

before(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'deadlatch-flood-'));
  system = await startSystem({ stateDir, portBase: await freePortBase() });
  played = await playFlood(stateDir, {
    requests: COUNT,
    texts: COUNT,
    requestsPerSecond: 1_000,
    textsPerSecond: 300,
    calmMs: 1_000,
    pace: { commandEveryMs: 100, textEveryMs: 1_000 },
  });
});
after(async () => {
  await system?.stop();
  await rm(stateDir, { recursive: true, force: true });
});

function assertNobodyNoticed({ met, growth }: Flooded): void {
  assert.ok(met.commandsMs.length > 5, 'somebody worked meanwhile');
  assert.deepEqual(met.refused, []);
  assert.ok(met.texts > 1, 'somebody on file wrote meanwhile');
  assert.equal(growth.mariasMessages, met.texts, 'every text of somebody on file is there once');
}

function assertLittleIsWritten({ growth, seconds }: Flooded): void {
  const minutes = Math.ceil(seconds / 60) + 1;
  assert.ok(growth.refusedEvents <= minutes * EVENTS_A_MINUTE * KINDS, `${growth.refusedEvents} events`);
  // Two hundred lines in ten seconds, of each of some twenty that nine services could say, of some 300 bytes.
  assert.ok(growth.logBytes < (seconds / 10 + 2) * 200 * 20 * 300, `${growth.logBytes} bytes of log`);
}

describe('a flood of requests that are refused', () => {
  test('is answered with refusals alone and leaves a bounded trail', () => {
    verifies('R.6', 'F.6');
    const { outcomes, growth } = played.refusals;
    const codes = Object.keys(outcomes);
    assert.deepEqual(
      codes.filter((code) => !['401', '403', '404', '429', '503'].includes(code)),
      [],
    );
    assert.ok((outcomes['429'] ?? 0) > 0, 'guesses are cut off');
    assertLittleIsWritten(played.refusals);
    assert.equal(growth.strangersMessages, 0);
  });

  test('refuses nothing to a signed-in person and loses no text of a contact', () => {
    verifies('R.6', 'R.5');
    assertNobodyNoticed(played.refusals);
  });
});

describe('a flood of texts of people whom nobody knows', () => {
  test('is taken over from the carrier, and kept up to its rate', () => {
    verifies('R.6', 'T1.8');
    const { outcomes, growth, seconds } = played.strangers;
    assert.deepEqual(outcomes, { '200': COUNT });
    const { burst, perSecond } = RATES.allStrangersTexts;
    const most = burst + (seconds + 10) * perSecond;
    assert.ok(growth.strangersMessages <= most, `${growth.strangersMessages} messages`);
    assert.ok(growth.strangersMessages > 0, 'strangers are heard');
    const { 'vault.texts': texts = 0, 'dispatch.reports': reports = 0 } = growth.rows;
    assert.ok(texts <= most + growth.mariasMessages + 5, `${texts} texts`);
    assert.ok(reports <= growth.strangersMessages);
    for (const table of ['dispatch.turns', 'dispatch.outbox', 'context.entries', 'dispatch.tasks']) {
      assert.ok((growth.rows[table] ?? 0) <= 5 * growth.mariasMessages + 5, `${table} grew for strangers`);
    }
    assert.ok(growth.inboxFiles <= 2 * most, `${growth.inboxFiles} files`);
    assertLittleIsWritten(played.strangers);
  });

  test('refuses nothing to a signed-in person and loses no text of a contact', () => {
    verifies('R.6', 'R.5');
    assertNobodyNoticed(played.strangers);
  });
});
