import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { describeEvent } from '../apps/cli/src/audit/describe-event.ts';
import { verifyInstallation } from '../apps/cli/src/audit/verify-installation.ts';
import { asOperator } from '../apps/cli/src/operator.ts';
import { readRunFile } from '../apps/cli/src/run-file.ts';
import { createStage } from '../test/scenario/create-stage.ts';
import { isClean, newOutcome } from '../test/scenario/outcome.ts';
import { playScenario } from '../test/scenario/play.ts';
import { withSystem } from '../test/support/system.ts';

const { values } = parseArgs({
  options: { 'state-dir': { type: 'string' }, 'port-base': { type: 'string' }, json: { type: 'string' } },
});

/** `npm run scenario`: plays the canonical scenario against a running system, or one of its own. */
process.exitCode = await withSystem(
  { stateDir: values['state-dir'], portBase: values['port-base'] },
  async (stateDir) => {
    const run = await readRunFile(stateDir);
    const outcome = newOutcome((line) => process.stdout.write(`${line}\n`));
    const stage = createStage(run);
    let failure: unknown;
    const ticketId = await playScenario(stage, outcome).catch((error: unknown) => {
      failure = error;
      return null;
    });
    if (failure !== undefined)
      process.stdout.write(`\n${failure instanceof Error ? failure.stack : failure}\n`);
    const verified = await printAudit(stateDir, ticketId);
    const result = { steps: outcome.steps, attacks: outcome.attacks, audit_verified: verified };
    if (values.json) await writeFile(values.json, `${JSON.stringify(result, null, 2)}\n`);
    const isGood = failure === undefined && isClean(outcome) && verified;
    const refused = outcome.attacks.filter((a) => a.refused).length;
    process.stdout.write(
      `\n${outcome.steps.filter((s) => s.ok).length} steps done, ${refused} of ${outcome.attacks.length} attacks refused, ` +
        `audit trail ${verified ? 'verified' : 'NOT VERIFIED'}: ${isGood ? 'as it should be' : 'FAILED'}\n`,
    );
    return isGood ? 0 : 1;
  },
);

/** Prints the chain of the ticket and checks the whole trail. */
async function printAudit(stateDir: string, ticketId: string | null): Promise<boolean> {
  return asOperator(stateDir, async (operator) => {
    if (ticketId !== null) {
      const { rows } = await operator.client.query<{ body: string }>(
        `select convert_from(body, 'UTF8') as body from audit.events
         where tenant_id = $1 and correlation_id in (
           select correlation_id from audit.events where tenant_id = $1 and ticket_id = $2)
         order by at, id`,
        [operator.tenantId, ticketId],
      );
      process.stdout.write('\nThe audit chain:\n');
      for (const { body } of rows) process.stdout.write(`  ${describeEvent(JSON.parse(body))}\n`);
    }
    const report = await verifyInstallation(operator);
    for (const problem of report.problems)
      process.stdout.write(
        `  PROBLEM ${problem.index ?? '-'} ${problem.event_id ?? '-'} ${problem.reason}\n`,
      );
    process.stdout.write(
      `\n${report.events} events, ${report.signatures} request signatures, ${report.effects} effects and ` +
        `${report.objects} objects checked, under the root of ${report.size} log entries: ${report.problems.length} problems\n`,
    );
    return report.problems.length === 0 && report.events > 0;
  });
}
