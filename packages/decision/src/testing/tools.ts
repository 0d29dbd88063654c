import { createHash } from 'node:crypto';
import { createInputValidator } from '@deadlatch/catalogue';
import type { JsonValue } from '@deadlatch/kernel';
import { createZones } from '@deadlatch/scheduling';
import { createPolicyEngine, type PolicyEngine } from '../policy/engine.ts';
import { loadPolicyTexts } from '../policy/load-policy-texts.ts';
import type { DecisionTools } from '../tools.ts';
import { fixedId } from './ids.ts';

export function sha256Base64Url(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

/** Sorted keys: enough of RFC 8785 for values that hold only ASCII, whole numbers and lists. */
export function sortedJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${sortedJson(value[key] ?? null)}`);
  return `{${members.join(',')}}`;
}

export function realPolicies(): PolicyEngine {
  return createPolicyEngine({ texts: loadPolicyTexts(), sha256Base64Url });
}

/** The real policies and schemas, with ids that count. */
export function createTestTools(policy: PolicyEngine = realPolicies()): DecisionTools {
  let next = 0x10_0000;
  return {
    newId: () => {
      next += 1;
      return fixedId(next);
    },
    policy,
    validateInput: createInputValidator(),
    canonicalJson: sortedJson,
    sha256Base64Url,
    zones: createZones(),
  };
}
