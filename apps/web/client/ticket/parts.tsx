import { Badge, Title } from '@mantine/core';
import { type ReactNode, useId } from 'react';
import type { TicketPage } from '../api.ts';
import { T } from '../words/pages.ts';
import { wordFor } from '../words/plain.ts';
import { NEXT_INVOICE_WORDS, NEXT_WORDS, PRIORITY_WORDS, STATE_WORDS } from '../words/states.ts';

/** A titled region of a page, so that a screen reader can jump to it. */
export function Section(props: {
  readonly title: string;
  readonly children: ReactNode;
  readonly aside?: ReactNode;
  readonly area?: string;
}): ReactNode {
  const id = useId();
  return (
    <section className={`panel${props.area ? ` area-${props.area}` : ''}`} aria-labelledby={id}>
      <div className="panel-head">
        <Title order={2} size="h5" id={id}>
          {props.title}
        </Title>
        {props.aside}
      </div>
      {props.children}
    </section>
  );
}

const STATE_TONE: ReadonlyMap<string, string> = new Map([
  ['NEW', 'blue'],
  ['NEEDS_INFO', 'orange'],
  ['APPROVAL_REQUIRED', 'orange'],
  ['ON_HOLD', 'orange'],
  ['DISPATCHED', 'teal'],
  ['ON_SITE', 'teal'],
  ['IN_PROGRESS', 'teal'],
  ['VERIFIED', 'green'],
  ['INVOICED', 'green'],
]);

export function StateBadge({ state }: { readonly state: string }): ReactNode {
  return (
    <Badge color={STATE_TONE.get(state) ?? 'gray'} variant="light" size="lg" radius="sm" className="badge">
      {wordFor(STATE_WORDS, state)}
    </Badge>
  );
}

/** Who moves the ticket on from here. */
export function NextStep({ page }: { readonly page: TicketPage }): ReactNode {
  const { state } = page.ticket;
  if (state === 'CLOSED' || state === 'CANCELLED') return null;
  const isOffered = state === 'DISPATCHED' && page.visit?.state === 'OFFERED';
  const words = isOffered
    ? T.nextAccept
    : state === 'INVOICED' && page.invoice
      ? wordFor(NEXT_INVOICE_WORDS, page.invoice.state)
      : wordFor(NEXT_WORDS, state);
  return (
    <p className="ticket-next">
      <strong>{T.next}:</strong> {words}
    </p>
  );
}

/** Priority as a word with a mark; colour alone says nothing. */
export function PriorityMark({ priority }: { readonly priority: string | null | undefined }): ReactNode {
  return (
    <span className={`priority priority-${(priority ?? 'none').toLowerCase()}`}>
      {priority ? wordFor(PRIORITY_WORDS, priority) : T.unprioritised}
    </span>
  );
}

/** An instant in the reader's own zone, with the exact one behind it. */
export function When({ at }: { readonly at: string | null | undefined }): ReactNode {
  if (!at) return <span>–</span>;
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return <span>–</span>;
  return (
    <time dateTime={at} title={at}>
      {date.toLocaleString('en-US', { month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' })}
    </time>
  );
}

/** A list of named values; `Fact` leaves itself out when there is nothing to say. */
export function Facts({ children }: { readonly children: ReactNode }): ReactNode {
  return <dl className="facts">{children}</dl>;
}

export function Fact(props: { readonly name: string; readonly children: ReactNode }): ReactNode {
  const { children } = props;
  if (children === null || children === undefined || children === '') return null;
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Gives items without an identity their place as one; only for lists whose items never move on their own. */
export function inPlace<Item>(items: readonly Item[]): { readonly place: string; readonly item: Item }[] {
  return items.map((item, index) => ({ place: String(index), item }));
}

export function Empty({ children }: { readonly children: ReactNode }): ReactNode {
  return <p className="faint">{children}</p>;
}
