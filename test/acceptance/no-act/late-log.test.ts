import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readRunFile } from '../../../apps/cli/src/run-file.ts';
import { verifies } from '../../requirements.ts';
import { until } from '../../scenario/browser.ts';
import { createStage } from '../../scenario/create-stage.ts';
import {
  type ApprovalVisit,
  codeIn,
  linkIn,
  openApproval,
  readTicket,
  type Stage,
} from '../../scenario/stage.ts';
import { isServiceReady, kill, pidOf } from '../survival/casualties.ts';
import { addPhoto, sendOut, takeIn } from '../survival/load.ts';
import { sendText } from '../survival/senders.ts';
import { type Installation, startIdle } from './installation.fixture.ts';

/** After a minute a witness is late; a look at it is at most some seconds old. @source design 03 */
const LATE_MS = 60_000;
const LOOK_MS = 5_000;
const TIMELY_WITHIN_MS = 40_000;
const CHANGE_CENTS = 20_000;

let it: Installation;
let stage: Stage;

before(async () => {
  it = await startIdle();
  stage = createStage(it.run);
});
after(async () => it?.close());

describe('a log that nobody watches', { concurrency: false }, () => {
  test('the witness is frozen: acts of authority wait, everything else goes on', async () => {
    verifies('R.6', 'T3.4');
    const { people, run } = it;
    const ticketId = await sendOut(people, 'tom-technician', people.tom.client);
    const question = await ask(ticketId);
    const before = await readTicket(await stage.as('dana-dispatcher'), ticketId);
    await pause();
    const pid = pidOf(run, 'witness');
    await it.during(takeIn, async () => {
      process.kill(pid, 'SIGSTOP');
      try {
        await sleep(LATE_MS + LOOK_MS);
        await assertAuthorityWaits();
        const code = await question.code();
        const seen = await question.visit.decide('APPROVE', code);
        assert.equal(seen.status, 503, seen.text);
        const still = await readTicket(await stage.as('dana-dispatcher'), ticketId);
        assert.deepEqual(still, before, 'nothing of the approval happened');
        // A door that cannot be secured is seen to, by a technician on site.
        await sendOut(people, 'tess-technician', people.tess);
        await assertIntakeGoesOn();
      } finally {
        process.kill(pid, 'SIGCONT');
      }
      await untilTimely();
    });
    const decided = await question.visit.decide('APPROVE', await question.code());
    assert.equal(decided.status, 200, decided.text);
    const raised = await readTicket(await stage.as('dana-dispatcher'), ticketId);
    assert.equal(raised.nte_cents, before.nte_cents + CHANGE_CENTS);
    await it.settle();
  });

  test('the sequencer is stopped, then gone, its key with it: the log catches up when it is back', async () => {
    verifies('R.6', 'F.4', 'C.6');
    await pause();
    const key = join(it.run.services.sequencer?.key_dir ?? '', 'log.pem');
    await it.during(takeIn, async () => {
      const pid = pidOf(await readRunFile(it.stateDir), 'sequencer');
      const since = Date.now();
      process.kill(pid, 'SIGSTOP');
      await rename(key, `${key}.away`);
      try {
        await sleep(LATE_MS / 2);
        await it.untilAccepted();
        await assertIntakeGoesOn();
        kill(pid);
        await sleep(LATE_MS + LOOK_MS - (Date.now() - since));
        await assertAuthorityWaits();
        await it.untilAccepted();
        await assertIntakeGoesOn();
        assert.equal(await isServiceReady(it.run, 'sequencer'), false, 'without its key it signs nothing');
        assert.ok((await waitingEvents()) > 20, 'events wait for their place');
      } finally {
        await rename(`${key}.away`, key);
      }
      await untilTimely();
      await until('the log to catch up', async () => ((await waitingEvents()) < 20 ? true : undefined));
    });
    await it.settle();
  });
});

/** Agents are paused, so that there is something to be resumed: stopping is never an act of authority. */
async function pause(): Promise<void> {
  const paused = await it.attempt('dana-dispatcher', 'autonomy.pause', null, { scope: 'tenant' });
  assert.equal(paused.ok, true);
}

const resume = () => it.attempt('sue-supervisor', 'autonomy.resume', null, { scope: 'tenant' });

async function assertAuthorityWaits(): Promise<void> {
  assert.deepEqual(await resume(), { ok: false, code: 'unavailable', reason: 'witness_late' });
  await pause();
}

/** Resumes, as soon as that is accepted again. */
async function untilTimely(): Promise<void> {
  await until('acts of authority', async () => ((await resume()).ok ? true : undefined), TIMELY_WITHIN_MS);
}

async function assertIntakeGoesOn(): Promise<void> {
  await it.untilAccepted();
  assert.ok(await it.people.counter.read('dana-dispatcher', '/v1/tickets'));
  const text = await sendText(it.run, 'maria-manager', 'is anybody coming?', false);
  it.known.texts.push(text);
  await until('the text to be taken in', () =>
    it.asOperator(async ({ client }) => {
      const { rowCount } = await client.query('select from dispatch.messages where provider_id = $1', [
        text.sid,
      ]);
      return rowCount === 1 ? true : undefined;
    }),
  );
}

async function waitingEvents(): Promise<number> {
  return it.asOperator(async ({ client }) => {
    const { rows } = await client.query<{ n: number }>('select count(*)::int as n from audit.unsequenced');
    return rows[0]?.n ?? 0;
  });
}

/** The technician asks for money, and the approver opens the page. */
async function ask(ticketId: string): Promise<{ visit: ApprovalVisit; code: () => Promise<string> }> {
  const { phones } = stage;
  const heard = (await phones.received('alan-approver')).length;
  const { client, person } = it.people.tom;
  const photo = await addPhoto(client, person, ticketId, 'photo.change.found_condition');
  const asked = await client.send('tech.request_change', ticketId, {
    kind: 'NTE_INCREASE',
    lines: [{ kind: 'PART', quantity: 1, unit_cents: CHANGE_CENTS, incurred: 'no', part_number: 'LKB-200' }],
    photos: [photo.result.evidence_id],
    reason: { text: 'The lock body is cracked and has to be replaced.' },
  });
  assert.equal(asked.code, null);
  const text = await phones.waitFor('alan-approver', heard, /\/approve\//);
  const visit = await openApproval(linkIn(text.body));
  return {
    visit,
    code: async () => {
      const mails = await phones.mails('alan-approver');
      await visit.askForCode();
      return codeIn(await phones.mail('alan-approver', mails));
    },
  };
}
