import type { Readable } from 'node:stream';

/** What was found under an upload name. */
export interface StoredObject {
  readonly sha256: string;
  readonly sizeBytes: number;
  /** Name under content-addressed storage, which no upload can write; empty when it is not what was announced. */
  readonly contentKey: string;
}

/**
 * Where evidence bytes live. Two name spaces: uploads, writable through a presigned address, and content,
 * named by hash and written only by `admit`.
 */
export interface ObjectStore {
  /**
   * Stores one whole upload; a cut or oversize stream leaves nothing behind.
   * @throws DispatchError `payload_too_large` when more than, `evidence_mismatch` when fewer than `sizeBytes` arrive
   */
  receive(tenantId: string, evidenceId: string, body: Readable, sizeBytes: number): Promise<void>;
  /**
   * Hashes the upload and copies those same bytes to their content-addressed name, if they are what was announced;
   * null when there is no upload.
   */
  admit(
    tenantId: string,
    evidenceId: string,
    announced: { readonly sha256: string; readonly sizeBytes: number },
  ): Promise<StoredObject | null>;
  /**
   * The bytes that were admitted under this hash; null when there are none. The caller reads the stream to its end or
   * destroys it.
   */
  read(tenantId: string, sha256: string): Promise<Readable | null>;
  /** Forgets the upload after its content was committed as evidence. */
  discardUpload(tenantId: string, evidenceId: string): Promise<void>;
  /** Refuses when the store cannot be written. @throws DispatchError `unavailable` */
  check(): Promise<void>;
}
