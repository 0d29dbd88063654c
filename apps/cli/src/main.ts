import { type Arguments, EXIT, readArguments, UsageError } from './arguments.ts';
import { HELP } from './commands/help.ts';
import { failureOf } from './failure.ts';

type Command = (args: Arguments) => Promise<number>;

/** Every command of the command line; resolves to an exit code. Each loads its own code and no other's. */
const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ['up', async () => (await import('./up/up.ts')).up],
  ['migrate', async () => (await import('./commands/migrate.ts')).migrateDatabase],
  ['call', async () => (await import('./commands/call.ts')).callCommand],
  ['import', async () => (await import('./commands/import.ts')).importFiles],
  ['export', async () => (await import('./commands/export.ts')).exportFiles],
  ['audit show', async () => (await import('./commands/audit-show.ts')).auditShow],
  ['audit why', async () => (await import('./commands/audit-show.ts')).auditWhy],
  ['audit verify', async () => (await import('./commands/audit-verify.ts')).auditVerify],
  ['audit export', async () => (await import('./commands/audit-export.ts')).auditExport],
  ['keys list', async () => (await import('./commands/keys.ts')).listKeys],
  ['keys issue', async () => (await import('./commands/keys.ts')).issueServiceKey],
  ['keys rotate', async () => (await import('./commands/keys.ts')).rotateServiceKeys],
  ['keys revoke', async () => (await import('./commands/keys.ts')).revokeServiceKey],
  ['restore', async () => (await import('./commands/restore.ts')).restoreAccept],
  ['doctor', async () => (await import('./commands/doctor.ts')).doctor],
]);

async function run(argv: readonly string[]): Promise<number> {
  const { DATABASE_URL, OTEL_EXPORTER_OTLP_ENDPOINT, OBJECT_STORE_URL, OBJECT_STORE_REGION } = process.env;
  const objectStore = [OBJECT_STORE_URL, OBJECT_STORE_REGION] as const;
  const args = readArguments(argv, DATABASE_URL, OTEL_EXPORTER_OTLP_ENDPOINT, objectStore);
  if (args.command === 'help') {
    process.stdout.write(args.json ? `${JSON.stringify({ help: HELP })}\n` : HELP);
    return EXIT.done;
  }
  const load = COMMANDS.get(args.command) ?? COMMANDS.get(`${args.command} ${args.words[0] ?? ''}`);
  if (!load) {
    throw new UsageError(
      `there is no command "${[args.command, ...args.words].join(' ')}"; see deadlatch help`,
    );
  }
  const command = await load();
  return command(args);
}

// Whoever reads only the beginning, a pager say, has had enough: no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  const { sentence, exitCode } = failureOf(error);
  process.stderr.write(`deadlatch: ${sentence}\n`);
  process.exitCode = exitCode;
}
