import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Arguments, EXIT, StartError } from '../arguments.ts';
import type { Trust } from '../up/keys.ts';

/** `deadlatch keys list`: service keys by thumbprint, with their times. Public parts only. */
export async function listKeys(args: Arguments): Promise<number> {
  const path = join(resolve(args.stateDir), 'keys', 'trust.json');
  const trust = await readFile(path, 'utf8').then(
    (text) => JSON.parse(text) as Trust,
    () => {
      throw new StartError(`There are no keys in ${resolve(args.stateDir)}. Start it once with npm start.`);
    },
  );
  if (args.json) {
    process.stdout.write(`${JSON.stringify(trust.services)}\n`);
    return EXIT.done;
  }
  for (const key of trust.services) {
    process.stdout.write(
      `${key.service.padEnd(13)} ${key.keyid}  ${key.from.slice(0, 10)} .. ${key.until.slice(0, 10)}\n`,
    );
  }
  return EXIT.done;
}
