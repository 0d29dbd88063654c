import type { JsonValue } from '@deadlatch/kernel';

/** The people of the demo: invented, with numbers of the range reserved for fiction. */

export interface DemoContact {
  readonly slug: string;
  readonly label: string;
  readonly name: string;
  readonly phone: string;
  readonly email?: string;
  readonly mayRequest: boolean;
  /** 0: may not approve. */
  readonly approvalLimitCents: number;
}

export const DEMO_SITE = {
  label: 'Store 114',
  timeZone: 'America/Chicago',
  territory: 'austin',
  address: '114 Juniper Street',
  position: { lat_e6: 30_273_000, lon_e6: -97_741_000 },
} as const;

const EVERY_DAY = [1, 2, 3, 4, 5, 6, 7];

const daily = (from_minute: number, to_minute: number) =>
  EVERY_DAY.map((weekday) => ({ weekday, from_minute, to_minute }));

/** The store is open from eight to ten at night, every day. */
export const DEMO_HOURS: JsonValue = {
  time_zone: DEMO_SITE.timeZone,
  weekly: daily(8 * 60, 22 * 60),
  exceptions: [],
};

/** Both are on call around the clock, so that the demo can be played at any hour. */
export const DEMO_SHIFTS: JsonValue = {
  time_zone: DEMO_SITE.timeZone,
  weekly: daily(0, 24 * 60),
  exceptions: [],
};

export const DEMO_CONTACTS: readonly DemoContact[] = [
  {
    slug: 'maria-manager',
    label: 'Store manager',
    name: 'Maria Torres',
    phone: '+15125550101',
    mayRequest: true,
    approvalLimitCents: 0,
  },
  {
    slug: 'sam-shift-lead',
    label: 'Shift lead',
    name: 'Sam Whitfield',
    phone: '+15125550102',
    mayRequest: true,
    approvalLimitCents: 0,
  },
  {
    slug: 'alan-approver',
    label: 'Facility approver',
    name: 'Alan Okafor',
    phone: '+15125550103',
    email: 'alan.okafor@stores.example',
    mayRequest: false,
    approvalLimitCents: 500_000,
  },
  {
    slug: 'olga-owner',
    label: 'Regional owner',
    name: 'Olga Brandt',
    phone: '+15125550104',
    email: 'olga.brandt@stores.example',
    mayRequest: false,
    approvalLimitCents: 2_000_000,
  },
];

/** What a contact may do at the site, as roles. */
export function rolesOfContact(contact: DemoContact): readonly string[] {
  return [
    ...(contact.mayRequest ? ['requester'] : []),
    ...(contact.approvalLimitCents > 0 ? ['approver'] : []),
  ];
}

/** A phone that belongs to nobody on file. */
/** Two of the staff who may accept a restored backup, each with a key of their own. */
export const DEMO_RESTORERS = ['adam-admin', 'sue-supervisor'] as const;

export const STRANGER = { slug: 'stranger', label: 'Somebody unknown', phone: '+15125550199' } as const;

export interface DemoStaff {
  readonly slug: string;
  readonly label: string;
  /** On file for whoever confirms acts of authority with a code. */
  readonly mailbox?: { readonly name: string; readonly email: string };
  readonly roles: readonly string[];
}

export const DEMO_STAFF: readonly DemoStaff[] = [
  {
    slug: 'dana-dispatcher',
    label: 'Dispatcher',
    roles: ['dispatcher'],
    mailbox: { name: 'Dana Reyes', email: 'dana.reyes@contractor.example' },
  },
  {
    slug: 'sue-supervisor',
    label: 'Supervisor',
    roles: ['supervisor'],
    mailbox: { name: 'Sue Lindqvist', email: 'sue.lindqvist@contractor.example' },
  },
  { slug: 'quinn-qa', label: 'Quality', roles: ['qa'] },
  { slug: 'fay-finance', label: 'Finance', roles: ['finance'] },
  {
    slug: 'adam-admin',
    label: 'Administrator',
    roles: ['admin'],
    mailbox: { name: 'Adam Novak', email: 'adam.novak@contractor.example' },
  },
  { slug: 'otto-auditor', label: 'Auditor', roles: ['auditor'] },
];

export const DEMO_TECHNICIANS = [
  {
    slug: 'tom-technician',
    label: 'Technician Tom',
    skills: ['locksmith', 'doors', 'rolling_doors'],
    certifications: ['fire_door_inspector'],
    home: { lat_e6: 30_244_000, lon_e6: -97_781_000 },
  },
  {
    slug: 'tess-technician',
    label: 'Technician Tess',
    skills: ['locksmith', 'closers', 'automatic_doors'],
    certifications: ['automatic_door_inspector'],
    home: { lat_e6: 30_332_000, lon_e6: -97_704_000 },
  },
] as const;

/** Money rules of the demo account; the defaults of the domain. */
export const DEMO_CONTRACT = {
  nte_cents: { ROUTINE: 35_000, URGENT: 50_000, EMERGENCY: 75_000 },
  labor_cents_per_hour: 9_500,
  trip_cents: 8_500,
  quote_first: false,
  close_when_issued: false,
  desk_hours: null,
} as const;
