import { formatUsd } from '@deadlatch/kernel';
import { Button, Group, NativeSelect, Title } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { QueueRow } from '../api.ts';
import { AgentSwitch } from '../autonomy.tsx';
import { meQuery, queueQuery } from '../queries.ts';
import { INCIDENT_WORDS, STATE_WORDS, T, wordFor } from '../strings.ts';
import { Empty, PriorityMark, StateBadge, When } from '../ticket/parts.tsx';
import { NewTicket } from './new-ticket.tsx';
import { Unread } from './unread.tsx';

/** The queue; its filter and its page are in the address, so that both can be shared and reloaded. */
export function QueuePage(): ReactNode {
  const { state, after } = useSearch({ from: '/' });
  const navigate = useNavigate({ from: '/' });
  const me = useQuery(meQuery);
  const queue = useQuery({ ...queueQuery(state, after), placeholderData: keepPreviousData });
  const technician = me.data?.roles.includes('technician') ?? false;
  const rows = queue.data?.tickets ?? [];
  const next = queue.data?.next ?? null;
  return (
    <>
      <div className="page-head">
        <Title order={1} size="h3">
          {technician ? T.myVisits : T.queue}
        </Title>
        <NativeSelect
          label={T.filterByState}
          className="filter"
          value={state ?? ''}
          data={[
            { value: '', label: T.allStates },
            ...Object.entries(STATE_WORDS).map(([value, label]) => ({ value, label })),
          ]}
          onChange={(event) => {
            const chosen = event.currentTarget.value;
            void navigate({ search: chosen === '' ? {} : { state: chosen } });
          }}
        />
      </div>
      <AgentSwitch roles={me.data?.roles ?? []} />
      <NewTicket roles={me.data?.roles ?? []} />
      <Unread query={queue} />
      {queue.data && rows.length === 0 ? (
        <Empty>{state ? T.emptyQueueFiltered : technician ? T.emptyVisits : T.emptyQueue}</Empty>
      ) : null}
      <ul className="queue">
        {rows.map((row) => (
          <li key={row.id}>
            <Row row={row} />
          </li>
        ))}
      </ul>
      {after || next ? (
        <Group gap="xs" mt="md">
          {after ? (
            <Button variant="default" onClick={() => void navigate({ search: state ? { state } : {} })}>
              {T.previous}
            </Button>
          ) : null}
          {next ? (
            <Button
              variant="default"
              onClick={() => void navigate({ search: { ...(state ? { state } : {}), after: next } })}
            >
              {T.nextPage}
            </Button>
          ) : null}
        </Group>
      ) : null}
    </>
  );
}

function Row({ row }: { readonly row: QueueRow }): ReactNode {
  return (
    <Link
      to="/tickets/$id"
      params={{ id: row.id }}
      className={`queue-row edge-${(row.priority ?? 'none').toLowerCase()}`}
    >
      <span className="queue-ref mono">{row.reference}</span>
      <PriorityMark priority={row.priority} />
      <span className="queue-what">
        <span>{row.incident_type ? wordFor(INCIDENT_WORDS, row.incident_type) : T.noType}</span>
        {row.site_label ? <span className="faint">{row.site_label}</span> : null}
      </span>
      <span className="queue-who faint">{row.technician_id ? T.assigned : T.unassigned}</span>
      <span className="queue-money">{typeof row.nte_cents === 'number' ? formatUsd(row.nte_cents) : ''}</span>
      <span className="queue-state">
        <StateBadge state={row.state} />
      </span>
      <span className="queue-when faint">
        {T.updated} <When at={row.updated_at} />
      </span>
    </Link>
  );
}
