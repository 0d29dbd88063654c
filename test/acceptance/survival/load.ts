import { setTimeout as sleep } from 'node:timers/promises';
import type { RunFile } from '../../../apps/cli/src/run-file.ts';
import { type Person, photo, sha256 } from '../../scenario/people.ts';
import {
  createPersistentClient,
  type Outage,
  type PersistentClient,
  type Settled,
} from './persistent-client.ts';
import { enterConsole, openCounter, sendText, type TakenText, throughConsole } from './senders.ts';

/** What everybody outside knows when the load is over. */
export interface Known {
  readonly settled: Settled[];
  readonly texts: TakenText[];
  /** Receipts, where the sender is the one that dispatch-api answers. */
  readonly receipts: string[];
  readonly outage: Outage;
}

/** A notebook in which nothing stands yet. */
export const knowNothing = (): Known => ({ settled: [], texts: [], receipts: [], outage: { lasts: false } });

/** The load is there to be cut off at any moment, not to exhaust the machine. */
const TEXT_PAUSE_MS = 3_000;

const TEXTS: Readonly<Record<string, readonly string[]>> = {
  'maria-manager': ["front door won't lock, we close in an hour", 'nobody is hurt', 'is anybody coming?'],
  'sam-shift-lead': ['the back door slams shut, the closer is leaking', 'we are open', 'how long?'],
  'alan-approver': ['what is this about?'],
  stranger: ['hello, who is this?'],
};

/** The people of the demo, each where they work. */
export async function enter(run: RunFile, known: Known) {
  const counter = openCounter(run, known.receipts);
  const direct = async (slug: string) => createPersistentClient(slug, await counter.enter(slug), known);
  const atConsole = async (slug: string) => {
    const person = await enterConsole(run, slug);
    return { person, client: createPersistentClient(slug, throughConsole(person), known) };
  };
  const [dana, tess] = [await direct('dana-dispatcher'), await direct('tess-technician')];
  const { client: danaAtConsole } = await atConsole('dana-dispatcher');
  return { run, counter, dana, danaAtConsole, tom: await atConsole('tom-technician'), tess };
}

export type People = Awaited<ReturnType<typeof enter>>;

/** What a door that cannot be secured must be shown as before work on it starts. */
const BEFORE_WORK = ['photo.before.site_overview', 'photo.before.opening', 'photo.before.failed_lock'];

/** Work for two technicians, made before anything dies: a ticket each, in progress. */
export async function prepare(run: RunFile, known: Known) {
  const people = await enter(run, known);
  const { tom, tess } = people;
  const tomsTicket = await sendOut(people, 'tom-technician', tom.client);
  const tesssTicket = await sendOut(people, 'tess-technician', tess);
  for (const key of BEFORE_WORK) {
    await addPhoto(tom.client, tom.person, tomsTicket, key);
  }
  must(await tom.client.send('tech.start', tomsTicket, {}));
  return { ...people, tomsTicket, tesssTicket };
}

/** A door that cannot be secured: somebody is sent at once, and is there. @returns the ticket */
export async function sendOut(
  { run, dana }: Pick<People, 'run' | 'dana'>,
  slug: string,
  technician: PersistentClient,
): Promise<string> {
  const ticketId = await newTicket(dana, run, 'DOOR_CANNOT_SECURE');
  const order = { technician_id: run.subjects[slug]?.id ?? '', reason: 'CANNOT_SECURE' };
  must(await dana.send('visit.dispatch_emergency', ticketId, order));
  must(await technician.send('visit.accept', ticketId, {}));
  must(await technician.send('tech.check_in', ticketId, {}));
  return ticketId;
}

export type Crew = Awaited<ReturnType<typeof prepare>>;

/** Everybody at work at once until told to stop; resolves when each has an answer to the last thing they sent. */
export async function work(crew: Crew, stop: AbortSignal): Promise<void> {
  const { tom, tess, tomsTicket, tesssTicket } = crew;
  await Promise.all([
    takeIn(crew, stop),
    repeatUntil(stop, 150, (round) => record(tom.client, tomsTicket, round)),
    repeatUntil(stop, 100, (round) => record(tess, tesssTicket, round)),
    repeatUntil(stop, 900, () =>
      addPhoto(tom.client, tom.person, tomsTicket, 'photo.change.found_condition'),
    ),
  ]);
}

/** The dispatcher at work, likewise. */
export async function takeIn(people: People, stop: AbortSignal): Promise<void> {
  const { run, dana, danaAtConsole } = people;
  await Promise.all([
    repeatUntil(stop, 300, (round) => openAndCancel(dana, run, round)),
    // Words pass through the vault on their way.
    repeatUntil(stop, 900, (round) => openAndCancel(danaAtConsole, run, round, 'The latch sticks.')),
  ]);
}

/** Texts from several phones, likewise. */
export async function text(run: RunFile, known: Known, stop: AbortSignal): Promise<void> {
  await Promise.all(
    Object.entries(TEXTS).map(([slug, texts]) =>
      repeatUntil(stop, TEXT_PAUSE_MS, async (round) => {
        const body = `${texts[round % texts.length]} (${round})`;
        known.texts.push(await sendText(run, slug, body, round % 3 === 1));
      }),
    ),
  );
}

async function repeatUntil(
  stop: AbortSignal,
  pauseMs: number,
  once: (round: number) => Promise<unknown>,
): Promise<void> {
  for (let round = 0; !stop.aborted; round += 1) {
    await once(round);
    await sleep(pauseMs * (0.5 + Math.random()), undefined, { signal: stop }).catch(() => undefined);
  }
}

/** Each value is drawn, so that a record that was kept twice or under another key shows. */
function record(client: PersistentClient, ticketId: string, round: number): Promise<unknown> {
  const send = round % 4 === 3 ? client.sendTwice : client.send;
  switch (round % 3) {
    case 0:
      return send('part.record', ticketId, { part_number: `P-${round}`, quantity: 1, unit_cents: 1 });
    case 1:
      return send('time.record', ticketId, { minutes: 1 });
    default:
      return send('test.record', ticketId, { test: 'lock_unlock_x5', passed: true, value: round });
  }
}

async function openAndCancel(
  client: PersistentClient,
  run: RunFile,
  round: number,
  words?: string,
): Promise<void> {
  const ticketId = await newTicket(client, run, 'CLOSER_LEAK_OR_SLAM', words);
  const cancel = { reason: 'OTHER' };
  await (round % 2 === 0
    ? client.sendTwice('ticket.cancel', ticketId, cancel)
    : client.send('ticket.cancel', ticketId, cancel));
}

async function newTicket(
  client: PersistentClient,
  run: RunFile,
  type: string,
  words?: string,
): Promise<string> {
  const description = words === undefined ? {} : { description: { text: words } };
  const created = must(await client.send('ticket.create', null, { site_id: run.site_id, ...description }));
  const ticketId = created.ticket?.id ?? '';
  await client.send('ticket.triage', ticketId, { type, answers: [] });
  return ticketId;
}

/** Announces, uploads until the store has the bytes, and finalizes. */
export async function addPhoto(
  client: PersistentClient,
  person: Person,
  ticketId: string,
  key: string,
): Promise<Settled> {
  const bytes = photo(`${key} ${Math.random()}`);
  const announced = await client.send('evidence.presign', ticketId, {
    key,
    content_type: 'image/png',
    size_bytes: bytes.length,
    sha256: sha256(bytes),
  });
  const { evidence_id: evidenceId, upload_url: address } = must(announced).result;
  for (;;) {
    const put = await person.upload(`/api${address}`, bytes).catch(() => undefined);
    if (put !== undefined && put.status < 300) break;
    if (put !== undefined && put.status < 500) throw new Error(`upload: ${put.status} ${put.text}`);
    await sleep(150);
  }
  return client.send('evidence.finalize', ticketId, { evidence_id: evidenceId });
}

function must(settled: Settled): Settled {
  if (settled.code !== null) throw new Error(`${settled.client} ${settled.command}: ${settled.code}`);
  return settled;
}
