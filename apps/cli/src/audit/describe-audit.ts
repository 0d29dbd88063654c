import type { AuditProblem, AuditReport } from './verify-audit.ts';

/** More than anybody reads; the rest is in the JSON. */
const SHOWN = 50;

/** What a person is told: every check that ran, or every finding with its index or reason. */
export function describeAudit({ checked, problems, pending, took_ms: took, events }: AuditReport): string {
  if (problems.length === 0) {
    const speed = `${events} events in ${took.log} ms for the log and ${took.trail} ms for signatures and effects`;
    return `${checked.map((sentence) => `  ${sentence}\n`).join('')}all well: ${speed}\n`;
  }
  const lines = problems.slice(0, SHOWN).map((problem) => `  ${describeProblem(problem)}\n`);
  const rest =
    problems.length > SHOWN ? `  and ${problems.length - SHOWN} more; --json has all of them\n` : '';
  const waits = pending.length > 0 ? `  (${pending.length} events have no place in the log yet)\n` : '';
  return `${lines.join('')}${rest}${waits}NOT VERIFIED: ${problems.length} problems\n`;
}

function describeProblem({ kind, index, through, event_id: eventId, reason }: AuditProblem): string {
  const place = index === null ? '' : through === index ? `at ${index}` : `in ${index}..${through}`;
  return [kind, place, eventId ? `event ${eventId}` : '', reason].filter((part) => part !== '').join(': ');
}
