import {
  Button,
  Checkbox,
  Fieldset,
  NativeSelect,
  NumberInput,
  Stack,
  Textarea,
  TextInput,
} from '@mantine/core';
import { type ReactNode, useState } from 'react';
import type { Evidence, IncidentForm, QueueRow, Schema, Site, Technician } from '../api.ts';
import { inPlace } from '../ticket/parts.tsx';
import { FIELD_WORDS } from '../words/commands.ts';
import { T } from '../words/pages.ts';
import { choiceWords, plain, wordFor } from '../words/plain.ts';
import { APPROVAL_KIND_WORDS, INCIDENT_WORDS, QUESTION_WORDS, STATE_WORDS } from '../words/states.ts';
import { centsOf, emptyValue, type FormValue, memberOf, withMember } from './values.ts';

/** What a form may offer by name instead of by id. */
export interface FormContext {
  readonly technicians: readonly Technician[];
  readonly evidence: readonly Evidence[];
  readonly sites: readonly Site[];
  /** Tickets that another one could belong to. */
  readonly tickets: readonly QueueRow[];
  /** The ticket's incident type; narrows questions, tests and photo keys to what it asks. */
  readonly incident: IncidentForm | undefined;
  /** Every incident type, for forms that choose one. */
  readonly incidents: readonly IncidentForm[];
}

/** Nothing to offer by name. */
export const NO_CONTEXT: FormContext = {
  technicians: [],
  evidence: [],
  sites: [],
  tickets: [],
  incident: undefined,
  incidents: [],
};

interface FieldProps {
  readonly name: string;
  readonly schema: Schema;
  readonly value: FormValue;
  readonly required: boolean;
  /** Name of the list whose row this is a field of. */
  readonly within?: string | undefined;
  readonly context: FormContext;
  readonly onChange: (value: FormValue) => void;
}

/** One field of a command's input, drawn from its JSON schema alone. */
export function Field(props: FieldProps): ReactNode {
  const { schema } = props;
  if (schema['x-source'] === 'free_text') return <FreeTextField {...props} />;
  if (schema['x-source'] === 'reference') return <ReferenceField {...props} />;
  if (schema.enum) return <ChoiceField {...props} />;
  switch (schema.type) {
    case 'boolean':
      return <YesNoField {...props} />;
    case 'integer':
      return props.name.endsWith('_cents') ? <MoneyField {...props} /> : <NumberField {...props} />;
    case 'number':
      return <NumberField {...props} />;
    case 'array':
      return schema.items?.type === 'object' ? <RowsField {...props} /> : <ManyField {...props} />;
    case 'object':
      return (
        <Fieldset legend={labelOf(props)}>
          <ObjectFields {...props} />
        </Fieldset>
      );
    default:
      return schema.pattern?.includes('T\\d{2}') ? <InstantField {...props} /> : <WordField {...props} />;
  }
}

/** The members of an object, required ones first as the schema lists them. */
export function ObjectFields({
  schema,
  value,
  within,
  context,
  onChange,
}: Omit<FieldProps, 'name' | 'required'>): ReactNode {
  const required = new Set(schema.required ?? []);
  return (
    <Stack gap="sm">
      {Object.entries(schema.properties ?? {}).map(([name, member]) => (
        <Field
          key={name}
          name={name}
          schema={member}
          value={memberOf(value, name)}
          required={required.has(name)}
          within={within}
          context={context}
          onChange={(next) => onChange(withMember(value, name, next))}
        />
      ))}
    </Stack>
  );
}

function labelOf({ name, required, within }: Pick<FieldProps, 'name' | 'required' | 'within'>): string {
  const label = FIELD_WORDS[`${within}.${name}`] ?? wordFor(FIELD_WORDS, name);
  return required ? label : `${label} (${T.optional})`;
}

function FreeTextField(props: FieldProps): ReactNode {
  return (
    <Textarea
      label={labelOf(props)}
      required={props.required}
      withAsterisk={false}
      minRows={3}
      autosize
      maxLength={props.schema.properties?.text?.maxLength ?? 2_000}
      value={typeof props.value === 'string' ? props.value : ''}
      onChange={(event) => props.onChange(event.currentTarget.value)}
    />
  );
}

/** Narrows a closed set to what the ticket's incident type asks for; never widens it. */
function optionsOf(name: string, all: readonly string[], context: FormContext): readonly string[] {
  const { incident } = context;
  if (!incident) return all;
  const asked =
    name === 'question' || name === 'missing'
      ? incident.ask.map((item) => item.question)
      : name === 'test'
        ? incident.tests.map((test) => test.key)
        : name === 'key' || name === 'wanting'
          ? [
              ...incident.evidence.map((rule) => rule.key),
              ...incident.tests.map((t) => `test.${t.key}`),
              'work',
            ]
          : all;
  const narrowed = all.filter((item) => asked.includes(item));
  return narrowed.length > 0 ? narrowed : all;
}

function optionWords(name: string, value: string): string {
  if (name === 'question' || name === 'missing') return wordFor(QUESTION_WORDS, value);
  if (Object.hasOwn(INCIDENT_WORDS, value)) return wordFor(INCIDENT_WORDS, value);
  if (Object.hasOwn(APPROVAL_KIND_WORDS, value)) return wordFor(APPROVAL_KIND_WORDS, value);
  return choiceWords(value);
}

function Select(
  props: FieldProps & { readonly options: readonly { value: string; label: string }[] },
): ReactNode {
  return (
    <NativeSelect
      label={labelOf(props)}
      required={props.required}
      withAsterisk={false}
      data={[{ value: '', label: T.choose }, ...props.options]}
      value={typeof props.value === 'string' ? props.value : ''}
      onChange={(event) => {
        const chosen = event.currentTarget.value;
        props.onChange(chosen === '' ? undefined : chosen);
      }}
    />
  );
}

function ChoiceField(props: FieldProps): ReactNode {
  const options = optionsOf(props.name, props.schema.enum ?? [], props.context);
  return (
    <Select {...props} options={options.map((value) => ({ value, label: optionWords(props.name, value) }))} />
  );
}

/** No box that is either ticked or not: an answer that nobody gave must stay no answer. */
function YesNoField(props: FieldProps): ReactNode {
  const value = props.value === true ? 'yes' : props.value === false ? 'no' : undefined;
  return (
    <Select
      {...props}
      value={value}
      onChange={(next) => props.onChange(next === undefined ? undefined : next === 'yes')}
      options={[
        { value: 'yes', label: T.yes },
        { value: 'no', label: T.no },
      ]}
    />
  );
}

function referencesOf(
  kind: string | undefined,
  context: FormContext,
): { value: string; label: string }[] | null {
  if (kind === 'technician') {
    return context.technicians.map((t) => ({
      value: t.id,
      label: [t.label ?? t.id, ...(t.skills ?? []).map(plain)].join(' · '),
    }));
  }
  if (kind === 'site') return context.sites.map(({ id, label }) => ({ value: id, label: label ?? id }));
  if (kind === 'ticket') {
    return context.tickets.map((ticket) => ({
      value: ticket.id,
      label: [ticket.reference, ticket.site_label, wordFor(STATE_WORDS, ticket.state)]
        .filter(Boolean)
        .join(' · '),
    }));
  }
  if (kind === 'evidence') {
    return context.evidence
      .filter((item) => item.state === 'FINALIZED')
      .map((item, index) => ({ value: item.id, label: `${index + 1}. ${choiceWords(item.key ?? '')}` }));
  }
  return null;
}

function ReferenceField(props: FieldProps): ReactNode {
  const options = referencesOf(props.schema['x-kind'], props.context);
  return options ? <Select {...props} options={options} /> : <WordField {...props} />;
}

function WordField(props: FieldProps): ReactNode {
  return (
    <TextInput
      label={labelOf(props)}
      required={props.required}
      withAsterisk={false}
      maxLength={props.schema.maxLength ?? 200}
      value={typeof props.value === 'string' ? props.value : ''}
      onChange={(event) => props.onChange(event.currentTarget.value)}
    />
  );
}

function NumberField(props: FieldProps): ReactNode {
  const { minimum, maximum, type } = props.schema;
  return (
    <NumberInput
      label={labelOf(props)}
      required={props.required}
      withAsterisk={false}
      allowDecimal={type === 'number'}
      inputMode={type === 'number' ? 'decimal' : 'numeric'}
      {...(minimum === undefined ? {} : { min: minimum })}
      {...(maximum === undefined ? {} : { max: maximum })}
      value={typeof props.value === 'number' ? props.value : ''}
      onChange={(next) => props.onChange(typeof next === 'number' ? next : undefined)}
    />
  );
}

function MoneyField(props: FieldProps): ReactNode {
  const [typed, setTyped] = useState(typeof props.value === 'number' ? (props.value / 100).toFixed(2) : '');
  return (
    <TextInput
      label={labelOf(props)}
      required={props.required}
      withAsterisk={false}
      inputMode="decimal"
      leftSection="$"
      placeholder="0.00"
      pattern="\s*\$?\s*[0-9,]{1,9}([.][0-9]{1,2})?\s*"
      value={typed}
      onChange={(event) => {
        setTyped(event.currentTarget.value);
        props.onChange(centsOf(event.currentTarget.value));
      }}
    />
  );
}

function InstantField(props: FieldProps): ReactNode {
  const [typed, setTyped] = useState('');
  return (
    <TextInput
      type="datetime-local"
      label={labelOf(props)}
      required={props.required}
      withAsterisk={false}
      value={typed}
      onChange={(event) => {
        const text = event.currentTarget.value;
        setTyped(text);
        const at = new Date(text);
        props.onChange(Number.isNaN(at.getTime()) ? undefined : at.toISOString());
      }}
    />
  );
}

/** A list of choices or references: one box each. */
function ManyField(props: FieldProps): ReactNode {
  const items = props.schema.items ?? {};
  const chosen = Array.isArray(props.value) ? props.value.filter((v) => typeof v === 'string') : [];
  const options =
    referencesOf(items['x-kind'], props.context) ??
    optionsOf(props.name, items.enum ?? [], props.context).map((value) => ({
      value,
      label: optionWords(props.name, value),
    }));
  if (options.length === 0) {
    return <Fieldset legend={labelOf(props)}>{T.evidenceNone}</Fieldset>;
  }
  return (
    <Fieldset legend={labelOf(props)}>
      <Checkbox.Group value={chosen} onChange={props.onChange}>
        <Stack gap="xs">
          {options.map((option) => (
            <Checkbox key={option.value} value={option.value} label={option.label} />
          ))}
        </Stack>
      </Checkbox.Group>
    </Fieldset>
  );
}

/** A list of objects: rows that can be added and removed. */
function RowsField(props: FieldProps): ReactNode {
  const items = props.schema.items ?? {};
  const rows = Array.isArray(props.value) ? props.value : [];
  const full = rows.length >= (props.schema.maxItems ?? 50);
  return (
    <Fieldset legend={labelOf(props)}>
      <Stack gap="md">
        {inPlace(rows).map(({ place, item: row }) => (
          <div className="row-group" key={`${rows.length}-${place}`}>
            <ObjectFields
              schema={items}
              value={row}
              within={props.name}
              context={props.context}
              onChange={(next) => props.onChange(rows.map((old, at) => (String(at) === place ? next : old)))}
            />
            <Button
              variant="subtle"
              size="compact-sm"
              onClick={() => props.onChange(rows.filter((_, at) => String(at) !== place))}
            >
              {T.remove} {Number(place) + 1}
            </Button>
          </div>
        ))}
        <Button
          variant="default"
          size="sm"
          disabled={full}
          onClick={() => props.onChange([...rows, emptyValue(items)])}
        >
          {T.add}
        </Button>
      </Stack>
    </Fieldset>
  );
}
