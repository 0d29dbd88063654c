import { type Pool, withTenant } from '@deadlatch/postgres';
import { decryptValue } from '../crypto/envelope.ts';
import type { KeyWrapper } from '../crypto/key-wrapper.ts';
import { type KnownValue, VALUE_KINDS, type ValueKind } from '../masking/dictionary.ts';
import {
  type AccountValueRow,
  type ContactField,
  type ContactValueRow,
  countAccounts,
  readAccountValues,
  readNeighbourValues,
} from './contacts.sql.ts';
import { accountValuePlace, contactValuePlace } from './places.ts';

/** Reads what is known about the accounts of a contact, in clear. Null: no dictionary, so nothing is released. */
export type ReadKnownValues = (contactId: string) => Promise<readonly KnownValue[] | null>;

/** More values than this cannot be matched within the time limit of one message. */
const MAX_VALUES = 5_000;

const KIND_OF: Readonly<Record<ContactField, ValueKind>> = {
  phone: 'phone',
  email: 'email',
  name: 'person',
  address: 'address',
};

/**
 * @throws DispatchError `unavailable` when a value cannot be decrypted; the driver's error when the store is down
 * @invariant all values or none: a dictionary with gaps would release what it lacks
 */
export function createKnownValuesReader(options: {
  readonly pool: Pool;
  readonly tenantId: string;
  readonly keyWrapper: KeyWrapper;
}): ReadKnownValues {
  const { pool, tenantId, keyWrapper } = options;

  const ofContacts = (rows: readonly ContactValueRow[]): readonly KnownValue[] => {
    const keys = new Map<string, Uint8Array>();
    return rows.map((row) => {
      const key = keys.get(row.subject_id) ?? keyWrapper.unwrap(row.wrapped_key);
      keys.set(row.subject_id, key);
      const value = decryptValue(row.ciphertext, key, contactValuePlace(tenantId, row));
      return { kind: KIND_OF[row.kind], value };
    });
  };
  const ofAccounts = (rows: readonly AccountValueRow[]): readonly KnownValue[] =>
    rows.map((row) => ({
      // A kind from a newer release still masks.
      kind: VALUE_KINDS.find((known) => known === row.kind) ?? 'other',
      value: decryptValue(
        row.ciphertext,
        keyWrapper.unwrap(row.wrapped_key),
        accountValuePlace(tenantId, row),
      ),
    }));

  return async (contactId) => {
    const found = await withTenant(pool, tenantId, async (tx) => ({
      accounts: await countAccounts(tx, tenantId, contactId),
      contacts: await readNeighbourValues(tx, tenantId, contactId, MAX_VALUES + 1),
      values: await readAccountValues(tx, tenantId, contactId, MAX_VALUES + 1),
    }));
    const isComplete = found.contacts.length + found.values.length <= MAX_VALUES;
    if (found.accounts === 0 || !isComplete) return null;
    return [...ofContacts(found.contacts), ...ofAccounts(found.values)];
  };
}
