/**
 * Every requirement of the threat model, as data. A test that proves one calls `verifies('T4.3')`;
 * `tools/check-requirements.ts` reads those calls and fails the build on an unknown id, on an id that is
 * due and cited by no test, and on an id that is postponed although a test already proves it.
 *
 * To bring one in: replace `later(…, reason)` by `due(…)`. Nothing else knows the list.
 */
export interface Requirement {
  readonly id: string;
  /** `S`: asked for by the threat model of the system; `B`: what we add beyond it. */
  readonly level: 'S' | 'B';
  readonly text: string;
  readonly due: 'now' | 'later';
  /** Due later: why. Due now: which part of it is still open, or null when none is. */
  readonly open: string | null;
}

type Level = Requirement['level'];

const due = (id: string, level: Level, text: string, open: string | null = null): Requirement => ({
  id,
  level,
  text,
  due: 'now',
  open,
});

const later = (id: string, level: Level, text: string, reason: string): Requirement => ({
  id,
  level,
  text,
  due: 'later',
  open: reason,
});

const INJECTION = [
  due(
    'T1.1',
    'S',
    'The tools an agent sees are a closed list for its role, ticket state and turn; any other is refused by the bridge and again by dispatch-api.',
  ),
  due(
    'T1.2',
    'S',
    'dispatch-api decides; every wrong combination of actor, tool and state is refused, and the whole matrix is enumerated.',
  ),
  due('T1.3', 'S', 'A tool returns listed fields only; what a tool logs never reaches a user.'),
  due(
    'T1.4',
    'S',
    'Inbound text is not trusted; what an agent may not do by itself is kept as a suggestion for a person.',
  ),
  due(
    'T1.5',
    'B',
    'No field of a command that an agent sends takes a recipient, an amount, a time or an identity as a literal.',
  ),
  later(
    'T1.6',
    'B',
    'The model call that reads untrusted text has no tools; the one with tools never sees the text.',
    'no model is connected',
  ),
  due(
    'T1.7',
    'B',
    'An agent that is wholly hijacked and holds all its credentials makes no unauthorised change.',
    'the decision is enumerated for it; the attack lab, which plays it through every process, is not built',
  ),
  due(
    'T1.8',
    'B',
    'Steps, tokens, time, money and tool calls of a conversation have budgets; contacts, sites and tools have rates.',
    'steps, time and tool calls of a turn, and texts of strangers; tokens and money come with the model, rates of contacts on file and sites do not exist',
  ),
  due(
    'T1.9',
    'B',
    'An agent acts inside a turn that a committed message or timer opened, in listed pairs, on references of that turn.',
  ),
  due(
    'T1.10',
    'B',
    'An agent confirms only on a choice that plain code recorded; accepting a suggestion decides again.',
  ),
];

const HALLUCINATION = [
  due(
    'T2.1',
    'S',
    'Confirmations to customers come from committed rows of dispatch-api and from nowhere else.',
  ),
  due('T2.2', 'S', 'After a change, messages and pages show the state as it was read again.'),
  due(
    'T2.3',
    'B',
    'Every claim sent out maps to exactly one earlier audit event of the same correlation id, state and values.',
  ),
  later(
    'T2.4',
    'B',
    'Words an agent writes itself pass a claim guard that fails closed.',
    'agents have no words of their own: they pick reviewed phrases by id',
  ),
  due('T2.5', 'B', 'Whoever receives a message can compare it with the authoritative state.'),
  due(
    'T2.6',
    'B',
    'What is no longer true at delivery is not sent; slots have a grammar and an encoder for each place they are shown.',
  ),
];

const SPOOFING = [
  due('T3.1', 'S', 'Who may request and approve is a list of contacts for each site and account.'),
  due('T3.2', 'S', 'Approvals of money need a second factor.'),
  due(
    'T3.3',
    'S',
    'Approving follows identity checks that fit the channel.',
    'SMS and web only; e-mail and voice do not exist yet',
  ),
  due(
    'T3.4',
    'B',
    'An approval is bound to the digest of exactly what was shown, and consumed once with its effect.',
  ),
  due(
    'T3.5',
    'B',
    'Nobody decides what they asked for; limits add up over a ticket; four eyes above the threshold.',
    'what needs two approvers is refused, since it also needs L3',
  ),
  due(
    'T3.6',
    'B',
    'A contact that changed cannot approve for 24 hours, and its old channel is told.',
    'only an e-mail address that was on file is told; a contact who had a number alone is not',
  ),
  due('T3.7', 'B', 'Codes are hashed, expire, work once, allow few tries and go to the number on file only.'),
  due('T3.8', 'B', 'Forged fields in a text (From, Approved by, NTE) raise nothing.'),
  due(
    'T3.9',
    'B',
    'Codes never pass through the gateway, work only in the browser that opened the page, and tries count per approval.',
  ),
  later(
    'T3.10',
    'B',
    'A factor is never enrolled from an approval page, waits 24 hours, and old channels are told.',
    'there are no enrolled factors yet',
  ),
  due(
    'T3.11',
    'B',
    'Every act of authority carries an action digest and its proof; what a service may ever send is compiled in.',
    'roles, keys of services, more autonomy and a second approver are refused until there are passkeys',
  ),
  due(
    'T3.12',
    'B',
    'Links are hashed, for one purpose, and expire; a GET changes nothing; a stranger learns nothing.',
  ),
];

const INSIDE = [
  due('T4.1', 'S', 'Bridge and api know each other by mutual TLS and signed tokens.'),
  due(
    'T4.2',
    'S',
    'Service accounts have least privilege and keys of one environment that rotate and can be revoked.',
  ),
  due('T4.3', 'S', 'A signed request works once, for seconds, over all replicas and restarts.'),
  due(
    'T4.4',
    'B',
    'The signature binds method, path, query, body, idempotency key, user token and receiver in one exact shape.',
  ),
  due('T4.5', 'B', 'No service can make up an identity or an assurance that it is not trusted for.'),
  due('T4.6', 'B', 'Row-level security keeps tenants apart even when a handler is wrong.'),
  due(
    'T4.7',
    'B',
    'The database itself refuses an illegal transition, a double booking and a change without its audit event.',
  ),
  due(
    'T4.8',
    'B',
    'identity and vault act on grants that dispatch-api signed; L3 is verified twice.',
    'L3 does not exist yet',
  ),
];

const EXFILTRATION = [
  due('T5.1', 'S', 'Logs are structured and hold listed fields only.'),
  due(
    'T5.2',
    'S',
    'What the agent may read is stored apart from personal data, and personal data is kept small.',
  ),
  later(
    'T5.3',
    'S',
    'Prompts hold summaries, never whole tickets.',
    'no model is connected, so there is no prompt',
  ),
  due(
    'T5.4',
    'B',
    'Canaries sent through every channel appear in no log, trace, error, event or export.',
    'not every sink is swept yet',
  ),
  due(
    'T5.5',
    'B',
    'A reveal needs a grant, is limited and is audited before decryption; erasing a person leaves the audit log verifiable.',
    'erasure is not built',
  ),
  due('T5.6', 'B', 'Answers list their fields by role; nothing leaks by being selected.'),
];

const ACCESS = [
  due('A.1', 'S', 'The bridge authenticates as a service.'),
  due('A.2', 'S', 'The user travels as signed claims in a header.'),
  due('A.3a', 'S', 'A command is authorised on the role of its actor.'),
  due('A.3b', 'S', 'A command is authorised on ownership of the ticket or membership of its account.'),
  due('A.3c', 'S', 'A command is authorised on its name.'),
  due('A.3d', 'S', 'A command is authorised on the state it starts from.'),
  due('A.4', 'B', 'Rights are those of the person it started with, not of the service in between.'),
  due('A.5', 'B', 'Every decision names the policies that made it.'),
];

const INPUT = [
  due('I.1', 'S', 'Every command has a strict schema.'),
  due('I.2', 'S', 'Unknown fields are refused.'),
  due('I.3', 'S', 'Each incident type lists the evidence that it requires.'),
  due(
    'I.4',
    'B',
    'Duplicate keys, bad UTF-8, oversize, a wrong content type or deep nesting end in a 4xx and no effect.',
  ),
];

const FORENSICS = [
  due('F.1', 'S', 'Audit events are only ever appended.'),
  due('F.2', 'S', 'One correlation id runs from the inbound message to the change, and on to the delivery.'),
  due('F.3', 'S', 'A trace id runs along.'),
  due('F.4', 'B', 'Events are in a Merkle log with signed and witnessed checkpoints that verify offline.'),
  due('F.5', 'B', 'Every accepted command answers with a signed receipt.'),
  due('F.6', 'B', 'Refusals are audited.'),
  due('F.7', 'B', 'The audit trail can be exported.'),
  due('F.8', 'B', 'A restored backup does not serve until people accept it.'),
];

const CLOSED = [
  due('C.0', 'S', 'Whatever is ambiguous is refused.'),
  due('C.1', 'S', 'No idempotency key: refused.'),
  due('C.2', 'S', 'No role: refused.'),
  due('C.3', 'S', 'No such transition: refused.'),
  due('C.4', 'S', 'Evidence missing: refused.'),
  due('C.5', 'B', 'No policy, a policy error or a time-out: refused.'),
  due('C.6', 'B', 'Nonce store, audit, key source or vault down: refused.'),
  due('C.7', 'B', 'Half a configuration: the process does not start.'),
  due('C.8', 'B', 'An unknown state, type, template or enum value: refused.'),
];

const RELIABILITY = [
  due('R.1', 'B', 'kill -9 of any process loses no accepted command and repeats no effect.'),
  due('R.2', 'B', 'Duplicates at the same moment have one effect.'),
  due('R.3', 'B', 'Timers survive restarts.'),
  later(
    'R.4',
    'B',
    'When the model is down, the scripted planner takes over.',
    'no model is connected: the scripted planner is the only one',
  ),
  due('R.5', 'B', 'An outage behind the gateway loses no message.'),
  due('R.6', 'B', 'A flood of refusals or a late witness does not stop intake.'),
  due('R.7', 'B', 'Evidence cannot change after it is final.'),
];

/** Every requirement once, in the order of the threat model. */
export const REQUIREMENTS: readonly Requirement[] = [
  ...INJECTION,
  ...HALLUCINATION,
  ...SPOOFING,
  ...INSIDE,
  ...EXFILTRATION,
  ...ACCESS,
  ...INPUT,
  ...FORENSICS,
  ...CLOSED,
  ...RELIABILITY,
];

const IDS: ReadonlySet<string> = new Set(REQUIREMENTS.map((requirement) => requirement.id));

/**
 * Says which requirements of the threat model a test proves. Call it with literals: the coverage gate reads
 * the source. @throws Error on an id that is not listed, so a typing mistake fails its own test.
 */
export function verifies(...ids: string[]): void {
  if (ids.length === 0) throw new Error('verifies() needs at least one requirement id');
  for (const id of ids) {
    if (!IDS.has(id)) throw new Error(`no such requirement: ${id}`);
  }
}
