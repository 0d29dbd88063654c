import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { ConfigError } from '@deadlatch/http';
import { verifies } from '../../../test/requirements.ts';
import { loadGatewayConfig } from './config.ts';
import { ACCOUNT, makeKeys, NUMBER, TOKEN, temporary } from './gateway.fixture.ts';

const environment = (keyDirectory: string): Record<string, string> => ({
  DEADLATCH_ENVIRONMENT: 'demo',
  DEADLATCH_KEY_DIR: keyDirectory,
  DEADLATCH_HOST: '127.0.0.1',
  DEADLATCH_PORT: '4360',
  DEADLATCH_INTERNAL_PORT: '4361',
  DISPATCH_API_URL: 'http://127.0.0.1:4310',
  WITNESS_URL: 'http://127.0.0.1:4380',
  VAULT_URL: 'http://127.0.0.1:4330',
  GATEWAY_PUBLIC_URL: 'https://sms.example.test/',
  GATEWAY_INBOX_DIR: '/var/lib/deadlatch/inbox',
  TWILIO_ACCOUNT_SID: ACCOUNT,
  TWILIO_NUMBER: NUMBER,
  TWILIO_API_BASE: 'https://api.carrier.test',
});

test('a complete set-up is read, and prints no secret', async (t) => {
  const { directory } = makeKeys(await temporary(t));
  const { config, secrets } = loadGatewayConfig(environment(directory));
  assert.equal(config.publicUrl, 'https://sms.example.test');
  assert.equal(config.logLevel, 'info');
  assert.equal(secrets.carrierToken.reveal(), TOKEN);
  assert.doesNotMatch(
    inspect({ config, secrets }, { depth: 9 }) + JSON.stringify(secrets),
    new RegExp(TOKEN),
  );
});

test('without a carrier token, or with an empty or short one, there is no start', async (t) => {
  verifies('C.7');
  const { directory } = makeKeys(await temporary(t));
  for (const token of ['', '\n', '   ', 'changeme', ' '.repeat(40)]) {
    writeFileSync(join(directory, 'twilio-auth-token'), token);
    assert.throws(() => loadGatewayConfig(environment(directory)), ConfigError, JSON.stringify(token));
  }
  rmSync(join(directory, 'twilio-auth-token'));
  assert.throws(() => loadGatewayConfig(environment(directory)), /no readable twilio-auth-token/);
});

test('a half-set environment is refused, naming everything at once', async (t) => {
  verifies('C.7');
  const { directory } = makeKeys(await temporary(t));
  for (const name of Object.keys(environment(directory))) {
    const { [name]: _, ...rest } = environment(directory);
    assert.throws(() => loadGatewayConfig(rest), new RegExp(name));
  }
  const bad = { ...environment(directory), TWILIO_ACCOUNT_SID: 'AC1', TWILIO_NUMBER: '5550001111' };
  assert.throws(() => loadGatewayConfig(bad), /TWILIO_ACCOUNT_SID.*TWILIO_NUMBER/);
});

test('credentials and texts do not travel in the clear, and environments do not mix', async (t) => {
  const { directory } = makeKeys(await temporary(t));
  const changes = [
    { TWILIO_API_BASE: 'http://api.carrier.test' },
    { GATEWAY_PUBLIC_URL: 'http://sms.example.test' },
    { DEADLATCH_ENVIRONMENT: 'production' },
  ];
  for (const change of changes) {
    assert.throws(() => loadGatewayConfig({ ...environment(directory), ...change }), ConfigError);
  }
  loadGatewayConfig({ ...environment(directory), TWILIO_API_BASE: 'http://127.0.0.1:4390' });
});
