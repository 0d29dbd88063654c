import { Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { attentionQuery } from '../queries.ts';
import { Empty, When } from '../ticket/parts.tsx';
import { T } from '../words/pages.ts';
import { wordFor } from '../words/plain.ts';
import { ATTENTION_WORDS } from '../words/reasons.ts';
import { SuggestionCard } from './suggestion-card.tsx';
import { Unread } from './unread.tsx';

/** What waits for a person, oldest first; an entry goes away when the thing it is about has moved on. */
export function AttentionPage(): ReactNode {
  const attention = useQuery(attentionQuery);
  const rows = attention.data?.attention ?? [];
  return (
    <>
      <div className="page-head">
        <Title order={1} size="h3">
          {T.attention}
        </Title>
      </div>
      <Text className="faint lead">{T.attentionLead}</Text>
      <Unread query={attention} />
      {attention.data && rows.length === 0 ? <Empty>{T.emptyAttention}</Empty> : null}
      <ul className="cards panel">
        {rows.map((row) => (
          <li key={row.suggestion?.id ?? `${row.kind} ${row.ticket_id ?? row.conversation_id}`}>
            <p className="card-title">{wordFor(ATTENTION_WORDS, row.kind)}</p>
            <p className="faint">
              {row.ticket_id ? (
                <Link to="/tickets/$id" params={{ id: row.ticket_id }}>
                  {row.reference}
                </Link>
              ) : (
                T.aConversation
              )}{' '}
              · {T.since} <When at={row.since} />
            </p>
            {row.suggestion ? <SuggestionCard suggestion={row.suggestion} /> : null}
          </li>
        ))}
      </ul>
    </>
  );
}
