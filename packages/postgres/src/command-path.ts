import type { Need, SubjectKind, Target } from '@deadlatch/catalogue';
import type { Changes, Effect, Facts } from '@deadlatch/decision';
import type { Pool } from './pool.ts';

/** Scope of an idempotency key: who, what, and on which concrete path. */
export interface IdempotencyScope {
  readonly service: string;
  readonly subject: string;
  readonly command: string;
  readonly path: string;
  readonly key: string;
}

export interface ReadFactsInput {
  readonly tenant_id: string;
  readonly command: string;
  readonly target: Target;
  readonly target_id: string | null;
  readonly needs: readonly Need[];
  readonly subject: { readonly kind: SubjectKind; readonly id: string | null } | null;
  readonly service: string;
  readonly turn_id: string | null;
  readonly conversation_id: string | null;
  readonly idempotency: IdempotencyScope | null;
  /** References of the input by name. */
  readonly refs: {
    readonly site_id?: string;
    readonly technician_id?: string;
    readonly evidence_id?: string;
    readonly message_id?: string;
    readonly account_id?: string;
    readonly ticket_id?: string;
    readonly survivor_id?: string;
    readonly provider_id?: string;
    /** Narrows `known_message_id` and the inbound conversation to one channel. */
    readonly channel?: string;
    readonly contact_id?: string;
    readonly sender_hash?: string;
    /** Of the secret that was sent. */
    readonly link_hash?: string;
    readonly slug?: string;
    /** An incident type, or a message template. */
    readonly type?: string;
    readonly template?: string;
    /** Rows of a batch: what each is to be called, and where. */
    readonly contacts?: readonly { readonly slug: string; readonly site_id?: string }[];
  };
}

/** Of the request's signature; seconds since the epoch. */
export interface NonceInput {
  readonly keyid: string;
  readonly nonce: string;
  readonly created: number;
  readonly expires: number;
}

export interface EventInput {
  readonly id: string;
  /** Canonical JSON (RFC 8785); stored as exactly these bytes. */
  readonly body: string;
  readonly command: string;
  readonly actor: string;
  readonly correlation_id: string;
  readonly ticket_id: string | null;
}

export interface OutboxInput {
  readonly id: string;
  readonly kind: string;
  readonly ref_id: string;
  readonly order_key: string;
  readonly payload: unknown;
}

export interface LinkInput {
  readonly hash: string;
  readonly purpose: 'status' | 'approval' | 'choice';
  readonly contact_id: string;
  readonly object_id: string;
  readonly expires_at: string;
}

export interface CommitDecisionInput {
  readonly tenant_id: string;
  readonly nonce: NonceInput;
  readonly idempotency:
    | (IdempotencyScope & {
        readonly fingerprint: string;
        readonly answer: unknown;
      })
    | null;
  readonly event: EventInput & { readonly decision: 'accepted' };
  readonly effects: readonly Effect[];
  readonly changes: Changes;
  readonly outbox: readonly OutboxInput[];
  readonly links: readonly LinkInput[];
  /** The account whose authority the decision used, at the version that was read. */
  readonly authority: { readonly account_id: string; readonly version: number } | null;
  /** For agents: the tenant's autonomy version that was read. */
  readonly autonomy_version: number | null;
  /** For agents: the turn they act in, which must be live until the commit. */
  readonly turn_id: string | null;
  /** `txn` of a token that carries an action digest. */
  readonly consume_token: string | null;
}

export interface CommitRefusalInput {
  readonly tenant_id: string;
  readonly nonce: NonceInput | null;
  readonly event: EventInput & { readonly decision: 'refused' };
}

export interface Committed {
  /** Database time, RFC 3339 with milliseconds. */
  readonly committed_at: string;
}

/**
 * The two round trips of a command, and the two of a refusal and a replay. Each call is one statement and so
 * one transaction: it happened wholly or not at all.
 * Every method throws the driver's error; `mapCommitError` names it.
 */
export interface CommandPath {
  /** All but what the database cannot know of itself. */
  readFacts(input: ReadFactsInput): Promise<Omit<Facts, 'witness'>>;
  commitDecision(input: CommitDecisionInput): Promise<Committed>;
  commitRefusal(input: CommitRefusalInput): Promise<Committed>;
  /** Burns the nonce of a request that got its stored answer again. */
  commitReplay(input: { readonly tenant_id: string; readonly nonce: NonceInput }): Promise<Committed>;
  /** Forgets nonces that no request could use any more, and refuses whatever is older from then on. */
  pruneNonces(): Promise<void>;
}

/** @invariant an error of the database is never swallowed: no event, no effect, no answer */
export function createCommandPath(pool: Pool): CommandPath {
  const call = async <Result>(name: string, input: unknown): Promise<Result> => {
    const { rows } = await pool.query<{ answer: Result }>({
      name,
      text: `select dispatch.${name}($1::jsonb) as answer`,
      values: [JSON.stringify(input)],
    });
    const first = rows[0];
    if (first === undefined) throw new Error(`${name} answered nothing`);
    return first.answer;
  };
  return {
    readFacts: (input) => call('read_facts', input),
    commitDecision: (input) => call('commit_decision', input),
    commitRefusal: (input) => call('commit_refusal', input),
    commitReplay: (input) => call('commit_replay', input),
    pruneNonces: async () => {
      await pool.query('select dispatch.prune_nonces()');
    },
  };
}
