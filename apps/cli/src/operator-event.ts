import { randomBytes, randomUUID } from 'node:crypto';
import { createIdMaker } from '@deadlatch/kernel';
import { canonicalJson } from '@deadlatch/signing';

/** An event as the operator's SQL functions take it: `body` is canonical JSON. */
export interface OperatorEvent {
  readonly id: string;
  readonly correlation_id: string;
  readonly body: string;
}

/**
 * Makes the one audit event of something that the operator does; the only place that makes events of that origin.
 * @param now milliseconds since the epoch
 * @source F.1
 */
export function operatorEvent(
  installation: { readonly environment: string; readonly tenantId: string },
  command: string,
  details: Readonly<Record<string, string>>,
  now: number,
): OperatorEvent {
  const id = createIdMaker(
    () => now,
    (n) => randomBytes(n),
  )();
  const correlation = randomUUID();
  const body = canonicalJson({
    v: 1,
    origin: 'operator',
    environment: installation.environment,
    id,
    time: new Date(now).toISOString(),
    tenant: installation.tenantId,
    command,
    decision: 'accepted',
    effects: [],
    details,
    correlation_id: correlation,
    request: {},
  });
  return { id, correlation_id: correlation, body };
}
