import { findCommand } from '@deadlatch/catalogue';
import { dimensionOf } from '@deadlatch/kernel';
import type { CommandPath } from '@deadlatch/postgres';
import { codeOf, type Telemetry, type Tracing, traceOf } from '@deadlatch/telemetry';
import type { CommandCall } from './call.ts';
import type { Proven } from './caller.ts';
import type { CommandOutcome, CommandRunner } from './run-command.ts';

/**
 * Traces and measures every command of a proven caller, and changes nothing about it.
 * @invariant a name outside the catalogue is the sender's own words and is told as `unknown`
 * @source T5.1, F.3
 */
export function observeCommands(runner: CommandRunner, { tracing, metrics }: Telemetry): CommandRunner {
  const observe = async <R extends CommandOutcome>(
    proven: Proven,
    call: Pick<CommandCall, 'command'>,
    work: () => Promise<R>,
  ): Promise<R> => {
    const command = findCommand(call.command)?.name ?? 'unknown';
    const startedAt = performance.now();
    const tell = (decision: 'accepted' | 'replayed' | 'refused', error?: unknown) => {
      const dimension = error === undefined ? 'none' : dimensionOf(codeOf(error));
      metrics.add('commands_total', { command, decision, dimension });
      metrics.observe('command_duration_seconds', { decision }, (performance.now() - startedAt) / 1_000);
    };
    const about = {
      'deadlatch.command': command,
      'deadlatch.correlation_id': proven.caller.context.correlationId,
    };
    try {
      return await tracing.span('command', about, async (annotate) => {
        const outcome = await work();
        const decision = outcome.replayed ? 'replayed' : 'accepted';
        annotate({ 'deadlatch.decision': decision });
        tell(decision);
        return outcome;
      });
    } catch (error) {
      tell('refused', error);
      throw error;
    }
  };
  return {
    run: (proven, call) => observe(proven, call, () => runner.run(proven, call)),
    refuse: (proven, call, refusal) =>
      observe<never>(proven, call, () => runner.refuse(proven, call, refusal)),
  };
}

/** Each round trip of the command path as a span below the command's, by the name of its function. */
export function tracePath(path: CommandPath, tracing: Tracing): CommandPath {
  const traced = <R>(name: string, call: () => Promise<R>): Promise<R> =>
    tracing.span('database', { 'db.operation.name': name }, async (annotate) => {
      try {
        return await call();
      } catch (error) {
        annotate({ 'db.response.status_code': traceOf(error).error_code });
        throw error;
      }
    });
  return {
    readFacts: (input) => traced('read_facts', () => path.readFacts(input)),
    commitDecision: (input) => traced('commit_decision', () => path.commitDecision(input)),
    commitRefusal: (input) => traced('commit_refusal', () => path.commitRefusal(input)),
    commitReplay: (input) => traced('commit_replay', () => path.commitReplay(input)),
    pruneNonces: () => path.pruneNonces(),
  };
}
