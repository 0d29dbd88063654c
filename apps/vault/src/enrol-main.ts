import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { ConfigError } from '@deadlatch/http';
import { createIdMaker, DispatchError, systemClock } from '@deadlatch/kernel';
import { createPool } from '@deadlatch/postgres';
import { enrolConfigOf } from './config.ts';
import { createFileKeyWrapper } from './crypto/key-wrapper.ts';
import { createKeyedDigests } from './crypto/keyed-digests.ts';
import { enrol } from './enrol.ts';
import { readEnrolSettings } from './env.ts';

// The operator's program: personal data on standard input, nothing but a count on standard output. Runs with the
// vault's own key directory and database role, so the supervisor needs neither.
try {
  const config = enrolConfigOf(readEnrolSettings(process.env));
  const pool = createPool({
    url: config.databaseUrl.reveal(),
    applicationName: 'vault enrol',
    maxConnections: 1,
  });
  try {
    const stored = await enrol(await buffer(process.stdin), {
      pool,
      environment: config.environment,
      tenantId: config.tenantId,
      keyWrapper: createFileKeyWrapper(config.keyEncryptionKey),
      digests: createKeyedDigests(config.indexKey),
      now: systemClock,
      newId: createIdMaker(systemClock, randomBytes),
      random: randomBytes,
    });
    process.stdout.write(`${JSON.stringify({ stored })}\n`);
  } finally {
    await pool.end();
  }
} catch (error) {
  // Texts of other errors may quote a name or a number.
  const reason =
    error instanceof ConfigError ? error.message : error instanceof DispatchError ? error.code : 'failed';
  process.stderr.write(`the vault could not take the data: ${reason}\n`);
  process.exitCode = error instanceof ConfigError ? 2 : 1;
}
