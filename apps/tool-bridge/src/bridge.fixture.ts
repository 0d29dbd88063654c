import { randomBytes, randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import { type GrantOfKind, mintTxnToken, type ServiceKeyPair, signGrant } from '@deadlatch/signing';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import {
  ENVIRONMENT,
  freePort,
  makeTestKeys,
  type PeerAnswer,
  type SignedPeer,
  startSignedPeer,
  type TestKeys,
} from '../../../test/support/signed-peer.ts';
import { compose } from './compose.ts';
import { readSettings } from './env.ts';

/** Fixtures of this app's tests: the real bridge over HTTP between two stand-ins and a real MCP client. */
export const spiffe = (name: string) => `spiffe://${ENVIRONMENT}.deadlatch/${name}`;

export interface Turn {
  readonly id: string;
  readonly conversation: string;
  readonly ticket: string | null;
}

export const newTurn = (ticket: string | null = randomUUID()): Turn => ({
  id: randomUUID(),
  conversation: randomUUID(),
  ticket,
});

export interface Bridge {
  readonly url: string;
  readonly keys: TestKeys;
  readonly identity: SignedPeer;
  readonly api: SignedPeer;
  readonly logs: string[];
  /** Moves the bridge's clock. */
  readonly clock: { skewMs: number };
  /** What dispatch-api says of the turn; replaceable while the bridge runs. */
  readonly tools: { names: unknown };
}

/** Starts the bridge. dispatch-api answers as for `turn`; commands are answered by `command`. */
export async function startBridge(
  t: TestContext,
  turn: Turn,
  command: (path: string, body: Record<string, unknown>) => PeerAnswer = () => accepted(),
): Promise<Bridge> {
  const keys = await makeTestKeys(t, ['tool-bridge', 'identity', 'dispatch-api']);
  const sender = { name: 'tool-bridge', key: keys.service('tool-bridge') } as const;
  const clock = { skewMs: 0 };
  const tools = { names: ['ticket.create', 'ticket.triage', 'conversation.reply'] as unknown };
  const identity = await startSignedPeer(t, {
    name: 'identity',
    sender,
    answer: () => ({ status: 200, body: mintedFor(turn, keys) }),
  });
  const api = await startSignedPeer(t, {
    name: 'dispatch-api',
    sender,
    answer: (call) => {
      if (call.path === '/v1/turn') return { status: 200, body: turnAnswer(turn, tools.names) };
      if (call.method === 'GET') return { status: 200, body: readAnswer(call.path) };
      return command(call.path, call.body);
    },
  });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const logs: string[] = [];
  const settings = readSettings({
    DEADLATCH_ENVIRONMENT: ENVIRONMENT,
    DEADLATCH_KEY_DIR: keys.directoryFor('tool-bridge'),
    DEADLATCH_HOST: '127.0.0.1',
    DEADLATCH_PORT: String(port),
    DEADLATCH_MTLS: 'mesh',
    DEADLATCH_LOG_LEVEL: 'debug',
    DISPATCH_API_URL: api.url,
    WITNESS_URL: 'http://127.0.0.1:1',
    IDENTITY_URL: identity.url,
    TOOL_BRIDGE_URL: url,
  });
  const running = await compose(settings, {
    now: () => Date.now() + clock.skewMs,
    random: (n) => randomBytes(n),
    fetch: globalThis.fetch,
    write: (line) => logs.push(line),
  });
  t.after(() => running.close());
  return { url, keys, identity, api, logs, clock, tools };
}

export function accepted(extra: Record<string, unknown> = {}): PeerAnswer {
  return { status: 200, body: { ticket: null, result: {}, replayed: false, ...extra } };
}

/** The bridge with a client that holds the turn's grant. */
export async function connected(t: TestContext, turn: Turn, command?: Parameters<typeof startBridge>[2]) {
  const bridge = await startBridge(t, turn, command);
  const client = await connect(t, bridge.url, grantFor(turn, bridge.keys.grant));
  return { ...bridge, client };
}

export async function connect(t: TestContext, url: string, bearer: string): Promise<Client> {
  const client = new Client(
    { name: 'test', version: '1' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  );
  const transport = new StreamableHTTPClientTransport(new URL('/mcp', url), {
    requestInit: { headers: { authorization: `Bearer ${bearer}` } },
  });
  await client.connect(transport);
  t.after(() => client.close());
  return client;
}

/** One tool call: whether it was refused, and the structured answer. */
export async function callTool(client: Client, name: string, input: Record<string, unknown> = {}) {
  const result = await client.callTool({ name, arguments: input });
  return {
    isError: result.isError === true,
    value: result.structuredContent as Record<string, unknown>,
    text: result.content,
  };
}

const seconds = () => Math.floor(Date.now() / 1000);

export function turnGrantClaims(turn: Turn): GrantOfKind['turn'] {
  return {
    iss: spiffe('dispatch-api'),
    aud: spiffe('identity'),
    iat: seconds(),
    exp: seconds() + 600,
    jti: randomUUID(),
    tenant: randomUUID(),
    turn: turn.id,
    conversation: turn.conversation,
    message: randomUUID(),
    subject: `contact:${randomUUID()}`,
    assurance: 'L1',
    agent_role: 'agent.intake',
    ticket: turn.ticket,
    correlation_id: randomUUID(),
  };
}

export function grantFor(turn: Turn, key: ServiceKeyPair, over: Partial<GrantOfKind['turn']> = {}): string {
  return signGrant('turn', { ...turnGrantClaims(turn), ...over }, key);
}

export function mintedFor(turn: Turn, keys: TestKeys, lifetimeS = 60) {
  const token = mintTxnToken(
    {
      iss: spiffe('identity'),
      aud: spiffe('dispatch-api'),
      iat: seconds(),
      exp: seconds() + lifetimeS,
      txn: randomUUID(),
      tenant: randomUUID(),
      sub: `contact:${randomUUID()}`,
      scope: 'turn',
      req_wl: spiffe('tool-bridge'),
      act: { role: 'agent.intake', turn: turn.id },
      tctx: { correlation_id: randomUUID(), conversation_id: turn.conversation },
      rctx: { channel: 'sms', assurance: 'L1', amr: [] },
    },
    keys.token,
  );
  return { token, expires_at: new Date((seconds() + lifetimeS) * 1000).toISOString() };
}

function turnAnswer(turn: Turn, tools: unknown) {
  return {
    turn: {
      id: turn.id,
      conversation_id: turn.conversation,
      ticket_id: turn.ticket,
      message_id: randomUUID(),
      agent_role: 'agent.intake',
    },
    sites: [randomUUID()],
    tools,
  };
}

/** Reads hold more than the agent may see: what is not listed must stay in the bridge. */
export const CANARY = 'maria.lopez@example.test';

function readAnswer(path: string) {
  if (path.startsWith('/v1/tickets/')) {
    return {
      ticket: {
        reference: 'DL-1',
        state: 'NEW',
        version: 1,
        incident_type: null,
        priority: null,
        safety: false,
        answers: { open_to_public: 'yes', deep: { name: CANARY } },
        missing: ['anyone_hurt'],
        nte_cents: 75_000,
        requester_id: CANARY,
        site: { address: CANARY },
      },
      incident_types: { DOOR_WONT_LATCH: 2, deep: { name: CANARY } },
      visits: [{ note: CANARY }],
      allowed: [CANARY],
    };
  }
  return {
    conversation: { contact_id: CANARY },
    entries: [
      {
        id: 'e1',
        direction: 'IN',
        mask_state: 'RELEASED',
        text: 'front door will not lock',
        template: null,
        at: '2026-01-01T00:00:00.000Z',
        original: CANARY,
        contact: { phone: CANARY },
      },
    ],
  };
}
