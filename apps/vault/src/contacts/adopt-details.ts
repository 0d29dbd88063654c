import { type ServiceName, spiffeId } from '@deadlatch/catalogue';
import type { ContactDetails } from '@deadlatch/contact-details';
import { validator } from '@deadlatch/http';
import { type Clock, refuse } from '@deadlatch/kernel';
import type { SignedRequest, Tx } from '@deadlatch/postgres';
import { type AdoptGrant, type TimedKey, verifyGrant } from '@deadlatch/signing';
import Type, { type Static } from 'typebox';
import { decryptValue } from '../crypto/envelope.ts';
import type { KeyWrapper } from '../crypto/key-wrapper.ts';
import { type KeepContact, keepContact, readContactDetails } from '../keep-contact.ts';
import { burnGrant, isAlive } from '../reveals/reveals.sql.ts';
import type { Settle, Settled } from '../settle.ts';
import { readOwnTexts } from '../texts/texts.sql.ts';
import { isShared, readContactValues } from './contacts.sql.ts';
import { contactValuePlace, textPlace } from './places.ts';

const CALLERS: readonly ServiceName[] = ['identity'];

const body = Type.Object(
  { grant: Type.String({ minLength: 1, maxLength: 4_096 }) },
  { additionalProperties: false },
);

/** What identity commits to, and where the contact was reached until now. */
export interface Adopted {
  readonly fields: { readonly phone?: string; readonly email?: string };
  readonly before: { readonly email?: string };
  /** Whether somebody else has the same number or address: messages from there are then nobody's. */
  readonly is_shared: boolean;
}

/**
 * POST /v1/adoptions: words that a member of staff typed become a contact's name, number or address, by a grant that
 * dispatch-api signed for exactly these handles when the act was confirmed.
 * @throws DispatchError `above_ceiling`, `schema_mismatch` (also for a number that is none); `unauthenticated` for a
 *   grant that is forged or expired; `not_granted` for one that was used; `not_found` for another tenant's, or words
 *   that are not there; `invalid_state` for a contact that was erased
 * @invariant the values, the burned grant and the event are one transaction; nothing is answered before it is over
 * @source T3.6, T4.8
 */
export function createAdopter(
  options: KeepContact & {
    readonly settle: Settle;
    readonly environment: string;
    readonly grantKeys: () => readonly TimedKey[];
    readonly now: Clock;
  },
): (request: SignedRequest) => Promise<Adopted> {
  const { settle, environment, tenantId, keyWrapper } = options;
  const read = validator<Static<typeof body>>(body);
  const prove = (request: SignedRequest): AdoptGrant => {
    const claims = verifyGrant('adopt', read(request.body).grant, {
      keys: options.grantKeys(),
      audience: spiffeId(environment, 'vault'),
      issuer: spiffeId(environment, 'dispatch-api'),
      now: options.now(),
    });
    return claims.tenant === tenantId ? claims : refuse('not_found', { detail: 'grant_of_another_tenant' });
  };
  const adopt =
    (grant: AdoptGrant) =>
    async (tx: Tx): Promise<Settled<Adopted>> => {
      if (!(await isAlive(tx, grant.exp))) refuse('unauthenticated', { detail: 'grant_expired' });
      if (!(await burnGrant(tx, tenantId, grant.jti, grant.exp)))
        refuse('not_granted', { detail: 'grant_used' });
      const data = readContactDetails(await wordsOf(tx, grant, tenantId, keyWrapper));
      const [old] = await readContactValues(tx, tenantId, grant.contact, ['email']);
      const before =
        old &&
        decryptValue(old.ciphertext, keyWrapper.unwrap(old.wrapped_key), contactValuePlace(tenantId, old));
      const contact = { contact_id: grant.contact, account_id: grant.account, ...data };
      const fields = await keepContact(tx, contact, options);
      const { phone, email } = data;
      return {
        answer: {
          fields: { ...(phone !== undefined && { phone }), ...(email !== undefined && { email }) },
          before: before === undefined ? {} : { email: before },
          is_shared: await isShared(tx, tenantId, grant.contact),
        },
        event: {
          resource: { kind: 'contact', id: grant.contact },
          details: { grant_id: grant.jti, fields },
          correlationId: grant.correlation_id,
        },
      };
    };
  return (request) =>
    settle<Adopted>(request, {
      act: 'contact.adopt',
      callers: CALLERS,
      prepare: async () => adopt(prove(request)),
    });
}

/** The words behind the handles, by what they are to become. */
async function wordsOf(
  tx: Tx,
  grant: AdoptGrant,
  tenantId: string,
  keyWrapper: KeyWrapper,
): Promise<ContactDetails> {
  const handles = (['name', 'phone', 'email'] as const).flatMap((field) => {
    const id = grant[field];
    return id === null ? [] : [[field, id] as const];
  });
  const rows = await readOwnTexts(
    tx,
    tenantId,
    handles.map(([, id]) => id),
  );
  const found = handles.map(([field, id]) => {
    const row = rows.find((text) => text.id === id);
    if (row === undefined) return refuse('not_found', { detail: 'words' });
    const place = textPlace(tenantId, id, id, 1);
    const sealed = decryptValue(row.ciphertext, keyWrapper.unwrap(row.wrapped_key), place);
    // As `seal-text` wrote it; the tag has proven that nobody else did.
    const { body: words } = JSON.parse(sealed) as { readonly body: string };
    return [field, words.trim()] as const;
  });
  return Object.fromEntries(found);
}
