import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { type Arguments, StartError, UnreachableError } from '../arguments.ts';
import { readOperatorKey } from '../operator-event.ts';
import { readRunFile } from '../run-file.ts';
import type { Installation } from '../up/installation.ts';
import type { KeyEntry, Trust } from '../up/keys.ts';
import { lockStateDir, readDocument, type StateDir, stateDirAt } from '../up/state-dir.ts';
import { readTrustFile, writeTrustFiles } from './key-files.ts';
import { type KeyTable, recordServiceKeys, recordStatementKey } from './key-table.ts';
import { type KeySlot, withChange, withPin } from './slots.ts';

/** One change of what is pinned. */
export interface KeyChange {
  readonly slot: KeySlot;
  readonly deed: 'put' | 'retire' | 'revoke';
  /** The pinned key as it is after the change. */
  readonly pin: KeyEntry;
}

/** The keys of an installation, held by this process alone while it changes them. */
export interface OpenKeys {
  readonly keysRoot: string;
  /** Whether somebody may be verifying with these keys at this moment. */
  readonly isServed: boolean;
  trust(): Promise<Trust>;
  /** Pins, ends or revokes keys in the database, when there is one, and in every trust bundle. */
  apply(changes: readonly KeyChange[]): Promise<void>;
}

/**
 * Opens the keys of a state directory for a change. The database is that of `DATABASE_URL`, or the embedded one when
 * it runs; without either, the table learns of the change at the next start.
 * @throws StartError when another process changes keys; UnreachableError when the database does not answer
 */
export async function withKeys<T>(
  args: Pick<Arguments, 'stateDir' | 'databaseUrl'>,
  now: () => number,
  work: (keys: OpenKeys) => Promise<T>,
): Promise<T> {
  const state = stateDirAt(args.stateDir);
  await readTrustFile(state.keys);
  const lock = await lockStateDir({ ...state, root: state.keys }).catch((cause: unknown) => {
    if (!(cause instanceof StartError)) throw cause;
    throw new StartError(`Another process is changing the keys in ${state.keys}. Wait until it is done.`, {
      cause,
    });
  });
  try {
    const url = args.databaseUrl ?? (await embeddedUrl(state));
    if (url === null) return await work(openKeys(state.keys, null, now));
    const client = await connect(url);
    try {
      return await work(openKeys(state.keys, await tableOf(client, state), now));
    } finally {
      await client.end();
    }
  } finally {
    await lock.release();
  }
}

function openKeys(keysRoot: string, table: KeyTable | null, now: () => number): OpenKeys {
  const record = async (trust: Trust, changes: readonly KeyChange[]) => {
    if (table === null) return;
    await recordServiceKeys(table, trust, now());
    for (const { slot, deed, pin } of changes) {
      if (slot.purpose !== 'signing') await recordStatementKey(table, slot.purpose, deed, pin, now());
    }
  };
  return {
    keysRoot,
    isServed: table !== null,
    trust: () => readTrustFile(keysRoot),
    async apply(changes) {
      const trust = changes.reduce(
        (before, { slot, deed, pin }) =>
          deed === 'put' ? withPin(before, slot, pin) : withChange(before, pin.keyid, pin),
        await readTrustFile(keysRoot),
      );
      // What must not be used any more goes to whoever can be reached, even when the database cannot.
      if (changes.some(({ deed }) => deed === 'revoke')) {
        await writeTrustFiles(keysRoot, trust);
        await record(trust, changes);
        return;
      }
      await record(trust, changes);
      await writeTrustFiles(keysRoot, trust);
    },
  };
}

async function embeddedUrl(state: StateDir): Promise<string | null> {
  if (!existsSync(state.runFile)) return null;
  const run = await readRunFile(state.root);
  const password = (await readFile(join(state.data, 'admin-password'), 'utf8')).trim();
  return `postgres://postgres:${password}@127.0.0.1:${run.postgres.port}/deadlatch`;
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'deadlatch keys' });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (cause) {
    await client.end().catch(() => undefined);
    throw new UnreachableError(
      `The database at ${new URL(url).host} does not answer, so nothing was changed. Start the system, or stop what is left of it, and try again.`,
      { cause },
    );
  }
}

async function tableOf(client: pg.Client, state: StateDir): Promise<KeyTable> {
  const { environment, tenantId } = await readDocument<Installation>(state.installationFile);
  return { client, signer: { environment, tenantId, key: await readOperatorKey(state.keys) } };
}
