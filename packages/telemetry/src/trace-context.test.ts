import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { verifies } from '../../../test/requirements.ts';
import { formatTraceparent, parseTraceparent } from './trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('traceparent', () => {
  it('is read and written as the specification has it', () => {
    verifies('F.3');
    const context = { traceId: TRACE, spanId: SPAN };
    assert.deepEqual(parseTraceparent(`00-${TRACE}-${SPAN}-00`), context);
    assert.equal(formatTraceparent(context), `00-${TRACE}-${SPAN}-01`);
  });

  it('is nothing when it is anything else', () => {
    const good = `00-${TRACE}-${SPAN}-01`;
    for (const value of [
      undefined,
      null,
      '',
      42,
      [good],
      [good, good],
      { toString: () => good },
      good.toUpperCase(),
      `${good} `,
      `${good}\n`,
      `${good}-00`,
      `${good},${good}`,
      `ff-${TRACE}-${SPAN}-01`,
      `01-${TRACE}-${SPAN}-01`,
      `00-${'0'.repeat(32)}-${SPAN}-01`,
      `00-${TRACE}-${'0'.repeat(16)}-01`,
      `00-${TRACE}-${SPAN}`,
      `00-${TRACE}-${SPAN}-1`,
      `00-${TRACE.slice(1)}-${SPAN}-01`,
      `00-${'maria.lopez@example.test'}-${SPAN}-01`,
    ]) {
      assert.equal(parseTraceparent(value), null, String(value));
    }
  });

  it('holds nothing but what it was made of, whatever it is read from', () => {
    const hex = (n: number) =>
      fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: n, maxLength: n });
    fc.assert(
      fc.property(hex(32), hex(16), fc.string(), (traceId, spanId, rest) => {
        const read = parseTraceparent(`00-${traceId}-${spanId}-01${rest}`);
        const isReadable = rest === '' && /[^0]/.test(traceId) && /[^0]/.test(spanId);
        assert.deepEqual(read, isReadable ? { traceId, spanId } : null);
      }),
    );
  });
});
