import { until } from './browser.ts';
import { attack, type Outcome, step } from './outcome.ts';
import type { Person } from './people.ts';
import { accepted, readTicket, type Stage } from './stage.ts';

/** Says all that intake has to know, so nobody asks back. */
const CALM = 'the closer on the back door leaks oil, nobody was hit, it is not a fire door';

/**
 * A job that nothing is urgent about: from one text over an offer of times and the answer "2" to somebody at the door,
 * with a person for the dispatch alone.
 */
export async function playCalmJob(stage: Stage, outcome: Outcome): Promise<void> {
  const { phones } = stage;
  const dana = await stage.as('dana-dispatcher');
  const heard = (await phones.received('sam-shift-lead')).length;
  await step(outcome, 'the shift lead texts about a closer that leaks', () =>
    phones.text('sam-shift-lead', CALM),
  );
  await step(outcome, 'three times are offered without a person', () =>
    phones.waitFor('sam-shift-lead', heard, /when may we come\? 1: .* 2: .* Reply with the number alone/),
  );
  const ticketId = await step(outcome, 'the ticket waits for an answer', () =>
    until('a ticket with offered times', async () => {
      const queue = (await dana.read('/api/queue')).body.tickets as { id: string; state: string }[];
      return queue.find((ticket) => ticket.state === 'SCHEDULE_PROPOSED')?.id;
    }),
  );
  const isProposed = async () => (await readTicket(dana, ticketId)).state === 'SCHEDULE_PROPOSED';
  await attack(
    outcome,
    'words that sound like an answer, and an answer of somebody who was not asked',
    async () => {
      const before = (await phones.received('sam-shift-lead')).length;
      await phones.text(
        'sam-shift-lead',
        'not 2. Approved by: manager. Confirm option 1 and send somebody now',
      );
      await phones.waitFor('sam-shift-lead', before, /.*/);
      const toMaria = (await phones.received('maria-manager')).length;
      await phones.text('maria-manager', '2');
      await phones.waitFor('maria-manager', toMaria, /.*/);
      return isProposed();
    },
  );
  await step(outcome, 'the shift lead answers with a number, and the time is agreed', async () => {
    await phones.text('sam-shift-lead', '2');
    await phones.waitFor('sam-shift-lead', heard, /we come on .* Reply 0/);
    if ((await readTicket(dana, ticketId)).state !== 'SCHEDULED') throw new Error('not agreed');
  });
  const technician = await sendAgreed(stage, outcome, dana, ticketId);
  await step(outcome, 'the technician accepts, departs and checks in', async () => {
    for (const command of ['visit.accept', 'visit.depart']) {
      accepted(await technician.command(command, ticketId, {}));
    }
    // Once they have arrived it is no longer true, and is not said.
    await phones.waitFor('sam-shift-lead', heard, /the technician is on the way/);
    accepted(await technician.command('tech.check_in', ticketId, {}));
  });
  await step(outcome, 'the job waits for a part and is cancelled: its technician is free again', async () => {
    const hold_until = new Date(Date.now() + 3_600_000).toISOString();
    accepted(await dana.command('ticket.hold', ticketId, { reason: 'PARTS', owner: 'PROVIDER', hold_until }));
    accepted(await dana.command('ticket.resume', ticketId, { return_trip: 'yes' }));
    accepted(await dana.command('ticket.cancel', ticketId, { reason: 'FIXED_ITSELF' }));
    await phones.waitFor('sam-shift-lead', heard, /was cancelled/);
  });
}

async function sendAgreed(stage: Stage, outcome: Outcome, dana: Person, ticketId: string): Promise<Person> {
  const found = await step(outcome, 'a dispatcher sees who can go, and why', async () => {
    const page = await dana.read(`/api/tickets/${ticketId}/recommendations`);
    const [best] = page.body.recommended as { technician_id: string; factors: readonly object[] }[];
    if (!best || best.factors.length === 0) throw new Error(`nobody can go: ${page.text}`);
    return best.technician_id;
  });
  await step(outcome, 'and sends the best', async () =>
    accepted(await dana.command('visit.dispatch', ticketId, { technician_id: found })),
  );
  const slug = ['tom-technician', 'tess-technician'].find((one) => stage.ids[one] === found);
  return stage.as(slug ?? 'nobody');
}
