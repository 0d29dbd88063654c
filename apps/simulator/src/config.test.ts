import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ConfigError } from '@deadlatch/http';
import { loadSimulatorConfig } from './config.ts';

const MARIA = { slug: 'maria-manager', label: 'Maria', phone: '+15552220001' };

async function environment(t: TestContext, people: unknown = [MARIA]): Promise<Record<string, string>> {
  const directory = await mkdtemp(join(tmpdir(), 'simulator-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, 'twilio-auth-token'), 'a-carrier-token');
  writeFileSync(join(directory, 'people.json'), JSON.stringify(people));
  return {
    DEADLATCH_ENVIRONMENT: 'demo',
    DEADLATCH_KEY_DIR: directory,
    DEADLATCH_HOST: '127.0.0.1',
    DEADLATCH_PORT: '4390',
    SIMULATOR_SMTP_PORT: '4395',
    SIMULATOR_PEOPLE: join(directory, 'people.json'),
    GATEWAY_PUBLIC_URL: 'http://127.0.0.1:4360',
    TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
    TWILIO_NUMBER: '+15550001111',
  };
}

test('a complete set-up is read', async (t) => {
  const { config } = loadSimulatorConfig(await environment(t));
  assert.deepEqual(config.people, [{ ...MARIA, email: null }]);
});

test('it exists in the demo and on this machine only', async (t) => {
  const good = await environment(t);
  const changes = [
    { DEADLATCH_HOST: '0.0.0.0' },
    { DEADLATCH_HOST: '::' },
    { DEADLATCH_HOST: '192.168.1.2' },
    { DEADLATCH_ENVIRONMENT: 'production' },
    { GATEWAY_PUBLIC_URL: 'http://sms.example.test' },
    { SIMULATOR_PEOPLE: '/nowhere' },
  ];
  for (const change of changes) {
    assert.throws(() => loadSimulatorConfig({ ...good, ...change }), ConfigError, JSON.stringify(change));
  }
});

test('people that cannot be told apart are refused', async (t) => {
  const bad: unknown[] = [
    [],
    {},
    [{ ...MARIA, phone: '5552220001' }],
    [{ ...MARIA, slug: '../x' }],
    [{ slug: 'a' }],
    [MARIA, { ...MARIA, phone: '+15552220002' }],
    [MARIA, { ...MARIA, slug: 'other' }],
  ];
  for (const people of bad) {
    const env = await environment(t, people);
    assert.throws(() => loadSimulatorConfig(env), ConfigError, JSON.stringify(people));
  }
});
