/**
 * A program that does what a witness does and dies before the n-th step that touches the disk. What it has promised by
 * then stands on standard output: `cosigned <size>`, `took <event id>`, `settled <event id>`, `alarm <event id>`.
 */
import { readFileSync, writeSync } from 'node:fs';
import fs, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { noteKey } from '@deadlatch/audit-log';
import { loadSigningKey } from '@deadlatch/signing';

/** What to do, and as whom. */
export interface Script {
  readonly directory: string;
  /** The step before which it dies; 0: never. */
  readonly dieAt: number;
  readonly origin: string;
  readonly logPem: string;
  readonly witnessPem: string;
  readonly deeds: readonly (
    | { readonly submit: string }
    | { readonly take: { readonly leafHash: string; readonly eventId: string; readonly time: string } }
    | { readonly settle: { readonly leafHash: string; readonly eventId: string } }
    | { readonly raise: { readonly leafHash: string; readonly eventId: string } }
  )[];
}

let steps = 0;

function step(dieAt: number): void {
  steps += 1;
  if (steps === dieAt) process.kill(process.pid, 'SIGKILL');
}

/** Every way in which the program can change the disk counts its calls from now on. */
function countSteps(dieAt: number): void {
  const { open, rename } = fs;
  const counted = <A extends unknown[], R>(call: (...args: A) => R) =>
    function (this: unknown, ...args: A): R {
      step(dieAt);
      return call.apply(this, args);
    };
  fs.rename = counted(rename);
  fs.open = async (...args) => {
    step(dieAt);
    const handle: FileHandle = await open(...args);
    for (const name of ['writeFile', 'appendFile', 'sync', 'datasync', 'truncate'] as const) {
      const call = handle[name].bind(handle) as (...given: unknown[]) => Promise<void>;
      Object.defineProperty(handle, name, { value: counted(call) });
    }
    return handle;
  };
  syncBuiltinESMExports();
}

async function perform(script: Script): Promise<void> {
  countSteps(script.dieAt);
  // Only now, so that they import what counts.
  const { createCosigner } = await import('./cosigner.ts');
  const { alarmOf, openLedger } = await import('./ledger.ts');
  const { openHead } = await import('./stored-head.ts');
  const say = (line: string) => void writeSync(1, `${line}\n`);
  const [now, steady] = [Date.now, () => performance.now()];
  const log = loadSigningKey(script.logPem);
  const ledger = await openLedger({ directory: script.directory, now, steady });
  const cosigner = createCosigner({
    logKey: noteKey('log', script.origin, log.publicKey),
    name: 'witness',
    key: loadSigningKey(script.witnessPem),
    stored: await openHead(script.directory, script.origin),
    ledger,
    now,
    steady,
    logger: { event: () => undefined },
    grown: () => undefined,
  });
  for (const deed of script.deeds) {
    if ('submit' in deed) {
      const verdict = await cosigner.submit(Buffer.from(deed.submit));
      if (verdict.kind === 'cosigned') say(`cosigned ${cosigner.head().cosigned?.size}`);
    } else if ('take' in deed) {
      await ledger.take([deed.take]);
      say(`took ${deed.take.eventId}`);
    } else if ('settle' in deed) {
      await ledger.settle([deed.settle.leafHash]);
      say(`settled ${deed.settle.eventId}`);
    } else {
      await ledger.raise([alarmOf('omitted', { ...deed.raise, time: '', since: 0 }, Date.now())]);
      say(`alarm ${deed.raise.eventId}`);
    }
  }
  say(`steps ${steps}`);
  await ledger.close();
}

if (process.argv[2] !== undefined) await perform(JSON.parse(readFileSync(process.argv[2], 'utf8')) as Script);
