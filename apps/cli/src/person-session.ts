import { randomBytes, randomUUID } from 'node:crypto';
import { type ServiceName, spiffeId } from '@deadlatch/catalogue';
import {
  createReceiptCourier,
  createServiceClient,
  openKeyDirectory,
  type ServiceClient,
} from '@deadlatch/http';
import type { JsonValue } from '@deadlatch/kernel';
import { UsageError } from './arguments.ts';
import { demoPerson, makeSignInLinks } from './demo-session.ts';
import { peersOf } from './peers.ts';
import type { RunFile } from './run-file.ts';

const TIMEOUT_MS = 15_000;

/** A person who is signed in at the command line; every method throws DispatchError with the code of whoever refused. */
export interface PersonSession {
  /** GET of dispatch-api. */
  read(path: string): Promise<JsonValue>;
  /** POST of dispatch-api; the receipt goes to the witness. */
  write(path: string, body: object, idempotencyKey: string): Promise<JsonValue>;
  /** Clients of the other services, signed with the command line's key. */
  readonly clientOf: (service: ServiceName) => ServiceClient;
}

/**
 * Signs in as a demo person like any client, works, and signs out. Nothing is minted here; the command line can do no
 * more than that person at a keyboard. Each request has a token of its own.
 * @throws UsageError for an unknown person; what `work` throws
 */
export async function asPerson<Result>(
  run: RunFile,
  slug: string,
  work: (session: PersonSession) => Promise<Result>,
): Promise<Result> {
  demoPerson(run, slug);
  const clientOf = connect(run);
  const keyDir = cliKeyDir(run);
  const courier = createReceiptCourier({
    witness: clientOf('witness'),
    environment: run.environment,
    trust: openKeyDirectory(keyDir).trust,
    logger: { event: (...line) => complain(line[0]) },
  });
  const api = courier.accompany(clientOf('dispatch-api'));
  const link = (await makeSignInLinks(keyDir, run, [slug])).get(slug) ?? '';
  const identity = clientOf('identity');
  const { session } = (await identity.write('/v1/sessions', { link })) as { session: string };
  const newToken = async () => {
    const minted = await identity.write('/v1/tokens/session', { session, correlation_id: randomUUID() });
    return (minted as { token: string }).token;
  };
  try {
    return await work({
      clientOf,
      read: async (path) => api.read(path, { token: await newToken() }),
      write: async (path, body, idempotencyKey) =>
        api.write(path, body, { token: await newToken(), idempotencyKey }),
    });
  } finally {
    // The answers count, whatever becomes of the session: it ends by itself too.
    await identity.write('/v1/sessions/end', { session }).catch(() => undefined);
    await courier.close();
  }
}

/** What was done was done; but whoever sent it should know that nobody watches over its event. */
function complain(event: string): void {
  if (event === 'receipt.missing') process.stderr.write('The answer has no valid receipt.\n');
  if (event === 'receipts.given_up')
    process.stderr.write('The receipt could not be handed to the witness.\n');
}

function cliKeyDir(run: RunFile): string {
  const dir = run.services.cli?.key_dir;
  if (!dir) throw new UsageError('run.json names no key directory for the command line');
  return dir;
}

function connect(run: RunFile): (service: ServiceName) => ServiceClient {
  const key = openKeyDirectory(cliKeyDir(run)).signingKey();
  const peers = peersOf(run);
  return (service) =>
    createServiceClient({
      service: 'cli',
      key: () => key,
      baseUrl: peers.urlOf(service),
      audience: spiffeId(run.environment, service),
      fetch: peers.fetchTo(service),
      now: Date.now,
      random: (n) => randomBytes(n),
      timeoutMs: TIMEOUT_MS,
    });
}
