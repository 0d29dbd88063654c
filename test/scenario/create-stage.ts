import { makeSignInLinks } from '../../apps/cli/src/demo-session.ts';
import type { RunFile } from '../../apps/cli/src/run-file.ts';
import { type Person, type Sent, signIn } from './people.ts';
import { createPhones, type Stage } from './stage.ts';

/** The stage of a running system, with everybody's links made by the demo's issuer. */
export function createStage(run: RunFile): Stage {
  const simulator = run.simulator_url ?? '';
  const sent: Sent[] = [];
  const signedIn = new Map<string, Promise<Person>>();
  const enter = async (slug: string) => {
    const links = await makeSignInLinks(run.services.cli?.key_dir ?? '', run, [slug]);
    return signIn(run.web_url, slug, links.get(slug) ?? '', (command) => sent.push(command));
  };
  return {
    at: { web: run.web_url, identity: run.identity_url, gateway: run.services.gateway?.url ?? '', simulator },
    phones: createPhones(simulator),
    ids: Object.fromEntries(Object.entries(run.subjects).map(([slug, { id }]) => [slug, id])),
    sent,
    as(slug) {
      const known = signedIn.get(slug) ?? enter(slug);
      signedIn.set(slug, known);
      return known;
    },
  };
}
