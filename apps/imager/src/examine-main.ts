import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { decoderCommand } from './decoder-command.ts';

/**
 * Runs the text it is given under the permissions that a picture is decoded under, and says what that said:
 * `deadlatch doctor` tries what a decoder could reach that is somebody else's by now.
 */
const workspace = fileURLToPath(new URL('../../../', import.meta.url));
const [text = '', ...rest] = process.argv.slice(2);
const { program, args } = decoderCommand(workspace, ['-e', text, ...rest]);
const { status, stdout } = spawnSync(program, [...args], { env: {}, encoding: 'utf8' });
process.stdout.write(stdout);
process.exitCode = status ?? 1;
