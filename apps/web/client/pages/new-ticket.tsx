import { Alert, Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { CommandForm } from '../forms/command-form.tsx';
import { NO_CONTEXT } from '../forms/field.tsx';
import { catalogueQuery, sitesQuery } from '../queries.ts';
import { COMMAND_HINTS } from '../words/commands.ts';
import { T } from '../words/pages.ts';

const COMMAND = 'ticket.create';

/** Opens a ticket for a request that did not come as a message; only for roles that hold the command. */
export function NewTicket({ roles }: { readonly roles: readonly string[] }): ReactNode {
  const catalogue = useQuery(catalogueQuery);
  const form = catalogue.data?.commands.find((item) => item.name === COMMAND);
  const mayOpen = form?.roles.some((role) => roles.includes(role)) ?? false;
  const [isOpen, setOpen] = useState(false);
  const [openedId, setOpenedId] = useState<string | null>(null);
  const sites = useQuery({ ...sitesQuery, enabled: mayOpen && isOpen });
  if (!form || !mayOpen) return null;
  return (
    <div className="new-ticket">
      <Button
        variant="light"
        size="sm"
        aria-expanded={isOpen}
        onClick={() => {
          setOpenedId(null);
          setOpen(!isOpen);
        }}
      >
        {T.openTicket}
      </Button>
      <div aria-live="polite">
        {openedId ? (
          <Alert color="teal" className="done">
            {T.openedTicket}{' '}
            <Link to="/tickets/$id" params={{ id: openedId }}>
              {T.newTicket}
            </Link>
            .
          </Alert>
        ) : null}
      </div>
      {isOpen ? (
        <section className="panel" aria-label={T.openTicket}>
          <p className="faint">{COMMAND_HINTS[COMMAND]}</p>
          <CommandForm
            form={form}
            targetId={null}
            context={{ ...NO_CONTEXT, sites: sites.data?.sites ?? [] }}
            onClose={() => setOpen(false)}
            onDone={(answer) => {
              setOpen(false);
              setOpenedId(answer.ticket?.id ?? null);
            }}
          />
        </section>
      ) : null}
    </div>
  );
}
