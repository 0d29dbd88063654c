import { randomUUID } from 'node:crypto';
import { generateSigningKeyPem, loadSigningKey, type PinnedKey, type ServiceKeyPair } from './keys.ts';
import { type SignRequestInput, signRequest } from './sign-request.ts';
import type { TxnClaims } from './txn-token.ts';
import { type VerifyRequestInput, verifyRequest } from './verify-request.ts';

/** Fixtures of this package's tests: one valid request and token, to be spoiled one piece at a time. */
export const NOW = Date.UTC(2026, 8, 1, 12, 0, 0);
export const NOW_S = NOW / 1000;
export const API = 'spiffe://demo.deadlatch/dispatch-api';
export const BRIDGE = 'spiffe://demo.deadlatch/tool-bridge';
export const IDENTITY = 'spiffe://demo.deadlatch/identity';
export const VAULT = 'spiffe://demo.deadlatch/vault';
export const WRITE_WITH_TOKEN = { write: true, token: true } as const;

export const newKey = (): ServiceKeyPair => loadSigningKey(generateSigningKeyPem());

export function pin(key: ServiceKeyPair, changes: Partial<PinnedKey> = {}): PinnedKey {
  return {
    keyId: key.keyId,
    publicKey: key.publicKey,
    service: 'tool-bridge',
    notBefore: NOW - 86_400_000,
    notAfter: NOW + 86_400_000,
    revokedAt: null,
    ...changes,
  };
}

export function claims(changes: Partial<TxnClaims> = {}): TxnClaims {
  return {
    iss: IDENTITY,
    aud: API,
    iat: NOW_S,
    exp: NOW_S + 60,
    txn: randomUUID(),
    tenant: randomUUID(),
    sub: `contact:${randomUUID()}`,
    scope: 'person',
    req_wl: BRIDGE,
    tctx: { correlation_id: randomUUID() },
    rctx: { channel: 'sms', assurance: 'L1', amr: ['sms'] },
    ...changes,
  };
}

export interface Sent {
  method: string;
  target: string;
  headers: Record<string, string>;
  body: Uint8Array;
}

/** A request as it would be on the wire: valid, unless `changes` say otherwise. */
export function send(key: ServiceKeyPair, changes: Partial<SignRequestInput> = {}): Sent {
  const input: SignRequestInput = {
    method: 'POST',
    target: '/v1/tickets/0190b2c4-7d1e-7a6b-8c3d-9e4f5a6b7c8d/ticket.triage',
    body: Buffer.from('{"type":"DOOR_WONT_LATCH"}'),
    shape: WRITE_WITH_TOKEN,
    token: 'aaaa.bbbb.cccc',
    idempotencyKey: randomUUID(),
    key,
    audience: API,
    now: NOW,
    ...changes,
  };
  return { method: input.method, target: input.target, headers: signRequest(input), body: input.body };
}

export function rawHeadersOf(headers: Readonly<Record<string, string>>): string[] {
  return ['Host', '127.0.0.1:4310', ...Object.entries(headers).flat()];
}

export function receive(
  sent: Sent,
  key: PinnedKey | readonly PinnedKey[],
  changes: Partial<VerifyRequestInput> = {},
) {
  const keys = new Map([key].flat().map((k) => [k.keyId, k]));
  return verifyRequest({
    method: sent.method,
    target: sent.target,
    rawHeaders: rawHeadersOf(sent.headers),
    body: sent.body,
    shapes: [WRITE_WITH_TOKEN],
    audience: API,
    findKey: (id) => keys.get(id),
    now: NOW,
    ...changes,
  });
}
