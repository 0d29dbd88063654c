import { type PublicationKind, releasedVersions } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import { inForceAt, publicationsOf } from '../publications.ts';
import { type NamedRule, type RuleContext, rule } from '../rule.ts';

interface PublishInput {
  readonly version: number;
  readonly effective_at?: string;
}

/**
 * A version that the release brought comes into force, now or later. Going back is publishing the older one again, and
 * taking back what is planned is publishing, for the same moment, what is to stay.
 * @invariant only a row is added: what was in force when stays known, and a ticket or message keeps its version
 */
function publishing<Input extends PublishInput>(
  kind: PublicationKind,
  nameOf: (input: Input) => string,
): NamedRule {
  return rule<Input>(`${kind}.publish`, {
    run: (context) => {
      const { version } = context.input;
      const name = nameOf(context.input);
      const { last_number: last, rows } = publicationsOf(context, kind, name);
      if (!releasedVersions(kind, name).includes(version)) {
        refuse('schema_mismatch', { extra: { fields: ['/version'] }, detail: 'not of this release' });
      }
      const effective_from = startOf(context);
      if (inForceAt(rows, Date.parse(effective_from))?.version === version) {
        refuse('invalid_state', { extra: { from_state: `VERSION_${version}`, allowed_from: [] } });
      }
      const publication = { kind, name, number: last + 1, version, effective_from };
      return { changes: { publication }, details: publication, result: publication };
    },
  });
}

/** @throws DispatchError `schema_mismatch` for a moment that is over: nothing was in force that nobody had decided */
function startOf({ input, now, nowText }: RuleContext<PublishInput>): string {
  const { effective_at: at } = input;
  if (at === undefined) return nowText;
  if (!(Date.parse(at) >= now)) refuse('schema_mismatch', { extra: { fields: ['/effective_at'] } });
  return at;
}

export const INCIDENT_TYPE_PUBLISH = publishing<PublishInput & { readonly type: string }>(
  'incident_type',
  ({ type }) => type,
);

export const TEMPLATE_PUBLISH = publishing<PublishInput & { readonly template: string }>(
  'template',
  ({ template }) => template,
);
