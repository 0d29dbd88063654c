import { Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { reportsQuery } from '../queries.ts';
import { plain, T } from '../strings.ts';
import { Empty, When } from '../ticket/parts.tsx';
import { Unread } from './unread.tsx';

/** What strangers wrote: a queue of its own, without a site, a priority or a clock. */
export function ReportsPage(): ReactNode {
  const reports = useQuery(reportsQuery);
  const rows = reports.data?.reports ?? [];
  return (
    <>
      <div className="page-head">
        <Title order={1} size="h3">
          {T.reports}
        </Title>
      </div>
      <Text className="faint lead">{T.reportsLead}</Text>
      <Unread query={reports} />
      {reports.data && rows.length === 0 ? <Empty>{T.emptyReports}</Empty> : null}
      <ul className="cards panel">
        {rows.map((report) => (
          <li key={report.id}>
            <p className="card-title">{plain(report.channel ?? '')}</p>
            <p className="faint">
              {T.received} <When at={report.created_at} /> · <span className="mono">{report.id}</span>
            </p>
          </li>
        ))}
      </ul>
    </>
  );
}
