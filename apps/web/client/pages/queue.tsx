import { Button, Checkbox, Group, NativeSelect, Title } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { AgentSwitch } from '../autonomy.tsx';
import { meQuery, type QueueSearch, queueQuery, sitesQuery } from '../queries.ts';
import { Empty } from '../ticket/parts.tsx';
import { T } from '../words/pages.ts';
import { QUEUE_PRIORITY_WORDS, STATE_WORDS } from '../words/states.ts';
import { NewTicket } from './new-ticket.tsx';
import { QueueRow } from './queue-row.tsx';
import { Unread } from './unread.tsx';

/** The queue; its filter and its page are in the address, so that both can be shared and reloaded. */
export function QueuePage(): ReactNode {
  const search = useSearch({ from: '/' });
  const navigate = useNavigate({ from: '/' });
  const me = useQuery(meQuery);
  const queue = useQuery({ ...queueQuery(search), placeholderData: keepPreviousData });
  const roles = me.data?.roles ?? [];
  const technician = roles.includes('technician');
  const rows = queue.data?.tickets ?? [];
  const next = queue.data?.next ?? null;
  const { after, ...filter } = search;
  const isFiltered = Object.keys(filter).length > 0;
  const show = (wanted: QueueSearch) => void navigate({ search: wanted });
  return (
    <>
      <div className="page-head">
        <Title order={1} size="h3">
          {technician ? T.myVisits : T.queue}
        </Title>
        <Filters roles={roles} filter={filter} onChange={show} />
      </div>
      <AgentSwitch roles={roles} />
      <NewTicket roles={roles} />
      <Unread query={queue} />
      {queue.data && rows.length === 0 ? (
        <Empty>{isFiltered ? T.emptyQueueFiltered : technician ? T.emptyVisits : T.emptyQueue}</Empty>
      ) : null}
      <ul className="queue">
        {rows.map((row) => (
          <li key={row.id}>
            <QueueRow row={row} />
          </li>
        ))}
      </ul>
      {after || next ? (
        <Group gap="xs" mt="md">
          {after ? (
            <Button variant="default" onClick={() => show(filter)}>
              {T.previous}
            </Button>
          ) : null}
          {next ? (
            <Button variant="default" onClick={() => show({ ...filter, after: next })}>
              {T.nextPage}
            </Button>
          ) : null}
        </Group>
      ) : null}
    </>
  );
}

type Filter = Omit<QueueSearch, 'after'>;

/** A change of the filter begins at the first page. */
function Filters({
  roles,
  filter,
  onChange,
}: {
  readonly roles: readonly string[];
  readonly filter: Filter;
  readonly onChange: (filter: Filter) => void;
}): ReactNode {
  const mayListSites = SITE_READERS.some((role) => roles.includes(role));
  const sites = useQuery({ ...sitesQuery, enabled: mayListSites });
  const set = (name: 'state' | 'priority' | 'site', value: string) => {
    const { [name]: _, ...others } = filter;
    onChange(value === '' ? others : { ...others, [name]: value });
  };
  const { mine, ...others } = filter;
  return (
    <Group gap="xs" align="end" className="filters">
      <NativeSelect
        label={T.filterByState}
        className="filter"
        value={filter.state ?? ''}
        data={optionsOf(T.openStates, STATE_WORDS)}
        onChange={(event) => set('state', event.currentTarget.value)}
      />
      <NativeSelect
        label={T.filterByPriority}
        className="filter"
        value={filter.priority ?? ''}
        data={optionsOf(T.allPriorities, QUEUE_PRIORITY_WORDS)}
        onChange={(event) => set('priority', event.currentTarget.value)}
      />
      {mayListSites ? (
        <NativeSelect
          label={T.filterBySite}
          className="filter"
          value={filter.site ?? ''}
          data={[
            { value: '', label: T.allSites },
            ...(sites.data?.sites ?? []).map(({ id, label }) => ({ value: id, label: label ?? id })),
          ]}
          onChange={(event) => set('site', event.currentTarget.value)}
        />
      ) : null}
      <Checkbox
        label={T.onlyMine}
        checked={mine === true}
        onChange={(event) => onChange(event.currentTarget.checked ? { ...others, mine: true } : others)}
      />
    </Group>
  );
}

/** Who may read the list of sites. */
const SITE_READERS = ['dispatcher', 'supervisor', 'requester'];

function optionsOf(all: string, words: Readonly<Record<string, string>>) {
  return [{ value: '', label: all }, ...Object.entries(words).map(([value, label]) => ({ value, label }))];
}
