import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { startGateway } from './compose.ts';
import { loadGatewayConfig } from './config.ts';
import {
  ACCOUNT,
  freePort,
  makeKeys,
  maskedAnswer,
  NUMBER,
  newSid,
  SENDER,
  startPeer,
  temporary,
} from './gateway.fixture.ts';

/** What dispatch-api renders in these tests. */
export const TEXT = 'Your visit is booked. See https://status.test/s/abc';

/** The whole gateway between peers that speak the real wire format. */
export async function start(t: TestContext) {
  const directory = await temporary(t);
  const keys = makeKeys(directory);
  const inboxDirectory = join(directory, 'inbox');
  mkdirSync(inboxDirectory);
  const vault = await startPeer(t, 'vault', keys, (call) =>
    call.path === '/v1/reveals' ? { status: 200, body: { fields: { phone: SENDER } } } : maskedAnswer(),
  );
  const api = await startPeer(t, 'dispatch-api', keys, (call) =>
    call.path.endsWith('/rendered') ? rendered(call.path.split('/')[3] ?? '') : { status: 200, body: {} },
  );
  const carrier = await startPeer(t, null, keys, () => ({ status: 201, body: { sid: newSid() } }));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const { config, secrets } = loadGatewayConfig({
    DEADLATCH_ENVIRONMENT: 'demo',
    DEADLATCH_KEY_DIR: keys.directory,
    DEADLATCH_HOST: '127.0.0.1',
    DEADLATCH_PORT: String(port),
    DEADLATCH_INTERNAL_PORT: String(await freePort()),
    DEADLATCH_MTLS: 'mesh',
    DEADLATCH_LOG_LEVEL: 'debug',
    DISPATCH_API_URL: api.url,
    WITNESS_URL: 'http://127.0.0.1:1',
    VAULT_URL: vault.url,
    GATEWAY_PUBLIC_URL: url,
    GATEWAY_INBOX_DIR: inboxDirectory,
    TWILIO_ACCOUNT_SID: ACCOUNT,
    TWILIO_NUMBER: NUMBER,
    TWILIO_API_BASE: carrier.url,
  });
  const logs: string[] = [];
  const write = (line: string) => logs.push(line);
  const gateway = await startGateway(config, secrets, { now: Date.now, randomBytes, fetch, write });
  t.after(() => gateway.close());
  return { url, internalUrl: gateway.internalUrl, keys, vault, api, carrier, logs, inboxDirectory };
}

/** A message as dispatch-api renders it. */
export function rendered(messageId: string) {
  const body = {
    message_id: messageId,
    contact_id: randomUUID(),
    channel: 'sms',
    text: TEXT,
    reveal_grant: 'grant-1',
  };
  return { status: 200, body };
}
