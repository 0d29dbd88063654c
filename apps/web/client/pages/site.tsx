import { formatUsd } from '@deadlatch/kernel';
import { Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';

import { queueQuery, siteQuery } from '../queries.ts';
import type { SitePage as Page } from '../site-view.ts';
import { Empty, Fact, Facts, Section } from '../ticket/parts.tsx';
import { T } from '../words/pages.ts';
import { QueueRow } from './queue-row.tsx';
import { Unread } from './unread.tsx';

/** A site with what is open there, and for staff who is on file. */
export function SitePage(): ReactNode {
  const { id } = useParams({ from: '/sites/$id' });
  const found = useQuery(siteQuery(id));
  const queue = useQuery(queueQuery({ site: id }));
  const site = found.data?.site;
  const rows = queue.data?.tickets ?? [];
  return (
    <>
      <Link to="/" className="back">
        {T.back}
      </Link>
      <Unread query={found} />
      {site ? (
        <>
          <div className="page-head">
            <Title order={1} size="h3">
              {site.label}
            </Title>
          </div>
          <Section title={T.filterBySite} area="summary">
            <Facts>
              <Fact name={T.account}>{site.account_label ?? null}</Fact>
              <Fact name={T.timeZone}>{site.time_zone}</Fact>
              <Fact name={T.territory}>{site.territory ?? null}</Fact>
            </Facts>
          </Section>
          {site.contacts ? <Contacts contacts={site.contacts} /> : null}
          <h2 className="list-title">{T.openTickets}</h2>
          <Unread query={queue} />
          {queue.data && rows.length === 0 ? <Empty>{T.emptyQueue}</Empty> : null}
          <ul className="queue">
            {rows.map((row) => (
              <li key={row.id}>
                <QueueRow row={row} />
              </li>
            ))}
          </ul>
          {queue.data?.next ? (
            <p>
              <Link to="/" search={{ site: id }}>
                {T.allOfThem}
              </Link>
            </p>
          ) : null}
        </>
      ) : null}
    </>
  );
}

/** Names and numbers stay in the vault: a contact is shown by what it may do here. */
function Contacts({ contacts }: { readonly contacts: NonNullable<Page['site']['contacts']> }): ReactNode {
  return (
    <Section title={T.contacts} area="contacts">
      {contacts.length === 0 ? <Empty>{T.noContacts}</Empty> : null}
      <ul className="plain-list">
        {contacts.map((contact) => (
          <li key={contact.contact_id}>
            <span className="mono">{contact.contact_id}</span>{' '}
            {[
              ...(contact.may_request ? [T.mayRequest] : []),
              ...(contact.may_approve ? [`${T.mayApprove} ${formatUsd(contact.approval_limit_cents)}`] : []),
              contact.every_site ? T.everySite : T.thisSite,
              ...(contact.active ? [] : [T.notActive]),
            ].join(' · ')}
          </li>
        ))}
      </ul>
    </Section>
  );
}
