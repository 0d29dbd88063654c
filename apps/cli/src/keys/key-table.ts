import { OWNER_ROLE } from '@deadlatch/postgres';
import type pg from 'pg';
import { type OperatorSigner, operatorEvent } from '../operator-event.ts';
import { type ServiceKeyValues, serviceKeyEntry } from '../up/first-rows.ts';
import type { KeyEntry, PublicKeyEntry, Trust } from '../up/keys.ts';

interface Row {
  readonly keyid: string;
  readonly not_before: Date;
  readonly not_after: Date;
  readonly is_revoked: boolean;
}

/** The connection of the administrator, and who signs what is done over it. */
export interface KeyTable {
  readonly client: pg.Client;
  readonly signer: OperatorSigner;
}

/**
 * Brings the table of service keys to what the trust bundle says: puts keys on file, ends them sooner, revokes them.
 * Nothing is ever taken back: a key that is revoked or over in the table stays so, and each change writes its event.
 */
export async function recordServiceKeys(table: KeyTable, trust: Trust, now: number): Promise<void> {
  const { client } = table;
  await client.query(`set role ${OWNER_ROLE}`);
  await client.query("select set_config('deadlatch.tenant', $1, false)", [table.signer.tenantId]);
  const { rows } = await client.query<Row>(
    'select keyid, not_before, not_after, revoked_at is not null as is_revoked from trust.service_keys',
  );
  const known = new Map(rows.map((row) => [row.keyid, row]));
  for (const key of trust.services) await recordServiceKey(table, key, known.get(key.keyid), now);
}

async function recordServiceKey(
  table: KeyTable,
  key: PublicKeyEntry,
  row: Row | undefined,
  now: number,
): Promise<void> {
  const { keyid, service, x } = key;
  const until = new Date(
    Math.min(Date.parse(key.until), row?.not_after.getTime() ?? Number.POSITIVE_INFINITY),
  );
  const values: ServiceKeyValues = {
    keyid,
    service,
    environment: table.signer.environment,
    x,
    not_before: (row?.not_before ?? new Date(key.from)).toISOString(),
    not_after: until.toISOString(),
  };
  if (row === undefined) await change(table, 'put_service_key', values, false, now);
  else if (until < row.not_after && !row.is_revoked)
    await change(table, 'retire_service_key', values, false, now);
  if (key.revoked_at !== undefined && row?.is_revoked !== true)
    await change(table, 'revoke_service_key', values, true, now);
}

async function change(
  { client, signer }: KeyTable,
  name: 'put_service_key' | 'retire_service_key' | 'revoke_service_key',
  values: ServiceKeyValues,
  isRevoked: boolean,
  now: number,
): Promise<void> {
  const { keyid, service, not_before, not_after } = values;
  const event = operatorEvent(signer, {
    command: `operator.${name}`,
    details: { keyid, service, not_before, not_after },
    directory: [serviceKeyEntry(values, isRevoked)],
    now,
  });
  await client.query(`select trust.${name}($1)`, [
    JSON.stringify({ tenant_id: signer.tenantId, event, ...values }),
  ]);
}

/** What happened to a key of statements: it stands in trust bundles only, so its event is all that the table learns. */
export async function recordStatementKey(
  { client, signer }: KeyTable,
  purpose: 'grant' | 'token',
  deed: 'put' | 'retire' | 'revoke',
  { keyid, from, until }: KeyEntry,
  now: number,
): Promise<void> {
  const command = `operator.${deed}_${purpose}_key`;
  const details = { keyid, not_before: from, not_after: until };
  const event = operatorEvent(signer, { command, details, now });
  await client.query(`set role ${OWNER_ROLE}`);
  await client.query('select trust.record_key_change($1)', [
    JSON.stringify({ tenant_id: signer.tenantId, event, command }),
  ]);
}
