import { type JsonValue, parseStrictJson } from '@deadlatch/kernel';

/** Somebody the demo plays: a phone, a mailbox, or both. */
export interface Person {
  readonly slug: string;
  readonly label: string;
  /** E.164 */
  readonly phone: string | null;
  readonly email: string | null;
}

const SLUG = /^[a-z][a-z0-9-]{0,39}$/;
const PHONE = /^\+[1-9][0-9]{6,14}$/;
const EMAIL = /^[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,200}$/;
const MAX_PEOPLE = 50;

/**
 * Reads the demo's people: `[{slug, label, phone?, email?}]`.
 * @throws Error naming what is wrong: two people with one number would get each other's texts
 */
export function readPeople(bytes: Uint8Array): readonly Person[] {
  const value = parseStrictJson(bytes);
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_PEOPLE) {
    throw new Error(`people must be a list of 1 to ${MAX_PEOPLE}`);
  }
  const people = value.map(readPerson);
  for (const key of ['slug', 'phone', 'email'] as const) {
    const values = people.map((person) => person[key]).filter((one) => one !== null);
    if (new Set(values).size !== values.length) throw new Error(`two people share a ${key}`);
  }
  return people;
}

function readPerson(value: JsonValue, index: number): Person {
  const bad = (what: string): never => {
    throw new Error(`person ${index + 1}: ${what}`);
  };
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return bad('not an object');
  const { slug, label, phone = null, email = null } = value;
  if (typeof slug !== 'string' || !SLUG.test(slug)) return bad('slug');
  if (typeof label !== 'string' || label.length === 0 || label.length > 80) return bad('label');
  if (phone !== null && (typeof phone !== 'string' || !PHONE.test(phone))) return bad('phone is not E.164');
  if (email !== null && (typeof email !== 'string' || !EMAIL.test(email))) return bad('email');
  return { slug, label, phone, email: email === null ? null : email.toLowerCase() };
}
