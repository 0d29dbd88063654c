import type { PublicationKind } from '@deadlatch/catalogue';

/** That a version of a name comes into force. Rows are added and never changed. */
export interface PublicationRow {
  /** Counts the publications of its name from 1. */
  readonly number: number;
  readonly version: number;
  readonly effective_from: string;
}

/** What the database knows of one name: the row in force, and every other that can still come into force. */
export interface PublicationFacts {
  readonly kind: PublicationKind;
  readonly name: string;
  /** Of every publication of the name, those that are over included; 0 without any. */
  readonly last_number: number;
  readonly rows: readonly PublicationRow[];
}
