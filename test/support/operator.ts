import { generateSigningKeyPem, loadSigningKey, type ServiceKeyPair } from '@deadlatch/signing';
import { type OperatorDeed, type OperatorSigner, operatorEvent } from '../../apps/cli/src/operator-event.ts';
import { type ServiceKeyValues, serviceKeyEntry } from '../../apps/cli/src/up/first-rows.ts';

/** An operator of a test's installation; with a key of its own where nobody will verify what it signs. */
export function testOperator(
  environment: string,
  tenantId: string,
  key: ServiceKeyPair = loadSigningKey(generateSigningKeyPem()),
): OperatorSigner {
  return { environment, tenantId, key };
}

/** A signed event of what this operator does now. */
export function signedDeed(operator: OperatorSigner, deed: Omit<OperatorDeed, 'now'>) {
  return operatorEvent(operator, { ...deed, now: Date.now() });
}

/** The argument of `trust.put_service_key`. */
export function pinning(operator: OperatorSigner, key: ServiceKeyValues): string {
  const event = signedDeed(operator, {
    command: 'operator.put_service_key',
    details: { keyid: key.keyid, service: key.service },
    directory: [serviceKeyEntry(key, false)],
  });
  return JSON.stringify({ tenant_id: operator.tenantId, event, ...key });
}

/** The argument of `trust.revoke_service_key`. */
export function revocation(operator: OperatorSigner, key: ServiceKeyValues): string {
  const event = signedDeed(operator, {
    command: 'operator.revoke_service_key',
    details: { keyid: key.keyid },
    directory: [serviceKeyEntry(key, true)],
  });
  return JSON.stringify({ tenant_id: operator.tenantId, event, keyid: key.keyid });
}
