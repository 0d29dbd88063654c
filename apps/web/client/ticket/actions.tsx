import { Alert, Button } from '@mantine/core';
import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import type { Allowed, Catalogue, CommandAnswer, CommandForm as Form, TicketPage } from '../api.ts';
import { CommandForm } from '../forms/command-form.tsx';
import type { FormContext } from '../forms/field.tsx';
import { PhotoUpload } from '../forms/photo-upload.tsx';
import { COMMAND_WORDS, REFUSAL_WORDS, STATE_WORDS, T, wordFor } from '../strings.ts';
import { Section } from './parts.tsx';

interface Action {
  readonly form: Form;
  readonly allowed: boolean;
  readonly reason: string;
}

/** Finalizing is the last step of an upload and has no button of its own. */
const WITHOUT_BUTTON: ReadonlySet<string> = new Set(['evidence.finalize']);

/**
 * Every command that the person's role can hold on this ticket. What the gate would refuse now stays visible,
 * disabled, with the reason; whether it is possible is the gate's word, never worked out here.
 */
function actionsOf(catalogue: Catalogue, roles: readonly string[], page: TicketPage): Action[] {
  const said = new Map((page.allowed ?? []).map((item) => [item.command, item] as const));
  return catalogue.commands
    .filter(
      (form) => (form.target === 'ticket' || form.target === 'approval') && !WITHOUT_BUTTON.has(form.name),
    )
    .filter((form) => said.has(form.name) || form.roles.some((role) => roles.includes(role)))
    .map((form) => {
      const answer: Allowed | undefined = said.get(form.name);
      return {
        form,
        allowed: answer?.allowed === true,
        reason: wordFor(REFUSAL_WORDS, answer?.code ?? 'invalid_state'),
      };
    });
}

export function Actions(props: {
  readonly catalogue: Catalogue;
  readonly roles: readonly string[];
  readonly page: TicketPage;
  readonly context: FormContext;
}): ReactNode {
  const { page } = props;
  const [open, setOpen] = useState<string | null>(null);
  const [done, setDone] = useState<CommandAnswer | null>(null);
  const actions = actionsOf(props.catalogue, props.roles, page);
  const now = actions.filter((action) => action.allowed);
  const later = actions.filter((action) => !action.allowed);
  const big = props.roles.includes('technician');
  const opened = now.find((action) => action.form.name === open);

  return (
    <Section title={T.actions} area="actions">
      <div aria-live="polite">
        {done ? (
          <Alert
            color="teal"
            className="done"
            withCloseButton
            closeButtonLabel={T.cancel}
            onClose={() => setDone(null)}
          >
            {done.replayed ? T.doneReplayed : T.doneNow}{' '}
            <strong>{wordFor(STATE_WORDS, page.ticket.state)}</strong>
          </Alert>
        ) : null}
      </div>
      {actions.length === 0 ? <p className="faint">{T.actionsNone}</p> : null}
      <div className={big ? 'actions actions-big' : 'actions'}>
        {now.map(({ form }) => (
          <Button
            key={form.name}
            size={big ? 'lg' : 'md'}
            variant={form.name === open ? 'light' : 'filled'}
            aria-expanded={form.name === open}
            onClick={() => {
              setDone(null);
              setOpen(form.name === open ? null : form.name);
            }}
          >
            {wordFor(COMMAND_WORDS, form.name)}
          </Button>
        ))}
      </div>
      {opened ? (
        <OpenAction
          key={opened.form.name}
          action={opened}
          page={page}
          context={props.context}
          onClose={() => setOpen(null)}
          onDone={(answer) => {
            setOpen(null);
            setDone(answer);
          }}
        />
      ) : null}
      {later.length > 0 ? (
        <>
          <h3>{T.notNow}</h3>
          <ul className="not-now">
            {later.map((action) => (
              <NotNow key={action.form.name} action={action} />
            ))}
          </ul>
        </>
      ) : null}
    </Section>
  );
}

/** Reachable with the keyboard although it cannot be pressed, so that everybody can learn the reason. */
function NotNow({ action }: { readonly action: Action }): ReactNode {
  const id = useId();
  return (
    <li>
      <button type="button" aria-disabled="true" aria-describedby={id} className="disabled-action">
        {wordFor(COMMAND_WORDS, action.form.name)}
      </button>
      <span id={id} className="faint">
        {action.reason}
      </span>
    </li>
  );
}

function OpenAction(props: {
  readonly action: Action;
  readonly page: TicketPage;
  readonly context: FormContext;
  readonly onClose: () => void;
  readonly onDone: (answer: CommandAnswer) => void;
}): ReactNode {
  const { form } = props.action;
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    box.current?.querySelector<HTMLElement>('input, select, textarea, button')?.focus();
  }, []);
  const pending = props.page.approvals?.approvals?.find((item) => item.state === 'PENDING');
  const targetId = form.target === 'approval' ? (pending?.id ?? null) : props.page.ticket.id;
  return (
    <div ref={box}>
      <p className="faint">{form.summary}</p>
      {form.name === 'evidence.presign' ? (
        <PhotoUpload
          form={form}
          ticketId={props.page.ticket.id}
          context={props.context}
          onClose={props.onClose}
        />
      ) : (
        <CommandForm
          form={form}
          targetId={targetId}
          context={props.context}
          onClose={props.onClose}
          onDone={props.onDone}
        />
      )}
    </div>
  );
}
