import { type CommandEntry, command, staff } from '../define.ts';
import { amount, choice, flag, integer, list, object, optional, reference, word } from '../fields.ts';

/** What people call a thing or a place: a code, never a name of a person. */
export const slug = () => word('^[a-z0-9][a-z0-9-]*$', 60);
const marking = () => word('^[A-Za-z0-9][A-Za-z0-9 ._/-]*$', 60);
/** As incident types and certificates name them: with underscores too. */
const codes = () => list(word('^[a-z0-9][a-z0-9_-]*$', 60), 0, 30);

export const ASSET_KINDS = [
  'DOOR',
  'LOCK',
  'CLOSER',
  'AUTO_OPERATOR',
  'PANIC_DEVICE',
  'FIRE_DOOR',
  'ROLLING_DOOR',
  'ACCESS_CONTROL',
  'GLASS',
  'OTHER',
] as const;
export type AssetKind = (typeof ASSET_KINDS)[number];

/** Money and time rules of an account, all of them: what is not said cannot be meant. */
const contract = () =>
  object({
    nte_cents: object({ ROUTINE: amount(), URGENT: amount(), EMERGENCY: amount() }),
    labor_cents_per_hour: amount(100_000),
    trip_cents: amount(),
    quote_first: flag(),
    close_when_issued: flag(),
    /** Absent: around the clock. */
    desk_hours: optional(object({ from_minute: integer(0, 1_439), to_minute: integer(0, 1_439) })),
  });

/** What a new account may cost before anybody agreed anything else: the domain's figures, and work that bills nothing. */
export const DEFAULT_CONTRACT = {
  nte_cents: { ROUTINE: 35_000, URGENT: 50_000, EMERGENCY: 75_000 },
  labor_cents_per_hour: 0,
  trip_cents: 0,
  quote_first: false,
  close_when_issued: false,
  desk_hours: null,
} as const;

/** Whom and what the work is for: it grants nobody anything, so a session is enough. A contract's figures are money. */
export const DIRECTORY_COMMANDS: readonly CommandEntry[] = [
  command('account.create', {
    summary: 'Puts a customer organisation on file, with the default contract.',
    target: 'none',
    who: staff('admin'),
    proof: 'L1',
    input: object({ slug: slug() }),
    needs: ['directory'],
  }),
  command('account.change', {
    summary: "Changes an account's code; asks two persons to confirm other figures of its contract.",
    target: 'account',
    who: staff('admin'),
    proof: 'L1',
    input: object({ slug: optional(slug()), contract: optional(contract()) }),
    needs: ['directory'],
  }),
  command('site.create', {
    summary: 'Puts a site of an account on file.',
    target: 'none',
    who: staff('admin'),
    proof: 'L1',
    input: object({
      account_id: reference('account'),
      slug: slug(),
      /** IANA name. */
      time_zone: word('^[A-Za-z0-9_+/-]+$', 60),
      territory: slug(),
    }),
    needs: ['directory'],
  }),
  command('site.change', {
    summary: "Changes a site's code, time zone or territory.",
    target: 'site',
    who: staff('admin'),
    proof: 'L1',
    input: object({
      slug: optional(slug()),
      time_zone: optional(word('^[A-Za-z0-9_+/-]+$', 60)),
      territory: optional(slug()),
    }),
    needs: ['directory'],
  }),
  command('asset.create', {
    summary: 'Puts a door, lock or other equipment of a site on file.',
    target: 'none',
    who: staff('admin'),
    proof: 'L1',
    input: object({
      site_id: reference('site'),
      kind: choice(ASSET_KINDS),
      slug: slug(),
      model: optional(marking()),
      serial: optional(marking()),
    }),
    needs: ['directory'],
  }),
  command('asset.change', {
    summary: "Changes an asset's code, model or serial number.",
    target: 'asset',
    who: staff('admin'),
    proof: 'L1',
    input: object({ slug: optional(slug()), model: optional(marking()), serial: optional(marking()) }),
    needs: ['directory'],
  }),
  command('asset.retire', {
    summary: 'Takes an asset out of use; it stays on file.',
    target: 'asset',
    who: staff('admin'),
    proof: 'L1',
    input: object({}),
    needs: ['directory'],
  }),
  command('technician.create', {
    summary: 'Puts a technician on file.',
    target: 'none',
    who: staff('admin'),
    proof: 'L1',
    input: object({ slug: slug(), skills: codes(), territories: codes() }),
    needs: ['directory'],
  }),
  command('technician.change', {
    summary: "Replaces a technician's skills or territories.",
    target: 'technician',
    who: staff('admin'),
    proof: 'L1',
    input: object({ skills: optional(codes()), territories: optional(codes()) }),
    needs: ['directory'],
  }),
  command('technician.deactivate', {
    summary: 'Nobody sends this technician any more, and they can do nothing.',
    target: 'technician',
    who: staff('admin'),
    proof: 'L1',
    input: object({}),
    needs: ['directory'],
  }),
];
