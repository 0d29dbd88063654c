import { Button, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { CommandForm } from '../forms/command-form.tsx';
import { NO_CONTEXT } from '../forms/field.tsx';
import { catalogueQuery, meQuery, queueQuery, reportsQuery, sitesQuery } from '../queries.ts';
import { Empty, When } from '../ticket/parts.tsx';
import { COMMAND_WORDS } from '../words/commands.ts';
import { T } from '../words/pages.ts';
import { plain, wordFor } from '../words/plain.ts';
import { Unread } from './unread.tsx';

const ATTACH = 'report.attach';

/** What strangers wrote: a queue of its own, without a site, a priority or a clock, until a person attaches it. */
export function ReportsPage(): ReactNode {
  const reports = useQuery(reportsQuery);
  const me = useQuery(meQuery);
  const catalogue = useQuery(catalogueQuery);
  const [open, setOpen] = useState<string | null>(null);
  const rows = reports.data?.reports ?? [];
  const form = catalogue.data?.commands.find((item) => item.name === ATTACH);
  const mayAttach = form?.roles.some((role) => me.data?.roles.includes(role)) ?? false;
  const sites = useQuery({ ...sitesQuery, enabled: mayAttach });
  const queue = useQuery({ ...queueQuery({}), enabled: mayAttach && open !== null });
  const context = {
    ...NO_CONTEXT,
    sites: sites.data?.sites ?? [],
    tickets: queue.data?.tickets ?? [],
  };
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
            {form && mayAttach ? (
              <Button
                size="sm"
                variant="light"
                aria-expanded={open === report.id}
                onClick={() => setOpen(open === report.id ? null : report.id)}
              >
                {wordFor(COMMAND_WORDS, ATTACH)}
              </Button>
            ) : null}
            {form && open === report.id ? (
              <div className="open-action">
                <p className="faint">{T.attachHint}</p>
                <CommandForm
                  form={form}
                  targetId={report.id}
                  context={context}
                  onDone={() => setOpen(null)}
                  onClose={() => setOpen(null)}
                />
              </div>
            ) : null}
          </li>
        ))}
      </ul>
    </>
  );
}
