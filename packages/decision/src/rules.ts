import type { NamedRule, Rule } from './rule.ts';
import { APPROVAL_DECIDE } from './rules/approval-decide.ts';
import { APPROVAL_EXPIRE, APPROVAL_WITHDRAW } from './rules/approval-end.ts';
import { APPROVAL_REQUEST, REQUEST_CHANGE } from './rules/approval-request.ts';
import { PAUSE, UNPAUSE } from './rules/autonomy.ts';
import { CLOSE, GENERATE_INVOICE, ISSUE, RECORD_PAYMENT } from './rules/billing.ts';
import { REPLY, REPORT_DELIVERY } from './rules/conversation.ts';
import { FINALIZE, PRESIGN } from './rules/evidence.ts';
import { PROVIDE_INFO, READY, REQUEST_INFO, TRIAGE } from './rules/intake.ts';
import { MESSAGE_RECEIVE } from './rules/message-receive.ts';
import { TICKET_CREATE } from './rules/ticket-create.ts';
import { CANCEL, HOLD, RESUME } from './rules/ticket-pause.ts';
import { REMEDY, VERIFY } from './rules/verify.ts';
import { ACCEPT, CHECK_IN, DISPATCH_EMERGENCY } from './rules/visit.ts';
import { COMPLETE, RECORD_PART, RECORD_TEST, RECORD_TIME, START } from './rules/work.ts';

const RULES: readonly NamedRule[] = [
  MESSAGE_RECEIVE,
  REPORT_DELIVERY,
  REPLY,
  PAUSE,
  UNPAUSE,
  TICKET_CREATE,
  REQUEST_INFO,
  PROVIDE_INFO,
  TRIAGE,
  READY,
  APPROVAL_REQUEST,
  APPROVAL_DECIDE,
  APPROVAL_WITHDRAW,
  APPROVAL_EXPIRE,
  HOLD,
  RESUME,
  CANCEL,
  DISPATCH_EMERGENCY,
  ACCEPT,
  CHECK_IN,
  START,
  REQUEST_CHANGE,
  PRESIGN,
  FINALIZE,
  RECORD_PART,
  RECORD_TIME,
  RECORD_TEST,
  COMPLETE,
  VERIFY,
  REMEDY,
  GENERATE_INVOICE,
  ISSUE,
  RECORD_PAYMENT,
  CLOSE,
];

/** A Map, so that a command named `constructor` has no rule. */
const BY_COMMAND: ReadonlyMap<string, Rule> = new Map(RULES);

/** The rule of a command; `undefined` refuses. */
export function findRule(command: string): Rule | undefined {
  return BY_COMMAND.get(command);
}

/** Commands that have a rule; the catalogue's list and this one must be the same. */
export const RULED_COMMANDS: readonly string[] = [...BY_COMMAND.keys()];
