import { resolve } from 'node:path';
import { type Arguments, EXIT, UsageError } from '../arguments.ts';
import { exportInstallation } from '../audit/export-installation.ts';
import { readFilter } from '../audit/find-events.ts';
import { showProgress } from '../audit/progress.ts';
import { writeProof } from '../audit/proof-file.ts';
import { recordRead } from '../audit/record-read.ts';
import { asOperator } from '../operator.ts';

/**
 * `deadlatch audit export --out`: everything into a folder; or, filtered, events with their proofs into a file.
 * @source F.7
 */
export async function auditExport(args: Arguments): Promise<number> {
  if (args.out === undefined) throw new UsageError('audit export --out FOLDER, or FILE with a filter');
  const out = resolve(args.out);
  const filter = readFilter(args);
  const isProof = Object.keys(filter).length > 0;
  const written = await asOperator(args.stateDir, async (operator) => {
    const { log } = operator.state;
    if (isProof) {
      await recordRead(operator, { kind: 'proof', filter });
      return writeProof(operator, log, filter, out);
    }
    await recordRead(operator, { kind: 'export', filter });
    const isShown = process.stderr.isTTY && !args.json;
    return exportInstallation(operator, log, out, {
      receipts: args.receipts === undefined ? undefined : resolve(args.receipts),
      progress: (total) => showProgress('events', total, isShown),
    });
  });
  const { events, pending } = written;
  const waits = pending > 0 ? `; ${pending} more had no place in the log yet` : '';
  const sentence = `${events} events ${isProof ? 'with their proofs ' : ''}are in ${out}${waits}.`;
  process.stdout.write(args.json ? `${JSON.stringify({ out, ...written })}\n` : `${sentence}\n`);
  return EXIT.done;
}
