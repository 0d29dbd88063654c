import type { Facts } from '../facts.ts';
import { fixedId, IDS } from './ids.ts';
import { accountFacts, NOW } from './rows.ts';

/** Facts as `read_facts` gives them when it finds nothing: every absence is null. */
export function emptyFacts(patch: Partial<Facts> = {}): Facts {
  return {
    now: NOW,
    log_size: 0,
    witness: 'timely',
    tenant: { id: IDS.tenant, autonomy_version: 1 },
    stored: null,
    subject: null,
    ticket: null,
    requester_person_id: null,
    account: null,
    site: null,
    visit: null,
    technician: null,
    roster: [],
    schedule: null,
    tapped_link: null,
    loose_ends: null,
    open_recalls: null,
    approval: null,
    approvals: [],
    approvers: [],
    evidence: [],
    evidence_item: null,
    open_uploads: null,
    observed_object: null,
    tests: [],
    costs: { parts: [], minutes: 0 },
    completion: null,
    invoice: null,
    conversation: null,
    turn: null,
    open_ticket_of_conversation: null,
    autonomy: { level: 2, paused: false },
    message: null,
    directory: null,
    publications: null,
    batch: null,
    inbound: null,
    report: null,
    duplicates: [],
    consents: [],
    suggestion: null,
    suggested_for: null,
    open_suggestions: [],
    ...patch,
  };
}

/** The site and account of the fixtures, as every ticket target brings them. */
export function placeFacts(): Pick<Facts, 'account' | 'site'> {
  return {
    account: accountFacts(),
    site: {
      id: IDS.site,
      account_id: IDS.account,
      slug: 'store-114',
      time_zone: 'America/New_York',
      territory: 'north',
    },
  };
}

/** Finalized evidence for every key that the lock type asks for. */
export function completeEvidence(): Facts['evidence'] {
  return [
    ['photo.before.opening', 'before'],
    ['photo.before.failed_lock', 'before'],
    ['photo.after.secured_outside', 'after'],
    ['photo.after.secured_inside', 'after'],
  ].map(([key, phase], i) => ({
    id: fixedId(0x200 + i),
    key: key as string,
    phase: phase as 'before' | 'after',
    visit_id: IDS.visit,
    finalized_at: NOW,
  }));
}

export function completeTests(): Facts['tests'] {
  return [
    { test: 'lock_unlock_x5', passed: true, value: 5, recorded_at: NOW },
    { test: 'egress_opens', passed: true, value: null, recorded_at: NOW },
  ];
}
