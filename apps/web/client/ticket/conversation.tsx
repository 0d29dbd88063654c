import type { ReactNode } from 'react';
import type { ConversationEntry, TicketPage } from '../api.ts';
import { T } from '../words/pages.ts';
import { plain, wordFor } from '../words/plain.ts';
import { TEMPLATE_WORDS } from '../words/states.ts';
import { Empty, inPlace, Section, When } from './parts.tsx';
import { WordSwitch } from './word-switch.tsx';

const STATE: ReadonlyMap<string, string> = new Map([
  ['AGENT', T.conversationAgent],
  ['HUMAN', T.conversationHuman],
  ['CLOSED', T.conversationClosed],
]);

/** A message of the list in the docs; a phrase has no number that anybody could look up. */
const MESSAGE = /^M\d\d$/;

/** Words of both sides. Personal data shows as the vault's placeholders, set apart from the words around them. */
export function Conversation(props: {
  readonly conversation: NonNullable<TicketPage['conversation']>;
}): ReactNode {
  const entries = props.conversation.entries ?? [];
  const { id, state } = props.conversation.conversation ?? {};
  return (
    <Section
      title={T.conversation}
      area="conversation"
      aside={state ? <span className="faint">{STATE.get(state) ?? plain(state)}</span> : null}
    >
      {state && id ? <WordSwitch conversationId={id} state={state} /> : null}
      {entries.length === 0 ? <Empty>{T.conversationEmpty}</Empty> : null}
      <ol className="talk">
        {entries.map((entry) => (
          <li key={entry.id} className={entry.direction === 'OUT' ? 'talk-out' : 'talk-in'}>
            <p className="talk-head">
              {entry.direction === 'OUT' ? T.outbound : T.inbound} · <When at={entry.at} />
              {entry.template && MESSAGE.test(entry.template) ? (
                <span className="mono"> · {entry.template}</span>
              ) : null}
            </p>
            <p className="talk-text">{wordsOf(entry)}</p>
          </li>
        ))}
      </ol>
    </Section>
  );
}

function wordsOf(entry: ConversationEntry): ReactNode {
  if (entry.mask_state === 'WITHHELD') return <em>{T.withheld}</em>;
  if (entry.text) return withPlaceholders(entry.text);
  return entry.template ? templateWords(entry.template) : '–';
}

/** `M01`, or `phrase:<id>` and `staff:<id>` for a reviewed sentence that the agent or a person chose. */
function templateWords(template: string): string {
  return wordFor(TEMPLATE_WORDS, template.replace(/^(?:phrase|staff):/, ''));
}

/** `[PHONE_1]` and the like, as the vault writes them. */
function withPlaceholders(text: string): ReactNode {
  const parts = text.split(/([[{<]+[A-Z][A-Z_]*(?:[_:#-]?\d+)?[\]}>]+)/);
  return inPlace(parts).map(({ place, item: part }) =>
    Number(place) % 2 === 1 ? (
      <span className="placeholder" key={place}>
        {part}
      </span>
    ) : (
      part
    ),
  );
}
