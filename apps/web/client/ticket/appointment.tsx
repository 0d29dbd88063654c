import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { Recommendations, Recommended, Technician, TicketPage, TimeOption } from '../api.ts';
import { recommendationsQuery } from '../queries.ts';
import { COMMAND_WORDS } from '../words/commands.ts';
import { T } from '../words/pages.ts';
import { wordFor } from '../words/plain.ts';
import { FACTOR_WORDS, INELIGIBLE_WORDS } from '../words/reasons.ts';
import { Empty, Section, When } from './parts.tsx';
import { SendButton } from './send-button.tsx';

/** Sending somebody is offered where one of these can be done; the emergency's own form asks for a reason. */
const SENDS = ['visit.dispatch', 'visit.reassign'] as const;
const SHOWS_WHO: readonly string[] = [...SENDS, 'visit.dispatch_emergency'];

/** Times that are offered, the one that was agreed, and who can go: with the reasons, and a button beside each. */
export function Appointment(props: {
  readonly page: TicketPage;
  readonly technicians: readonly Technician[];
}): ReactNode {
  const { page, technicians } = props;
  const { schedule, ticket } = page;
  const can = (command: string) =>
    page.allowed?.some((item) => item.command === command && item.allowed) ?? false;
  const options = schedule?.options ?? [];
  const agreed = schedule?.agreed ?? null;
  const showsWho = SHOWS_WHO.some(can);
  if (!schedule || (options.length === 0 && agreed === null && !can('schedule.propose') && !showsWho)) {
    return null;
  }
  const labelOf = (id: string | undefined) => technicians.find((t) => t.id === id)?.label ?? null;
  return (
    <Section title={T.appointment} area="appointment">
      {agreed ? (
        <p>
          {T.agreedTime}:{' '}
          <strong>
            <Window option={agreed} />
          </strong>
          {ticket.state === 'SCHEDULED' && labelOf(agreed.technician_id)
            ? ` · ${T.heldFor} ${labelOf(agreed.technician_id)}`
            : null}
        </p>
      ) : null}
      {options.length > 0 ? (
        <ol className="cards">
          {options.map((option) => (
            <li key={option.id}>
              <p className="card-title">
                <Window option={option} />
              </p>
              <p className="faint">
                {labelOf(option.technician_id) ? `${labelOf(option.technician_id)} · ` : null}
                {T.heldTill} <When at={option.held_until} />
              </p>
              {can('schedule.confirm') ? (
                <SendButton
                  command="schedule.confirm"
                  targetId={ticket.id}
                  input={{ option_id: option.id }}
                  label={wordFor(COMMAND_WORDS, 'schedule.confirm')}
                  about={new Date(option.window_from).toLocaleString('en-US')}
                />
              ) : null}
            </li>
          ))}
        </ol>
      ) : null}
      {can('schedule.propose') ? (
        <>
          <Empty>{T.noTimes}</Empty>
          <SendButton
            command="schedule.propose"
            targetId={ticket.id}
            input={{}}
            label={wordFor(COMMAND_WORDS, 'schedule.propose')}
            variant="filled"
          />
        </>
      ) : null}
      {showsWho ? (
        <WhoCanGo
          ticketId={ticket.id}
          command={SENDS.find(can) ?? null}
          labelOf={(id) => labelOf(id) ?? id}
          current={page.visit?.technician_id ?? null}
        />
      ) : null}
    </Section>
  );
}

function Window({ option }: { readonly option: TimeOption }): ReactNode {
  return (
    <>
      <When at={option.window_from} /> – <When at={option.window_to} />
    </>
  );
}

/** Worked out when somebody asks for it: it considers everybody's calendar. */
function WhoCanGo(props: {
  readonly ticketId: string;
  readonly command: (typeof SENDS)[number] | null;
  readonly labelOf: (id: string) => string;
  /** Who has the visit already. */
  readonly current: string | null;
}): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const found = useQuery({ ...recommendationsQuery(props.ticketId), enabled: isOpen });
  if (!isOpen) {
    return (
      <Button variant="light" size="sm" onClick={() => setOpen(true)}>
        {T.showWho}
      </Button>
    );
  }
  return (
    <div aria-live="polite">
      <h3>{T.whoCanGo}</h3>
      {found.data ? <Ranking {...props} found={found.data} /> : <Empty>{T.loading}</Empty>}
    </div>
  );
}

function Ranking(props: Parameters<typeof WhoCanGo>[0] & { readonly found: Recommendations }): ReactNode {
  const { command, current, found, labelOf, ticketId } = props;
  const ranked = (found.recommended ?? []).filter((one) => one.technician_id !== current);
  return (
    <>
      {ranked.length === 0 ? <Empty>{T.nobodyCanGo}</Empty> : null}
      <ol className="cards">
        {ranked.map((one) => (
          <li key={one.technician_id}>
            <p className="card-title">
              {labelOf(one.technician_id)} · <When at={one.starts_at} />
            </p>
            <Why factors={one.factors} />
            {command ? (
              <SendButton
                command={command}
                targetId={ticketId}
                input={{ technician_id: one.technician_id }}
                label={wordFor(COMMAND_WORDS, command)}
                about={labelOf(one.technician_id)}
              />
            ) : null}
          </li>
        ))}
      </ol>
      {(found.others ?? []).map(({ technician_id, reasons }) => (
        <p key={technician_id} className="faint">
          {T.cannotGo}: {labelOf(technician_id)} –{' '}
          {reasons.map((reason) => wordFor(INELIGIBLE_WORDS, reason)).join(', ')}
        </p>
      ))}
    </>
  );
}

/** What each factor measured, and what it counts against them: less is better. */
function Why({ factors }: { readonly factors: Recommended['factors'] }): ReactNode {
  return (
    <details>
      <summary>{T.why}</summary>
      <ul className="plain-list">
        {factors.map(({ contribution, factor, value }) => (
          <li key={factor}>
            {wordFor(FACTOR_WORDS, factor)}: {value}
            {contribution > 0 ? <span className="faint"> (+{contribution})</span> : null}
          </li>
        ))}
      </ul>
    </details>
  );
}
