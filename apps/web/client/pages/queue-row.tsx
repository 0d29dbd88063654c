import { formatUsd } from '@deadlatch/kernel';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { QueueRow as Row } from '../api.ts';
import { PriorityMark, StateBadge, When } from '../ticket/parts.tsx';
import { T } from '../words/pages.ts';
import { wordFor } from '../words/plain.ts';
import { INCIDENT_WORDS } from '../words/states.ts';

/** One ticket of a list, as a link to it. */
export function QueueRow({ row }: { readonly row: Row }): ReactNode {
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
        {T.reportedSince} <When at={row.reported_at} />
      </span>
    </Link>
  );
}
