import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { DispatchError } from '@deadlatch/kernel';
import fc from 'fast-check';
import { verifies } from '../../../test/requirements.ts';
import { SPANS, type SpanName } from './spans.ts';
import { createTracing, type FinishedSpan, type RequestSpan, type Tracing } from './tracing.ts';

const CANARY = 'Maria Lopez +1 555 010 2233 maria@example.com';
const PARENT = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
const HEADER = `00-${PARENT.traceId}-${PARENT.spanId}-01`;
const NAMES = Object.keys(SPANS) as SpanName[];

function recording() {
  const spans: FinishedSpan[] = [];
  const sink = { take: (span: FinishedSpan) => void spans.push(span), close: async () => undefined };
  const tracing = createTracing({ random: randomBytes, sink });
  return { spans, tracing, loose: tracing as unknown as LooseTracing };
}

interface LooseTracing {
  span(
    name: unknown,
    attributes: unknown,
    work: (annotate: (more: unknown) => void) => unknown,
  ): Promise<unknown>;
}

function request(tracing: Tracing, header: unknown, work: (span: RequestSpan) => void): void {
  tracing.request(header, (span) => {
    work(span);
    span.end({});
  });
}

describe('tracing', () => {
  it('keeps one trace through awaits, timers and spans below', async () => {
    verifies('F.3');
    const { tracing, spans } = recording();
    const seen = await tracing.span('turn', {}, async () => {
      await sleep(1);
      const inner = tracing.span('database', { 'db.operation.name': 'read_facts' }, async () =>
        tracing.traceId(),
      );
      return [tracing.traceId(), await inner, tracing.traceparent()?.slice(3, 35)];
    });
    assert.equal(new Set(seen).size, 1);
    assert.deepEqual(
      spans.map((span) => [span.name, span.parentSpanId === null, span.traceId === seen[0]]),
      [
        ['database', false, true],
        ['turn', true, true],
      ],
    );
    assert.equal(spans[0]?.parentSpanId, spans[1]?.spanId);
    assert.equal(tracing.traceId(), null);
    assert.equal(tracing.traceparent(), null);
  });

  it('two pieces of work at once never see each other', async () => {
    const { tracing } = recording();
    const ids = await Promise.all(
      Array.from({ length: 20 }, () =>
        tracing.span('turn', {}, async () => {
          const before = tracing.traceId();
          await sleep(Math.random() * 3);
          assert.equal(tracing.traceId(), before);
          return before;
        }),
      ),
    );
    assert.equal(new Set(ids).size, 20);
  });

  it('a stranger is linked to and never followed', () => {
    verifies('F.3');
    const { tracing, spans } = recording();
    request(tracing, HEADER, () => assert.notEqual(tracing.traceId(), PARENT.traceId));
    assert.notEqual(spans[0]?.traceId, PARENT.traceId);
    assert.equal(spans[0]?.parentSpanId, null);
    assert.deepEqual(spans[0]?.links, [PARENT]);
  });

  it('a proven sender is followed, and is no link then', () => {
    const { tracing, spans } = recording();
    request(tracing, HEADER, (span) => {
      span.follow(span.inbound);
      assert.equal(tracing.traceId(), PARENT.traceId);
    });
    assert.equal(spans[0]?.traceId, PARENT.traceId);
    assert.equal(spans[0]?.parentSpanId, PARENT.spanId);
    assert.deepEqual(spans[0]?.links, []);
  });

  it('a request that has done something already does not change its trace', () => {
    const { tracing, spans } = recording();
    request(tracing, HEADER, (span) => {
      tracing.traceparent();
      span.follow(span.inbound);
    });
    assert.notEqual(spans[0]?.traceId, PARENT.traceId);
  });

  it('a malformed header is no link and no parent', () => {
    for (const header of [CANARY, `${HEADER}x`, undefined, [HEADER]]) {
      const { tracing, spans } = recording();
      request(tracing, header, (span) => span.follow(span.inbound));
      assert.deepEqual([spans[0]?.links, spans[0]?.parentSpanId], [[], null]);
    }
  });

  it('what was stored is gone on with; what cannot be read begins anew', async () => {
    const { tracing, spans } = recording();
    const stored = await tracing.span('command', {}, async () => tracing.traceparent());
    await tracing.resume('outbox.relay', stored, { 'deadlatch.attempts': 1 }, async () => undefined);
    await tracing.resume('outbox.relay', CANARY, {}, async () => undefined);
    assert.equal(spans[1]?.traceId, spans[0]?.traceId);
    assert.equal(spans[1]?.parentSpanId, spans[0]?.spanId);
    assert.notEqual(spans[2]?.traceId, spans[0]?.traceId);
  });

  it('has a trace id that runs along when nobody collects', async () => {
    verifies('F.3');
    const tracing = createTracing({ random: randomBytes });
    tracing.request(HEADER, (span) => {
      span.follow(span.inbound);
      assert.equal(tracing.traceId(), PARENT.traceId);
      assert.match(tracing.traceparent() ?? '', new RegExp(`^00-${PARENT.traceId}-[0-9a-f]{16}-01$`));
      assert.notEqual(tracing.traceparent(), HEADER);
      span.end({});
    });
    await tracing.resume('outbox.relay', HEADER, {}, async () => {
      const inner = await tracing.span('database', {}, async () => tracing.traceparent());
      assert.equal(inner, tracing.traceparent());
    });
  });

  it('ids are never all zero', async () => {
    const tracing = createTracing({ random: (n) => new Uint8Array(n) });
    const header = await tracing.span('turn', {}, async () => tracing.traceparent());
    assert.equal(header, `00-${'0'.repeat(31)}1-${'0'.repeat(15)}1-01`);
  });

  it('passes errors on and keeps their code alone', async () => {
    verifies('T5.1');
    const { tracing, spans } = recording();
    const errors = [
      new DispatchError('not_found', { detail: CANARY, cause: new Error(CANARY) }),
      new Error(CANARY),
    ];
    for (const error of errors) {
      await assert.rejects(
        tracing.span('command', {}, async () => {
          throw error;
        }),
        error,
      );
    }
    assert.deepEqual(
      spans.map((span) => [span.attributes, span.isFailed]),
      [
        [{ 'error.type': 'not_found' }, true],
        [{ 'error.type': 'unavailable' }, true],
      ],
    );
    assert.doesNotMatch(JSON.stringify(spans), /Maria|example/);
  });
});

describe('span attributes', () => {
  it('that are not listed, or have not the listed form, cannot appear, whatever is handed in', async () => {
    verifies('T5.1', 'T5.4');
    const secret = fc.string({ minLength: 3 }).map((text) => `CANARY ${text}`);
    const value = fc.oneof(
      secret,
      secret.map((text) => ({ toString: () => text, toJSON: () => text, valueOf: () => text })),
      secret.map((text) => new Error(text, { cause: new Error(text) })),
      secret.map((text) => [text, { nested: { text } }]),
      fc.object({ values: [secret] }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...NAMES),
        fc.dictionary(fc.string(), value),
        value,
        secret,
        async (name, unlisted, hostile, text) => {
          const { spans, loose } = recording();
          const listed = Object.keys(SPANS[name].attributes);
          const given = Object.assign(Object.create({ 'http.route': text }), unlisted, {
            [text]: text,
            ['__proto__']: hostile,
          });
          for (const field of listed) {
            const get = () => {
              if (text.length % 2 === 0) throw new Error(text);
              return hostile;
            };
            Object.defineProperty(given, field, { enumerable: true, get, configurable: true });
          }
          await loose
            .span(name, given, (annotate) =>
              annotate({ ...unlisted, [listed[0] ?? '']: hostile, [text]: text }),
            )
            .catch(() => undefined);
          assert.equal(spans.length, 1);
          for (const span of spans) {
            assert.ok(Object.keys(span.attributes).every((field) => listed.includes(field)));
            assert.doesNotMatch(JSON.stringify(span), /CANARY/);
          }
        },
      ),
    );
  });

  it('no form of an attribute holds a telephone number, an address, or two words', async () => {
    for (const canary of [
      '+15550102233',
      'n15550102233',
      'a@b.example',
      'maria lopez',
      'Maria',
      `0${'1'.repeat(31)}`,
    ]) {
      for (const name of NAMES) {
        const { spans, loose } = recording();
        const fields = Object.keys(SPANS[name].attributes).map((field) => [field, canary]);
        await loose.span(name, Object.fromEntries(fields), async () => undefined);
        assert.ok(!JSON.stringify(spans[0]?.attributes).includes(canary), `${name} let ${canary} through`);
      }
    }
  });

  it('a span outside the table is never exported, and its work is done all the same', async () => {
    for (const name of [CANARY, 'constructor', '__proto__', undefined]) {
      const { spans, loose } = recording();
      assert.equal(await loose.span(name, { [CANARY]: CANARY }, async () => 'done'), 'done');
      assert.deepEqual(spans, []);
    }
  });
});
