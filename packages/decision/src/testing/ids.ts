/** A fixed UUIDv7 per number, for fixtures. */
export function fixedId(n: number): string {
  return `0198a000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
}

/** The people and places of the fixtures. */
export const IDS = {
  tenant: fixedId(1),
  account: fixedId(2),
  site: fixedId(3),
  ticket: fixedId(4),
  conversation: fixedId(5),
  turn: fixedId(6),
  message: fixedId(7),
  visit: fixedId(8),
  approval: fixedId(9),
  completion: fixedId(10),
  invoice: fixedId(11),
  evidence: fixedId(12),
  text: fixedId(13),
  correlation: fixedId(14),
  report: fixedId(15),
  suggestion: fixedId(16),
  requester: fixedId(20),
  approver: fixedId(21),
  technician: fixedId(22),
  dispatcher: fixedId(23),
  supervisor: fixedId(24),
  qa: fixedId(25),
  finance: fixedId(26),
  admin: fixedId(27),
  auditor: fixedId(28),
  otherTenant: fixedId(90),
  otherAccount: fixedId(91),
  otherSite: fixedId(92),
  otherTicket: fixedId(93),
  otherConversation: fixedId(94),
  otherPerson: fixedId(95),
} as const;

/** Persons are told apart by another range of ids than subjects. */
export function personOf(subjectId: string): string {
  return `${subjectId.slice(0, 24)}${(Number.parseInt(subjectId.slice(24), 16) + 0x1000).toString(16).padStart(12, '0')}`;
}

export const COMMITMENT = 'c'.repeat(43);
export const FREE_TEXT = { text_id: IDS.text, commitment: COMMITMENT } as const;
