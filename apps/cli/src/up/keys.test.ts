import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parseTrustBundle } from '@deadlatch/http';
import { ensureKeys, type Trust } from './keys.ts';

const HOUR_MS = 3_600_000;
const FIRST_START = Date.parse('2026-01-01T00:00:00.000Z');

let root: string;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'deadlatch-keys-'));
});
after(() => rm(root, { recursive: true }));

const path = () => join(root, 'trust.json');
const read = async () => JSON.parse(await readFile(path(), 'utf8'));

describe('keys of an installation', () => {
  it('are made once and pinned with their times', async () => {
    const made = await ensureKeys(root, 'demo', ['gateway'], FIRST_START);
    assert.deepEqual(await ensureKeys(root, 'demo', ['gateway'], FIRST_START + HOUR_MS), made);
    const bundle = parseTrustBundle(await readFile(join(root, 'gateway', 'trust.json')));
    assert.equal(bundle.grantKeys[0]?.notBefore, FIRST_START - 60_000);
    assert.equal(bundle.tokenKeys.length, 1);
  });

  it('of a version that pinned one grant and one token key without times stay, since the first start', async () => {
    const known: Trust = await read();
    const { grant_keys: grants, token_keys: tokens, ...rest } = known;
    const untimed = ([key]: Trust['grant_keys']) => ({ keyid: key?.keyid, x: key?.x });
    const old = { ...rest, grant_key: untimed(grants), token_key: untimed(tokens) };
    await writeFile(path(), JSON.stringify(old));
    const upgraded = await ensureKeys(root, 'demo', ['gateway'], FIRST_START + HOUR_MS);
    const since = (keys: Trust['grant_keys']) => keys.map(({ keyid, from }) => ({ keyid, from }));
    assert.deepEqual(since(upgraded.grant_keys), since(known.grant_keys));
    assert.deepEqual(since(upgraded.token_keys), since(known.token_keys));
    assert.deepEqual(Object.keys(await read()).sort(), Object.keys(known).sort());
    parseTrustBundle(await readFile(path()));
  });
});
