import { Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Catalogue, Me, TicketPage as Page, Technician } from '../api.ts';
import { AgentSwitch } from '../autonomy.tsx';
import { NO_CONTEXT } from '../forms/field.tsx';
import {
  catalogueQuery,
  incidentTypesQuery,
  meQuery,
  queueQuery,
  techniciansQuery,
  ticketQuery,
} from '../queries.ts';
import { Actions } from '../ticket/actions.tsx';
import { Appointment } from '../ticket/appointment.tsx';
import { Conversation } from '../ticket/conversation.tsx';
import { Approvals, EvidencePanel, Summary, VisitPanel } from '../ticket/panels.tsx';
import { NextStep, PriorityMark, StateBadge, When } from '../ticket/parts.tsx';
import { Timeline } from '../ticket/timeline.tsx';
import { T } from '../words/pages.ts';
import { wordFor } from '../words/plain.ts';
import { INCIDENT_WORDS } from '../words/states.ts';
import { Unread } from './unread.tsx';

const MAY_LIST_TECHNICIANS: readonly string[] = ['dispatcher', 'supervisor'];

/** One ticket: the same page for everybody, with the parts that the person's role may read. */
export function TicketPage(): ReactNode {
  const { id } = useParams({ from: '/tickets/$id' });
  const me = useQuery(meQuery);
  const catalogue = useQuery(catalogueQuery);
  const page = useQuery(ticketQuery(id));
  const mayList = me.data?.roles.some((role) => MAY_LIST_TECHNICIANS.includes(role)) ?? false;
  const technicians = useQuery({ ...techniciansQuery, enabled: mayList });
  return (
    <>
      <Link to="/" className="back">
        ← {me.data?.roles.includes('technician') ? T.backToVisits : T.back}
      </Link>
      <Unread query={page} />
      {page.data?.ticket && me.data && catalogue.data ? (
        <TicketBody
          page={page.data}
          me={me.data}
          catalogue={catalogue.data}
          technicians={technicians.data?.technicians ?? []}
        />
      ) : null}
    </>
  );
}

function TicketBody(props: {
  readonly page: Page;
  readonly me: Me;
  readonly catalogue: Catalogue;
  readonly technicians: readonly Technician[];
}): ReactNode {
  const { page, me, catalogue, technicians } = props;
  const { ticket } = page;
  const site = page.site_label ?? ticket.site_label;
  const triagedBy = catalogue.incident_types.find(
    (item) => item.type === ticket.incident_type && item.version === ticket.incident_version,
  );
  const wanted = page.wanted_evidence ?? [];
  const incident = triagedBy && wanted.length > 0 ? { ...triagedBy, evidence: wanted } : triagedBy;
  const evidence = page.evidence?.evidence ?? [];
  const people = { ownId: me.subject.id, technicians };
  const mayLink = me.roles.includes('dispatcher');
  const queue = useQuery({ ...queueQuery({}), enabled: mayLink });
  const inForce = useQuery({ ...incidentTypesQuery, enabled: mayLink }).data?.incident_types ?? [];
  const incidents = catalogue.incident_types.filter((item) =>
    inForce.some(({ type, version }) => type === item.type && version === item.version),
  );
  // A ticket is no duplicate of itself.
  const tickets = (queue.data?.tickets ?? []).filter((other) => other.id !== ticket.id);
  return (
    <>
      <div className={`ticket-head edge-${(ticket.priority ?? 'none').toLowerCase()}`}>
        <Title order={1} size="h3">
          <span className="mono">{ticket.reference}</span>{' '}
          {ticket.incident_type ? wordFor(INCIDENT_WORDS, ticket.incident_type) : T.noType}
        </Title>
        <p className="ticket-line">
          <StateBadge state={ticket.state} /> <PriorityMark priority={ticket.priority} />
          {ticket.safety ? <span className="safety">{T.safety}</span> : null}
          {site && ticket.site_id ? (
            <Link to="/sites/$id" params={{ id: ticket.site_id }}>
              {site}
            </Link>
          ) : null}
          <span className="faint">
            {T.updated} <When at={ticket.updated_at} />
          </span>
        </p>
        <NextStep page={page} />
      </div>
      <div className="ticket-grid">
        <div className="ticket-side">
          <Actions
            catalogue={catalogue}
            roles={me.roles}
            page={page}
            context={{
              ...NO_CONTEXT,
              technicians,
              evidence,
              tickets,
              incident,
              incidents,
            }}
          />
          <Appointment page={page} technicians={technicians} />
          <AgentSwitch roles={me.roles} ticketId={ticket.id} />
          <VisitPanel visit={page.visit} people={people} />
        </div>
        <div className="ticket-main">
          <Summary page={page} />
          {page.approvals ? <Approvals approvals={page.approvals.approvals ?? []} /> : null}
          {page.evidence ? <EvidencePanel evidence={evidence} wanted={wanted} /> : null}
          {page.conversation ? <Conversation conversation={page.conversation} /> : null}
          {page.timeline ? <Timeline events={page.timeline.events ?? []} people={people} /> : null}
        </div>
      </div>
    </>
  );
}
