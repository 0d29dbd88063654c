import { resolve } from 'node:path';
import { type Arguments, EXIT, UsageError } from '../arguments.ts';
import { type AuditTrust, readAuditTrust } from '../audit/audit-trust.ts';
import { describeAudit } from '../audit/describe-audit.ts';
import { readNeeded } from '../audit/log-folder.ts';
import { verifyProofFile } from '../audit/proof-file.ts';
import type { AuditReport } from '../audit/verify-audit.ts';
import { type Beside, readReceiptLines, verifyExport, verifyTiles } from '../audit/verify-files.ts';
import { verifyInstallation } from '../audit/verify-installation.ts';
import { asOperator } from '../operator.ts';

/**
 * `deadlatch audit verify`: from files alone where files are named, else the running installation.
 * @returns 0 only when every check ran and found nothing
 */
export async function auditVerify(args: Arguments): Promise<number> {
  const named = [args.log, args.export, args.proof].filter((path) => path !== undefined);
  if (named.length > 1) throw new UsageError('one of --log, --export and --proof at a time');
  const beside: Beside = {
    otherCheckpoints: args.older.map((path) => readNeeded(resolve(path))),
    receipts: args.receipts === undefined ? [] : readReceiptLines(resolve(args.receipts)),
  };
  const report =
    named.length === 0
      ? await asOperator(args.stateDir, (operator) => verifyInstallation(operator, beside))
      : verifyNamed(args, await trustOf(args), beside);
  process.stdout.write(args.json ? `${JSON.stringify(report)}\n` : describeAudit(report));
  return report.problems.length === 0 && report.checked.length > 0 ? EXIT.done : EXIT.failed;
}

function verifyNamed(args: Arguments, trust: AuditTrust, beside: Beside): AuditReport {
  if (args.log !== undefined) return verifyTiles(resolve(args.log), trust, beside);
  if (args.export !== undefined) return verifyExport(resolve(args.export), trust, beside);
  return verifyProofFile(resolve(args.proof ?? ''), trust);
}

/** Never the one that lies beside the files: whoever forged them would have put it there. */
async function trustOf({ trust }: Arguments): Promise<AuditTrust> {
  if (trust === undefined)
    throw new UsageError('say whom you trust: --trust FILE, the trust.json of the operator');
  return readAuditTrust(resolve(trust));
}
