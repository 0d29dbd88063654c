import type { Cell } from './matrix-cells.ts';

/**
 * A second gate, written by hand from the tables of the design and not from the code it is compared with. It knows
 * nothing of rows: a cell says in words what is the case, and the answer is a code or `accepted`.
 *
 * command | who, with the connection they need; A = intake, S = scheduling, from that level | ticket states
 */
const TABLE = `
message.receive          | gateway                                  | *
message.report_delivery  | gateway                                  | *
conversation.reply       | A1 S1                                    | *
autonomy.pause           | dispatcher supervisor                    | *
autonomy.resume          | supervisor                               | *
ticket.create            | requester@account dispatcher A1          | *
ticket.request_info      | dispatcher A1                            | NEW TRIAGED
ticket.provide_info      | requester@own dispatcher A1              | NEEDS_INFO
ticket.triage            | dispatcher A2                            | NEW NEEDS_INFO
ticket.ready             | dispatcher A2                            | TRIAGED
approval.request         | dispatcher                               | TRIAGED
approval.decide          | approver@own                             | APPROVAL_REQUIRED ON_HOLD
approval.withdraw        | technician@own dispatcher                | APPROVAL_REQUIRED ON_HOLD
approval.expire          | system                                   | APPROVAL_REQUIRED ON_HOLD
ticket.hold              | technician@own dispatcher                | DISPATCHED ON_SITE IN_PROGRESS
ticket.resume            | technician@own dispatcher                | ON_HOLD
ticket.cancel            | requester@own dispatcher                 | NEW NEEDS_INFO TRIAGED READY_TO_SCHEDULE SCHEDULE_PROPOSED SCHEDULED DISPATCHED APPROVAL_REQUIRED
schedule.propose         | dispatcher S2                            | READY_TO_SCHEDULE
schedule.confirm         | requester@own dispatcher S2              | SCHEDULE_PROPOSED
choice.make              | link@own                                 | SCHEDULE_PROPOSED SCHEDULED DISPATCHED
schedule.release         | dispatcher system S2                     | SCHEDULE_PROPOSED
schedule.reschedule      | requester@own dispatcher S2              | SCHEDULED DISPATCHED
visit.dispatch           | dispatcher S3                            | SCHEDULED
visit.depart             | technician@own                           | DISPATCHED
visit.decline            | technician@own                           | DISPATCHED
visit.reassign           | dispatcher                               | DISPATCHED
visit.escalate           | system                                   | DISPATCHED
visit.miss               | system                                   | DISPATCHED
visit.dispatch_emergency | dispatcher                               | TRIAGED READY_TO_SCHEDULE SCHEDULED
visit.accept             | technician@own                           | DISPATCHED
tech.check_in            | technician@own                           | DISPATCHED
tech.start               | technician@own                           | ON_SITE
tech.request_change      | technician@own                           | ON_SITE IN_PROGRESS
evidence.presign         | requester@own technician@own dispatcher  | NEW NEEDS_INFO DISPATCHED ON_SITE IN_PROGRESS APPROVAL_REQUIRED ON_HOLD COMPLETED_PENDING_VERIFICATION
evidence.finalize        | requester@own technician@own dispatcher  | NEW NEEDS_INFO DISPATCHED ON_SITE IN_PROGRESS APPROVAL_REQUIRED ON_HOLD COMPLETED_PENDING_VERIFICATION
part.record              | technician@own                           | ON_SITE IN_PROGRESS
time.record              | technician@own                           | ON_SITE IN_PROGRESS
test.record              | technician@own                           | ON_SITE IN_PROGRESS
tech.complete            | technician@own                           | IN_PROGRESS
qa.verify                | qa dispatcher                            | COMPLETED_PENDING_VERIFICATION
remedy.submit            | technician@own dispatcher                | COMPLETED_PENDING_VERIFICATION
billing.generate_invoice | finance                                  | VERIFIED
billing.issue            | finance                                  | INVOICED
payment.record           | finance                                  | INVOICED
account.create           | admin                                    | *
account.change           | admin                                    | *
site.create              | admin                                    | *
site.change              | admin                                    | *
asset.create             | admin                                    | *
asset.change             | admin                                    | *
asset.retire             | admin                                    | *
technician.create        | admin                                    | *
technician.change        | admin                                    | *
technician.deactivate    | admin                                    | *
incident_type.publish    | admin                                    | *
template.publish         | admin                                    | *
contact.add              | dispatcher                               | *
contact.import           | dispatcher                               | *
contact.change           | dispatcher                               | *
contact.deactivate       | dispatcher                               | *
contact.reset            | dispatcher                               | *
contact.set_limit        | admin                                    | *
role.grant               | admin supervisor                         | *
role.revoke              | admin supervisor                         | *
service_account.register | admin supervisor                         | *
service_account.rotate   | admin supervisor                         | *
service_account.revoke   | admin supervisor                         | *
autonomy.set             | supervisor                               | *
act.confirm              | admin supervisor dispatcher              | *
ticket.close             | finance system                           | INVOICED
tech.check_out           | technician@own                           | APPROVAL_REQUIRED ON_SITE IN_PROGRESS COMPLETED_PENDING_VERIFICATION
ticket.retriage          | dispatcher                               | TRIAGED READY_TO_SCHEDULE SCHEDULE_PROPOSED SCHEDULED
ticket.link_duplicate    | dispatcher A4                            | NEW NEEDS_INFO TRIAGED
ticket.reopen            | requester@own dispatcher                 | VERIFIED INVOICED CLOSED
report.attach            | dispatcher                               | *
conversation.take_over   | dispatcher                               | *
conversation.hand_back   | dispatcher                               | *
conversation.close       | dispatcher                               | *
message.send             | technician@own dispatcher                | *
evidence.waive           | qa supervisor                            | IN_PROGRESS COMPLETED_PENDING_VERIFICATION
billing.dispute          | requester@own                            | INVOICED
billing.void             | finance supervisor                       | INVOICED
suggestion.accept        | dispatcher                               | NEW NEEDS_INFO
suggestion.reject        | dispatcher                               | *
suggestion.expire        | system                                   | *
`;

interface Row {
  readonly who: readonly string[];
  readonly states: readonly string[];
}

const ROWS: ReadonlyMap<string, Row> = new Map(
  TABLE.trim()
    .split('\n')
    .map((line) => {
      const [command = '', who = '', states = ''] = line.split('|').map((cell) => cell.trim());
      return [command, { who: who.split(' '), states: states.split(' ') }];
    }),
);

export const NAIVE_COMMANDS: readonly string[] = [...ROWS.keys()];

/** Who may send what, from the table of the ceilings. */
const SENDERS: Readonly<Record<string, { kinds: string; most: number; agents: boolean }>> = {
  gateway: { kinds: 'contact unknown_sender', most: 1, agents: false },
  'tool-bridge': { kinds: 'contact system', most: 1, agents: true },
  web: { kinds: 'staff technician contact link', most: 1, agents: false },
  cli: { kinds: 'staff technician contact', most: 1, agents: false },
  identity: { kinds: 'contact staff', most: 3, agents: false },
  worker: { kinds: 'system', most: 1, agents: false },
};

/** What a second factor is shown for, and identity alone sends. */
const DECISIONS = ['approval.decide', 'act.confirm'];

function mayEverSend(cell: Cell, row: Row): boolean {
  const sender = SENDERS[cell.service];
  if (!sender) return false;
  if (!sender.kinds.split(' ').includes(cell.kind)) return false;
  if (Number(cell.assurance[1]) > sender.most) return false;
  if ((cell.agent !== null) !== sender.agents) return false;
  const isForPeople = row.who.some((w) => !/^(gateway|system|link@own|[AS]\d)$/.test(w));
  // No token names a link: it is nobody, and its secret is good for one command.
  if (cell.kind === 'link') return cell.command === 'choice.make';
  switch (cell.service) {
    case 'gateway':
      return cell.command === 'message.receive' || cell.command === 'message.report_delivery';
    case 'tool-bridge':
      return row.who.some((w) => /^[AS]\d$/.test(w));
    case 'identity':
      return DECISIONS.includes(cell.command);
    case 'worker':
      return [
        'approval.expire',
        'schedule.release',
        'visit.escalate',
        'visit.miss',
        'ticket.close',
        'suggestion.expire',
      ].includes(cell.command);
    default:
      return isForPeople && !DECISIONS.includes(cell.command);
  }
}

/** The word of the `who` column under which this caller is listed, if any. */
function listedAs(cell: Cell, row: Row): string | undefined {
  if (cell.agent !== null) {
    const letter = { 'agent.intake': 'A', 'agent.scheduling': 'S' }[cell.agent as string];
    const isPair = letter !== undefined && (cell.role === 'requester' || cell.role === 'system');
    return isPair ? row.who.find((w) => w[0] === letter && /^.\d$/.test(w)) : undefined;
  }
  if (cell.service === 'gateway') return row.who.find((w) => w === 'gateway');
  return row.who.find((w) => w.split('@')[0] === cell.role);
}

function isConnected(cell: Cell, listed: string): boolean {
  const isAboutTicket =
    /^(ticket|schedule|approval|visit|tech|evidence|part|time|test|qa|remedy|billing|payment)\./.test(
      cell.command,
    );
  const needsTicket =
    (isAboutTicket && cell.command !== 'ticket.create') ||
    cell.command === 'message.send' ||
    cell.command === 'choice.make';
  const isOfTenant = !['contact', 'technician', 'unknown_sender', 'link'].includes(cell.kind);
  // Another tenant's place is unknown, whatever is asked.
  if (isOfTenant && cell.membership === 'other') return false;
  if (needsTicket && cell.state === 'none') return false;
  if (cell.agent !== null) {
    if (needsTicket) return cell.membership === 'own';
    return cell.command !== 'ticket.create' || cell.membership !== 'other';
  }
  if (listed.endsWith('@own')) return cell.membership === 'own';
  if (listed.endsWith('@account')) return cell.membership !== 'other';
  return true;
}

function stateFits(cell: Cell, row: Row): boolean {
  if (cell.command === 'conversation.take_over') return !cell.human;
  if (cell.command === 'conversation.hand_back') return cell.human;
  if (row.states[0] === '*') return true;
  if (cell.role === 'requester' && cell.agent === null && cell.command.startsWith('evidence.')) {
    return cell.state === 'NEW' || cell.state === 'NEEDS_INFO';
  }
  return row.states.includes(cell.state);
}

/** Money, approvals and power over agents; asking and stopping are none. */
const ACTS_OF_AUTHORITY =
  'act.confirm approval.decide autonomy.resume billing.generate_invoice billing.issue billing.void payment.record'.split(
    ' ',
  );

/** What the design says of this cell while the witness is late. */
export function naiveAnswerWhenLate(cell: Cell): string {
  const answer = naiveAnswer(cell);
  return answer === 'accepted' && ACTS_OF_AUTHORITY.includes(cell.command) ? 'unavailable' : answer;
}

/** What the design says of this cell. */
export function naiveAnswer(cell: Cell): string {
  const row = ROWS.get(cell.command);
  if (!row) return 'unknown_command';
  if (!mayEverSend(cell, row)) return 'above_ceiling';
  const listed = listedAs(cell, row);
  if (!listed) return 'not_granted';
  if (!isConnected(cell, listed)) return 'not_found';
  if (cell.command === 'suggestion.accept') return naiveAcceptance(cell, row);
  if (!stateFits(cell, row)) return 'invalid_state';
  if (cell.agent !== null) {
    if (cell.paused) return 'agent_paused';
    if (cell.human) return 'human_in_charge';
    if (cell.autonomy < Number(listed[1])) {
      const left = isTooFirm(cell) ? 'assurance_required' : 'suggested';
      return isLeftToAPerson(cell, row) ? left : 'autonomy_denied';
    }
  }
  if (isTooFirm(cell)) return 'assurance_required';
  return Number(cell.assurance[1]) < proofOf(cell) ? 'assurance_required' : 'accepted';
}

/** A text message does not send a technician home. */
function isTooFirm(cell: Cell): boolean {
  return cell.agent !== null && cell.command === 'schedule.reschedule' && cell.state === 'DISPATCHED';
}

function proofOf({ command, role }: Cell): number {
  if (/^(role|service_account)\./.test(command)) return 3;
  if (DECISIONS.includes(command)) return 2;
  if (command === 'billing.void' || (command === 'evidence.waive' && role === 'supervisor')) return 3;
  return command === 'message.receive' || command === 'message.report_delivery' ? 0 : 1;
}

/** What a dispatcher could do as well waits for one; a text's proof is not made better by waiting. */
function isLeftToAPerson(cell: Cell, row: Row): boolean {
  const isThere = cell.command === 'ticket.create' && !['none', 'CLOSED', 'CANCELLED'].includes(cell.state);
  return row.who.includes('dispatcher') && Number(cell.assurance[1]) >= 1 && !isThere;
}

/** The fixtures' suggestion is to triage: what binds the agent binds whoever accepts for it, but for the level. */
function naiveAcceptance(cell: Cell, row: Row): string {
  if (cell.assurance === 'L0') return 'assurance_required';
  if (cell.state === 'none') return 'superseded';
  if (!stateFits(cell, row)) return 'invalid_state';
  if (cell.paused) return 'agent_paused';
  return cell.human ? 'human_in_charge' : 'accepted';
}
