import { FROM_THE_BEGINNING, type PublicationKind, releasedVersions } from '@deadlatch/catalogue';
import type { PublicationFacts, PublicationRow } from '../publication-facts.ts';

/** Publications of a name in the order in which they were decided. */
export function publicationFacts(
  kind: PublicationKind,
  name: string,
  ...published: readonly (readonly [version: number, effectiveFrom: string])[]
): PublicationFacts {
  const rows = published.map(
    ([version, effective_from], at): PublicationRow => ({ number: at + 1, version, effective_from }),
  );
  return { kind, name, last_number: rows.length, rows };
}

/** What a new tenant finds of whatever an input names: the newest version, in force from the beginning. */
export function publicationsFor(input: unknown): PublicationFacts | null {
  const { type, template } = (input ?? {}) as { readonly type?: unknown; readonly template?: unknown };
  const [kind, name]: readonly [PublicationKind, unknown] =
    typeof template === 'string' ? ['template', template] : ['incident_type', type];
  const newest = typeof name === 'string' ? releasedVersions(kind, name).at(-1) : undefined;
  return newest === undefined ? null : publicationFacts(kind, String(name), [newest, FROM_THE_BEGINNING]);
}
