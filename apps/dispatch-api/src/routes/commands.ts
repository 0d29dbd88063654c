import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { findCommand, routeOf } from '@deadlatch/catalogue';
import { type RateLimit, readJson } from '@deadlatch/http';
import { DispatchError, type ErrorCode, type JsonValue } from '@deadlatch/kernel';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { actorName, type CommandCall } from '../command/call.ts';
import type { Proven } from '../command/caller.ts';
import type { IssueReceipt } from '../command/receipts.ts';
import type { CommandOutcome, CommandRunner } from '../command/run-command.ts';
import type { GrantIssuer } from '../grants/issue-grants.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { UPLOAD_LIFETIME_S, uploadAddress } from '../object-store/upload-address.ts';
import type { Gate } from './gate.ts';

export interface CommandRouteParts {
  readonly gate: Gate;
  readonly runner: CommandRunner;
  readonly fingerprintKey: Uint8Array;
  readonly uploadKey: Uint8Array;
  /** The way past us to where uploads are stored; null where there is none. */
  readonly signUpload: ObjectStore['signUpload'];
  readonly receipt: IssueReceipt;
  readonly adoptGrant: GrantIssuer['adopt'];
  /** Of refused commands, for each service and whomever it speaks for. */
  readonly refusalRate: Pick<RateLimit, 'attempt'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Two routes carry every command of the catalogue. What is not in it arrives here too, so that an unknown command
 * of a known caller is refused by the same gate and leaves its event.
 */
export function addCommandRoutes(app: FastifyInstance, options: CommandRouteParts): void {
  // Made once: from bytes, node imports the key for every body again, seven times the cost of the digest.
  const parts = { ...options, fingerprintKey: createSecretKey(options.fingerprintKey) };
  app.post('/v1/:command', async (request) => {
    const { command } = request.params as { command: string };
    return handle(request, parts, command, null);
  });
  app.post('/v1/:collection/:id/:command', async (request) => {
    const { command, id } = request.params as { command: string; id: string };
    return handle(request, parts, command, id);
  });
}

type Parts = Omit<CommandRouteParts, 'fingerprintKey'> & { readonly fingerprintKey: KeyObject };

async function handle(
  request: FastifyRequest,
  parts: Parts,
  command: string,
  targetId: string | null,
): Promise<JsonValue> {
  const proven = await parts.gate(request);
  const call = readCall(request, parts, command, targetId);
  const outcome = await runWithinRate(proven, call, parts);
  const upload = command === 'evidence.presign' ? await uploadTo(outcome, proven, call, parts) : null;
  return present(outcome, proven, upload, parts);
}

type Call = Omit<CommandCall, 'input'> & { readonly input: JsonValue | DispatchError };

/** A replay costs nothing: whoever captured somebody's request could use up their rate with it. */
const isRefusal = (code: ErrorCode): boolean => code !== 'unavailable' && code !== 'unauthenticated';

/** Whoever was refused too often is refused without a look at anything; that is counted like any other refusal. */
async function runWithinRate(proven: Proven, call: Call, parts: Parts): Promise<CommandOutcome> {
  const { runner, refusalRate } = parts;
  const { input, ...rest } = call;
  const name = `${proven.caller.service} ${actorName(proven.caller)}`;
  let wasLookedAt = false;
  try {
    return await refusalRate.attempt(name, isRefusal, () => {
      wasLookedAt = true;
      return input instanceof DispatchError
        ? runner.refuse(proven, { ...rest, input: null }, input)
        : runner.run(proven, { ...rest, input });
    });
  } catch (error) {
    if (wasLookedAt || !(error instanceof DispatchError)) throw error;
    return runner.refuse(proven, { ...rest, input: null }, error);
  }
}

/** Reads the body but does not throw: a body that is no JSON is a refusal of a known caller, to be audited. */
function readCall(request: FastifyRequest, parts: Parts, command: string, targetId: string | null): Call {
  const concretePath = request.raw.url ?? '';
  let input: JsonValue | DispatchError;
  try {
    input = readJson(request);
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error;
    input = error;
  }
  const entry = findCommand(command);
  // The path must be the command's own: a known name under another collection is no command.
  const isOwnPath =
    entry !== undefined && routeOf(entry).replace(':id', () => targetId ?? '') === concretePath;
  return {
    command: isOwnPath ? command : `unknown:${command}`.slice(0, 80),
    targetId,
    input,
    concretePath,
    fingerprint: createHmac('sha256', parts.fingerprintKey).update(request.rawBody).digest('base64url'),
  };
}

function present(
  outcome: CommandOutcome,
  proven: Proven,
  upload: Readonly<Record<string, JsonValue>> | null,
  parts: Pick<Parts, 'receipt' | 'adoptGrant'>,
): JsonValue {
  const { correlationId } = proven.caller.context;
  const answer = { correlation_id: correlationId, ...outcome.answer } as Record<string, JsonValue>;
  const result = (answer.result ?? {}) as Record<string, JsonValue>;
  return {
    ...answer,
    result: { ...result, ...upload },
    ...adoption(result, proven, parts),
    event_id: outcome.event.id,
    receipt: parts.receipt(outcome.event),
    replayed: outcome.replayed,
  };
}

/**
 * What a contact's new name, number and address are kept by, for identity alone, which had the act confirmed. Made anew
 * for every answer: whoever lost the first one asks again under the same key.
 */
function adoption(
  result: Record<string, JsonValue>,
  { caller }: Proven,
  parts: Pick<Parts, 'adoptGrant'>,
): Record<string, JsonValue> {
  const { contact_id: contact, account_id: account } = result;
  const isAdopted = caller.service === 'identity' && Object.hasOwn(result, 'name_text_id');
  if (!isAdopted || typeof contact !== 'string' || typeof account !== 'string') return {};
  const handle = (name: string) => (typeof result[name] === 'string' ? (result[name] as string) : null);
  const words = {
    name: handle('name_text_id'),
    phone: handle('phone_text_id'),
    email: handle('email_text_id'),
  };
  const { tenantId, context } = caller;
  return { adopt_grant: parts.adoptGrant(tenantId, contact, account, words, context.correlationId) };
}

/** Made anew for every answer, a replayed one too: an address is a secret and is not stored. */
async function uploadTo(
  outcome: CommandOutcome,
  proven: Proven,
  call: Call,
  parts: Pick<Parts, 'uploadKey' | 'signUpload' | 'now'>,
): Promise<Readonly<Record<string, JsonValue>>> {
  const result = (outcome.answer.result ?? {}) as Record<string, JsonValue>;
  const { evidence_id: evidenceId, size_bytes: sizeBytes } = result;
  // It was accepted, or is the answer to the same bytes: what was announced is what the body says.
  const { sha256, content_type: contentType } = call.input as Record<string, JsonValue>;
  if (
    typeof evidenceId !== 'string' ||
    typeof sizeBytes !== 'number' ||
    typeof sha256 !== 'string' ||
    typeof contentType !== 'string'
  ) {
    throw new DispatchError('unavailable', { detail: 'presign answered no evidence' });
  }
  const { tenantId } = proven.caller;
  const expires = Math.floor(parts.now() / 1000) + UPLOAD_LIFETIME_S;
  const announced = { sha256, sizeBytes, contentType };
  const direct = await parts.signUpload(tenantId, evidenceId, announced, UPLOAD_LIFETIME_S);
  return {
    upload_url: uploadAddress({ tenantId, evidenceId, sizeBytes, expires }, parts.uploadKey),
    ...(direct !== null && { direct_upload: { ...direct } }),
  };
}
