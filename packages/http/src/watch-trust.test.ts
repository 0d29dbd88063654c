import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { generateSigningKeyPem, loadSigningKey } from '@deadlatch/signing';
import { verifies } from '../../../test/requirements.ts';
import { makeLogTrust } from '../../../test/support/log-trust.ts';
import { pinnedForGood } from '../../../test/support/pinned-for-good.ts';
import { openKeyDirectory } from './key-directory.ts';
import { watchTrust } from './watch-trust.ts';

const isUnavailable = (error: unknown) => error instanceof DispatchError && error.code === 'unavailable';
const freshPin = () => pinnedForGood(loadSigningKey(generateSigningKeyPem()));
const REST = { environment: 'demo', services: [], inbox_key: { x: 'A' }, ...makeLogTrust('demo') };
const [first, second] = [freshPin(), freshPin()];
const bundle = (grant: typeof first, more = '') =>
  JSON.stringify({ ...REST, grant_keys: [grant], token_keys: [freshPin()] }) + more;

let folder: string;
let path: string;
let clock: { ms: number };
let current: () => string | undefined;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'deadlatch-trust-'));
  path = join(folder, 'trust.json');
});
beforeEach(() => {
  writeFileSync(path, bundle(first));
  clock = { ms: 1_000_000 };
  const watched = watchTrust({ read: openKeyDirectory(folder).trust, now: () => clock.ms });
  current = () => watched().grantKeys[0]?.keyId;
  assert.equal(current(), first.keyid);
});
after(() => rmSync(folder, { recursive: true }));

describe('the watched trust bundle', () => {
  it('is the new one 5 s after it was replaced', () => {
    verifies('T4.2');
    writeFileSync(`${path}.part`, bundle(second));
    renameSync(`${path}.part`, path);
    clock.ms += 4_999;
    assert.equal(current(), first.keyid);
    clock.ms += 1;
    assert.equal(current(), second.keyid);
  });

  it('that is caught half written goes on as it was, and is the new one when it is whole', () => {
    verifies('T4.2');
    const whole = bundle(second);
    for (const length of [0, 1, Math.floor(whole.length / 2), whole.length - 1]) {
      writeFileSync(path, whole.slice(0, length));
      clock.ms += 5_000;
      assert.equal(current(), first.keyid);
    }
    writeFileSync(path, whole);
    assert.equal(current(), second.keyid);
  });

  it('is none once nothing could be read for 30 s', () => {
    verifies('C.6');
    for (const spoil of [() => writeFileSync(path, bundle(second, '}')), () => rmSync(path)]) {
      writeFileSync(path, bundle(first));
      clock.ms += 5_000;
      assert.equal(current(), first.keyid);
      spoil();
      clock.ms += 29_999;
      assert.equal(current(), first.keyid);
      clock.ms += 1;
      assert.throws(current, isUnavailable);
      assert.throws(current, isUnavailable);
    }
    writeFileSync(path, bundle(second));
    assert.equal(current(), second.keyid);
  });

  it('has no age by a clock that stepped back', () => {
    verifies('C.6');
    clock.ms -= 1;
    assert.equal(current(), first.keyid);
    rmSync(path);
    clock.ms -= 1;
    assert.throws(current, isUnavailable);
  });
});
