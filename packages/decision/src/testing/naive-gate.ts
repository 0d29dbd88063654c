import type { Cell } from './matrix-cells.ts';

/**
 * A second gate, written by hand from the tables of the design and not from the code it is compared with. It knows
 * nothing of rows: a cell says in words what is the case, and the answer is a code or `accepted`.
 *
 * command | who, with the connection they need; A1, A2 = intake from that level | ticket states
 */
const TABLE = `
message.receive          | gateway                                  | *
message.report_delivery  | gateway                                  | *
conversation.reply       | A1                                       | *
autonomy.pause           | dispatcher supervisor                    | *
autonomy.resume          | supervisor                               | *
ticket.create            | requester@account dispatcher A1          | *
ticket.request_info      | dispatcher A1                            | NEW TRIAGED
ticket.provide_info      | requester@own dispatcher A1              | NEEDS_INFO
ticket.triage            | dispatcher A2                            | NEW NEEDS_INFO
ticket.ready             | dispatcher A2                            | TRIAGED
approval.request         | dispatcher                               | TRIAGED
approval.decide          | approver@own                             | APPROVAL_REQUIRED
approval.withdraw        | technician@own dispatcher                | APPROVAL_REQUIRED
approval.expire          | system                                   | APPROVAL_REQUIRED
ticket.hold              | technician@own dispatcher                | DISPATCHED ON_SITE IN_PROGRESS
ticket.resume            | technician@own dispatcher                | ON_HOLD
ticket.cancel            | dispatcher                               | NEW NEEDS_INFO TRIAGED READY_TO_SCHEDULE SCHEDULE_PROPOSED SCHEDULED DISPATCHED APPROVAL_REQUIRED
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
ticket.close             | finance                                  | INVOICED
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

function mayEverSend(cell: Cell, row: Row): boolean {
  const sender = SENDERS[cell.service];
  if (!sender) return false;
  if (!sender.kinds.split(' ').includes(cell.kind)) return false;
  if (Number(cell.assurance[1]) > sender.most) return false;
  if ((cell.agent !== null) !== sender.agents) return false;
  const isForPeople = row.who.some((w) => !/^(gateway|system|A\d)$/.test(w));
  switch (cell.service) {
    case 'gateway':
      return cell.command === 'message.receive' || cell.command === 'message.report_delivery';
    case 'tool-bridge':
      return row.who.some((w) => /^A\d$/.test(w));
    case 'identity':
      return cell.command === 'approval.decide';
    case 'worker':
      return cell.command === 'approval.expire';
    default:
      return isForPeople && cell.command !== 'approval.decide';
  }
}

/** The word of the `who` column under which this caller is listed, if any. */
function listedAs(cell: Cell, row: Row): string | undefined {
  if (cell.agent !== null) {
    const isPair = cell.agent === 'agent.intake' && (cell.role === 'requester' || cell.role === 'system');
    return isPair ? row.who.find((w) => /^A\d$/.test(w)) : undefined;
  }
  if (cell.service === 'gateway') return row.who.find((w) => w === 'gateway');
  return row.who.find((w) => w.split('@')[0] === cell.role);
}

function isConnected(cell: Cell, listed: string): boolean {
  const isAboutTicket =
    /^(ticket|approval|visit|tech|evidence|part|time|test|qa|remedy|billing|payment)\./.test(cell.command);
  const needsTicket = isAboutTicket && cell.command !== 'ticket.create';
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
  if (row.states[0] === '*') return true;
  if (cell.role === 'requester' && cell.agent === null && cell.command.startsWith('evidence.')) {
    return cell.state === 'NEW' || cell.state === 'NEEDS_INFO';
  }
  return row.states.includes(cell.state);
}

/** Money, approvals and power over agents; asking and stopping are none. */
const ACTS_OF_AUTHORITY =
  'approval.decide autonomy.resume billing.generate_invoice billing.issue payment.record'.split(' ');

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
  if (!stateFits(cell, row)) return 'invalid_state';
  if (cell.agent !== null) {
    if (cell.paused) return 'agent_paused';
    if (cell.human) return 'human_in_charge';
    if (cell.autonomy < Number(listed[1])) return 'autonomy_denied';
  }
  const proof = cell.command === 'approval.decide' ? 2 : cell.command.startsWith('message.') ? 0 : 1;
  return Number(cell.assurance[1]) < proof ? 'assurance_required' : 'accepted';
}
