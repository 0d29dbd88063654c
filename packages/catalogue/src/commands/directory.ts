import { type CommandEntry, command, staff } from '../define.ts';
import {
  amount,
  choice,
  flag,
  instant,
  integer,
  list,
  object,
  optional,
  reference,
  word,
} from '../fields.ts';

/** What people call a thing or a place: a code, never a name of a person. */
export const slug = () => word('^[a-z0-9][a-z0-9-]*$', 60);
const marking = () => word('^[A-Za-z0-9][A-Za-z0-9 ._/-]*$', 60);
/** As incident types and certificates name them: with underscores too. */
const codes = () => list(word('^[a-z0-9][a-z0-9_-]*$', 60), 0, 30);

/** IANA name. */
const zone = () => word('^[A-Za-z0-9_+/-]+$', 60);
/** Minutes of the day on the wall, half-open; `to` beyond 1440 lies in the next day. */
const minutes = () => ({ from_minute: integer(0, 1_439), to_minute: integer(1, 2_880) });
const hours = () =>
  object({
    time_zone: zone(),
    /** 1 Monday to 7 Sunday. */
    weekly: list(object({ weekday: integer(1, 7), ...minutes() }), 1, 50),
    /** Instead of the weekday's: no range means closed. */
    exceptions: list(
      object({ date: word('^\\d{4}-\\d{2}-\\d{2}$', 10), ranges: list(object(minutes()), 0, 10) }),
      0,
      400,
    ),
  });
/** Degrees times 10^6. */
const position = () =>
  object({ lat_e6: integer(-90_000_000, 90_000_000), lon_e6: integer(-180_000_000, 180_000_000) });

/** When somebody works and what they may do, as a whole: it takes the place of what was on file. */
const plan = () =>
  object({
    shifts: hours(),
    certifications: list(object({ name: slug(), valid_from: instant(), valid_until: instant() }), 0, 50),
    absences: list(object({ starts_at: instant(), ends_at: instant() }), 0, 100),
    home: optional(position()),
  });
const opening = () => object({ hours: hours(), position: optional(position()) });

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
      time_zone: zone(),
      territory: slug(),
      schedule: optional(opening()),
    }),
    needs: ['directory'],
  }),
  command('site.change', {
    summary: "Changes a site's code, time zone, territory or hours.",
    target: 'site',
    who: staff('admin'),
    proof: 'L1',
    input: object({
      slug: optional(slug()),
      time_zone: optional(zone()),
      territory: optional(slug()),
      schedule: optional(opening()),
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
    input: object({ slug: slug(), skills: codes(), territories: codes(), schedule: optional(plan()) }),
    needs: ['directory'],
  }),
  command('technician.change', {
    summary: "Replaces a technician's skills, territories, or shifts with absences and certifications.",
    target: 'technician',
    who: staff('admin'),
    proof: 'L1',
    input: object({
      skills: optional(codes()),
      territories: optional(codes()),
      schedule: optional(plan()),
    }),
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
