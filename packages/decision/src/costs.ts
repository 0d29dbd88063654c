import { addCents, cents } from '@deadlatch/kernel';
import type { ContractFacts } from './directory-rows.ts';
import type { CostFacts } from './facts.ts';
import type { ChangeLine, InvoiceLine, TicketRow } from './rows.ts';

/**
 * What the job costs so far, as it would be invoiced: each part, the time at the contract's rate, one trip.
 * Labor: `quantity` is minutes, `unit_cents` the rate of an hour; `total_cents` is rounded half up.
 * @throws DispatchError `schema_mismatch` when a figure is not a whole number of cents
 */
export function invoiceLines(costs: CostFacts, contract: ContractFacts): readonly InvoiceLine[] {
  const rate = cents(contract.labor_cents_per_hour);
  const trip = cents(contract.trip_cents);
  const parts = costs.parts.map(
    (part): InvoiceLine => ({
      kind: 'PART',
      quantity: part.quantity,
      unit_cents: part.unit_cents,
      total_cents: cents(part.quantity * part.unit_cents),
      part_number: part.part_number,
    }),
  );
  const minutes = cents(costs.minutes);
  const labor: InvoiceLine = {
    kind: 'LABOR',
    quantity: minutes,
    unit_cents: rate,
    total_cents: cents(Math.floor((minutes * rate + 30) / 60)),
  };
  const travel: InvoiceLine = { kind: 'TRIP', quantity: 1, unit_cents: trip, total_cents: trip };
  return [...parts, ...(minutes > 0 ? [labor] : []), travel];
}

/**
 * What the customer is charged for. A recall costs them nothing until an approver gave it a limit: then the ordinary
 * lines and the ordinary limit hold.
 */
export function chargedLines(
  ticket: Pick<TicketRow, 'recall_of' | 'nte_cents'>,
  costs: CostFacts,
  contract: ContractFacts,
): readonly InvoiceLine[] {
  return ticket.recall_of !== null && ticket.nte_cents === 0 ? [] : invoiceLines(costs, contract);
}

/** Sum of the lines. @throws DispatchError `schema_mismatch` when it leaves the range of money */
export function totalCents(lines: readonly InvoiceLine[]): number {
  return addCents(...lines.map((line) => line.total_cents));
}

/** Sum of what a change asks for. */
export function changeAmount(lines: readonly ChangeLine[]): number {
  return addCents(...lines.map((line) => cents(line.quantity * line.unit_cents)));
}
