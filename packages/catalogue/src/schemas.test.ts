import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TSchema } from 'typebox';
import { verifies } from '../../../test/requirements.ts';
import { COMMANDS } from './commands.ts';
import {
  amount,
  choice,
  flag,
  freeText,
  instant,
  list,
  object,
  reference,
  sourceOf,
  word,
} from './fields.ts';

/** JSON Schema as plain data. */
type Schema = Readonly<Record<string, unknown>>;

interface Place {
  readonly path: string;
  readonly schema: Schema;
}

/** A schema and everything below it. An unknown construct is an error: a walk that misses a branch proves nothing. */
function walk(schema: TSchema, path: string): Place[] {
  const plain = schema as unknown as Schema;
  const here = { path, schema: plain };
  if (plain.type === 'object') {
    const properties = plain.properties as Readonly<Record<string, TSchema>>;
    return [here, ...Object.entries(properties).flatMap(([key, sub]) => walk(sub, `${path}.${key}`))];
  }
  if (plain.type === 'array') return [here, ...walk(plain.items as TSchema, `${path}[]`)];
  const scalar = ['string', 'integer', 'number', 'boolean'].includes(plain.type as string);
  assert.ok(scalar || Array.isArray(plain.enum), `${path}: unknown construct`);
  return [here];
}

/** Why a place is not bounded, or null. */
function unbounded({ schema }: Place): string | null {
  const number = (key: string) => typeof schema[key] === 'number';
  if (Array.isArray(schema.enum)) return schema.enum.length > 0 ? null : 'empty choice';
  switch (schema.type) {
    case 'object':
      return schema.additionalProperties === false ? null : 'open object';
    case 'array':
      return number('minItems') && number('maxItems') ? null : 'endless list';
    case 'string':
      return number('maxLength') ? null : 'endless string';
    case 'integer':
    case 'number':
      return number('minimum') && number('maximum') ? null : 'endless number';
    default:
      return schema.type === 'boolean' ? null : 'unknown type';
  }
}

/** Why an agent may not send this place, or null. */
function literalPlace({ schema }: Place): string | null {
  const source = sourceOf(schema as unknown as TSchema);
  if (schema.type === 'object' || schema.type === 'array') {
    return source === undefined ? null : `a whole ${source}`;
  }
  return source === 'reference' || source === 'choice' ? null : `source ${source}`;
}

const everyInput = COMMANDS.flatMap((entry) => [
  ...walk(entry.input, entry.name),
  ...(entry.agentInput ? walk(entry.agentInput, `${entry.name} (agent)`) : []),
]);

describe('input schemas', () => {
  it('are closed objects with every string, list and number bounded', () => {
    verifies('I.1', 'I.2');
    assert.ok(everyInput.length > 100, `only ${everyInput.length} places seen`);
    for (const place of everyInput) assert.equal(unbounded(place), null, place.path);
  });

  it('would be caught when open or endless', () => {
    const bad: [Schema, string][] = [
      [{ type: 'object', properties: {} }, 'open object'],
      [{ type: 'array', items: {}, minItems: 0 }, 'endless list'],
      [{ type: 'string', pattern: '^a+$' }, 'endless string'],
      [{ type: 'integer', minimum: 0 }, 'endless number'],
      [{ enum: [] }, 'empty choice'],
    ];
    for (const [schema, reason] of bad) assert.equal(unbounded({ path: '', schema }), reason);
  });

  it('have only anchored patterns', () => {
    for (const { path, schema } of everyInput) {
      const pattern = schema.pattern;
      if (pattern !== undefined) assert.match(String(pattern), /^\^.*\$$/, path);
    }
  });

  it('say of every scalar where its value comes from', () => {
    for (const { path, schema } of everyInput) {
      if (schema.type === 'object' || schema.type === 'array') continue;
      const insideFreeText = /\.(text_id|commitment)$/.test(path);
      if (!insideFreeText) assert.ok(sourceOf(schema as unknown as TSchema), path);
    }
  });

  it('hold no sentence: words of people travel as a handle and a commitment', () => {
    verifies('T5.2');
    const roomy = everyInput.filter(
      ({ schema }) => schema.type === 'string' && Number(schema.maxLength) > 200,
    );
    // The one text there is went through the vault's masking; it arrives from the gateway only.
    assert.deepEqual(
      roomy.map((place) => place.path),
      ['message.receive.masked_text'],
    );
  });
});

describe('what an agent may send', () => {
  it('is references and choices, at every depth', () => {
    verifies('T1.5');
    const inputs = COMMANDS.filter((entry) => entry.agentInput !== null);
    assert.equal(inputs.length, 12);
    for (const entry of inputs) {
      for (const place of walk(entry.agentInput as TSchema, entry.name)) {
        assert.equal(literalPlace(place), null, place.path);
      }
    }
  });

  it('would be caught when a literal or free text hides in a list of objects', () => {
    verifies('T1.5');
    const hidden: TSchema[] = [
      amount(),
      instant(),
      word('^a$', 1),
      freeText(),
      list(object({ fine: reference('site'), bad: amount() }), 1, 2),
      object({ deep: object({ deeper: list(instant(), 0, 1) }) }),
    ];
    for (const schema of hidden) {
      assert.ok(walk(schema, 'x').some((place) => literalPlace(place) !== null));
    }
    const fine = object({ a: reference('site'), b: list(choice(['x']), 0, 2), c: flag() });
    assert.ok(walk(fine, 'x').every((place) => literalPlace(place) === null));
  });

  it('is never wider than what a person may send, but for the reply, and for the choice that takes the place of a say', () => {
    const wider = COMMANDS.filter((entry) => {
      if (entry.agentInput === null) return false;
      const keys = (schema: TSchema) =>
        Object.keys((schema as unknown as { properties: Record<string, unknown> }).properties);
      const person = new Set(keys(entry.input));
      return keys(entry.agentInput).some((key) => !person.has(key));
    });
    assert.deepEqual(
      wider.map((entry) => entry.name),
      ['conversation.reply', 'schedule.confirm', 'schedule.reschedule'],
    );
  });
});
