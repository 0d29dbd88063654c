import { randomBytes, randomUUID } from 'node:crypto';
import { COMMANDS, findCommand, spiffeId } from '@deadlatch/catalogue';
import { type DecisionTools, decide, type Facts, type PolicyQuestion } from '@deadlatch/decision';
import { toInstant } from '@deadlatch/kernel';
import {
  createTokenVerifier,
  generateSigningKeyPem,
  loadSigningKey,
  signReceipt,
  toBase64url,
  verifyRequest,
  verifyTxnToken,
  withoutEnd,
} from '@deadlatch/signing';
import { COMMAND, ENVIRONMENT, provenWithoutSignature, SENDER, signedCommand } from './command.ts';
import type { Job } from './place.ts';
import { createTools } from './road.ts';

const MEASURE_MS = 400;

/** Calls per second of something that never waits; `work` gets a number that grows. */
function rate(work: (at: number) => void): number {
  for (let at = 0; at < 50; at += 1) work(at);
  const from = performance.now();
  let count = 0;
  for (let until = from; until - from < MEASURE_MS; until = performance.now()) {
    for (let batch = 0; batch < 20; batch += 1) work(count + batch);
    count += 20;
  }
  return (count * 1000) / (performance.now() - from);
}

/** One core alone: what the parts of a command cost that need no database. */
export function measurePure(tools: DecisionTools, tenantId: string, job: Job, facts: Facts) {
  return {
    decide_per_s: decisions(tools, tenantId, job, facts),
    ...policies(tools),
    ...proofs(tenantId, job),
  };
}

function decisions(tools: DecisionTools, tenantId: string, job: Job, facts: Facts): number {
  const { proven, call } = provenWithoutSignature(tenantId, job, 0);
  return rate(() => {
    const decision = decide(call, proven.caller, facts, tools);
    if (decision.kind !== 'accepted') throw new Error(`the decision was ${decision.kind}`);
  });
}

function policies(tools: DecisionTools) {
  const questions = distinctQuestions();
  const first = questions[0];
  if (first === undefined) throw new Error('no questions');
  // A memo of its own, which no question meets twice before all of them were asked.
  const fresh = createTools().policy;
  return {
    policy_decisions_per_s: rate((at) => fresh.ask(questions[at % questions.length] ?? first)),
    policy_decisions_memoised_per_s: rate(() => tools.policy.ask(first)),
  };
}

/** Some thousand cells of the matrix that the schema knows. */
function distinctQuestions(): PolicyQuestion[] {
  const questions: PolicyQuestion[] = [];
  const levels = [0, 1, 2, 3];
  for (const entry of COMMANDS) {
    for (const grant of entry.who) {
      if (grant.role === 'system' || grant.role === 'gateway') continue;
      for (const assurance of levels) {
        for (const required of levels) {
          for (const flags of levels) {
            questions.push({
              principal: { type: 'Role', id: grant.role },
              action: entry.name,
              target: entry.target,
              assurance,
              required,
              autonomy: 0,
              pairLevel: 0,
              isPaused: false,
              isHumanInCharge: false,
              isInvolved: (flags & 1) === 1,
              isStepUp: (flags & 2) === 2,
            });
          }
        }
      }
    }
  }
  if (findCommand(COMMAND) === undefined) throw new Error('the command is not in the catalogue');
  return questions;
}

function proofs(tenantId: string, job: Job) {
  const newKey = () => loadSigningKey(generateSigningKeyPem());
  const keys = { signing: newKey(), token: newKey() };
  const { signed, headers } = signedCommand(keys, tenantId, job, 0);
  const pinned = { ...keys.signing, service: SENDER, notBefore: 0, notAfter: Infinity, revokedAt: null };
  const rawHeaders = ['host', '127.0.0.1', ...Object.entries(headers).flat()];
  const tokenKeys = [withoutEnd(keys.token)];
  const common = {
    issuer: spiffeId(ENVIRONMENT, 'identity'),
    audience: spiffeId(ENVIRONMENT, 'dispatch-api'),
  };
  const at = { requestedBy: spiffeId(ENVIRONMENT, SENDER), now: signed.now };
  const token = signed.token ?? '';
  const remembering = createTokenVerifier({ ...common, keys: () => tokenKeys });
  const receipt = {
    iss: common.audience,
    origin: `${ENVIRONMENT}.deadlatch/audit`,
    event_id: randomUUID(),
    leaf_hash: toBase64url(randomBytes(32)),
    time: toInstant(Date.now()),
  };
  const checks = {
    signature_checks_per_s: rate(() =>
      verifyRequest({
        method: signed.method,
        target: signed.target,
        rawHeaders,
        body: signed.body,
        shapes: [signed.shape],
        audience: common.audience,
        findKey: () => pinned,
        now: signed.now,
      }),
    ),
    token_checks_per_s: rate(() => verifyTxnToken(token, { ...common, ...at, keys: tokenKeys })),
    token_checks_memoised_per_s: rate(() => remembering(token, at)),
    receipt_signatures_per_s: rate(() => signReceipt(receipt, keys.token)),
  };
  const { signature_checks_per_s, token_checks_per_s, receipt_signatures_per_s } = checks;
  return {
    ...checks,
    signing_us_per_command:
      1e6 / signature_checks_per_s + 1e6 / token_checks_per_s + 1e6 / receipt_signatures_per_s,
  };
}
