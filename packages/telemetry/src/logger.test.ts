import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import fc from 'fast-check';
import { verifies } from '../../../test/requirements.ts';
import { LOG_EVENTS } from './log-events.ts';
import { codeOf, createLogger, type Logger, traceOf } from './logger.ts';

const CANARY = 'Maria Lopez +1 555 010 2233 maria@example.com';
const ID = '0190b2c4-7d1e-4a6b-8c3d-9e4f5a6b7c8d';

function capture() {
  const lines: string[] = [];
  const log = createLogger({ service: 'gateway', level: 'debug', write: (line) => lines.push(line) });
  return { lines, log, loose: log as unknown as { event(name: unknown, fields: unknown): void } };
}

describe('logger', () => {
  it('writes a listed line with its listed fields', () => {
    const { lines, log } = capture();
    log.event('request.refused', {
      route: '/v1/tickets/:id',
      code: 'not_found',
      dimension: 'membership',
      status: 404,
      request_id: ID,
    });
    const { time, ...line } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    assert.match(String(time), /^\d{4}-.*Z$/);
    assert.deepEqual(line, {
      level: 'info',
      service: 'gateway',
      event: 'request.refused',
      route: '/v1/tickets/:id',
      code: 'not_found',
      dimension: 'membership',
      status: 404,
      request_id: ID,
      msg: 'request refused',
    });
  });

  it('a flood of one line is cut off and counted, and no other line with it', () => {
    verifies('R.6');
    const lines: string[] = [];
    let at = 1_000_000;
    const log = createLogger({
      service: 'gateway',
      level: 'debug',
      write: (line) => lines.push(line),
      now: () => at,
    });
    const refused = () => log.event('request.refused', { code: 'unauthenticated' });
    for (let n = 0; n < 100_000; n += 1) refused();
    assert.equal(lines.length, 200);
    log.event('service.started', { port: 1 });
    assert.equal(lines.length, 201);
    at += 10_000;
    refused();
    refused();
    const [first, second] = lines.slice(-2).map((line) => JSON.parse(line) as { unsaid?: number });
    assert.deepEqual([first?.unsaid, second?.unsaid], [99_800, undefined]);
  });

  it('drops every unlisted field, at any depth and in any casing', () => {
    verifies('T5.1', 'T5.4');
    const { lines, loose } = capture();
    const names = [
      'email',
      'Email',
      'EMAIL',
      'phone',
      'body',
      'text',
      'msg',
      'err',
      'error',
      'time',
      '__proto__',
    ];
    for (const name of names) {
      loose.event('service.started', { port: 4310, [name]: CANARY });
      loose.event('service.started', { port: 4310, nested: { [name]: [CANARY] } });
    }
    assert.equal(lines.length, names.length * 2);
    for (const line of lines) {
      assert.doesNotMatch(line, /Maria|555|example/);
      assert.deepEqual(Object.keys(JSON.parse(line) as object).sort(), [
        'event',
        'level',
        'msg',
        'port',
        'service',
        'time',
      ]);
    }
  });

  it('writes no value that has not the form of its field, whatever it is', () => {
    verifies('T5.1');
    const hostile: unknown[] = [
      CANARY,
      { toString: () => CANARY },
      { toJSON: () => CANARY },
      [CANARY],
      new Error(CANARY),
      new DispatchError('unavailable', { detail: CANARY }),
      Symbol(CANARY),
      5550102233.5,
      Number.NaN,
      null,
      true,
      () => CANARY,
    ];
    for (const [name, entry] of Object.entries(LOG_EVENTS)) {
      for (const value of hostile) {
        const { lines, loose } = capture();
        loose.event(name, Object.fromEntries(Object.keys(entry.fields).map((field) => [field, value])));
        assert.equal(lines.length, 1, name);
        assert.doesNotMatch(lines[0] ?? '', /Maria|555|example/);
        const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
        for (const field of Object.keys(entry.fields)) assert.equal(line[field], '[invalid]');
      }
    }
  });

  it('no form of a field holds a telephone number, an address, or two words', () => {
    verifies('T5.1');
    for (const canary of [
      '+15550102233',
      '15550102233',
      'n15550102233',
      'a@b.example',
      'maria lopez',
      'Maria',
      'MARIA /',
    ]) {
      for (const [name, entry] of Object.entries(LOG_EVENTS)) {
        const { lines, loose } = capture();
        loose.event(name, Object.fromEntries(Object.keys(entry.fields).map((field) => [field, canary])));
        assert.ok(!(lines[0] ?? '').includes(canary), `${name} let ${canary} through`);
      }
    }
  });

  it('never repeats free text it was given, in any place', () => {
    verifies('T5.1');
    const events = Object.keys(LOG_EVENTS);
    fc.assert(
      fc.property(
        fc.constantFrom(...events),
        fc.string({ minLength: 3 }),
        fc.object(),
        (name, text, object) => {
          const { lines, loose } = capture();
          const secret = `CANARY ${text}`;
          loose.event(name, { ...object, [text]: secret, code: secret, route: secret, word: { secret } });
          assert.ok(lines.every((line) => !line.includes('CANARY')));
        },
      ),
    );
  });

  it('drops what is unlisted, however deep, inherited, computed or caused it is', () => {
    verifies('T5.1', 'T5.4');
    const secret = fc.string().map((text) => `CANARY ${text}`);
    const value = fc.oneof(
      secret,
      fc.object({ values: [secret], maxDepth: 4 }),
      secret.map((text) => new Error(text, { cause: new DispatchError('unavailable', { detail: text }) })),
      secret.map((text) => ({ toJSON: () => text, toString: () => text, [Symbol.toPrimitive]: () => text })),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(LOG_EVENTS)),
        fc.dictionary(fc.string(), value),
        value,
        (name, unlisted, hostile) => {
          const { lines, loose } = capture();
          const listed = Object.keys((LOG_EVENTS as Record<string, { fields: object }>)[name]?.fields ?? {});
          const given = Object.assign(Object.create({ port: hostile, code: hostile }), unlisted);
          for (const field of listed)
            Object.defineProperty(given, field, { get: () => hostile, configurable: true });
          loose.event(name, given);
          assert.equal(lines.length, 1);
          const own = Object.keys(JSON.parse(lines[0] ?? '') as object);
          const allowed = new Set([...listed, 'level', 'time', 'service', 'event', 'msg']);
          assert.ok(
            own.every((field) => allowed.has(field)),
            own.join(),
          );
          assert.doesNotMatch(lines[0] ?? '', /CANARY/);
        },
      ),
    );
  });

  it('writes nothing for a name outside the table, and never throws', () => {
    const { lines, loose } = capture();
    for (const name of [CANARY, 'constructor', '__proto__', 'toString', undefined]) loose.event(name, {});
    assert.deepEqual(lines, []);
    const trap = Object.defineProperty({}, 'port', {
      enumerable: true,
      get: () => {
        throw new Error(CANARY);
      },
    });
    loose.event('service.started', trap);
    assert.doesNotMatch(lines.join(), /Maria/);
  });

  it('names the trace it belongs to, and nothing that is none', () => {
    const lines: string[] = [];
    let trace: string | null = 'a'.repeat(32);
    const log = createLogger({
      service: 'web',
      level: 'info',
      traceId: () => trace,
      write: (line) => lines.push(line),
    });
    for (trace of ['a'.repeat(32), null, CANARY, '0'.repeat(32)]) log.event('service.stopped', {});
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as Record<string, unknown>).trace_id),
      ['a'.repeat(32), undefined, '[invalid]', '[invalid]'],
    );
  });

  it('keeps the level it was given', () => {
    const lines: string[] = [];
    const log = createLogger({ service: 'web', level: 'warn', write: (line) => lines.push(line) });
    log.event('service.started', { port: 1 });
    assert.equal(lines.length, 0);
    log.event('service.not_ready', { code: 'unavailable' });
    assert.equal(lines.length, 1);
  });

  it('takes a wider table, and a logger of it serves where the common one is due', () => {
    const lines: string[] = [];
    const events = {
      ...LOG_EVENTS,
      'door.opened': { level: 'info', message: 'door opened', fields: { count: 'count' } },
    } as const;
    const log = createLogger({ service: 'web', level: 'info', events, write: (line) => lines.push(line) });
    const common: Logger = log;
    log.event('door.opened', { count: 1 });
    common.event('service.stopped', {});
    assert.equal(lines.length, 2);
  });

  it('every message is a constant sentence without a place for values', () => {
    for (const entry of Object.values(LOG_EVENTS)) assert.match(entry.message, /^[a-z][a-z -]+$/);
  });
});

describe('errors in logs', () => {
  it('map to a code', () => {
    assert.equal(codeOf(new DispatchError('not_found', { detail: CANARY })), 'not_found');
    assert.equal(codeOf(new Error(CANARY)), 'unavailable');
    assert.equal(codeOf(CANARY), 'unavailable');
  });

  it('leave their class, code and place, never their text', () => {
    verifies('T5.1');
    const error = Object.assign(new TypeError(`${CANARY}\n    at x (apps/maria/src/lopez.ts:555:1)`), {
      code: 'ECONNREFUSED',
    });
    const trace = traceOf(error);
    assert.equal(trace.error, 'type_error');
    assert.equal(trace.error_code, 'ECONNREFUSED');
    assert.match(trace.place ?? '', /^packages\/telemetry\/src\/logger\.test\.ts:\d+:\d+$/);
    const { lines, log } = capture();
    log.event('request.failed', { ...trace, code: codeOf(error) });
    assert.doesNotMatch(lines.join(), /Maria|maria|lopez|555/);
  });

  it('a cause is looked at instead of its wrapper', () => {
    const trace = traceOf(new DispatchError('unavailable', { cause: new RangeError(CANARY) }));
    assert.equal(trace.error, 'range_error');
  });
});
