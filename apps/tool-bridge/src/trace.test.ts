import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { verifies } from '../../../test/requirements.ts';
import { callTool, grantFor, newTurn, startBridge } from './bridge.fixture.ts';

const hex = (bytes: number) => randomBytes(bytes).toString('hex');

/** What the bridge logs of a call by somebody who holds `traceparent` in his grant, and sends another. */
async function traceIdsOf(t: Parameters<typeof startBridge>[0], signed: string | null, sent: string) {
  const turn = newTurn();
  const { url, keys, logs } = await startBridge(t, turn);
  const grant = grantFor(turn, keys.grant, signed === null ? {} : { traceparent: signed });
  const client = new Client(
    { name: 'test', version: '1' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  );
  const headers = {
    authorization: `Bearer ${grant}`,
    traceparent: sent,
    tracestate: 'who=maria',
    baggage: 'who=maria',
  };
  await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', url), { requestInit: { headers } }));
  t.after(() => client.close());
  await callTool(client, 'conversation.get');
  assert.doesNotMatch(logs.join(''), /maria/);
  return logs
    .map((line) => JSON.parse(line) as { event: string; trace_id?: string })
    .filter((line) => line.event === 'tool.called')
    .map((line) => line.trace_id);
}

test('an agent acts in the trace that its grant was signed with, whatever trace it names', async (t) => {
  verifies('F.3', 'T1.9');
  const [own, foreign] = [hex(16), hex(16)];
  const signed = `00-${own}-${hex(8)}-01`;
  assert.deepEqual(await traceIdsOf(t, signed, `00-${foreign}-${hex(8)}-01`), [own]);
  assert.deepEqual(await traceIdsOf(t, signed, `00-${own}-${hex(8)}-01`), [own]);
  assert.deepEqual(await traceIdsOf(t, signed, 'maria'), [own]);
});

test('without a trace in the grant, what the agent names is not followed', async (t) => {
  const foreign = hex(16);
  const [id] = await traceIdsOf(t, null, `00-${foreign}-${hex(8)}-01`);
  assert.match(id ?? '', /^[0-9a-f]{32}$/);
  assert.notEqual(id, foreign);
});
