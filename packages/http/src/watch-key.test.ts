import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { generateSigningKeyPem, loadSigningKey, type TimedKey, withoutEnd } from '@deadlatch/signing';
import { createLogger } from '@deadlatch/telemetry';
import { verifies } from '../../../test/requirements.ts';
import { openKeyDirectory } from './key-directory.ts';
import { ConfigError } from './read-env.ts';
import { keySource, watchKey } from './watch-key.ts';

const folder = mkdtempSync(join(tmpdir(), 'deadlatch-key-'));
const path = join(folder, 'signing.pem');
after(() => rmSync(folder, { recursive: true }));

const pems = [generateSigningKeyPem(), generateSigningKeyPem()] as const;
const [old, young] = [loadSigningKey(pems[0]), loadSigningKey(pems[1])];
const START = 1_000_000;

let clock: { ms: number };
let pins: readonly TimedKey[];
let log: string[];
let current: () => string;
const open = (purpose: 'signing' | 'grant' = 'signing') => {
  const keys = openKeyDirectory(folder);
  const logger = createLogger({ service: 'web', level: 'debug', write: (line) => log.push(line) });
  const source = keySource(keys, purpose, () => {
    if (pins.length === 0) throw new ConfigError(['no bundle']);
    return pins;
  });
  const key = watchKey(source, { now: () => clock.ms, logger });
  return () => key().keyId;
};
const reasons = () => log.map((line) => JSON.parse(line).reason);
const later = () => {
  clock.ms += 5_000;
};

beforeEach(() => {
  writeFileSync(path, pems[0]);
  clock = { ms: START };
  pins = [withoutEnd(old), withoutEnd(young)];
  log = [];
  current = open();
  assert.equal(current(), old.keyId);
});

describe('a signing key that its issuer rewrites', () => {
  it('is the new one within 5 s, replaced as a whole or in place', () => {
    verifies('T4.2');
    writeFileSync(`${path}.part`, pems[1]);
    renameSync(`${path}.part`, path);
    later();
    assert.equal(current(), young.keyId);
    writeFileSync(path, pems[0]);
    later();
    assert.equal(current(), old.keyId);
    assert.deepEqual(log, []);
  });

  it('goes on as it was while the file is half written, and says so once', () => {
    verifies('T4.2');
    for (const length of [0, 10, pems[1].length - 30]) {
      writeFileSync(path, pems[1].slice(0, length));
      later();
      assert.equal(current(), old.keyId);
    }
    assert.deepEqual(reasons(), ['unreadable']);
    writeFileSync(path, pems[1]);
    later();
    assert.equal(current(), young.keyId);
    rmSync(path);
    later();
    assert.equal(current(), young.keyId);
    assert.deepEqual(reasons(), ['unreadable', 'unreadable']);
    assert.ok(log.every((line) => !line.includes('PRIVATE')));
  });

  it('is not taken before everybody can know it', () => {
    verifies('T4.2');
    writeFileSync(path, pems[1]);
    const cases: [readonly TimedKey[], string][] = [
      [[withoutEnd(old)], 'not_pinned'],
      [[], 'pins_unreadable'],
      [[{ ...withoutEnd(young), revokedAt: START + 3_600_000 }], 'revoked'],
      [[{ ...withoutEnd(young), notBefore: START + 60_000 }], 'too_early'],
      [[{ ...withoutEnd(young), notAfter: START }], 'over'],
    ];
    for (const [given, reason] of cases) {
      pins = given;
      later();
      assert.equal(current(), old.keyId, reason);
      assert.equal(reasons().at(-1), reason);
    }
    assert.equal(log.length, cases.length);
    pins = [{ ...withoutEnd(young), notBefore: clock.ms }];
    later();
    assert.equal(current(), young.keyId);
  });

  it('is read again when the clock steps back', () => {
    writeFileSync(path, pems[1]);
    clock.ms -= 3_600_000;
    assert.equal(current(), young.keyId);
  });

  it('is no start without a usable one', () => {
    verifies('C.7');
    writeFileSync(path, pems[0].slice(0, 40));
    assert.throws(() => open(), ConfigError);
    rmSync(path);
    assert.throws(() => open(), ConfigError);
  });

  it('is no start with one that nobody would take, except that they soon will', () => {
    verifies('C.7', 'T4.2');
    const cases: [readonly TimedKey[], RegExp][] = [
      [[withoutEnd(young)], /not_pinned/],
      [[], /pins_unreadable/],
      [[{ ...withoutEnd(old), revokedAt: START + 3_600_000 }], /revoked/],
      [[{ ...withoutEnd(old), notAfter: START }], /over/],
    ];
    writeFileSync(join(folder, 'grant.pem'), pems[0]);
    for (const [given, reason] of cases) {
      pins = given;
      assert.throws(
        () => open('grant'),
        (error) => error instanceof ConfigError && reason.test(error.message),
      );
    }
    pins = [{ ...withoutEnd(old), notBefore: START + 60_000 }];
    assert.equal(open('grant')(), old.keyId);
  });
});
