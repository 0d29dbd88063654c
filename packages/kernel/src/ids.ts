import { refuse } from './errors.ts';

declare const brand: unique symbol;
/** A string that was proven to be a UUID and says which kind of thing it names. */
export type Id<Kind extends string> = string & { readonly [brand]: Kind };

export type TenantId = Id<'tenant'>;
export type AccountId = Id<'account'>;
export type SiteId = Id<'site'>;
export type ContactId = Id<'contact'>;
export type StaffId = Id<'staff'>;
export type TechnicianId = Id<'technician'>;
export type TicketId = Id<'ticket'>;
export type VisitId = Id<'visit'>;
export type ApprovalId = Id<'approval'>;
export type EvidenceId = Id<'evidence'>;
export type InvoiceId = Id<'invoice'>;
export type ConversationId = Id<'conversation'>;
export type MessageId = Id<'message'>;
export type TurnId = Id<'turn'>;
export type EventId = Id<'event'>;
export type CorrelationId = Id<'correlation'>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Whether `text` is a lower-case UUID in the form of RFC 9562. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** Proves that `text` is a UUID. @throws DispatchError `schema_mismatch` */
export function parseId<Kind extends string>(text: string): Id<Kind> {
  if (!isUuid(text)) refuse('schema_mismatch', { detail: 'not a uuid' });
  return text as Id<Kind>;
}

const RANDOM_BYTES = 10;
/** Ids are names and no secrets, so their randomness may be drawn ahead: one draw costs as much as ten ids. */
const DRAWN_AHEAD = 32;

/**
 * Makes UUIDv7 ids, increasing within one maker even inside one millisecond and when the clock steps back.
 * @param now milliseconds since the epoch
 * @param randomBytes returns exactly `n` random bytes
 * @source RFC 9562 section 5.7 and 6.2 (method 1: 12-bit counter in rand_a)
 */
export function createIdMaker(
  now: () => number,
  randomBytes: (n: number) => Uint8Array,
): <Kind extends string>() => Id<Kind> {
  let lastMs = 0;
  let counter = 0;
  let block = new Uint8Array(0);
  let used = 0;
  const nextRandom = (): Uint8Array => {
    if (used + RANDOM_BYTES > block.byteLength) {
      block = Uint8Array.from(randomBytes(RANDOM_BYTES * DRAWN_AHEAD));
      used = 0;
    }
    used += RANDOM_BYTES;
    return block.subarray(used - RANDOM_BYTES, used);
  };
  return <Kind extends string>() => {
    const ms = Math.max(now(), lastMs);
    const random = nextRandom();
    if (ms > lastMs) {
      lastMs = ms;
      // Start in the lower half so that a busy millisecond has room to count.
      counter = (((random[0] ?? 0) << 8) | (random[1] ?? 0)) & 0x7ff;
    } else {
      counter += 1;
      if (counter > 0xfff) {
        lastMs += 1;
        counter = 0;
      }
    }
    const time = lastMs.toString(16).padStart(12, '0');
    const variant = (((random[2] ?? 0) & 0x3f) | 0x80).toString(16).padStart(2, '0');
    const tail = [...random.subarray(3, 10)].map((b) => b.toString(16).padStart(2, '0')).join('');
    const a = counter.toString(16).padStart(3, '0');
    return `${time.slice(0, 8)}-${time.slice(8)}-7${a}-${variant}${tail.slice(0, 2)}-${tail.slice(2)}` as Id<Kind>;
  };
}
