import { FROM_THE_BEGINNING, type PublicationKind } from '@deadlatch/catalogue';
import type { DirectoryRow } from './directory.ts';

/** One publication, as rows and events name it. */
export interface PublicationName {
  readonly tenantId: string;
  readonly kind: PublicationKind;
  readonly name: string;
  /** Counts the publications of its name from 1. */
  readonly number: number;
}

/** The id of its row among rows of authority. */
export function publicationId({ tenantId, kind, name, number }: PublicationName): string {
  return `${tenantId}/${kind}/${name}/${number}`;
}

/** What the command may publish: its own tenant's, and its own kind's. */
export function isPublishedBy(command: string, tenantId: string, id: string): boolean {
  const [tenant, kind] = id.split('/');
  return tenant === tenantId && command === `${kind}.publish`;
}

/**
 * What was in force for everybody before versions were published: the newest incident types of that release, and the
 * only texts it had. Migration 0035 wrote it down for the tenants that were there, and no service could have signed
 * that, so it is known here. The verifier's own list: it does not ask the writer, and it never changes again.
 */
const BEFORE_PUBLICATIONS: Readonly<Record<PublicationKind, Readonly<Record<string, number>>>> = {
  incident_type: {
    DOOR_CANNOT_SECURE: 2,
    DOOR_WONT_LATCH: 2,
    CLOSER_LEAK_OR_SLAM: 2,
    AUTO_OPERATOR_FAULT: 2,
    AUTO_SENSOR_SAFETY: 2,
    GLASS_OR_FRAME_DAMAGE: 1,
    EGRESS_OR_PANIC_HARDWARE: 1,
    FIRE_DOOR_DEFICIENCY: 2,
    ROLLING_OR_DOCK_DOOR: 2,
    ACCESS_CONTROL_STRIKE: 1,
    HARDWARE_REPLACEMENT: 1,
    ADA_OPERATOR_OR_THRESHOLD: 1,
  },
  template: Object.fromEntries(
    [
      '01',
      '02',
      '04',
      '05',
      '06',
      '08',
      '09',
      '10',
      '11',
      '12',
      '13',
      '14',
      '15',
      '16',
      '17',
      '18',
      '20',
      '21',
    ].map((id) => [`M${id}`, 1]),
  ),
};

/** The first publications of a tenant that was on file before there were any. */
export function publicationsBefore(tenantId: string): readonly DirectoryRow[] {
  return (['incident_type', 'template'] as const).flatMap((kind) =>
    Object.entries(BEFORE_PUBLICATIONS[kind]).map(([name, version]) => ({
      table: 'publications' as const,
      id: publicationId({ tenantId, kind, name, number: 1 }),
      values: { tenant_id: tenantId, version, effective_from: FROM_THE_BEGINNING },
    })),
  );
}
