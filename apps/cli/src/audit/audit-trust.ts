import { readFile } from 'node:fs/promises';
import {
  asItCounted,
  EVENT_TIME_SLACK_MS,
  type LogTrust,
  parseNoteKey,
  type ShownReceipt,
  type TrailTrust,
  witnessPolicy,
} from '@deadlatch/audit-log';
import { spiffeId } from '@deadlatch/catalogue';
import { DispatchError } from '@deadlatch/kernel';
import { fromBase64url, verifyReceipt } from '@deadlatch/signing';
import { StartError } from '../arguments.ts';
import type { Trust } from '../up/keys.ts';

/** What the verifier holds by itself: public keys, and how many of which witnesses it asks for. */
export interface AuditTrust {
  readonly trail: TrailTrust;
  readonly log: LogTrust;
  /** What a receipt promises. @throws DispatchError `unauthenticated` */
  readonly readReceipt: (receipt: string) => ShownReceipt;
}

/**
 * Reads the public bundle that the operator handed out.
 * @throws StartError when the file is not there or lacks anything: without trust nothing is verified
 */
export async function readAuditTrust(path: string): Promise<AuditTrust> {
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new StartError(`The trust file ${path} cannot be read; nothing can be verified without one.`, {
      cause,
    });
  });
  try {
    return auditTrust(JSON.parse(text) as Trust);
  } catch (cause) {
    throw new StartError(`The trust file ${path} is not one: ${sayWhy(cause)}.`, { cause });
  }
}

/** @throws DispatchError or TypeError when the bundle lacks anything */
export function auditTrust(trust: Trust): AuditTrust {
  const { environment, services, token_keys: tokenKeys, grant_keys: grantKeys, operators } = trust;
  for (const keys of [services, tokenKeys, grantKeys, operators]) {
    if (!Array.isArray(keys) || keys.length === 0) throw new TypeError('keys of a purpose are missing');
  }
  const receiptKeys = grantKeys.map(asItCounted);
  const { origin } = trust.log;
  return {
    trail: { environment, services, tokenKeys, operators },
    log: {
      logKey: parseNoteKey('log', trust.log.key),
      policy: witnessPolicy(trust.witnesses.quorum, trust.witnesses.keys),
      slackMs: EVENT_TIME_SLACK_MS,
    },
    readReceipt: (receipt) => {
      const read = verifyReceipt(receipt, {
        keys: receiptKeys,
        issuer: spiffeId(environment, 'dispatch-api'),
        origin,
      });
      const leafHash = fromBase64url(read.leaf_hash) ?? new Uint8Array();
      return { eventId: read.event_id, leafHash, timeMs: Date.parse(read.time) };
    },
  };
}

function sayWhy(cause: unknown): string {
  if (cause instanceof DispatchError) return cause.detail ?? cause.code;
  return cause instanceof Error ? cause.message : 'unreadable';
}
