import { Alert, Button } from '@mantine/core';
import { Fragment, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import type { Allowed, Catalogue, CommandAnswer, CommandForm as Form, TicketPage } from '../api.ts';
import { CommandForm } from '../forms/command-form.tsx';
import type { FormContext } from '../forms/field.tsx';
import { PhotoUpload } from '../forms/photo-upload.tsx';
import { startOf } from '../forms/tailoring.ts';
import { COMMAND_HINTS, COMMAND_WORDS } from '../words/commands.ts';
import { T } from '../words/pages.ts';
import { wordFor } from '../words/plain.ts';
import { REFUSAL_WORDS } from '../words/reasons.ts';
import { STATE_WORDS } from '../words/states.ts';
import { inPlace, Section } from './parts.tsx';

interface Action {
  readonly form: Form;
  readonly allowed: boolean;
  readonly reason: string;
  /** Whether nothing but the ticket's state stands in the way. */
  readonly isStateOnly: boolean;
}

/** More states than this say nothing that a person could keep in mind. */
const FEW_STATES = 3;

/** Finalizing is the last step of an upload; times and technicians are chosen where they are shown. */
const WITHOUT_BUTTON: ReadonlySet<string> = new Set([
  'schedule.propose',
  'schedule.confirm',
  'visit.dispatch',
  'visit.reassign',
  'evidence.finalize',
]);

/** How loud a button is: what moves the work on, what belongs to it, what stops it. */
const WEIGHTS = { filled: 0, light: 1, default: 2 } as const;
type Weight = keyof typeof WEIGHTS;

const MOVES_ON: ReadonlySet<string> = new Set([
  'ticket.triage',
  'visit.dispatch_emergency',
  'visit.accept',
  'visit.depart',
  'tech.check_in',
  'tech.start',
  'tech.complete',
  'ticket.resume',
  'qa.verify',
  'billing.generate_invoice',
  'billing.issue',
  'payment.record',
  'ticket.close',
]);
const STOPS: ReadonlySet<string> = new Set(['ticket.hold', 'ticket.cancel', 'approval.withdraw']);

function weightOf(command: string): Weight {
  if (MOVES_ON.has(command)) return 'filled';
  return STOPS.has(command) ? 'default' : 'light';
}

/**
 * Every command that the person's role can hold on this ticket. What the gate would refuse now stays visible,
 * disabled, with the reason; whether it is possible is the gate's word, never worked out here.
 */
function actionsOf(catalogue: Catalogue, roles: readonly string[], page: TicketPage): Action[] {
  const said = page.allowed && new Map(page.allowed.map((item) => [item.command, item] as const));
  const isAsked = page.approvals?.approvals?.some((item) => item.state === 'PENDING') ?? false;
  return catalogue.commands
    .filter((form) => !WITHOUT_BUTTON.has(form.name))
    .flatMap((form): Action[] => {
      const holds = form.roles.some((role) => roles.includes(role));
      const answer: Allowed | undefined = said?.get(form.name);
      // The gate answers for tickets only; a question that is open can be tried, and the gate answers then.
      if (form.target === 'approval') return holds ? [actionOf(form, isAsked)] : [];
      if (form.target !== 'ticket' || !(said ? answer : holds)) return [];
      return [actionOf(form, answer?.allowed === true, answer?.code)];
    });
}

function actionOf(form: Form, allowed: boolean, code: string = 'invalid_state'): Action {
  return { form, allowed, reason: wordFor(REFUSAL_WORDS, code), isStateOnly: code === 'invalid_state' };
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
  const now = actions
    .filter((action) => action.allowed)
    .sort((a, b) => WEIGHTS[weightOf(a.form.name)] - WEIGHTS[weightOf(b.form.name)]);
  const later = actions.filter((action) => !action.allowed);
  const big = props.roles.includes('technician');

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
        {now.map((action) => (
          <Fragment key={action.form.name}>
            <Button
              size={big ? 'lg' : 'md'}
              variant={weightOf(action.form.name)}
              aria-expanded={action.form.name === open}
              onClick={() => {
                setDone(null);
                setOpen(action.form.name === open ? null : action.form.name);
              }}
            >
              {wordFor(COMMAND_WORDS, action.form.name)}
            </Button>
            {action.form.name === open ? (
              <OpenAction
                action={action}
                page={page}
                context={props.context}
                onClose={() => setOpen(null)}
                onDone={(answer) => {
                  setOpen(null);
                  setDone(answer);
                }}
              />
            ) : null}
          </Fragment>
        ))}
      </div>
      {later.length > 0 ? (
        <>
          <h3>{T.notNow}</h3>
          <NotNow actions={later} />
        </>
      ) : null}
    </Section>
  );
}

/**
 * What cannot be done now, by reason. Reachable with the keyboard although it cannot be pressed, so that
 * everybody can learn the reason.
 */
function NotNow({ actions }: { readonly actions: readonly Action[] }): ReactNode {
  const id = useId();
  const reasons = [...new Set(actions.map((action) => action.reason))];
  return (
    <div className="not-now">
      {inPlace(reasons).map(({ place, item: reason }) => (
        <div key={reason}>
          <p id={`${id}${place}`} className="faint">
            {reason}
          </p>
          <ul>
            {actions
              .filter((action) => action.reason === reason)
              .map(({ form, isStateOnly }) => (
                <li key={form.name}>
                  <button
                    type="button"
                    aria-disabled="true"
                    aria-describedby={`${id}${place}`}
                    className="disabled-action"
                  >
                    {wordFor(COMMAND_WORDS, form.name)}
                    {isStateOnly && form.from.length > 0 && form.from.length <= FEW_STATES ? (
                      <span className="when-state">
                        {' '}
                        {T.whenState} {form.from.map((state) => wordFor(STATE_WORDS, state)).join(', ')}
                      </span>
                    ) : null}
                  </button>
                </li>
              ))}
          </ul>
        </div>
      ))}
    </div>
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
    <div ref={box} className="open-action">
      <p className="faint">{COMMAND_HINTS[form.name] ?? form.summary}</p>
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
          start={startOf(form.name, props.page)}
          targetId={targetId}
          context={props.context}
          onClose={props.onClose}
          onDone={props.onDone}
        />
      )}
    </div>
  );
}
