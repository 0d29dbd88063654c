import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  generateInboxKeyPem,
  generateSigningKeyPem,
  loadInboxKey,
  loadSigningKey,
  publicX,
  type ServiceKeyPair,
  toBase64url,
} from '@deadlatch/signing';
import { verifies } from '../../../test/requirements.ts';
import { pinnedForGood } from '../../../test/support/pinned-for-good.ts';
import { openKeyDirectory } from './key-directory.ts';
import { ConfigError } from './read-env.ts';
import { parseTrustBundle } from './trust-bundle.ts';

const signingPem = generateSigningKeyPem();
const inboxPem = generateInboxKeyPem();
const key = loadSigningKey(signingPem);
const [grant, token] = [generateSigningKeyPem(), generateSigningKeyPem()].map(loadSigningKey) as [
  ServiceKeyPair,
  ServiceKeyPair,
];
const named = { keyid: key.keyId, x: publicX(key.publicKey) };
const entry = {
  service: 'gateway',
  ...named,
  from: '2026-01-01T00:00:00.000Z',
  until: '2027-01-01T00:00:00.000Z',
};
const TRUST = {
  environment: 'demo',
  services: [entry],
  grant_keys: [pinnedForGood(grant)],
  token_keys: [pinnedForGood(token)],
  inbox_key: { x: loadInboxKey(inboxPem).x },
  log: { origin: 'demo.deadlatch/audit', key: 'a line' },
  witnesses: { quorum: 1, keys: ['another line'] },
};

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'deadlatch-keys-'));
  const files: Record<string, string> = {
    'signing.pem': signingPem,
    'inbox.pem': inboxPem,
    'kek.key': `${toBase64url(Buffer.alloc(32, 7))}\n`,
    'short.key': toBase64url(Buffer.alloc(31, 7)),
    'padded.key': `${Buffer.alloc(32, 7).toString('base64')}`,
    'smtp-url': 'smtp://user:hunter2@127.0.0.1\n',
    empty: '',
    'trust.json': JSON.stringify(TRUST),
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
});
after(() => rmSync(folder, { recursive: true }));

const isQuietConfigError = (error: unknown) =>
  error instanceof ConfigError && !/hunter2|BEGIN|PRIVATE/.test(error.message) && error.cause === undefined;

describe('key directory', () => {
  it('reads what it is asked for', () => {
    const keys = openKeyDirectory(folder);
    assert.equal(keys.signingKey().keyId, key.keyId);
    assert.equal(keys.keyPair('signing.pem').keyId, key.keyId);
    assert.equal(keys.inboxKey('inbox.pem').x, TRUST.inbox_key.x);
    assert.deepEqual(keys.secretBytes('kek.key'), Buffer.alloc(32, 7));
    assert.equal(keys.secret('smtp-url').reveal(), 'smtp://user:hunter2@127.0.0.1');
    const trust = keys.trust();
    assert.equal(trust.environment, 'demo');
    assert.equal(trust.services[0]?.notAfter, Date.UTC(2027, 0, 1));
    assert.deepEqual(
      [trust.grantKeys, trust.tokenKeys].map((keys) => keys.map(({ keyId }) => keyId)),
      [[grant.keyId], [token.keyId]],
    );
  });

  it('refuses what is missing, empty, of another kind or outside, without quoting it', () => {
    verifies('C.7', 'T4.2');
    const keys = openKeyDirectory(folder);
    const attempts: (() => unknown)[] = [
      () => openKeyDirectory(join(folder, 'nowhere')).signingKey(),
      () => keys.secret('missing'),
      () => keys.secret('empty'),
      () => keys.secret('../signing.pem'),
      () => keys.secret('/etc/passwd'),
      () => keys.secret(''),
      () => keys.keyPair('inbox.pem'),
      () => keys.inboxKey('signing.pem'),
      () => keys.keyPair('smtp-url'),
      () => keys.secretBytes('short.key'),
      () => keys.secretBytes('padded.key'),
      () => keys.secretBytes('smtp-url'),
    ];
    for (const attempt of attempts) assert.throws(attempt, isQuietConfigError);
  });
});

describe('trust bundle', () => {
  const other = loadSigningKey(generateSigningKeyPem());
  const parse = (value: unknown) => parseTrustBundle(Buffer.from(JSON.stringify(value)));
  const WRONG: Record<string, unknown> = {
    'a list': [TRUST],
    'no environment': { ...TRUST, environment: '' },
    'no services': { ...TRUST, services: undefined },
    'services that are no list': { ...TRUST, services: { 0: entry } },
    'a thumbprint of another key': { ...TRUST, services: [{ ...entry, keyid: other.keyId }] },
    'a key of no service': { ...TRUST, services: [{ ...entry, service: 'root' }] },
    'a key pinned twice': { ...TRUST, services: [entry, { ...entry, service: 'identity' }] },
    'times the wrong way round': { ...TRUST, services: [{ ...entry, from: entry.until, until: entry.from }] },
    'a time that is none': { ...TRUST, services: [{ ...entry, until: 'later' }] },
    'no list of grant keys': { ...TRUST, grant_keys: undefined },
    'no grant key': { ...TRUST, grant_keys: [] },
    'no token key': { ...TRUST, token_keys: [] },
    'a grant key named wrongly': { ...TRUST, grant_keys: [{ ...pinnedForGood(grant), keyid: other.keyId }] },
    'a grant key without an end': { ...TRUST, grant_keys: [{ ...pinnedForGood(grant), until: undefined }] },
    'a token key that is no point': { ...TRUST, token_keys: [{ ...pinnedForGood(token), x: 'AAAA' }] },
    'a key of two purposes': { ...TRUST, token_keys: [pinnedForGood(grant)] },
    'a service that holds the grant key': {
      ...TRUST,
      services: [entry, { service: 'web', ...pinnedForGood(grant) }],
    },
    'a revocation at no time': { ...TRUST, services: [{ ...entry, revoked_at: 'yes' }] },
    'a revocation that is null': { ...TRUST, services: [{ ...entry, revoked_at: null }] },
    'no inbox key': { ...TRUST, inbox_key: {} },
    'no log': { ...TRUST, log: undefined },
    'a log without a key': { ...TRUST, log: { origin: 'demo.deadlatch/audit' } },
    'no witnesses': { ...TRUST, witnesses: undefined },
    'witnesses of whom none is asked': { ...TRUST, witnesses: { ...TRUST.witnesses, quorum: 0 } },
  };
  for (const [name, value] of Object.entries(WRONG)) {
    it(`with ${name} is refused`, () => {
      verifies('T4.2', 'C.7');
      assert.throws(() => parse(value), isQuietConfigError);
    });
  }

  it('that is no strict JSON is refused', () => {
    assert.throws(
      () => parseTrustBundle(Buffer.from('{"environment":"demo","environment":"prod"}')),
      ConfigError,
    );
    assert.throws(() => parseTrustBundle(Buffer.from('')), ConfigError);
    assert.ok(parse(TRUST));
  });
});
