import type { Job } from './place.ts';

/** What the process that sends needs to know. */
export interface LoadSetup {
  readonly port: number;
  readonly tenantId: string;
  readonly jobs: readonly Job[];
  /** Of `web`; signs requests. */
  readonly signingPem: string;
  /** Of `identity`; signs user tokens. */
  readonly tokenPem: string;
  /** The certificate of `web`, its key, and whom it trusts; PEM. null: the service listens without TLS. */
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string } | null;
}

export type LoadOrder =
  | { readonly kind: 'setup'; readonly setup: LoadSetup }
  /** Signing costs as much as half a command, so it is done before the clock runs. */
  | { readonly kind: 'sign'; readonly count: number }
  | { readonly kind: 'send'; readonly clients: number };

export type LoadAnswer =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'sent';
      readonly perSecond: number;
      /** Milliseconds from the first byte sent to the last byte of the answer. */
      readonly latenciesMs: readonly number[];
    }
  | { readonly kind: 'failed'; readonly reason: string };
