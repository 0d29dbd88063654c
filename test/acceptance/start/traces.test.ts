import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { asOperator } from '../../../apps/cli/src/operator.ts';
import { type RunFile, readRunFile } from '../../../apps/cli/src/run-file.ts';
import { verifies } from '../../requirements.ts';
import { until } from '../../scenario/browser.ts';
import { createPhones } from '../../scenario/stage.ts';
import { type CollectedSpan, type Collector, startCollector } from '../../support/collector.ts';
import { freePortBase, type System, startSystem } from '../../support/system.ts';
import { temporaryFolder } from './start.fixture.ts';

/** Nothing of this may be seen outside the vault: in the words of a customer, and in what a stranger sends. */
const CANARY = 'Zebulon Quux';
const TEXT = `front door won't lock, we close in an hour. ${CANARY}, call me at +1 555 010 7788`;
const STRANGER = { traceId: 'c0ffee'.repeat(5).concat('00'), spanId: 'decade0123456789' };

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let collector: Collector;
let system: System;
let run: RunFile;
/** Everything that one text message set going. */
let trace: readonly CollectedSpan[];

before(async () => {
  folder = await temporaryFolder();
  collector = await startCollector();
  system = await startSystem({
    stateDir: folder.path,
    portBase: await freePortBase(),
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
  });
  run = await readRunFile(folder.path);
  const phones = createPhones(run.simulator_url ?? '');
  await phones.text('maria-manager', TEXT);
  await phones.waitFor('maria-manager', 0, /EMERGENCY/);
  // What a stranger sends to the pages that everybody can reach.
  for (const url of [`${run.web_url}/${CANARY}`, `${run.identity_url}/approve/${CANARY}`]) {
    await fetch(url, {
      headers: {
        traceparent: `00-${STRANGER.traceId}-${STRANGER.spanId}-01`,
        tracestate: 'zebulon=quux',
        baggage: 'name=zebulon',
      },
    });
  }
  trace = await until('the trace of the text', async () => {
    const turn = collector.spans.find((span) => span.name === 'turn');
    const found = collector.spans.filter((span) => span.traceId === turn?.traceId);
    const isComplete = topsOf(found).length === 1 && found.some((span) => span.name === 'carrier.send');
    return isComplete ? found : undefined;
  });
});
after(async () => {
  await system.stop();
  await collector.close();
  await folder.remove();
});

/** Spans whose parent was not told of. */
function topsOf(spans: readonly CollectedSpan[]): CollectedSpan[] {
  const ids = new Set(spans.map((span) => span.spanId));
  return spans.filter((span) => !ids.has(span.parentSpanId));
}

describe('one text message', () => {
  test('is one trace, from the webhook through agent and authority to the delivery', () => {
    verifies('F.3');
    const hops = new Set(trace.map((span) => `${span.service} ${span.name}`));
    for (const hop of [
      'gateway request',
      'gateway inbox.hand_over',
      'gateway call',
      'vault request',
      'dispatch-api request',
      'dispatch-api command',
      'dispatch-api database',
      'worker outbox.relay',
      'worker call',
      'agent request',
      'agent turn',
      'tool-bridge request',
      'tool-bridge tool.call',
      'tool-bridge call',
      'identity request',
      'gateway carrier.send',
    ]) {
      assert.ok(hops.has(hop), `${hop} is missing among ${[...hops].join(', ')}`);
    }
    const commands = trace.map((span) => span.attributes['deadlatch.command']);
    for (const command of ['message.receive', 'ticket.create', 'ticket.triage', 'message.report_delivery']) {
      assert.ok(commands.includes(command), command);
    }
  });

  test('every span stands below another, and the webhook above all', () => {
    assert.deepEqual(
      topsOf(trace).map((span) => [
        span.service,
        span.name,
        span.attributes['http.route'],
        span.parentSpanId,
      ]),
      [['gateway', 'request', '/sms/inbound', '']],
    );
  });

  test('is named by its trace in every audit event that it led to, and in the lines of every process', async () => {
    verifies('F.3');
    const id = trace[0]?.traceId;
    const events = await asOperator(folder.path, async ({ client }) => {
      const { rows } = await client.query<{ body: string }>(
        `select convert_from(body, 'UTF8') as body from audit.events where correlation_id in
           (select correlation_id from audit.events where command = 'message.receive')`,
      );
      return rows.map(
        ({ body }) => JSON.parse(body) as { command: string; trace_id: unknown; origin: string },
      );
    });
    const mine = events.filter((event) => event.trace_id === id);
    for (const command of [
      'message.receive',
      'ticket.create',
      'ticket.triage',
      'token.mint',
      'contact.reveal',
    ]) {
      assert.ok(
        mine.some((event) => event.command === command),
        command,
      );
    }
    // What the carrier says later begins anew; it is of the same correlation.
    assert.ok(events.every((event) => /^[0-9a-f]{32}$/.test(String(event.trace_id))));
    for (const service of ['gateway', 'agent', 'tool-bridge']) {
      const log = await readFile(join(folder.path, 'logs', `${service}.log`), 'utf8');
      assert.ok(log.includes(`"trace_id":"${id}"`), service);
    }
  });
});

describe('what leaves the system', () => {
  test('of a stranger is a link, never a parent', async () => {
    verifies('F.3');
    const linked = await until('both requests', async () => {
      const found = collector.spans.filter((span) =>
        span.links.some((link) => link.traceId === STRANGER.traceId),
      );
      return found.length >= 2 ? found : undefined;
    });
    assert.deepEqual(new Set(linked.map((span) => span.service)), new Set(['web', 'identity']));
    for (const span of linked) assert.deepEqual([span.parentSpanId, span.links], ['', [STRANGER]]);
    assert.ok(collector.spans.every((span) => span.traceId !== STRANGER.traceId));
  });

  test('holds nothing of what anybody said: no span, no log line', async () => {
    verifies('T5.1', 'T5.4');
    const logs = join(folder.path, 'logs');
    const lines = await Promise.all(
      (await readdir(logs)).map(async (name) => [name, await readFile(join(logs, name), 'utf8')] as const),
    );
    assert.ok(lines.length > 8);
    const sent = collector.requests.map(
      ({ path, headers, body }) => ['collector', path + headers + body] as const,
    );
    for (const [name, text] of [...lines, ...sent]) {
      assert.doesNotMatch(text, /zebulon|quux|555.?010|5550107788|close in an hour/i, name);
    }
  });
});
