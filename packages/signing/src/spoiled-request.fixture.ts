import assert from 'node:assert/strict';
import { sign } from 'node:crypto';
import type { ServiceKeyPair } from './keys.ts';
import { pin, receive, type Sent, send } from './request.fixture.ts';

/** Changes a valid request after it was signed. */
export function spoil(key: ServiceKeyPair, change: (sent: Sent) => void): Sent {
  const sent = send(key);
  change(sent);
  return sent;
}

/** Changes the request and signs it again with the right key: only the profile is wrong, not the signature. */
export function resign(
  key: ServiceKeyPair,
  changeInput: (input: string) => string,
  changeBase = (base: string) => base,
): Sent {
  const sent = send(key);
  const base = receive(sent, pin(key)).signatureBase;
  const old = sent.headers['signature-input'] ?? '';
  const next = changeInput(old);
  assert.notEqual(next, old);
  const params = next.slice(next.indexOf('=') + 1);
  const lines = changeBase(base).split('\n').slice(0, -1);
  const text = [...lines, `"@signature-params": ${params}`].join('\n');
  sent.headers['signature-input'] = next;
  sent.headers.signature = `sig1=:${sign(null, Buffer.from(text), key.privateKey).toString('base64')}:`;
  return sent;
}

export function header(sent: Sent, name: string): string {
  return sent.headers[name] ?? '';
}

/** The rightful signer itself leaves the profile: the signature is good, the header is not. */
export function signHeader(key: ServiceKeyPair, name: string, value: string): Sent {
  const sent = send(key);
  const lines = receive(sent, pin(key)).signatureBase.split('\n');
  const base = lines
    .map((line) => (line.startsWith(`"${name}": `) ? `"${name}": ${value}` : line))
    .join('\n');
  assert.notEqual(base, lines.join('\n'));
  sent.headers[name] = value;
  sent.headers.signature = `sig1=:${sign(null, Buffer.from(base), key.privateKey).toString('base64')}:`;
  return sent;
}
