import { randomBytes } from 'node:crypto';
import { createInputValidator } from '@deadlatch/catalogue';
import {
  createPolicyEngine,
  type DecisionTools,
  decide,
  type Facts,
  loadPolicyTexts,
} from '@deadlatch/decision';
import { createIdMaker } from '@deadlatch/kernel';
import type { CommandPath, CommitDecisionInput } from '@deadlatch/postgres';
import { createZones } from '@deadlatch/scheduling';
import { actionDigest, canonicalJson, generateSigningKeyPem, loadSigningKey } from '@deadlatch/signing';
import { createTracing } from '@deadlatch/telemetry';
import { createRefusals } from '../../apps/dispatch-api/src/command/refusals.ts';
import { type CommandRunner, createCommandRunner } from '../../apps/dispatch-api/src/command/run-command.ts';
import { createGrantIssuer } from '../../apps/dispatch-api/src/grants/issue-grants.ts';
import { ENVIRONMENT, provenWithoutSignature } from './command.ts';
import { inParallel } from './in-parallel.ts';
import type { Job, Place } from './place.ts';

/** Everything `decide` needs, as `compose.ts` of dispatch-api makes it. */
export function createTools(): DecisionTools {
  return {
    newId: createIdMaker(Date.now, (n) => randomBytes(n)),
    policy: createPolicyEngine({ texts: loadPolicyTexts(), sha256Base64Url: actionDigest }),
    validateInput: createInputValidator(),
    canonicalJson,
    sha256Base64Url: actionDigest,
    zones: createZones(),
  };
}

/** dispatch-api's own command runner over `path`. */
export function createRoad(path: CommandPath, tools: DecisionTools): CommandRunner {
  const { newId } = tools;
  const grantKey = loadSigningKey(generateSigningKeyPem());
  const source = { environment: ENVIRONMENT, policyBundle: tools.policy.bundleHash };
  return createCommandRunner({
    ...source,
    path,
    watch: { seenSize: () => 0, assertCurrent: () => undefined, isTimely: () => true },
    refusals: createRefusals({ ...source, path, now: Date.now, newId }),
    decide: (request, caller, facts) => decide(request, caller, facts, tools),
    whyNot: () => null,
    observe: async () => null,
    discardUpload: async () => undefined,
    secrets: {
      linkKey: randomBytes(32),
      grants: createGrantIssuer({
        key: () => grantKey,
        environment: ENVIRONMENT,
        now: Date.now,
        newId,
      }),
      newId,
    },
    tracing: createTracing({ random: randomBytes }),
    newId,
    now: Date.now,
  });
}

/**
 * The very arguments that the road would hand to `dispatch.commit_decision` next: made by the road itself over a
 * path that keeps what it would commit. Several for one ticket follow each other's versions.
 */
export async function premadeCommits(
  place: Place,
  tools: DecisionTools,
  jobs: readonly Job[],
): Promise<CommitDecisionInput[]> {
  const known = new Map<string, Facts>();
  const commits: CommitDecisionInput[] = [];
  const keep: CommandPath = {
    ...place.path,
    async readFacts(query) {
      const before = known.get(query.target_id ?? '');
      return before ? { ...before, now: new Date().toISOString() } : place.path.readFacts(query);
    },
    async commitDecision(input) {
      commits.push(input);
      return { committed_at: '' };
    },
  };
  const road = createRoad(keep, tools);
  const first = new Map(jobs.map((job) => [job.ticketId, job]));
  const read = await inParallel(16, first.size, async (at) => {
    const job = [...first.values()][at];
    return job && factsOf(place, job);
  });
  for (const facts of read) if (facts?.ticket) known.set(facts.ticket.id, facts);
  for (const [at, job] of jobs.entries()) {
    const { proven, call } = provenWithoutSignature(place.tenantId, job, at);
    await road.run(proven, call);
    const ticket = commits.at(-1)?.changes.ticket;
    const before = known.get(job.ticketId);
    if (ticket && before) known.set(job.ticketId, { ...before, ticket });
  }
  return commits;
}

/** What the database knows for this job's command. */
export async function factsOf(place: Place, job: Job): Promise<Facts> {
  const found = await place.path.readFacts({
    tenant_id: place.tenantId,
    command: 'part.record',
    target: 'ticket',
    target_id: job.ticketId,
    needs: ['visit'],
    subject: { kind: 'technician', id: job.technicianId },
    service: 'web',
    turn_id: null,
    conversation_id: null,
    idempotency: null,
    refs: {},
  });
  return { ...found, witness: 'timely' };
}
