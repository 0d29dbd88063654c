import { parsePhoneNumberFromString } from 'libphonenumber-js';

/**
 * The E.164 form of a number, or null when it is none. Numbers without a country are read as North American.
 * @source ITU-T E.164
 */
export function toE164(written: string): string | null {
  const phone = parsePhoneNumberFromString(written, 'US');
  return phone?.isPossible() ? phone.number : null;
}
