/** Without I, L, O and U, so that a reference can be read out over the phone. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** `DL-` and eight characters from the random tail of a UUID: 40 bits. */
export function referenceOf(id: string): string {
  let tail = Number.parseInt(id.replaceAll('-', '').slice(-10), 16);
  let text = '';
  for (let i = 0; i < 8; i += 1) {
    text = `${ALPHABET.charAt(tail % 32)}${text}`;
    tail = Math.floor(tail / 32);
  }
  return `DL-${text}`;
}
