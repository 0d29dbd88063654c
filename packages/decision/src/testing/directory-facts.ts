import type { JsonValue } from '@deadlatch/kernel';
import type { ActRow, BatchFacts, Confirmer, DirectoryFacts, MembershipRow } from '../directory-rows.ts';
import { FREE_TEXT, fixedId, IDS, personOf } from './ids.ts';
import { accountFacts, at, HOUR, LONG_AGO } from './rows.ts';
import { sha256Base64Url, sortedJson } from './tools.ts';

export const CONTACT = fixedId(0x300);
export const ASSET = fixedId(0x301);
export const STAFF = fixedId(0x302);
export const SECOND_ADMIN = fixedId(0x303);
export const ACT = fixedId(0x304);
const MEMBERSHIP = fixedId(0x305);

/** Words other than `FREE_TEXT`. */
export const freeText = (n: number) => ({ ...FREE_TEXT, text_id: fixedId(0x310 + n) });

export const NEW_CONTRACT = {
  nte_cents: { ROUTINE: 40_000, URGENT: 60_000, EMERGENCY: 90_000 },
  labor_cents_per_hour: 9_500,
  trip_cents: 8_500,
  quote_first: false,
  close_when_issued: false,
};

/** A body for each command of the directory and of authority that its rule accepts under `directoryFacts`. */
export const DIRECTORY_INPUTS: Readonly<Record<string, unknown>> = {
  'account.create': { slug: 'more-stores' },
  'account.change': { contract: NEW_CONTRACT },
  'site.create': {
    account_id: IDS.account,
    slug: 'store-1',
    time_zone: 'America/Chicago',
    territory: 'north',
  },
  'site.change': { territory: 'south' },
  'asset.create': { site_id: IDS.site, kind: 'DOOR', slug: 'front-door' },
  'asset.change': { serial: 'SN 12' },
  'asset.retire': {},
  'technician.create': { slug: 'tina', skills: ['locksmith'], territories: ['north'] },
  'technician.change': { skills: ['doors'] },
  'technician.deactivate': {},
  'contact.add': { account_id: IDS.account, may_request: true, name: FREE_TEXT, phone: FREE_TEXT },
  'contact.import': {
    account_id: IDS.account,
    contacts: [
      { slug: 'manager-1', may_request: true, name: FREE_TEXT, phone: freeText(1) },
      { slug: 'manager-2', site_id: IDS.site, may_request: false, name: freeText(2), email: freeText(3) },
    ],
  },
  'contact.change': { account_id: IDS.account, may_request: false },
  'contact.deactivate': {},
  'contact.reset': {},
  'contact.set_limit': { account_id: IDS.account, approval_limit_cents: 50_000 },
  'role.grant': { role: 'finance' },
  'role.revoke': { role: 'qa' },
  'service_account.register': { service: 'web', x: 'x'.repeat(43) },
  'service_account.rotate': { service: 'web', x: 'x'.repeat(43) },
  'service_account.revoke': { keyid: 'k'.repeat(43) },
  'autonomy.set': { level: 1 },
};

/** The row that a command of the directory names in its path. */
export const DIRECTORY_TARGETS: Readonly<Record<string, string>> = {
  account: IDS.account,
  site: IDS.site,
  asset: ASSET,
  contact: CONTACT,
  technician: IDS.technician,
  staff: STAFF,
  act: ACT,
};

export function confirmer(staffId: string, ...roles: string[]): Confirmer {
  return { staff_id: staffId, person_id: personOf(staffId), roles };
}

const onFile = { tenant_id: IDS.tenant, version: 3, state: 'ACTIVE' } as const;

export function membershipRow(patch: Partial<MembershipRow> = {}): MembershipRow {
  return {
    ...onFile,
    id: MEMBERSHIP,
    contact_id: CONTACT,
    account_id: IDS.account,
    site_id: null,
    may_request: true,
    may_approve: false,
    approval_limit_cents: 0,
    changed_at: LONG_AGO,
    ...patch,
  };
}

/** Everything on file, nobody of the account an approver yet, two admins, a supervisor and a dispatcher. */
export function directoryFacts(patch: Partial<DirectoryFacts> = {}): DirectoryFacts {
  return {
    account: { ...onFile, id: IDS.account, slug: 'acme', contract: accountFacts().contract },
    site: {
      ...onFile,
      id: IDS.site,
      account_id: IDS.account,
      slug: 'store-114',
      time_zone: 'America/New_York',
      territory: 'north',
    },
    asset: {
      ...onFile,
      id: ASSET,
      account_id: IDS.account,
      site_id: IDS.site,
      kind: 'LOCK',
      slug: 'back-door',
      model: null,
      serial: null,
    },
    contact: { ...onFile, id: CONTACT, person_id: personOf(CONTACT), changed_at: LONG_AGO },
    memberships: [membershipRow()],
    technician: {
      ...onFile,
      id: IDS.technician,
      person_id: personOf(IDS.technician),
      slug: 'tom',
      skills: ['locksmith'],
      territories: ['north'],
    },
    staff: { ...onFile, id: STAFF, person_id: personOf(STAFF), roles: ['qa'] },
    autonomy_level: 2,
    has_had_approver: false,
    is_slug_taken: false,
    confirmers: [
      confirmer(IDS.admin, 'admin'),
      confirmer(SECOND_ADMIN, 'admin'),
      confirmer(IDS.supervisor, 'supervisor'),
      confirmer(IDS.dispatcher, 'dispatcher'),
    ],
    act: null,
    confirmed_by: [],
    ...patch,
  };
}

/** The site of the account and one of another; no code is taken. */
export function batchFacts(patch: Partial<BatchFacts> = {}): BatchFacts {
  const site = { id: IDS.site, account_id: IDS.account, slug: 'store-114', state: 'ACTIVE' } as const;
  const foreign = { ...site, id: IDS.otherSite, account_id: IDS.otherAccount, slug: 'store-9' };
  return { sites: [site, foreign], taken: [], ...patch };
}

/** An act as asking leaves it: row and bytes agree. */
export function actRow(
  asked: {
    readonly command: string;
    readonly target: string | null;
    readonly by: string;
    readonly input: unknown;
  },
  patch: Partial<ActRow> = {},
): ActRow {
  const row = {
    id: ACT,
    tenant_id: IDS.tenant,
    command: asked.command,
    target_id: asked.target,
    input: asked.input as ActRow['input'],
    asked_by: asked.by,
    proof_assurance: 'L2' as const,
    deciders: 1,
    expires_at: at(HOUR),
    ...patch,
  };
  const action = sortedJson({
    act_id: row.id,
    tenant_id: row.tenant_id,
    command: row.command,
    target: row.target_id === null ? null : { id: row.target_id, version: 3 },
    input: row.input as JsonValue,
    asked_by: row.asked_by,
    proof: { assurance: row.proof_assurance, deciders: row.deciders },
    expires_at: row.expires_at,
  });
  return {
    version: 1,
    state: 'PENDING',
    asked_at: at(0),
    decided_at: null,
    action,
    action_digest: sha256Base64Url(action),
    ...row,
  };
}

/** What a member of staff of this role is asked to confirm: their own question, or half of one that takes two. */
export function actFor(role: string): { readonly act: ActRow; readonly confirmed_by: readonly string[] } {
  if (role === 'dispatcher') {
    const act = actRow({ command: 'contact.reset', target: CONTACT, by: IDS.dispatcher, input: {} });
    return { act, confirmed_by: [] };
  }
  const input = { contract: NEW_CONTRACT };
  const asked = { command: 'account.change', target: IDS.account, by: SECOND_ADMIN, input };
  return { act: actRow(asked, { deciders: 2 }), confirmed_by: [personOf(SECOND_ADMIN)] };
}
