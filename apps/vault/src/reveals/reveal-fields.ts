import { type ServiceName, spiffeId } from '@deadlatch/catalogue';
import { validator } from '@deadlatch/http';
import { type Clock, refuse } from '@deadlatch/kernel';
import type { SignedRequest, Tx } from '@deadlatch/postgres';
import { type RevealGrant, type TimedKey, verifyGrant } from '@deadlatch/signing';
import type { Logger } from '@deadlatch/telemetry';
import Type, { type Static } from 'typebox';
import { type ContactValueRow, readContactValues } from '../contacts/contacts.sql.ts';
import { contactValuePlace } from '../contacts/places.ts';
import { decryptValue } from '../crypto/envelope.ts';
import type { KeyWrapper } from '../crypto/key-wrapper.ts';
import type { Settle, Settled } from '../settle.ts';
import { burnGrant, countReveals, isAlive } from './reveals.sql.ts';

const CALLERS: readonly ServiceName[] = ['gateway', 'identity'];
/** Per tenant: twenty a second is more than carriers take, and far less than copying a directory needs. */
const MAX_PER_MINUTE = 1_200;

const body = Type.Object(
  { grant: Type.String({ minLength: 1, maxLength: 4_096 }) },
  { additionalProperties: false },
);

export interface Revealed {
  readonly fields: { readonly phone?: string; readonly email?: string };
}

/**
 * POST /v1/reveals: fields of one contact against a grant that dispatch-api signed, once, for its holder only.
 * @throws DispatchError `above_ceiling`, `schema_mismatch`; `unauthenticated` for a grant that is forged, expired or
 *   for another audience; `not_found` for another tenant's grant and for what is not on file; `not_granted` for a
 *   grant that is not the caller's or was used; `rate_limited`
 * @invariant the grant is burned and its event committed before anything is decrypted
 * @source T4.8, T5.5
 */
export function createRevealer(options: {
  readonly settle: Settle;
  readonly environment: string;
  readonly tenantId: string;
  readonly grantKeys: () => readonly TimedKey[];
  readonly keyWrapper: KeyWrapper;
  readonly logger: Logger;
  readonly now: Clock;
}): (request: SignedRequest) => Promise<Revealed> {
  const { settle, environment, tenantId, keyWrapper, logger } = options;
  const read = validator<Static<typeof body>>(body);

  const prove = (request: SignedRequest): RevealGrant => {
    const { grant } = read(request.body);
    const claims = verifyGrant('reveal', grant, {
      keys: options.grantKeys(),
      audience: spiffeId(environment, 'vault'),
      issuer: spiffeId(environment, 'dispatch-api'),
      now: options.now(),
    });
    if (claims.tenant !== tenantId) refuse('not_found', { detail: 'grant_of_another_tenant' });
    if (claims.holder !== `spiffe://${environment}.deadlatch/${request.verified.service}`) {
      refuse('not_granted', { detail: 'grant_of_another_holder' });
    }
    return claims;
  };

  const burn =
    (grant: RevealGrant) =>
    async (tx: Tx): Promise<Settled<Burned>> => {
      if (!(await isAlive(tx, grant.exp))) refuse('unauthenticated', { detail: 'grant_expired' });
      if (!(await burnGrant(tx, tenantId, grant.jti, grant.exp)))
        refuse('not_granted', { detail: 'grant_used' });
      if ((await countReveals(tx, tenantId)) > MAX_PER_MINUTE) refuse('rate_limited', { detail: 'reveals' });
      const rows = await readContactValues(tx, tenantId, grant.contact, grant.fields);
      const isWhole = grant.fields.every((field) => rows.filter((row) => row.kind === field).length === 1);
      if (!isWhole) refuse('not_found', { detail: 'field_not_on_file' });
      return {
        answer: { grant, rows },
        event: {
          resource: { kind: 'contact', id: grant.contact },
          details: { grant_id: grant.jti, purpose: grant.purpose, ref: grant.ref, fields: [...grant.fields] },
          correlationId: grant.correlation_id,
        },
      };
    };

  return async (request) => {
    const { grant, rows } = await settle<Burned>(request, {
      act: 'contact.reveal',
      callers: CALLERS,
      prepare: async () => burn(prove(request)),
    });
    const fields = Object.fromEntries(rows.map((row) => [row.kind, openRow(row, tenantId, keyWrapper)]));
    logger.event('reveal.made', {
      purpose: grant.purpose,
      service: request.verified.service,
      ref_id: grant.ref,
      grant_id: grant.jti,
    });
    return { fields };
  };
}

interface Burned {
  readonly grant: RevealGrant;
  readonly rows: readonly ContactValueRow[];
}

function openRow(row: ContactValueRow, tenantId: string, keyWrapper: KeyWrapper): string {
  return decryptValue(row.ciphertext, keyWrapper.unwrap(row.wrapped_key), contactValuePlace(tenantId, row));
}
