import {
  INCIDENT_TYPES,
  MESSAGE_TEMPLATES,
  type PublicationKind,
  releasedVersions,
} from '@deadlatch/catalogue';
import {
  inForceAt,
  PHRASE_TEXTS,
  scheduledAfter,
  TEMPLATE_TEXTS,
  type TemplateText,
} from '@deadlatch/decision';
import type { Published } from './publications.sql.ts';

/** What of a name is in force, will be, and could be; `version` is null while nothing is. */
function presentName(published: Published, kind: PublicationKind, name: string) {
  const rows = published.byName.get(name)?.rows ?? [];
  const current = inForceAt(rows, published.now);
  return {
    version: current?.version ?? null,
    effective_from: current?.effective_from ?? null,
    scheduled: scheduledAfter(rows, published.now).map(({ version, effective_from }) => ({
      version,
      effective_from,
    })),
    released: [...releasedVersions(kind, name)],
  };
}

/** Every incident type of the release. */
export function presentIncidentTypes(published: Published) {
  return INCIDENT_TYPES.map((type) => ({ type, ...presentName(published, 'incident_type', type) }));
}

/** Version in force by incident type; a type without one is left out. */
export function versionsInForce(published: Published): Readonly<Record<string, number>> {
  return Object.fromEntries(
    presentIncidentTypes(published).flatMap(({ type, version }) =>
      version === null ? [] : [[type, version]],
    ),
  );
}

/** Every template with what it says now, as it is reviewed: `{slot}` marks stand for what a committed row says. */
export function presentTemplates(published: Published) {
  return MESSAGE_TEMPLATES.map((template) => {
    const now = presentName(published, 'template', template);
    const text = now.version === null ? undefined : TEMPLATE_TEXTS.get(template)?.get(now.version);
    return { template, ...now, ...presentText(text ?? []) };
  });
}

/** What agents may say, in one version each. */
export function presentPhrases() {
  return [...PHRASE_TEXTS].map(([phrase, pattern]) => ({ phrase, ...presentText(pattern) }));
}

function presentText(text: TemplateText) {
  const all = [text].flat();
  return {
    texts: all.map((one) => one.text),
    slots: [...new Set(all.flatMap(({ slots }) => Object.keys(slots)))],
  };
}
