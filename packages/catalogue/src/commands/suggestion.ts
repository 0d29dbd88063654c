import { type CommandEntry, command, staff } from '../define.ts';
import { choice, object, optional, word } from '../fields.ts';

/** How long a person has for what an agent suggests. */
export const SUGGESTION_EXPIRES_MS = 4 * 60 * 60 * 1000;

export const REJECT_REASONS = ['WRONG', 'NOT_NEEDED', 'DONE_OTHERWISE'] as const;

/** What an agent wanted and its level did not allow, in a person's hands. */
export const SUGGESTION_COMMANDS: readonly CommandEntry[] = [
  command('suggestion.accept', {
    summary: 'Decides a suggestion again, as the agent and as the dispatcher, and does it when both may.',
    target: 'suggestion',
    who: staff('dispatcher'),
    proof: 'L1',
    input: object({
      /** Of what was shown. */
      digest: word('^[A-Za-z0-9_-]{43}$', 43),
      /** Demanded where safety is at stake: nothing of that kind is accepted with one key. */
      checked: optional(choice(['yes'])),
    }),
    // Whatever a command that can be suggested needs.
    needs: [
      'turn',
      'conversation',
      'approvals',
      'site',
      'duplicates',
      'visit',
      'technician',
      'schedule',
      'roster',
      'autonomy',
      'publications',
    ],
  }),
  command('suggestion.reject', {
    summary: 'Says no to a suggestion; nothing changes but that it is over.',
    target: 'suggestion',
    who: staff('dispatcher'),
    proof: 'L1',
    input: object({ reason: choice(REJECT_REASONS) }),
    needs: [],
  }),
  command('suggestion.expire', {
    summary: 'Nobody decided in time. Never accepts.',
    target: 'suggestion',
    who: [{ role: 'system', membership: 'tenant' }],
    proof: 'L1',
    input: object({}),
    needs: [],
  }),
];
