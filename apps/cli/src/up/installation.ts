import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createIdMaker } from '@deadlatch/kernel';
import { DEMO_CONTACTS, DEMO_STAFF, DEMO_TECHNICIANS } from './people.ts';
import { readDocument, type StateDir, writeWhole } from './state-dir.ts';

/** What was drawn once for this state directory and never changes. */
export interface Installation {
  readonly environment: string;
  readonly profile: 'demo' | 'empty';
  readonly tenantId: string;
  readonly accountId: string;
  readonly siteId: string;
  readonly twilioAccountSid: string;
  readonly twilioNumber: string;
  /** Ids of the demo people by slug; empty without a demo. */
  readonly people: Readonly<Record<string, string>>;
  readonly passwords: Readonly<Record<string, string>>;
}

const PASSWORDS = [
  'admin',
  'deadlatch_dispatch',
  'deadlatch_identity',
  'deadlatch_vault',
  'deadlatch_worker',
  'deadlatch_sequencer',
  'deadlatch_demo',
] as const;

/** Reads the installation of a state directory, or draws a new one and keeps it. */
export async function ensureInstallation(state: StateDir, profile: 'demo' | 'empty'): Promise<Installation> {
  if (existsSync(state.installationFile)) {
    return withEveryPassword(state, await readDocument<Installation>(state.installationFile));
  }
  const newId = createIdMaker(Date.now, (n) => randomBytes(n));
  const slugs = [...DEMO_CONTACTS, ...DEMO_STAFF, ...DEMO_TECHNICIANS].map((person) => person.slug);
  const installation: Installation = {
    environment: profile === 'demo' ? 'demo' : 'local',
    profile,
    tenantId: newId(),
    accountId: newId(),
    siteId: newId(),
    twilioAccountSid: `AC${randomBytes(16).toString('hex')}`,
    twilioNumber: '+15125550100',
    people: profile === 'demo' ? Object.fromEntries(slugs.map((slug) => [slug, newId()])) : {},
    passwords: newPasswords(),
  };
  await writeWhole(state.installationFile, `${JSON.stringify(installation, null, 2)}\n`);
  return installation;
}

function newPasswords(): Record<string, string> {
  return Object.fromEntries(PASSWORDS.map((role) => [role, randomBytes(24).toString('base64url')]));
}

/** A newer version has roles that this installation has no password for yet. */
async function withEveryPassword(state: StateDir, known: Installation): Promise<Installation> {
  if (PASSWORDS.every((role) => Object.hasOwn(known.passwords, role))) return known;
  const installation = { ...known, passwords: { ...newPasswords(), ...known.passwords } };
  await writeWhole(state.installationFile, `${JSON.stringify(installation, null, 2)}\n`);
  return installation;
}
