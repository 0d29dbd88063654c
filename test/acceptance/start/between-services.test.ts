import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { ConnectionOptions } from 'node:tls';
import { type ServiceName, spiffeId } from '@deadlatch/catalogue';
import { createServiceClient, openKeyDirectory } from '@deadlatch/http';
import { createTelemetry } from '@deadlatch/telemetry';
import { withToolClient } from '../../../apps/agent/src/tool-client.ts';
import { asOperator } from '../../../apps/cli/src/operator.ts';
import { peersOf } from '../../../apps/cli/src/peers.ts';
import { type RunFile, readRunFile } from '../../../apps/cli/src/run-file.ts';
import { verifies } from '../../requirements.ts';
import { until } from '../../scenario/browser.ts';
import { createPhones } from '../../scenario/stage.ts';
import { createAuthority, issueFor } from '../../support/certificates.ts';
import { freePortBase, type System, startSystem } from '../../support/system.ts';
import { cli, temporaryFolder } from './start.fixture.ts';

/** A running system, met by whoever is inside the network and holds some of its credentials. */
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let system: System;
let run: RunFile;
/** Every service that other services call. */
let called: readonly ServiceName[];

before(async () => {
  folder = await temporaryFolder();
  system = await startSystem({ stateDir: folder.path, portBase: await freePortBase() });
  run = await readRunFile(folder.path);
  const outside = ['web', 'simulator', 'cli'];
  called = Object.keys(run.services).filter((name) => !outside.includes(name)) as ServiceName[];
});
after(async () => {
  await system.stop();
  await folder.remove();
});

const urlOf = (service: ServiceName) => peersOf(run).urlOf(service);
const keyDirOf = (service: ServiceName) => run.services[service]?.key_dir ?? '';

/** The status of an answer, or null when there was none. */
function knock(
  send: typeof request | typeof tlsRequest,
  url: string,
  options: ConnectionOptions = {},
): Promise<number | null> {
  const { hostname, port, pathname } = new URL(url);
  return new Promise((done) => {
    const asked = send({ hostname, port, path: pathname, agent: false, ...options }, (answer) => {
      answer.resume();
      done(answer.statusCode ?? null);
    });
    asked.on('error', () => done(null));
    asked.end();
  });
}

describe('a listener for services', () => {
  test('answers the holder of a certificate, over TLS, and nobody else', async () => {
    verifies('T4.1');
    assert.ok(called.length >= 9);
    const stranger = await issueFor(await createAuthority(), run.environment, 'dispatch-api');
    for (const service of called) {
      const url = `${urlOf(service)}/livez`;
      assert.equal(new URL(url).protocol, 'https:', service);
      assert.equal((await peersOf(run).fetchTo(service)(url)).status, 200, service);
      assert.equal(await knock(request, url), null, `${service}, plain`);
      const open = { rejectUnauthorized: false };
      assert.equal(await knock(tlsRequest, url, open), null, `${service}, no certificate`);
      const foreign = { ...open, cert: stranger.certificate, key: stranger.key };
      assert.equal(await knock(tlsRequest, url, foreign), null, `${service}, another authority`);
    }
  });

  test('has what is for services, and the public port of the same process has none of it', async () => {
    verifies('T4.2');
    for (const [service, path] of [
      ['identity', '/v1/sessions'],
      ['gateway', '/v1/deliveries'],
    ] as const) {
      const asked = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
      assert.equal((await fetch(`${run.services[service]?.url}${path}`, asked)).status, 404, service);
      const inside = await peersOf(run).fetchTo(service)(`${urlOf(service)}${path}`, asked);
      assert.equal(inside.status, 401, service);
    }
  });
});

describe('credentials', () => {
  /** The words of a text, sealed by the vault for `signer`, from somebody with the certificate of `holder`. */
  const sealText = (signer: ServiceName, holder: ServiceName) =>
    createServiceClient({
      service: signer,
      key: () => openKeyDirectory(keyDirOf(signer)).signingKey(),
      baseUrl: urlOf('vault'),
      audience: spiffeId(run.environment, 'vault'),
      fetch: peersOf(run, holder).fetchTo('vault'),
      now: Date.now,
      random: randomBytes,
      timeoutMs: 10_000,
    }).write('/v1/texts', { text: 'the closer leaks oil' });

  test('of one service work together', async () => {
    verifies('T4.1');
    await sealText('web', 'web');
  });

  test('of two services do not: a stolen signing key needs the certificate of the same service', async () => {
    verifies('T4.1');
    for (const holder of ['gateway', 'agent', 'cli'] as const) {
      await assert.rejects(sealText('web', holder), { code: 'unauthenticated' }, holder);
    }
  });
});

describe('a live turn grant', () => {
  test('is good with the certificate of the agent, and with no other', async () => {
    verifies('T4.1', 'T1.9');
    const agent = run.services.agent?.pid ?? 0;
    // It stands still, so that its turn stays open.
    process.kill(agent, 'SIGSTOP');
    try {
      await createPhones(run.simulator_url ?? '').text(
        'maria-manager',
        'the closer of the back door leaks oil',
      );
      const turnGrant = await until('the grant of the turn', () =>
        asOperator(folder.path, async ({ client }) => {
          const { rows } = await client.query<{ grant: string | null }>(
            `select payload ->> 'turn_grant' as grant from dispatch.outbox
             where kind = 'agent.wake' and delivered_at is null order by created_at desc limit 1`,
          );
          return rows[0]?.grant ?? undefined;
        }),
      );
      const { tracing } = createTelemetry({
        service: 'agent',
        environment: run.environment,
        otlpEndpoint: null,
        random: randomBytes,
      });
      const toolsAs = (holder: ServiceName) =>
        withToolClient(
          {
            bridgeUrl: urlOf('tool-bridge'),
            turnGrant,
            fetch: peersOf(run, holder).fetchTo('tool-bridge'),
            tracing,
          },
          (tools) => tools.list(),
        );
      for (const holder of ['worker', 'gateway', 'dispatch-api'] as const) {
        await assert.rejects(toolsAs(holder), { code: 'unavailable' }, holder);
        const answer = await peersOf(run, holder).fetchTo('tool-bridge')(`${urlOf('tool-bridge')}/mcp`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${turnGrant}` },
          body: JSON.stringify({ jsonrpc: '2.0', id: randomUUID(), method: 'tools/list' }),
        });
        assert.equal(answer.status, 403, holder);
      }
      assert.ok((await toolsAs('agent')).includes('ticket.create'));
    } finally {
      process.kill(agent, 'SIGCONT');
    }
  });
});

describe('deadlatch doctor', () => {
  const hasNoProblem = ({ problem }: { problem: unknown }) => problem === null;
  const examine = async () =>
    JSON.parse((await cli(['doctor', '--json', '--state-dir', folder.path])).stdout);

  test('tries what each process can read, and how each listener meets three callers', async () => {
    verifies('T4.1', 'T4.2');
    const { findings, tls } = await examine();
    assert.deepEqual(
      findings.map(({ process: name }: { process: string }) => name).sort(),
      [...Object.keys(run.services).filter((name) => name !== 'cli'), 'imager', 'decoder'].sort(),
    );
    for (const finding of findings) {
      assert.equal(finding.reads_own, Object.hasOwn(run.services, finding.process), finding.process);
      assert.deepEqual(finding.reads_others, [], finding.process);
    }
    assert.equal(tls.issued_here, true);
    const dayMs = 24 * 60 * 60 * 1000;
    for (const { service, expires_at: at, problem } of tls.certificates) {
      assert.equal(problem, null, service);
      const leftMs = Date.parse(at) - Date.now();
      assert.ok(leftMs > dayMs / 3 && leftMs <= dayMs, service);
    }
    assert.deepEqual(
      tls.listeners,
      called.map((service) => ({
        service,
        answers_certificate: true,
        answers_without_certificate: false,
        answers_plain: false,
      })),
    );
  });

  test('names a certificate that is gone; it is issued again while everything runs, with another key', async () => {
    verifies('T4.1');
    const path = (file: string) => join(keyDirOf('worker'), file);
    const before = await readFile(path('tls-key.pem'), 'utf8');
    // The supervisor stands still, or it might be quicker.
    process.kill(run.pid, 'SIGSTOP');
    await rm(path('tls.pem'));
    const ended = await cli(['doctor', '--json', '--state-dir', folder.path]).finally(() =>
      process.kill(run.pid, 'SIGCONT'),
    );
    assert.equal(ended.code, 1);
    const { certificates } = JSON.parse(ended.stdout).tls;
    const worker = certificates.find(({ service }: { service: string }) => service === 'worker');
    assert.equal(worker.problem, 'missing');
    const isWhole = async () => (await examine()).tls.certificates.every(hasNoProblem) || undefined;
    await until('another certificate', isWhole, 90_000);
    assert.notEqual(await readFile(path('tls-key.pem'), 'utf8'), before);
    // The worker goes on calling, and whoever it calls goes on listening.
    const phones = createPhones(run.simulator_url ?? '');
    const { length } = await phones.received('maria-manager');
    await phones.text('maria-manager', "front door won't lock, we close in an hour");
    await phones.waitFor('maria-manager', length, /./);
  });
});
