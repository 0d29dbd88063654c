import { type CommandEntry, command, staff } from '../define.ts';
import {
  amount,
  choice,
  flag,
  freeText,
  integer,
  list,
  object,
  optional,
  reference,
  word,
} from '../fields.ts';
import { SERVICES } from '../services.ts';
import { slug } from './directory.ts';

/** Roles of staff, as they can be granted. */
export const STAFF_ROLES = ['dispatcher', 'supervisor', 'qa', 'finance', 'admin', 'auditor'] as const;
export type StaffRole = (typeof STAFF_ROLES)[number];

/** How long an act waits for whoever must confirm it: one person, who asked, or two. */
export const ACT_LIFETIME_MS = 60 * 60 * 1000;
export const ACT_OF_TWO_LIFETIME_MS = 24 * 60 * 60 * 1000;

/**
 * Contacts of one act. Its signed statement is at most 64 KiB (`action+jwt`), and a row of it with the code of its
 * site 600 bytes before base64.
 */
export const MAX_IMPORTED_CONTACTS = 75;

const digest = () => word('^[A-Za-z0-9_-]{43}$', 43);

/**
 * Who may do what. Whoever sends one of these only asks: what was asked is stored word for word, and done when it is
 * confirmed with a second factor (`act.confirm`). What needs a passkey is refused until there are passkeys.
 */
export const AUTHORITY_COMMANDS: readonly CommandEntry[] = [
  command('contact.add', {
    summary: 'Asks to put a contact on file, who can approve nothing.',
    target: 'none',
    who: staff('dispatcher'),
    proof: 'L1',
    input: object({
      account_id: reference('account'),
      /** Absent: every site of the account. */
      site_id: optional(reference('site')),
      may_request: flag(),
      name: freeText(),
      phone: optional(freeText()),
      email: optional(freeText()),
    }),
    needs: ['directory'],
  }),
  command('contact.import', {
    summary: 'Asks to put many contacts of one account on file at once, who can approve nothing.',
    target: 'none',
    who: staff('dispatcher'),
    proof: 'L1',
    input: object({
      account_id: reference('account'),
      contacts: list(
        object({
          /** What the account calls them, a job or a place: never a person's name. */
          slug: slug(),
          site_id: optional(reference('site')),
          may_request: flag(),
          name: freeText(),
          phone: optional(freeText()),
          email: optional(freeText()),
        }),
        1,
        MAX_IMPORTED_CONTACTS,
      ),
    }),
    needs: ['directory', 'batch'],
  }),
  command('contact.change', {
    summary: "Asks to change a contact's rights at a place, or their name, number or address.",
    target: 'contact',
    who: staff('dispatcher'),
    proof: 'L1',
    input: object({
      account_id: reference('account'),
      site_id: optional(reference('site')),
      may_request: optional(flag()),
      name: optional(freeText()),
      phone: optional(freeText()),
      email: optional(freeText()),
    }),
    needs: ['directory'],
  }),
  command('contact.deactivate', {
    summary: 'Asks to take a contact off: they can do nothing any more.',
    target: 'contact',
    who: staff('dispatcher'),
    proof: 'L1',
    input: object({}),
    needs: ['directory'],
  }),
  command('contact.reset', {
    summary: "Asks to reset a contact's second factors: they can approve nothing for a day.",
    target: 'contact',
    who: staff('dispatcher'),
    proof: 'L1',
    input: object({}),
    needs: ['directory'],
  }),
  command('contact.set_limit', {
    summary: 'Asks to change how much a contact may approve.',
    target: 'contact',
    who: staff('admin'),
    proof: 'L1',
    input: object({
      account_id: reference('account'),
      site_id: optional(reference('site')),
      approval_limit_cents: amount(),
    }),
    needs: ['directory'],
  }),
  command('role.grant', {
    summary: 'Gives a member of staff a role.',
    target: 'staff',
    who: staff('admin', 'supervisor'),
    proof: 'L3',
    input: object({ role: choice(STAFF_ROLES) }),
    needs: ['directory'],
    isActOfAuthority: true,
  }),
  command('role.revoke', {
    summary: 'Takes a role from a member of staff.',
    target: 'staff',
    who: staff('admin', 'supervisor'),
    proof: 'L3',
    input: object({ role: choice(STAFF_ROLES) }),
    needs: ['directory'],
    isActOfAuthority: true,
  }),
  command('service_account.register', {
    summary: 'Pins a key of a service.',
    target: 'none',
    who: staff('admin', 'supervisor'),
    proof: 'L3',
    input: object({ service: choice(SERVICES), x: digest() }),
    needs: [],
    isActOfAuthority: true,
  }),
  command('service_account.rotate', {
    summary: 'Pins a second key of a service, and lets the first end.',
    target: 'none',
    who: staff('admin', 'supervisor'),
    proof: 'L3',
    input: object({ service: choice(SERVICES), x: digest() }),
    needs: [],
    isActOfAuthority: true,
  }),
  command('service_account.revoke', {
    summary: 'Refuses a key of a service from now on.',
    target: 'none',
    who: staff('admin', 'supervisor'),
    proof: 'L3',
    input: object({ keyid: digest() }),
    needs: [],
    isActOfAuthority: true,
  }),
  command('autonomy.set', {
    summary: 'Lets agents do less for an account by themselves; more needs two passkeys.',
    target: 'account',
    who: staff('supervisor'),
    proof: 'L1',
    input: object({ level: integer(0, 3) }),
    needs: ['directory'],
  }),
  command('act.confirm', {
    summary: 'Confirms or declines exactly what was asked, with a second factor.',
    target: 'act',
    who: staff('admin', 'supervisor', 'dispatcher'),
    proof: 'L2',
    input: object({ decision: choice(['CONFIRM', 'DECLINE']), action_digest: digest() }),
    needs: ['directory', 'batch'],
    isActOfAuthority: true,
  }),
];
