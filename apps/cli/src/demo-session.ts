import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { UsageError } from './arguments.ts';
import type { RunFile } from './run-file.ts';

const LINK_LIFETIME_S = 12 * 60 * 60;

/** What `identity` keeps of a link: SHA-256 in base64url. */
function linkHash(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

/** One person of the demo. @throws UsageError naming those there are */
export function demoPerson(run: Pick<RunFile, 'subjects'>, slug: string): RunFile['subjects'][string] {
  const person = Object.hasOwn(run.subjects, slug) ? run.subjects[slug] : undefined;
  if (person) return person;
  const known = Object.keys(run.subjects);
  throw new UsageError(
    `there is no demo person "${slug}"; ${known.length === 0 ? 'this system was started without a demo' : `there are ${known.join(', ')}`}`,
  );
}

/**
 * The demo's issuer: makes one-use sign-in links for people of the demo.
 *
 * It writes under a database role that can insert a link and do nothing else; the session that a link starts is
 * `identity`'s alone to make. There is no endpoint behind this, on purpose.
 * @param slugs who; with the roles they are shown with. What they may do is looked up at every command
 * @throws UsageError when there is no such person
 */
export async function makeSignInLinks(
  keyDir: string,
  run: Pick<RunFile, 'tenant_id' | 'subjects'>,
  slugs: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (slugs.length === 0) return new Map();
  const client = new pg.Client({
    connectionString: (await readFile(join(keyDir, 'database-url'), 'utf8')).trim(),
  });
  await client.connect();
  try {
    await client.query('begin');
    await client.query("select set_config('deadlatch.tenant', $1, true)", [run.tenant_id]);
    const links = new Map<string, string>();
    for (const slug of slugs) {
      const person = demoPerson(run, slug);
      const secret = randomBytes(24).toString('base64url');
      await client.query(
        `insert into identity.sign_in_links (tenant_id, hash, subject, label, roles, expires_at)
         values ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))`,
        [
          run.tenant_id,
          linkHash(secret),
          `${person.kind}:${person.id}`,
          person.label,
          person.roles,
          LINK_LIFETIME_S,
        ],
      );
      links.set(slug, secret);
    }
    await client.query('commit');
    return links;
  } finally {
    await client.end();
  }
}
