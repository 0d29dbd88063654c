import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UnreachableError } from './arguments.ts';

/** `run.json`: what a running system tells its tools. No secret is in it. */
export interface RunFile {
  readonly environment: string;
  readonly tenant_id: string;
  readonly pid: number;
  readonly services: Readonly<
    Record<
      string,
      {
        readonly pid: number;
        readonly url: string;
        /** Where services reach it, when browsers or carriers reach it at `url`. */
        readonly internal_url?: string;
        readonly spiffe_id: string;
        readonly key_dir: string;
      }
    >
  >;
  readonly imager: { readonly pid: number; readonly socket: string };
  readonly postgres: { readonly pid: number; readonly port: number };
  readonly web_url: string;
  readonly identity_url: string;
  readonly simulator_url: string | null;
  /** Demo people by slug. */
  readonly subjects: Readonly<
    Record<
      string,
      {
        readonly kind: string;
        readonly id: string;
        readonly label: string;
        readonly roles: readonly string[];
      }
    >
  >;
  readonly site_id: string | null;
}

/** @throws UnreachableError when nothing runs in that state directory */
export async function readRunFile(stateDir: string): Promise<RunFile> {
  const path = join(resolve(stateDir), 'run.json');
  try {
    return JSON.parse(await readFile(path, 'utf8')) as RunFile;
  } catch {
    throw new UnreachableError(
      `Nothing runs in ${resolve(stateDir)}: there is no readable run.json. Start it with npm start.`,
    );
  }
}
