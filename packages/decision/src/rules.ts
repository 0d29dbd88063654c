import type { NamedRule, Rule } from './rule.ts';
import { ACT_CONFIRM, ASKED_COMMANDS } from './rules/act-confirm.ts';
import { APPROVAL_DECIDE } from './rules/approval-decide.ts';
import { APPROVAL_EXPIRE, APPROVAL_WITHDRAW } from './rules/approval-end.ts';
import { APPROVAL_REQUEST, REQUEST_CHANGE } from './rules/approval-request.ts';
import { PAUSE, UNPAUSE } from './rules/autonomy.ts';
import { CLOSE, GENERATE_INVOICE, ISSUE, RECORD_PAYMENT } from './rules/billing.ts';
import { CHECK_OUT } from './rules/check-out.ts';
import { CHOOSE } from './rules/choose.ts';
import { REPLY, REPORT_DELIVERY } from './rules/conversation.ts';
import { ATTACH, LINK_DUPLICATE, REOPEN, RETRIAGE } from './rules/correct.ts';
import { CLOSE_CONVERSATION, HAND_BACK, SEND, TAKE_OVER } from './rules/desk.ts';
import {
  ACCOUNT_CREATE,
  ASSET_CHANGE,
  ASSET_CREATE,
  ASSET_RETIRE,
  SITE_CHANGE,
  SITE_CREATE,
  TECHNICIAN_CHANGE,
  TECHNICIAN_CREATE,
  TECHNICIAN_DEACTIVATE,
} from './rules/directory.ts';
import { DECLINE, DISPATCH, ESCALATE, MISS, REASSIGN } from './rules/dispatch.ts';
import { DISPUTE, VOID, WAIVE } from './rules/dispute.ts';
import { FINALIZE, PRESIGN } from './rules/evidence.ts';
import { PROVIDE_INFO, READY, REQUEST_INFO, TRIAGE } from './rules/intake.ts';
import { MESSAGE_RECEIVE } from './rules/message-receive.ts';
import {
  AUTONOMY_SET,
  ROLE_GRANT,
  ROLE_REVOKE,
  SERVICE_ACCOUNT_REGISTER,
  SERVICE_ACCOUNT_REVOKE,
  SERVICE_ACCOUNT_ROTATE,
} from './rules/power.ts';
import { INCIDENT_TYPE_PUBLISH, TEMPLATE_PUBLISH } from './rules/publish.ts';
import { CONFIRM, PROPOSE, RELEASE, RESCHEDULE } from './rules/schedule.ts';
import { ACCEPT_SUGGESTION, EXPIRE_SUGGESTION, REJECT_SUGGESTION } from './rules/suggestion.ts';
import { TICKET_CREATE } from './rules/ticket-create.ts';
import { CANCEL, HOLD, RESUME } from './rules/ticket-pause.ts';
import { REMEDY, VERIFY } from './rules/verify.ts';
import { ACCEPT, CHECK_IN, DEPART, DISPATCH_EMERGENCY } from './rules/visit.ts';
import { COMPLETE, RECORD_PART, RECORD_TEST, RECORD_TIME, START } from './rules/work.ts';

const RULES: readonly NamedRule[] = [
  ...ASKED_COMMANDS.map((asked) => asked.rule),
  ACT_CONFIRM,
  ACCOUNT_CREATE,
  SITE_CREATE,
  SITE_CHANGE,
  ASSET_CREATE,
  ASSET_CHANGE,
  ASSET_RETIRE,
  TECHNICIAN_CREATE,
  TECHNICIAN_CHANGE,
  TECHNICIAN_DEACTIVATE,
  INCIDENT_TYPE_PUBLISH,
  TEMPLATE_PUBLISH,
  ROLE_GRANT,
  ROLE_REVOKE,
  SERVICE_ACCOUNT_REGISTER,
  SERVICE_ACCOUNT_ROTATE,
  SERVICE_ACCOUNT_REVOKE,
  AUTONOMY_SET,
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
  PROPOSE,
  CONFIRM,
  CHOOSE,
  RELEASE,
  RESCHEDULE,
  DISPATCH,
  DISPATCH_EMERGENCY,
  ACCEPT,
  DEPART,
  DECLINE,
  REASSIGN,
  ESCALATE,
  MISS,
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
  CHECK_OUT,
  ACCEPT_SUGGESTION,
  REJECT_SUGGESTION,
  EXPIRE_SUGGESTION,
  RETRIAGE,
  LINK_DUPLICATE,
  REOPEN,
  ATTACH,
  TAKE_OVER,
  HAND_BACK,
  CLOSE_CONVERSATION,
  SEND,
  WAIVE,
  DISPUTE,
  VOID,
];

/** A Map, so that a command named `constructor` has no rule. */
const BY_COMMAND: ReadonlyMap<string, Rule> = new Map(RULES);

/** The rule of a command; `undefined` refuses. */
export function findRule(command: string): Rule | undefined {
  return BY_COMMAND.get(command);
}

/** Commands that have a rule; the catalogue's list and this one must be the same. */
export const RULED_COMMANDS: readonly string[] = [...BY_COMMAND.keys()];
