import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { verifies } from '../../../test/requirements.ts';
import { METRICS } from './metric-table.ts';
import { createMetrics } from './metrics.ts';

const CANARY = 'Maria Lopez +1 555 010 2233 maria@example.com';
const NAMES = Object.keys(METRICS) as (keyof typeof METRICS)[];

type Loose = Record<'add' | 'set' | 'observe', (name: unknown, labels: unknown, value?: unknown) => void>;

/** Writes to a metric with its own method, whatever the labels are. */
function write(metrics: ReturnType<typeof createMetrics>, name: string, labels: unknown): void {
  const loose = metrics as unknown as Loose;
  loose.add(name, labels);
  loose.set(name, labels, 1);
  loose.observe(name, labels, 1);
}

describe('metrics', () => {
  it('are written as Prometheus reads them', async () => {
    const metrics = createMetrics();
    metrics.add('http_refusals_total', { dimension: 'rate' });
    metrics.add('http_refusals_total', { dimension: 'rate' }, 2);
    metrics.set('log_size', {}, 12);
    const at = { method: 'GET', route: '/v1/tickets/:id', status: '2xx' };
    for (const seconds of [0.004, 0.005, 40]) metrics.observe('http_request_duration_seconds', at, seconds);
    const lines = (await metrics.read()).split('\n');
    const labels = 'method="GET",route="/v1/tickets/:id",status="2xx"';
    const name = 'deadlatch_http_request_duration_seconds';
    assert.deepEqual(
      lines.filter((line) => line.startsWith(name)),
      [
        ['0.002', 0],
        ...['0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '5', '10', '30'].map((le) => [
          le,
          2,
        ]),
        ['+Inf', 3],
      ]
        .map(([le, n]) => `${name}_bucket{${labels},le="${le}"} ${n}`)
        .concat(`${name}_sum{${labels}} ${0.004 + 0.005 + 40}`, `${name}_count{${labels}} 3`),
    );
    assert.ok(lines.includes('deadlatch_http_refusals_total{dimension="rate"} 3'));
    assert.ok(lines.includes('deadlatch_log_size 12'));
    assert.ok(lines.includes('# TYPE deadlatch_log_size gauge'));
    assert.equal(lines.at(-1), '');
  });

  it('hold no label or value that is not listed, whatever is handed in', async () => {
    verifies('T5.1', 'T5.4');
    const secret = fc.string({ minLength: 1 }).map((text) => `CANARY ${text}`);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...NAMES),
        fc.object({ values: [secret] }),
        secret,
        async (name, object, text) => {
          const metrics = createMetrics();
          const listed = Object.keys(METRICS[name].labels);
          const hostile = [
            text,
            `a"} CANARY{b="`,
            `a\nCANARY 1`,
            { toString: () => text },
            new Error(text),
            [text],
          ];
          for (const value of hostile) {
            write(metrics, name, {
              ...object,
              [text]: text,
              ...Object.fromEntries(listed.map((label) => [label, value])),
            });
          }
          const found = await metrics.read();
          assert.doesNotMatch(found, /CANARY/);
          for (const line of found.split('\n').filter((one) => one !== '')) {
            assert.match(
              line,
              /^(# (HELP|TYPE) .*|deadlatch_[a-z_]+(\{[a-z_]+="[^"\n\\]*"(,[a-z_]+="[^"\n\\]*")*\})? [0-9.e+-]+)$/,
            );
            for (const [, label] of line.matchAll(/[{,]([a-z_]+)="/g)) {
              assert.ok(label === 'le' || listed.includes(label ?? ''), line);
            }
          }
        },
      ),
    );
  });

  it('take no telephone number, address, or two words as a label', async () => {
    for (const canary of ['+15550102233', 'n15550102233', 'a@b.example', 'maria lopez', 'Maria', CANARY]) {
      const metrics = createMetrics();
      for (const name of NAMES) {
        write(
          metrics,
          name,
          Object.fromEntries(Object.keys(METRICS[name].labels).map((label) => [label, canary])),
        );
      }
      assert.ok(!(await metrics.read()).includes(canary), canary);
    }
  });

  it('are of bounded number: what comes after is counted together', async () => {
    const metrics = createMetrics();
    const word = (n: number) => [...String(n)].map((digit) => 'abcdefghij'[Number(digit)]).join('');
    for (let n = 0; n < 2_000; n += 1) {
      metrics.add('commands_total', { command: word(n), decision: 'refused', dimension: 'tool' });
    }
    const lines = (await metrics.read())
      .split('\n')
      .filter((line) => line.startsWith('deadlatch_commands_total'));
    assert.equal(lines.length, 501);
    assert.ok(
      lines.includes('deadlatch_commands_total{command="other",decision="other",dimension="other"} 1500'),
    );
  });

  it('outside the table, or of another type, are not written; nothing throws', async () => {
    const metrics = createMetrics();
    for (const name of [CANARY, 'constructor', '__proto__', undefined]) write(metrics, name as string, {});
    const loose = metrics as unknown as Loose;
    loose.add('log_size', {});
    loose.set('log_size', {}, Number.NaN);
    loose.observe('command_duration_seconds', { decision: 'accepted' }, -1);
    loose.add('spans_lost_total', {}, -1);
    assert.equal(await metrics.read(), '');
  });

  it('a gauge that cannot be read now is absent, not old', async () => {
    const metrics = createMetrics();
    let works = true;
    metrics.beforeRead(['outbox_waiting'], async () => {
      if (!works) throw new Error(CANARY);
      metrics.set('outbox_waiting', {}, 3);
    });
    assert.match(await metrics.read(), /outbox_waiting 3/);
    works = false;
    assert.doesNotMatch(await metrics.read(), /outbox_waiting|Maria/);
  });

  it('have names and units as Prometheus wants them, and say what they are', () => {
    for (const [name, entry] of Object.entries(METRICS)) {
      assert.match(name, /^[a-z]+(_[a-z]+)*$/);
      assert.equal(name.endsWith('_total'), entry.type === 'counter', name);
      assert.match(entry.help, /^[A-Z][^\n"\\]*\.$/, name);
      assert.equal('buckets' in entry, entry.type === 'histogram', name);
    }
  });
});
