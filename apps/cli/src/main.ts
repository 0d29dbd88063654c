import { EXIT, readArguments, StartError, UsageError } from './arguments.ts';
import { auditShow, auditVerify } from './commands/audit.ts';
import { callCommand } from './commands/call.ts';
import { doctor } from './commands/doctor.ts';
import { HELP } from './commands/help.ts';
import { listKeys } from './commands/keys.ts';
import { up } from './up/up.ts';

/** Every command of the command line; resolves to an exit code. */
const COMMANDS = new Map([
  ['up', up],
  ['call', callCommand],
  ['audit show', auditShow],
  ['audit verify', auditVerify],
  ['keys list', listKeys],
  ['doctor', doctor],
]);

async function run(argv: readonly string[]): Promise<number> {
  const args = readArguments(argv);
  if (args.command === 'help') {
    process.stdout.write(HELP);
    return EXIT.done;
  }
  const command = COMMANDS.get(args.command) ?? COMMANDS.get(`${args.command} ${args.words[0] ?? ''}`);
  if (!command)
    throw new UsageError(
      `there is no command "${[args.command, ...args.words].join(' ')}"; see deadlatch help`,
    );
  return command(args);
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  if (error instanceof UsageError) {
    process.stderr.write(`deadlatch: ${error.message}\n`);
    process.exitCode = EXIT.usage;
  } else if (error instanceof StartError) {
    process.stderr.write(`deadlatch: ${error.message}\n`);
    process.exitCode = EXIT.failed;
  } else {
    throw error;
  }
}
