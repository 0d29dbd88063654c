import type { ReactNode } from 'react';
import type { Technician, TimelineEvent } from '../api.ts';
import { EVENT_WORDS, FIELD_WORDS } from '../words/commands.ts';
import { T } from '../words/pages.ts';
import { ACTOR_WORDS, AGENT_WORDS } from '../words/people.ts';
import { wordFor } from '../words/plain.ts';
import { REFUSAL_WORDS } from '../words/reasons.ts';
import { STATE_WORDS } from '../words/states.ts';
import { Empty, inPlace, Section, When } from './parts.tsx';
import { valueWords } from './value-words.ts';

/** Whom the page can name. */
export interface People {
  readonly ownId: string;
  readonly technicians: readonly Technician[];
}

/** What happened and what was refused, newest first, each with why. */
export function Timeline(props: {
  readonly events: readonly TimelineEvent[];
  readonly people: People;
}): ReactNode {
  const { events } = props;
  const newestFirst = [...events].sort((a, b) => (b.at ?? '').localeCompare(a.at ?? ''));
  return (
    <Section title={T.timeline} area="timeline">
      {newestFirst.length === 0 ? <Empty>{T.timelineEmpty}</Empty> : null}
      <ol className="timeline">
        {inPlace(newestFirst).map(({ place, item: event }) => (
          <li key={event.event_id ?? place} className={event.decision === 'refused' ? 'is-refused' : ''}>
            <TimelineItem event={event} people={props.people} />
          </li>
        ))}
      </ol>
    </Section>
  );
}

function TimelineItem(props: { readonly event: TimelineEvent; readonly people: People }): ReactNode {
  const { event } = props;
  const refused = event.decision === 'refused';
  const from = stateOf(event.before);
  const to = stateOf(event.after);
  return (
    <>
      <p className="timeline-head">
        <strong>{wordFor(EVENT_WORDS, event.command)}</strong>
        {event.details?.suggested === true ? <span className="faint"> {T.onlySuggested}</span> : null}
        {refused ? <span className="refused"> {T.refused}</span> : null}
        {!refused && to && to !== from ? <span className="faint"> → {wordFor(STATE_WORDS, to)}</span> : null}
      </p>
      <p className="faint">
        <When at={event.at} /> · {actorWords(event.actor, props.people)}
      </p>
      {refused && event.code ? <p>{wordFor(REFUSAL_WORDS, event.code)}</p> : null}
      <details>
        <summary>{T.why}</summary>
        <dl className="facts">
          {Object.entries(event.details ?? {}).map(([name, value]) => (
            <div key={name}>
              <dt>{wordFor(FIELD_WORDS, name)}</dt>
              <dd className={name.endsWith('_id') ? 'mono' : ''}>{valueWords(name, value)}</dd>
            </div>
          ))}
          <div>
            <dt>{T.policies}</dt>
            <dd className="mono">{(event.policy_ids ?? []).join(', ') || '–'}</dd>
          </div>
          <div>
            <dt>{T.correlation}</dt>
            <dd className="mono">{event.correlation_id ?? '–'}</dd>
          </div>
        </dl>
      </details>
    </>
  );
}

/** The event may give a state as a word, or as a row with a state. */
function stateOf(value: unknown): string | null {
  if (typeof value === 'string') return value === '-' ? null : value;
  if (typeof value !== 'object' || value === null) return null;
  const state = (value as Record<string, unknown>).state;
  if (typeof state === 'string') return state;
  return stateOf((value as Record<string, unknown>).ticket ?? null);
}

function actorWords(actor: TimelineEvent['actor'], people: People): string {
  if (!actor) return '–';
  // The console's server speaks for nobody but whoever holds the secret of a link.
  if (actor.type === 'service.web') return ACTOR_WORDS.link;
  const agent = typeof actor.agent === 'string' ? actor.agent : actor.agent?.role;
  const known = people.technicians.find((technician) => technician.id === actor.id)?.label;
  const person =
    actor.id === people.ownId
      ? T.you
      : (actor.label ?? known ?? wordFor(ACTOR_WORDS, actor.role ?? actor.type ?? ''));
  if (!agent) return person;
  const isNobody = (actor.role ?? actor.type) === 'system';
  return `${wordFor(AGENT_WORDS, agent)} ${isNobody ? T.onItsOwn : `${T.forSomebody} ${lower(person)}`}`;
}

function lower(person: string): string {
  return Object.values<string>(ACTOR_WORDS).includes(person) ? `the ${person.toLowerCase()}` : person;
}
