import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { type Assurance, type ServiceName, spiffeId } from '@deadlatch/catalogue';
import { createHttpServer, readJson } from '@deadlatch/http';
import { type JsonValue, refuse } from '@deadlatch/kernel';
import {
  actionDigest,
  canonicalJson,
  type PinnedKey,
  type RequestShape,
  type ServiceKeyPair,
  signGrant,
  type TxnClaims,
  verifyGrant,
  verifyRequest,
  verifyTxnToken,
  withoutEnd,
} from '@deadlatch/signing';
import { createLogger } from '@deadlatch/telemetry';
import type { FastifyInstance, FastifyRequest } from 'fastify';

export const ENVIRONMENT = 'test';
export const READ: RequestShape = { write: false, token: false };
export const WRITE: RequestShape = { write: true, token: false };
export const WRITE_WITH_TOKEN: RequestShape = { write: true, token: true };

/** An approval that the small dispatch-api knows, by its link. */
export interface StagedApproval {
  readonly secret: string;
  readonly approvalId: string;
  readonly contactId: string;
  readonly action: string;
  readonly required: Assurance;
  /** An act of a member of staff instead of a contact's approval. */
  readonly object?: 'act';
  state: string;
}

export interface Decision {
  readonly approvalId: string;
  readonly body: JsonValue;
  readonly claims: TxnClaims;
  readonly idempotencyKey: string | null;
}

interface PeerOptions {
  readonly tenantId: string;
  readonly grantKey: ServiceKeyPair;
  readonly tokenKey: ServiceKeyPair;
  readonly identityKey: ServiceKeyPair;
}

/** dispatch-api as small as its edge: real HTTP, real signatures both ways, made-up answers. */
export interface SmallDispatchApi {
  readonly url: string;
  readonly decisions: Decision[];
  stage(approval: Partial<StagedApproval> & { readonly action?: string }): StagedApproval;
  /** Changes what `step_up.get` answers. */
  distort: (answer: Record<string, JsonValue>, approval: StagedApproval) => Record<string, JsonValue>;
  /** What `approval.decide` does; may throw. */
  decide: (decision: Decision) => JsonValue;
  /** What `step_up.adoptions` answers; may throw. */
  adoptions: (approval: StagedApproval) => JsonValue;
  close(): Promise<void>;
}

export interface SmallVault {
  readonly url: string;
  readonly emails: Map<string, string>;
  readonly reveals: string[];
  /** Grants by which words were to be kept; what `adopted` answers to them, or throws. */
  readonly adoptions: string[];
  adopted: (grant: string) => JsonValue;
  close(): Promise<void>;
}

export const ACTION = {
  kind: 'NTE_INCREASE',
  reference: 'DL-TEST2345',
  lines: [{ kind: 'PART', quantity: 2, unit_cents: 10_000, incurred: 'no', part_number: 'L-9080' }],
  amount_cents: 20_000,
  nte_before_cents: 75_000,
  new_nte_cents: 95_000,
  policy_bundle: 'bundle-1',
  expires_at: '2099-01-01T00:00:00.000Z',
};

export async function startDispatchApi(options: PeerOptions): Promise<SmallDispatchApi> {
  const { tenantId, grantKey } = options;
  const approvals = new Map<string, StagedApproval>();
  const app = server('dispatch-api');
  const answerFor = (approval: StagedApproval): Record<string, JsonValue> => {
    const digest = actionDigest(approval.action);
    const base = (aud: ServiceName) => grantBase(aud, tenantId);
    return {
      ...(approval.object && { object: approval.object }),
      approval_id: approval.approvalId,
      contact_id: approval.contactId,
      action: approval.action,
      action_digest: digest,
      action_jws: signGrant(
        'action',
        {
          ...base('identity'),
          approval: approval.approvalId,
          action: JSON.parse(approval.action) as { [key: string]: JsonValue },
          action_digest: digest,
        },
        grantKey,
      ),
      required: approval.required,
      state: approval.state,
      expires_at: ACTION.expires_at,
      step_up_grant: signGrant(
        'step-up',
        {
          ...base('identity'),
          approval: approval.approvalId,
          contact: approval.contactId,
          action_digest: digest,
          level: approval.required,
          correlation_id: randomUUID(),
          ticket: approval.object ? null : randomUUID(),
          ...(approval.object && { object: approval.object }),
        },
        grantKey,
      ),
      reveal_grant: signGrant(
        'reveal',
        {
          ...base('vault'),
          contact: approval.contactId,
          fields: ['email'],
          purpose: 'code',
          ref: approval.approvalId,
          holder: spiffeId(ENVIRONMENT, 'identity'),
          correlation_id: randomUUID(),
        },
        grantKey,
      ),
    };
  };
  const api: Omit<SmallDispatchApi, 'url'> = {
    decisions: [],
    stage: (given) => {
      const approval: StagedApproval = {
        secret: given.secret ?? randomUUID().replaceAll('-', ''),
        approvalId: given.approvalId ?? randomUUID(),
        contactId: given.contactId ?? randomUUID(),
        action: given.action ?? canonicalJson(ACTION),
        required: given.required ?? 'L2',
        ...(given.object && { object: given.object }),
        state: given.state ?? 'PENDING',
      };
      approvals.set(approval.secret, approval);
      return approval;
    },
    distort: (answer) => answer,
    adoptions: () => refuse('not_found'),
    decide: () => ({
      ticket: { id: randomUUID(), reference: 'DL-TEST2345', state: 'IN_PROGRESS', nte_cents: 95_000 },
      result: {},
      event_id: randomUUID(),
      correlation_id: randomUUID(),
      replayed: false,
    }),
    close: () => app.close(),
  };
  app.get<{ Params: { secret: string } }>('/v1/step-ups/:secret', async (request) => {
    prove(request, 'dispatch-api', READ, options.identityKey);
    const approval = approvals.get(request.params.secret);
    if (approval === undefined) return refuse('not_found');
    return api.distort(answerFor(approval), approval);
  });
  app.get<{ Params: { secret: string } }>('/v1/step-ups/:secret/adoptions', async (request) => {
    prove(request, 'dispatch-api', READ, options.identityKey);
    return api.adoptions(approvals.get(request.params.secret) ?? refuse('not_found'));
  });
  const decided = async (request: FastifyRequest<{ Params: { id: string } }>) => {
    const verified = prove(request, 'dispatch-api', WRITE_WITH_TOKEN, options.identityKey);
    const claims = verifyTxnToken(verified.token ?? '', {
      keys: [withoutEnd(options.tokenKey)],
      issuer: spiffeId(ENVIRONMENT, 'identity'),
      audience: spiffeId(ENVIRONMENT, 'dispatch-api'),
      requestedBy: spiffeId(ENVIRONMENT, 'identity'),
      now: Date.now(),
    });
    const decision = {
      approvalId: request.params.id,
      body: readJson(request),
      claims,
      idempotencyKey: verified.idempotencyKey,
    };
    api.decisions.push(decision);
    return api.decide(decision);
  };
  app.post('/v1/approvals/:id/approval.decide', decided);
  app.post('/v1/acts/:id/act.confirm', decided);
  const url = await listen(app);
  return Object.assign(api, { url });
}

export async function startVault(options: PeerOptions): Promise<SmallVault> {
  const app = server('vault');
  const emails = new Map<string, string>();
  const reveals: string[] = [];
  app.post('/v1/reveals', async (request) => {
    prove(request, 'vault', WRITE, options.identityKey);
    const { grant } = readJson(request) as { grant: string };
    const claims = verifyGrant('reveal', grant, {
      keys: [withoutEnd(options.grantKey)],
      audience: spiffeId(ENVIRONMENT, 'vault'),
      now: Date.now(),
    });
    if (reveals.includes(claims.jti)) refuse('unauthenticated', { detail: 'grant_used' });
    reveals.push(claims.jti);
    return { fields: { email: emails.get(claims.contact) ?? refuse('not_found') } };
  });
  const vault: Omit<SmallVault, 'url'> = {
    emails,
    reveals,
    adoptions: [],
    adopted: () => ({ fields: {}, before: {} }),
    close: () => app.close(),
  };
  app.post('/v1/adoptions', async (request) => {
    prove(request, 'vault', WRITE, options.identityKey);
    const { grant } = readJson(request) as { grant: string };
    vault.adoptions.push(grant);
    return vault.adopted(grant);
  });
  return Object.assign(vault, { url: await listen(app) });
}

/** The claims that every grant of dispatch-api has. */
export function grantBase(audience: ServiceName, tenantId: string) {
  const iat = Math.floor(Date.now() / 1000);
  return {
    iss: spiffeId(ENVIRONMENT, 'dispatch-api'),
    aud: spiffeId(ENVIRONMENT, audience),
    iat,
    exp: iat + 120,
    jti: randomUUID(),
    tenant: tenantId,
  };
}

/** A pinned key that is valid now. */
export function pinned(service: ServiceName, key: ServiceKeyPair): PinnedKey {
  return {
    keyId: key.keyId,
    publicKey: key.publicKey,
    service,
    notBefore: Date.now() - 60_000,
    notAfter: Date.now() + 3_600_000,
    revokedAt: null,
  };
}

function prove(request: FastifyRequest, receiver: ServiceName, shape: RequestShape, key: ServiceKeyPair) {
  const { method = '', url = '', rawHeaders } = request.raw;
  return verifyRequest({
    method,
    target: url,
    rawHeaders,
    body: request.rawBody,
    shapes: [shape],
    audience: spiffeId(ENVIRONMENT, receiver),
    findKey: (keyId) => (keyId === key.keyId ? pinned('identity', key) : undefined),
    now: Date.now(),
  });
}

function server(service: ServiceName): FastifyInstance {
  return createHttpServer({
    service,
    logger: createLogger({ service, level: 'silent' }),
    bodyLimitBytes: 16_384,
    ready: async () => undefined,
  });
}

async function listen(app: FastifyInstance): Promise<string> {
  await app.listen({ host: '127.0.0.1', port: 0 });
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
}
