import { REQUIREMENTS, type Requirement } from '../../test/requirements.ts';
import { GENERATED_NOTE, table } from './markdown.ts';

const GROUPS = [
  [
    'T1',
    'Prompt injection',
    'The agent chooses among references that the system minted; it never types an amount, a time, a recipient or an identity. An agent that is wholly hijacked and holds all its credentials must still be unable to do harm.',
  ],
  [
    'T2',
    'Confirmations of what never happened',
    'Every sentence that states a fact is rendered by dispatch-api from a committed row. The model cannot write such a sentence.',
  ],
  [
    'T3',
    'Spoofed channels, talked-through approvals',
    'Authority is a contact on file, on an assured channel, with a role on this very site and a second factor bound to the exact action. Text is never authority.',
  ],
  [
    'T4',
    'Tools abused from inside',
    'Requests are signed over body, target, idempotency key and user token; the nonce is burned in the transaction of the effect; one key for each service and environment; no service can mint an identity it is not trusted for.',
  ],
  [
    'T5',
    'Personal data leaking through logs and prompts',
    'Personal data lives in a vault of its own; everything else holds opaque handles. Logs are lists of allowed fields.',
  ],
  [
    'A',
    'Authentication and authorisation',
    'Allowed is what the ceiling of the service AND the grant of the role AND the membership in the database AND the token AND the policy allow. Never OR.',
  ],
  ['I', 'Input', 'A body is one thing or it is refused.'],
  ['F', 'Audit and forensics', 'No audit, no act: the event commits with its effect or nothing does.'],
  ['C', 'Secure defaults', 'What is missing, unknown, late or broken means no.'],
  ['R', 'Reliability', 'An accepted command stays accepted and happens once.'],
] as const;

/** `THREAT_MODEL.md`: the requirements of the system and where each stands. */
export function threatModel(): string {
  const count = (test: (r: Requirement) => boolean) => REQUIREMENTS.filter(test).length;
  const postponed = REQUIREMENTS.filter((r) => r.due === 'later');
  return `${[
    GENERATED_NOTE,
    '# Threat model',
    'Source: `test/requirements.ts`. The ids are cited by the tests that prove them (`verifies(…)`); `npm run check` fails when one that is due is cited by no test.',
    'Level S is asked for by the threat model of the system, level B is what we add beyond it.',
    `${REQUIREMENTS.length} requirements: ${count((r) => r.due === 'now')} due, of which ${count((r) => r.due === 'now' && r.open !== null)} with a part still open; ${postponed.length} postponed.`,
    ...GROUPS.flatMap(([group, title, idea]) => [
      `## ${group} ${title}`,
      idea,
      table(
        ['id', 'level', 'requirement', 'stands'],
        REQUIREMENTS.filter((r) => r.id.startsWith(`${group}.`)).map((r) => [
          r.id,
          r.level,
          r.text,
          standing(r),
        ]),
      ),
    ]),
  ].join('\n\n')}\n`;
}

function standing(requirement: Requirement): string {
  if (requirement.due === 'later') return `postponed: ${requirement.open}`;
  return requirement.open === null ? 'due' : `due; open: ${requirement.open}`;
}
