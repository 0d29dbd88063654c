import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { spiffeId } from '@deadlatch/catalogue';
import {
  mintTxnToken,
  type ServiceKeyPair,
  type SignRequestInput,
  signRequest,
  TXN_TOKEN_LIFETIME_S,
} from '@deadlatch/signing';
import type { Job } from './place.ts';

/**
 * The command of every measurement: a technician on site records a part. It moves the ticket one version on, writes
 * a row beside it, and needs ticket, account, site and visit to be decided: neither the lightest nor the
 * heaviest of the catalogue.
 */
export const COMMAND = 'part.record';
export const ENVIRONMENT = 'bench';
/** The service that sends it: technicians work in the web app. */
export const SENDER = 'web' as const;
export const AUDIENCE = spiffeId(ENVIRONMENT, 'dispatch-api');
/** The longest that a receiver takes; requests are signed just before each round. */
const LIFETIME_S = 60;

export const targetOf = (job: Job) => `/v1/tickets/${job.ticketId}/${COMMAND}`;

export function inputOf(at: number) {
  return { part_number: 'L-9080', quantity: 1 + (at % 3), unit_cents: 4_500 + (at % 100) };
}

export interface SenderKeys {
  /** Of `web`. */
  readonly signing: ServiceKeyPair;
  /** Of `identity`. */
  readonly token: ServiceKeyPair;
}

/** One signed request with a user token of its own, so that no receiver can save the second verification. */
export function signedCommand(
  keys: SenderKeys,
  tenantId: string,
  job: Job,
  at: number,
): { readonly signed: SignRequestInput; readonly headers: Readonly<Record<string, string>> } {
  const now = Date.now();
  const iat = Math.floor(now / 1000);
  const token = mintTxnToken(
    {
      iss: spiffeId(ENVIRONMENT, 'identity'),
      aud: AUDIENCE,
      iat,
      exp: iat + TXN_TOKEN_LIFETIME_S,
      txn: randomUUID(),
      tenant: tenantId,
      sub: `technician:${job.technicianId}`,
      scope: 'person',
      req_wl: spiffeId(ENVIRONMENT, SENDER),
      tctx: { correlation_id: randomUUID() },
      rctx: { channel: 'web', assurance: 'L1', amr: ['link'] },
    },
    keys.token,
  );
  const signed: SignRequestInput = {
    method: 'POST',
    target: targetOf(job),
    body: Buffer.from(JSON.stringify(inputOf(at))),
    shape: { write: true, token: true },
    token,
    idempotencyKey: randomUUID(),
    key: keys.signing,
    audience: AUDIENCE,
    now,
    nonce: randomBytes(16).toString('base64url'),
    lifetimeS: LIFETIME_S,
  };
  return { signed, headers: signRequest(signed) };
}

/** What the gate hands on for such a request, without anything having been signed: for the road alone. */
export function provenWithoutSignature(tenantId: string, job: Job, at: number) {
  const created = Math.floor(Date.now() / 1000);
  const body = JSON.stringify(inputOf(at));
  return {
    call: {
      command: COMMAND,
      targetId: job.ticketId,
      input: inputOf(at),
      fingerprint: createHash('sha256').update(body).digest('base64url'),
      concretePath: targetOf(job),
    },
    proven: {
      request: {
        keyId: 'K'.repeat(43),
        service: SENDER,
        shape: { write: true, token: true },
        nonce: randomBytes(16).toString('base64url'),
        created,
        expires: created + LIFETIME_S,
        idempotencyKey: randomUUID(),
        token: null,
        // As long as a real one: it is stored with the event.
        signatureBase: 'b'.repeat(1_900),
        signature: 's'.repeat(88),
      },
      tokenId: randomUUID(),
      requestId: randomUUID(),
      caller: {
        tenantId,
        service: SENDER,
        subject: { kind: 'technician', id: job.technicianId },
        assurance: 'L1',
        agent: null,
        scope: 'person',
        context: {
          correlationId: randomUUID(),
          conversationId: null,
          ticketId: null,
          actionDigest: null,
        },
      },
    },
  } as const;
}
