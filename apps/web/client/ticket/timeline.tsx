import type { ReactNode } from 'react';
import type { TimelineEvent } from '../api.ts';
import { COMMAND_WORDS, plain, REFUSAL_WORDS, ROLE_WORDS, STATE_WORDS, T, wordFor } from '../strings.ts';
import { Empty, inPlace, Section, When } from './parts.tsx';

/** What happened and what was refused, newest first, each with why. */
export function Timeline({ events }: { readonly events: readonly TimelineEvent[] }): ReactNode {
  const newestFirst = [...events].sort((a, b) => (b.at ?? '').localeCompare(a.at ?? ''));
  return (
    <Section title={T.timeline} area="timeline">
      {newestFirst.length === 0 ? <Empty>{T.timelineEmpty}</Empty> : null}
      <ol className="timeline">
        {inPlace(newestFirst).map(({ place, item: event }) => (
          <li key={event.event_id ?? place} className={event.decision === 'refused' ? 'is-refused' : ''}>
            <TimelineItem event={event} />
          </li>
        ))}
      </ol>
    </Section>
  );
}

function TimelineItem({ event }: { readonly event: TimelineEvent }): ReactNode {
  const refused = event.decision === 'refused';
  const from = stateOf(event.before);
  const to = stateOf(event.after);
  return (
    <>
      <p className="timeline-head">
        <strong>{wordFor(COMMAND_WORDS, event.command)}</strong>
        {refused ? <span className="refused"> {T.refused}</span> : null}
        {!refused && to && to !== from ? <span className="faint"> → {wordFor(STATE_WORDS, to)}</span> : null}
      </p>
      <p className="faint">
        <When at={event.at} /> · {actorWords(event.actor)}
      </p>
      {refused && event.code ? <p>{wordFor(REFUSAL_WORDS, event.code)}</p> : null}
      <details>
        <summary>{T.why}</summary>
        <dl className="facts">
          {Object.entries(event.details ?? {}).map(([name, value]) => (
            <div key={name}>
              <dt>{plain(name)}</dt>
              <dd className="mono">{valueWords(value)}</dd>
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

function actorWords(actor: TimelineEvent['actor']): string {
  if (!actor) return '–';
  const agent = typeof actor.agent === 'string' ? actor.agent : actor.agent?.role;
  const person = actor.label ?? (actor.role ? wordFor(ROLE_WORDS, actor.role) : plain(actor.type ?? ''));
  return agent ? `${plain(agent)} for ${person.toLowerCase()}` : person;
}

function valueWords(value: unknown): string {
  if (Array.isArray(value)) return value.map(String).join(', ');
  if (typeof value === 'object' && value !== null) return JSON.stringify(value);
  return value === null ? '–' : String(value);
}
