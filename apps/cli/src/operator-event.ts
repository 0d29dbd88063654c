import { randomBytes, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AuditEvent, MAX_ENTRY_BYTES, signOperatorEvent } from '@deadlatch/audit-log';
import { createIdMaker } from '@deadlatch/kernel';
import { loadSigningKey, type ServiceKeyPair } from '@deadlatch/signing';
import { StartError } from './arguments.ts';

/** An event as the operator's SQL functions take it: `body` is canonical JSON. */
export interface OperatorEvent {
  readonly id: string;
  readonly correlation_id: string;
  readonly body: string;
}

/** Who acts as the operator, in which installation. */
export interface OperatorSigner {
  readonly environment: string;
  readonly tenantId: string;
  readonly key: ServiceKeyPair;
}

export interface OperatorDeed {
  readonly command: string;
  /** Ids, closed words and counts only. */
  readonly details: AuditEvent['details'];
  /** What it states of rows of authority: one entry for each row that it writes or removes. */
  readonly directory?: readonly string[];
  readonly effects?: AuditEvent['effects'];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Makes the one audit event of something that the operator does; the only place that makes events of that origin.
 * @throws StartError when it says more than one entry of the log can hold
 * @source F.1
 */
export function operatorEvent(signer: OperatorSigner, deed: OperatorDeed): OperatorEvent {
  const { command, details, directory = [], effects = [], now } = deed;
  const id = createIdMaker(
    () => now,
    (n) => randomBytes(n),
  )();
  const correlationId = randomUUID();
  const act = {
    environment: signer.environment,
    tenant: signer.tenantId,
    id,
    correlationId,
    time: new Date(now).toISOString(),
    command,
    details,
    directory,
    effects,
  };
  const body = signOperatorEvent(act, signer.key);
  if (Buffer.byteLength(body) > MAX_ENTRY_BYTES)
    throw new StartError(
      `${command} changes too much at once for one event of the audit log; do it in parts.`,
    );
  return { id, correlation_id: correlationId, body };
}

/** The operator's own key, which no service can read. */
export async function readOperatorKey(keysRoot: string): Promise<ServiceKeyPair> {
  return loadSigningKey(await readFile(join(keysRoot, 'cli', 'operator.pem'), 'utf8'));
}
