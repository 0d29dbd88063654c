import { until } from './browser.ts';
import { attack, type Outcome } from './outcome.ts';
import { readTicket, type Stage } from './stage.ts';

/**
 * Sends every accepted command again under its old key: on the same ticket it must answer as it did and change
 * nothing; on another ticket it must never answer with the first one's (mistake 1 of comparable systems).
 */
export async function replayEverything(play: {
  readonly stage: Stage;
  readonly outcome: Outcome;
  readonly ticketId: string;
}): Promise<void> {
  const { stage, outcome, ticketId } = play;
  const dana = await stage.as('dana-dispatcher');
  const ours = stage.sent.filter((sent) => sent.targetId === ticketId && sent.seen.status === 200);
  const before = await readTicket(dana, ticketId);
  const other = await otherTicket(stage, ticketId);
  const otherBefore = await settled(() => readTicket(dana, other));

  await attack(outcome, `${ours.length} used keys sent again on the same ticket`, async () => {
    for (const { person, command, targetId, input, key, seen } of ours) {
      const again = await person.command(command, targetId, input, key);
      const isSame = again.seen.body.event_id === seen.body.event_id && again.seen.body.replayed === true;
      // A technician whose visit is over, say, is no longer let in at all: also nothing happened.
      if (!(again.seen.status >= 400 || isSame)) return false;
    }
    return (await readTicket(dana, ticketId)).version === before.version;
  });
  await attack(outcome, `${ours.length} used keys sent again on another ticket`, async () => {
    for (const { person, command, input, key, seen } of ours) {
      const again = await person.command(command, other, input, key);
      if (again.seen.status === 200) {
        const same = again.seen.body.event_id === seen.body.event_id;
        throw new Error(
          `${command} was accepted${same ? " with the first ticket's answer" : ''}: ${again.seen.text}`,
        );
      }
    }
    return (await readTicket(dana, other)).version === otherBefore.version;
  });
}

/** The agent may still be at work on it; the row that two looks agree on is one that nobody is changing. */
async function settled<T extends { readonly version: number }>(look: () => Promise<T>): Promise<T> {
  return until('a ticket nobody is working on', async () => {
    const first = await look();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const second = await look();
    return second.version === first.version ? second : undefined;
  });
}

async function otherTicket(stage: Stage, ticketId: string): Promise<string> {
  const dana = await stage.as('dana-dispatcher');
  const seen = await dana.read('/api/queue');
  const found = (seen.body.tickets as { id: string }[]).find((t) => t.id !== ticketId);
  if (!found) throw new Error('there is no other ticket');
  return found.id;
}
