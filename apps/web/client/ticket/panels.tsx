import { formatUsd } from '@deadlatch/kernel';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Approval, Evidence, TicketPage, WantedEvidence } from '../api.ts';
import { T } from '../words/pages.ts';
import { PROOF_WORDS } from '../words/people.ts';
import { choiceWords, plain, wordFor } from '../words/plain.ts';
import {
  APPROVAL_KIND_WORDS,
  APPROVAL_WORDS,
  INVOICE_WORDS,
  OUTCOME_WORDS,
  QUESTION_WORDS,
  RELATION_WORDS,
  STATE_WORDS,
  VISIT_WORDS,
} from '../words/states.ts';
import { Empty, Fact, Facts, inPlace, Section, When } from './parts.tsx';
import type { People } from './timeline.tsx';

const usd = (cents: number | null | undefined): string | null =>
  typeof cents === 'number' ? formatUsd(cents) : null;

export function Summary({ page }: { readonly page: TicketPage }): ReactNode {
  const { ticket } = page;
  const answers = Object.entries(ticket.answers ?? {});
  const missing = ticket.missing ?? [];
  return (
    <Section title={T.summary} area="summary">
      {ticket.scope_capped ? <p className="note">{T.capped}</p> : null}
      <Facts>
        <Fact name={T.notToExceed}>{usd(ticket.nte_cents)}</Fact>
        <Fact name={T.reported}>{ticket.reported_at ? <When at={ticket.reported_at} /> : null}</Fact>
        <Fact name={T.outcome}>{ticket.outcome ? wordFor(OUTCOME_WORDS, ticket.outcome) : null}</Fact>
        <Fact name={T.heldUntil}>{ticket.hold_until ? <When at={ticket.hold_until} /> : null}</Fact>
        <Fact name={T.heldBy}>{ticket.hold_owner ? choiceWords(ticket.hold_owner) : null}</Fact>
        <Fact name={T.resumesTo}>
          {ticket.resume_state ? wordFor(STATE_WORDS, ticket.resume_state) : null}
        </Fact>
        <Fact name={T.invoice}>{page.invoice ? invoiceWords(page.invoice) : null}</Fact>
        <Fact name={T.completion}>
          {page.completion ? wordFor(OUTCOME_WORDS, page.completion.outcome) : null}
        </Fact>
      </Facts>
      {(page.waivers ?? []).map((waiver) => (
        <p key={waiver.key} className="note">
          {waiver.granted ? T.waived : T.waiverAsked} {choiceWords(waiver.key)}
        </p>
      ))}
      {(page.linked ?? []).map((linked) => (
        <p key={linked.id} className="note">
          {wordFor(RELATION_WORDS, linked.relation)}{' '}
          <Link to="/tickets/$id" params={{ id: linked.id }}>
            {linked.reference}
          </Link>{' '}
          · {wordFor(STATE_WORDS, linked.state)}
        </p>
      ))}
      {answers.length > 0 ? (
        <>
          <h3>{T.answersGiven}</h3>
          <ul className="plain-list">
            {answers.map(([question, answer]) => (
              <li key={question}>
                {wordFor(QUESTION_WORDS, question)} <strong>{choiceWords(String(answer))}</strong>
              </li>
            ))}
          </ul>
        </>
      ) : null}
      {missing.length > 0 ? (
        <>
          <h3>{T.stillMissing}</h3>
          <ul className="plain-list">
            {missing.map((question) => (
              <li key={question}>{wordFor(QUESTION_WORDS, question)}</li>
            ))}
          </ul>
        </>
      ) : null}
    </Section>
  );
}

function invoiceWords(invoice: NonNullable<TicketPage['invoice']>): string {
  return [wordFor(INVOICE_WORDS, invoice.state), usd(invoice.total_cents)].filter(Boolean).join(' · ');
}

export function VisitPanel(props: {
  readonly visit: TicketPage['visit'];
  readonly people: People;
}): ReactNode {
  const { visit, people } = props;
  const who =
    visit?.technician_id === people.ownId
      ? T.you
      : people.technicians.find((t) => t.id === visit?.technician_id)?.label;
  return (
    <Section title={T.visit} area="visit">
      {visit ? (
        <Facts>
          <Fact name={wordFor(VISIT_WORDS, visit.state)}>{who ?? T.assigned}</Fact>
          <Fact name={T.window}>
            {visit.starts_at ? (
              <>
                <When at={visit.starts_at} /> – <When at={visit.ends_at} />
              </>
            ) : null}
          </Fact>
          <Fact name={T.checkedIn}>{visit.checked_in_at ? <When at={visit.checked_in_at} /> : null}</Fact>
          <Fact name={T.started}>{visit.started_at ? <When at={visit.started_at} /> : null}</Fact>
        </Facts>
      ) : (
        <Empty>{T.visitEmpty}</Empty>
      )}
    </Section>
  );
}

export function Approvals({ approvals }: { readonly approvals: readonly Approval[] }): ReactNode {
  const pending = approvals.some((item) => item.state === 'PENDING');
  return (
    <Section title={T.approvals} area="approvals">
      {approvals.length === 0 ? <Empty>{T.approvalsEmpty}</Empty> : null}
      <ul className="cards">
        {approvals.map((item) => (
          <li key={item.id}>
            <p className="card-title">
              {wordFor(APPROVAL_KIND_WORDS, item.kind)} · {usd(item.amount_cents) ?? '–'}
            </p>
            <p className={item.state === 'PENDING' ? 'note' : 'faint'}>
              {wordFor(APPROVAL_WORDS, item.state)}
            </p>
            <Facts>
              <Fact name={T.newNte}>{usd(item.new_nte_cents)}</Fact>
              <Fact name={T.needsProof}>
                {item.state === 'PENDING' && item.proof_assurance
                  ? `${wordFor(PROOF_WORDS, item.proof_assurance)}${(item.deciders ?? 1) > 1 ? T.ofEachOfTwo : ''}`
                  : null}
              </Fact>
              <Fact name={T.expires}>{item.state === 'PENDING' ? <When at={item.expires_at} /> : null}</Fact>
              <Fact name={T.decided}>{item.decided_at ? <When at={item.decided_at} /> : null}</Fact>
            </Facts>
            <ul className="plain-list faint">
              {inPlace(item.lines ?? []).map(({ place, item: line }) => (
                <li key={place}>
                  {line.quantity ?? 1} × {plain(line.kind ?? '')} {usd(line.unit_cents) ?? ''}
                  {line.incurred === 'yes' ? ` · ${T.alreadySpent}` : ''}
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ul>
      {pending ? <p className="faint">{T.approverPage}</p> : null}
    </Section>
  );
}

export function EvidencePanel(props: {
  readonly evidence: readonly Evidence[];
  readonly wanted: readonly WantedEvidence[];
}): ReactNode {
  const stored = props.evidence.filter((item) => item.state === 'FINALIZED');
  const photos = props.wanted.filter((rule) => rule.kind === 'photo');
  const rules = photos.filter((rule) => rule.required);
  const possible = photos.filter((rule) => !rule.required && rule.possible);
  return (
    <Section title={T.evidence} area="evidence">
      {rules.length > 0 ? (
        <>
          <h3>{T.evidenceNeeded}</h3>
          <ul className="checklist">
            {rules.map((rule) => {
              const have = stored.filter((item) => item.key === rule.key).length;
              return (
                <li key={rule.key} className={have >= rule.minimum ? 'ticked' : ''}>
                  <span aria-hidden="true">{have >= rule.minimum ? '✓' : '○'}</span> {choiceWords(rule.key)}{' '}
                  <span className="faint">
                    {have} {T.of} {rule.minimum}
                  </span>
                </li>
              );
            })}
          </ul>
        </>
      ) : null}
      {possible.length > 0 ? (
        <p className="faint">
          {T.evidencePossible} {possible.map((rule) => choiceWords(rule.key)).join(' · ')}
        </p>
      ) : null}
      {props.evidence.length === 0 ? <Empty>{T.evidenceEmpty}</Empty> : null}
      <ul className="photos">
        {props.evidence.map((item) => (
          <li key={item.id}>
            {item.state === 'FINALIZED' ? (
              <a href={`/api/evidence/${item.id}`} target="_blank" rel="noreferrer">
                <img
                  className="photo"
                  src={`/api/evidence/${item.id}`}
                  alt={`${T.photoOf} ${choiceWords(item.key ?? '')}`}
                  loading="lazy"
                />
              </a>
            ) : null}
            <p className="card-title">{choiceWords(item.key ?? '')}</p>
            <p className="faint">
              {item.state === 'FINALIZED' ? T.stored : T.announced} · <When at={item.created_at} />
            </p>
          </li>
        ))}
      </ul>
    </Section>
  );
}
