import type { ApprovalKind, FreeTextRef } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import { askApproval } from '../approval-request.ts';
import { requireState } from '../gate/state.ts';
import { ticketOf } from '../need.ts';
import type { ChangeLine } from '../rows.ts';
import { rule } from '../rule.ts';

/** A technician stands in front of the door and waits. */
const ON_SITE_EXPIRY_MS = 30 * 60 * 1000;
const OFF_SITE_EXPIRY_MS = 4 * 60 * 60 * 1000;

interface Input {
  readonly kind: ApprovalKind;
  readonly lines: readonly ChangeLine[];
  readonly reason: FreeTextRef;
}

/** Before any work: approved goes on to scheduling, denied back to triage. */
export const APPROVAL_REQUEST = rule<Input>('approval.request', {
  run: (context) =>
    askApproval(context, {
      kind: context.input.kind,
      lines: context.input.lines,
      photos: [],
      reasonTextId: context.input.reason.text_id,
      resumeApproved: 'READY_TO_SCHEDULE',
      resumeDenied: 'TRIAGED',
      expiresInMs: OFF_SITE_EXPIRY_MS,
    }),
});

interface ChangeInput extends Input {
  readonly photos: readonly string[];
}

/** During work: whatever the answer, the work goes on exactly where it paused. */
export const REQUEST_CHANGE = rule<ChangeInput>('tech.request_change', {
  run: (context) => {
    const { facts, input } = context;
    const { state } = ticketOf(context);
    // Working on site means a visit that is on site; the trip is part of what is asked about.
    requireState('visit', 'tech.check_out', facts.visit);
    const known = new Set(facts.evidence.map((e) => e.id));
    if (input.photos.length === 0 || !input.photos.every((id) => known.has(id))) {
      refuse('evidence_missing', { extra: { missing: ['photos'] } });
    }
    return askApproval(context, {
      kind: input.kind,
      lines: input.lines,
      photos: [...new Set(input.photos)],
      reasonTextId: input.reason.text_id,
      resumeApproved: state,
      resumeDenied: state,
      expiresInMs: ON_SITE_EXPIRY_MS,
    });
  },
});
