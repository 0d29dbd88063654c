import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { toE164 } from './phone-number.ts';

/** What is kept of a person, in clear: one form for whoever takes it in and for whoever keeps it. */
export const CONTACT_DETAILS = {
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  phone: Type.Optional(Type.String({ minLength: 5, maxLength: 40 })),
  email: Type.Optional(Type.String({ pattern: '^[^@\\s]{1,64}@[^@\\s]{1,253}$', maxLength: 254 })),
};
export const contactDetails = Type.Object(CONTACT_DETAILS, { additionalProperties: false });
export type ContactDetails = Static<typeof contactDetails>;
export type DetailName = keyof ContactDetails;

const FORMS = new Map(
  (Object.keys(CONTACT_DETAILS) as DetailName[]).map((name) => [
    name,
    Compile(Type.Object({ [name]: CONTACT_DETAILS[name] })),
  ]),
);
/** Control characters, halves of characters, and the brackets that only placeholders have: no text is matched with them. */
const UNMATCHABLE = /[\p{Cc}\u27e6\u27e7]/u;

/**
 * Details that cannot be kept, by name and never by value. Which words could still not be matched in a text is the
 * vault's to say.
 */
export function wrongDetails(details: ContactDetails): readonly DetailName[] {
  return [...FORMS.keys()].filter((name) => {
    const value = details[name];
    if (value === undefined) return false;
    const isText = value.isWellFormed() && !UNMATCHABLE.test(value) && value === value.trim();
    const isForm = isText && FORMS.get(name)?.Check({ [name]: value }) === true;
    return !isForm || (name === 'phone' && toE164(value) === null);
  });
}

/** What an address is looked up by: two that are written differently and are the same have the same. */
export function addressKey(kind: 'phone' | 'email', value: string): string {
  return kind === 'phone' ? (toE164(value) ?? value) : value.toLowerCase();
}
