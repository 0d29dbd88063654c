import type { AgentRole, Assurance, ServiceName, SubjectKind } from '@deadlatch/catalogue';

/** Who calls, as proven by the request's signature and the user token; nothing here is taken on anybody's word. */
export interface Caller {
  readonly tenantId: string;
  /** The service whose key signed the request. */
  readonly service: ServiceName;
  readonly subject: { readonly kind: SubjectKind; readonly id: string | null };
  readonly assurance: Assurance;
  /** Present when an agent acts for the subject. */
  readonly agent: { readonly role: AgentRole; readonly turnId: string } | null;
  /**
   * `person`: a signed-in person; `turn`: an agent's turn; `step-up`: exactly one action; `service`: no user token;
   * `link`: no user token, and the secret of a link in the body.
   */
  readonly scope: 'person' | 'turn' | 'step-up' | 'service' | 'link';
  readonly context: {
    readonly correlationId: string;
    readonly conversationId: string | null;
    readonly ticketId: string | null;
    readonly actionDigest: string | null;
  };
}

export interface CommandRequest {
  readonly command: string;
  /** The id in the path; null for commands without a target. */
  readonly targetId: string | null;
  readonly input: unknown;
  /** Keyed digest of the raw body. */
  readonly fingerprint: string;
}
