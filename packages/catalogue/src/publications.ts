import { INCIDENT_DEFINITIONS } from './incident-types/catalogue.ts';
import { MESSAGE_TEMPLATES, TEMPLATE_VERSIONS } from './messages.ts';

/** What comes into force by version: its content ships with the release, and a command brings it into force. */
export const PUBLICATION_KINDS = ['incident_type', 'template'] as const;
export type PublicationKind = (typeof PUBLICATION_KINDS)[number];

/** More than there will ever be of one name. */
export const MAX_CONTENT_VERSION = 1_000;

/** Since when the first version of each name is in force in a tenant: nothing was before it. RFC 3339. */
export const FROM_THE_BEGINNING = '1970-01-01T00:00:00.000Z';

/** One version of an incident type, or of the text of a message template. */
export interface ContentVersion {
  readonly kind: PublicationKind;
  /** `DOOR_WONT_LATCH`, `M17` */
  readonly name: string;
  /** Counts from 1 without a gap. */
  readonly version: number;
}

/** Every version that this release brings. Each of them can be published, and published again. */
export const RELEASED_VERSIONS: readonly ContentVersion[] = [
  ...INCIDENT_DEFINITIONS.map(({ type, version }) => ({
    kind: 'incident_type' as const,
    name: type,
    version,
  })),
  ...MESSAGE_TEMPLATES.flatMap((name) =>
    Array.from({ length: TEMPLATE_VERSIONS[name] }, (_, at) => ({
      kind: 'template' as const,
      name,
      version: at + 1,
    })),
  ),
];

/** The versions of one name that this release brings, oldest first; none for a name that it does not know. */
export function releasedVersions(kind: PublicationKind, name: string): readonly number[] {
  return RELEASED_VERSIONS.filter((one) => one.kind === kind && one.name === name)
    .map(({ version }) => version)
    .sort((a, b) => a - b);
}

/** One version of each name: the newest. What is in force in a new tenant; nothing else is decided by it. */
export function newestVersions(): readonly ContentVersion[] {
  return RELEASED_VERSIONS.filter(
    ({ kind, name, version }) => releasedVersions(kind, name).at(-1) === version,
  );
}
