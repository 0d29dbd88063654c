import { isUuid, type JsonValue, refuse } from '@deadlatch/kernel';
import { type Pool, sql, type Tx, withTenant } from '@deadlatch/postgres';
import { codeOf } from '@deadlatch/telemetry';
import type { AdoptContact, ConfirmedBy } from './adopt-contact.ts';
import type { Imported } from './prove-step-up.ts';

/** How far it is with what was typed of the contacts of one act. */
export interface ImportStanding {
  readonly total: number;
  /** Who has no number and no address yet: nobody is recognised by them, and no code goes to them. */
  readonly missing: readonly string[];
  /** Whose number or address, as far as it was kept now, somebody else has too. */
  readonly shared: readonly string[];
}

export interface ImportKeeper {
  /** What is lacking. Changes nothing. */
  standing(imported: readonly Imported[]): Promise<ImportStanding>;
  /**
   * Has everything kept that is lacking. Done again it goes on: what is kept already is left alone.
   * @returns what is lacking then: a contact whose words are no number, or everybody after the vault went away
   * @throws DispatchError with dispatch-api's code, when it does not say what is to be kept
   */
  keep(secret: string, imported: readonly Imported[]): Promise<ImportStanding>;
}

/** At once; each is a transaction in the vault and one here. */
const AT_ONCE = 5;

/**
 * Has the names, numbers and addresses of an import kept, a contact at a time.
 * @param read `GET /v1/step-ups/:secret/adoptions`: a grant for each contact, as they were confirmed
 * @invariant whoever counts as kept has a commitment of what the vault keeps, so a death in between loses nobody
 * @source T3.6, T3.7, R.1
 */
export function createImportKeeper(options: {
  readonly pool: Pool;
  readonly tenantId: string;
  readonly read: (secret: string) => Promise<JsonValue>;
  readonly adoptContact: AdoptContact;
  /** Told of what could not be kept, for the log. */
  readonly onFailed: (error: unknown) => void;
}): ImportKeeper {
  const { pool, tenantId } = options;
  const missingOf = async (imported: readonly Imported[]): Promise<readonly Imported[]> => {
    const ids = imported.map(({ contactId }) => contactId);
    const committed = await withTenant(pool, tenantId, (tx) => committedOf(tx, tenantId, ids));
    return imported.filter(({ contactId }) => !committed.has(contactId));
  };
  const codesOf = (contacts: readonly Imported[]) => contacts.map(({ slug }) => slug);
  return {
    async standing(imported) {
      return { total: imported.length, missing: codesOf(await missingOf(imported)), shared: [] };
    },
    async keep(secret, imported) {
      const waiting = new Map((await missingOf(imported)).map((contact) => [contact.contactId, contact]));
      const { by, adoptions } = readAdoptions(await options.read(secret));
      const due = adoptions.filter(({ contactId }) => waiting.has(contactId));
      const shared: string[] = [];
      let isAway = false;
      for (let at = 0; at < due.length && !isAway; at += AT_ONCE) {
        await Promise.all(
          due.slice(at, at + AT_ONCE).map(async ({ contactId, slug, grant }) => {
            try {
              const { isShared } = await options.adoptContact(grant, contactId, by);
              if (isShared) shared.push(slug);
            } catch (error) {
              options.onFailed(error);
              // Words that are no number are one contact's; a vault that is away is everybody's.
              isAway ||= codeOf(error) === 'unavailable';
            }
          }),
        );
      }
      const missing = await missingOf(imported);
      return { total: imported.length, missing: codesOf(missing), shared: shared.sort() };
    },
  };
}

async function committedOf(tx: Tx, tenantId: string, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ contact_id: string }>(sql`
    select distinct contact_id from identity.address_commitments
     where tenant_id = ${tenantId} and contact_id = any(${[...ids]}::uuid[])`);
  return new Set(rows.map((row) => row.contact_id));
}

interface Adoption extends Imported {
  readonly grant: string;
}

function readAdoptions(answer: JsonValue): {
  readonly by: ConfirmedBy;
  readonly adoptions: readonly Adoption[];
} {
  const fields = membersOf(answer);
  const id = (value: JsonValue | undefined) =>
    typeof value === 'string' && isUuid(value) ? value : unreadable();
  const text = (value: JsonValue | undefined) => (typeof value === 'string' ? value : unreadable());
  const contacts = fields.get('contacts');
  if (!Array.isArray(contacts)) return unreadable();
  return {
    by: {
      subject: { kind: 'staff', id: id(fields.get('staff_id')) },
      actId: id(fields.get('act_id')),
      correlationId: id(fields.get('correlation_id')),
    },
    adoptions: (contacts as readonly JsonValue[]).map((entry) => {
      const contact = membersOf(entry);
      return {
        contactId: id(contact.get('contact_id')),
        slug: text(contact.get('slug')),
        grant: text(contact.get('adopt_grant')),
      };
    }),
  };
}

function membersOf(value: JsonValue): ReadonlyMap<string, JsonValue> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return unreadable();
  return new Map(Object.entries(value));
}

function unreadable(): never {
  return refuse('unavailable', { detail: 'answer about what is to be kept' });
}
