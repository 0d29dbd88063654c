import { DispatchError } from '@deadlatch/kernel';
import { Ajv, type ErrorObject } from 'ajv';

export type Validator<T> = (value: unknown) => T;

/** A pointer into a body whose names the schema gave; anything else may be the sender's own words. */
const POINTER = /^(?:\/[a-z0-9_]{1,64}){0,16}$/;

/**
 * Makes validators that share one compiler. Nothing is coerced, removed or defaulted: by default Ajv under Fastify
 * turns "5" into 5, drops unknown members and fills in missing ones.
 * @source I.1, I.2
 */
export function createValidators(): <T>(schema: object) => Validator<T> {
  const ajv = new Ajv({
    strict: true,
    coerceTypes: false,
    removeAdditional: false,
    useDefaults: false,
    // One error is enough to refuse; collecting all of them lets a long body cost a long time.
    allErrors: false,
    ownProperties: true,
  });
  // Where a field's value comes from (catalogue); says nothing about its form.
  ajv.addVocabulary(['x-source', 'x-kind']);
  return <T>(schema: object) => {
    const validate = ajv.compile(schema);
    return (value) => {
      if (validate(value) === true) return value as T;
      throw new DispatchError('schema_mismatch', { extra: { fields: pointersOf(validate.errors ?? []) } });
    };
  };
}

/**
 * One validator for one schema.
 * @returns a function that gives the value back or throws DispatchError `schema_mismatch` whose public `fields`
 * holds JSON pointers, never values or names that the sender made up
 */
export function validator<T>(schema: object): Validator<T> {
  return createValidators()<T>(schema);
}

function pointersOf(errors: readonly ErrorObject[]): string[] {
  return errors.map((error) => {
    const missing: unknown = error.keyword === 'required' ? error.params.missingProperty : undefined;
    const pointer = typeof missing === 'string' ? `${error.instancePath}/${missing}` : error.instancePath;
    return POINTER.test(pointer) ? pointer || '/' : '/';
  });
}
