import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { ConfigError } from '@deadlatch/http';
import { createIdMaker, DispatchError, systemClock } from '@deadlatch/kernel';
import { createPool } from '@deadlatch/postgres';
import { createCeremonySecrets } from './approval/secrets.ts';
import { enrolConfigOf } from './config.ts';
import { enrolAddresses } from './enrol-addresses.ts';
import { readEnrolSettings } from './env.ts';

// The operator's program: addresses on standard input, nothing but a count on standard output. Runs with
// identity's own key directory and database role, so the supervisor needs neither.
try {
  const config = enrolConfigOf(readEnrolSettings(process.env));
  const pool = createPool({
    url: config.databaseUrl.reveal(),
    applicationName: 'identity enrol',
    maxConnections: 1,
  });
  try {
    const stored = await enrolAddresses(await buffer(process.stdin), {
      pool,
      secrets: createCeremonySecrets({ key: config.codeKey, random: randomBytes }),
      environment: config.environment,
      tenantId: config.tenantId,
      now: systemClock,
      newId: createIdMaker(systemClock, randomBytes),
    });
    process.stdout.write(`${JSON.stringify({ stored })}\n`);
  } finally {
    await pool.end();
  }
} catch (error) {
  // Texts of other errors may quote an address.
  const reason =
    error instanceof ConfigError ? error.message : error instanceof DispatchError ? error.code : 'failed';
  process.stderr.write(`identity could not take the addresses: ${reason}\n`);
  process.exitCode = error instanceof ConfigError ? 2 : 1;
}
