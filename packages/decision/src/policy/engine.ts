import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { type ErrorCode, refuse } from '@deadlatch/kernel';

/** A file of reviewed Cedar text, or the schema they are all held to. */
export interface PolicyText {
  readonly name: string;
  readonly text: string;
}

/** Everything a policy may know, normalised to small enumerations so that answers can be kept. */
export interface PolicyQuestion {
  readonly principal: { readonly type: 'Role' | 'Agent' | 'Service'; readonly id: string };
  readonly action: string;
  readonly target: string;
  /** 0 to 3 */
  readonly assurance: number;
  /** 0 to 3, from the table of proofs */
  readonly required: number;
  /** 0 to 3; 4 when a person accepts what an agent suggested */
  readonly autonomy: number;
  /** 0 for people */
  readonly pairLevel: number;
  readonly isPaused: boolean;
  readonly isHumanInCharge: boolean;
  readonly isInvolved: boolean;
  readonly isStepUp: boolean;
}

export interface PolicyAnswer {
  readonly allowed: boolean;
  /** The policies that made the answer; empty when nothing matched or the engine failed. */
  readonly policyIds: readonly string[];
  /** Why not; null when allowed. */
  readonly code: ErrorCode | null;
}

export interface PolicyEngine {
  /** Digest of every policy text: what was decided under which rules. */
  readonly bundleHash: string;
  ask(question: PolicyQuestion): PolicyAnswer;
}

/** When several forbids match, the caller hears the one that comes first here. */
const CODE_ORDER: readonly ErrorCode[] = [
  'policy_denied',
  'agent_paused',
  'human_in_charge',
  'autonomy_denied',
  'separation_of_duty',
  'assurance_required',
];

/** The engine broke or did not understand: nothing is allowed, and it is not the caller's fault. */
const BROKEN: PolicyAnswer = { allowed: false, policyIds: [], code: 'unavailable' };

/** The matrix of all questions is about 18,000 cells; a full table is emptied rather than grown. */
const MEMO_LIMIT = 32_768;

/**
 * Parses the texts once and answers questions from them.
 * @param texts exactly one is named `*.cedarschema`; every policy needs a unique `@id`, every forbid a `@code`
 * @param evaluate Cedar's own evaluation unless a test breaks it
 * @throws DispatchError `unavailable` when a text does not parse, does not validate or lacks its annotations
 * @invariant default deny; an error of the engine or of any single policy denies, because Cedar itself skips
 *   a policy that fails, and a forbid that is skipped does not forbid
 * @source C.5, A.5
 */
export function createPolicyEngine(options: {
  readonly texts: readonly PolicyText[];
  readonly sha256Base64Url: (text: string) => string;
  readonly evaluate?: (call: cedar.StatefulAuthorizationCall) => cedar.AuthorizationAnswer;
}): PolicyEngine {
  const evaluate = options.evaluate ?? cedar.statefulIsAuthorized;
  const bundleHash = options.sha256Base64Url(bundleOf(options.texts));
  const schemas = options.texts.filter((t) => t.name.endsWith('.cedarschema'));
  const schema = schemas[0];
  if (schema === undefined || schemas.length > 1) return broken('exactly one policy schema is needed');
  const { policies, codes } = readPolicies(options.texts.filter((t) => t !== schema));
  parse(bundleHash, schema.text, policies);
  const memo = new Map<string, PolicyAnswer>();

  return {
    bundleHash,
    ask: (question) => {
      const key = memoKey(question);
      const known = memo.get(key);
      if (known !== undefined) return known;
      const answer = answerOf(() => evaluate(callOf(question, bundleHash)), codes);
      // A failure is not a fact about the question: it is asked again.
      if (answer === BROKEN) return answer;
      if (memo.size >= MEMO_LIMIT) memo.clear();
      memo.set(key, answer);
      return answer;
    },
  };
}

/** Names and texts in a fixed order, so that the digest depends on nothing else. */
function bundleOf(texts: readonly PolicyText[]): string {
  return [...texts]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((t) => `${t.name}\n${t.text.length}\n${t.text}`)
    .join('\n');
}

function readPolicies(texts: readonly PolicyText[]): {
  readonly policies: Record<string, string>;
  readonly codes: ReadonlyMap<string, ErrorCode>;
} {
  const policies = new Map<string, string>();
  const codes = new Map<string, ErrorCode>();
  for (const { name, text } of texts) {
    const parts = cedar.policySetTextToParts(text);
    if (parts.type !== 'success') return broken(`${name} does not parse`);
    if (parts.policy_templates.length > 0) return broken(`${name} holds a template`);
    for (const part of parts.policies) {
      const json = cedar.policyToJson(part);
      if (json.type !== 'success') return broken(`${name} does not parse`);
      const annotations = new Map(Object.entries(json.json.annotations ?? {}));
      const id = annotations.get('id');
      if (id === undefined || id === '' || policies.has(id)) {
        return broken(`${name}: a policy without an id of its own`);
      }
      policies.set(id, part);
      if (json.json.effect !== 'forbid') continue;
      const code = CODE_ORDER.find((c) => c === annotations.get('code'));
      if (code === undefined) return broken(`${name}: ${id} lacks a known code`);
      codes.set(id, code);
    }
  }
  return { policies: Object.fromEntries(policies), codes };
}

/** Hands the texts to the engine, which keeps them under the digest: equal names are equal texts. */
function parse(bundleHash: string, schema: string, policies: Record<string, string>): void {
  const validation = cedar.validate({
    schema,
    policies: { staticPolicies: policies },
    validationSettings: { mode: 'strict' },
  });
  if (validation.type !== 'success' || validation.validationErrors.length > 0) {
    broken('policies do not match their schema');
  }
  if (cedar.preparseSchema(bundleHash, schema).type !== 'success') broken('schema does not parse');
  if (cedar.preparsePolicySet(bundleHash, { staticPolicies: policies }).type !== 'success') {
    broken('policies do not parse');
  }
}

function callOf(question: PolicyQuestion, bundleHash: string): cedar.StatefulAuthorizationCall {
  return {
    principal: { type: question.principal.type, id: question.principal.id },
    action: { type: 'Action', id: question.action },
    resource: { type: 'Target', id: question.target },
    context: {
      assurance: question.assurance,
      required: question.required,
      autonomy: question.autonomy,
      pair_level: question.pairLevel,
      paused: question.isPaused,
      human_in_charge: question.isHumanInCharge,
      involved: question.isInvolved,
      step_up: question.isStepUp,
    },
    preparsedSchemaName: bundleHash,
    preparsedPolicySetId: bundleHash,
    validateRequest: true,
    entities: [],
  };
}

function answerOf(
  evaluate: () => cedar.AuthorizationAnswer,
  codes: ReadonlyMap<string, ErrorCode>,
): PolicyAnswer {
  try {
    const answer = evaluate();
    if (answer.type !== 'success') return BROKEN;
    const { decision, diagnostics } = answer.response;
    if (diagnostics.errors.length > 0) return BROKEN;
    const policyIds = [...diagnostics.reason].sort();
    if (decision === 'allow') {
      // An allow that no policy made is not an allow.
      return policyIds.length > 0 ? { allowed: true, policyIds, code: null } : BROKEN;
    }
    const named = policyIds.map((id) => codes.get(id));
    return {
      allowed: false,
      policyIds,
      code: CODE_ORDER.find((code) => named.includes(code)) ?? 'policy_denied',
    };
  } catch {
    return BROKEN;
  }
}

function memoKey(q: PolicyQuestion): string {
  const flags = [q.isPaused, q.isHumanInCharge, q.isInvolved, q.isStepUp]
    .map((f) => (f ? '1' : '0'))
    .join('');
  return `${q.principal.type}:${q.principal.id}|${q.action}|${q.target}|${q.assurance}${q.required}${q.autonomy}${q.pairLevel}${flags}`;
}

function broken(detail: string): never {
  return refuse('unavailable', { detail: `policy: ${detail}` });
}
