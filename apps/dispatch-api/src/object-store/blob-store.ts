import type { Readable } from 'node:stream';

/** Where a place may keep what is not whole yet; what is old there was left behind by a process that was killed. */
export const PARTIAL_BLOBS = 'partial/';

/** One stored object, as a listing shows it. */
export interface Blob {
  readonly name: string;
  readonly sizeBytes: number;
  /** Milliseconds since the epoch. */
  readonly writtenAt: number;
}

/** Headers and address of a request that a client may make by itself. */
export interface SignedRequest {
  readonly method: 'PUT';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Announced {
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly contentType: string;
}

/**
 * What a place that keeps objects has to be able to do; what they mean is `object-store.ts`. Names are made there, of
 * ids and hashes. Every method throws DispatchError `unavailable` when the place does not answer or answers nonsense.
 */
export interface BlobStore {
  /**
   * Stores a small object as a whole, durably.
   * @returns false when there is one of that name; it stays as it is
   */
  create(name: string, bytes: Uint8Array): Promise<boolean>;
  /**
   * Stores a stream under the name that its hash has, durably; one that is already there is the same.
   * @throws DispatchError `unavailable` when the bytes are others than `sha256` and `sizeBytes` say; nothing is kept then
   */
  keep(name: string, body: Readable, expected: Announced): Promise<void>;
  /** The bytes; null when there is no such object. The caller reads the stream to its end or destroys it. */
  open(name: string): Promise<Readable | null>;
  /** Every object whose name begins with `prefix`, which ends with a slash. */
  list(prefix: string): Promise<Blob[]>;
  /** Removing what is not there is no error. */
  remove(name: string): Promise<void>;
  /** Lets a client store one object, exactly as announced, without us in between; null where a place cannot. */
  signUpload(name: string, announced: Announced, lifetimeS: number): Promise<SignedRequest | null>;
  /** @throws DispatchError `unavailable` when nothing can be stored */
  check(): Promise<void>;
}
