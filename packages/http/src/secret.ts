import { inspect } from 'node:util';
import { fromBase64url } from '@deadlatch/signing';

const HIDDEN = '[secret]';

/** A value that prints as `[secret]` wherever it is printed by accident. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself. Call it where the value is used, and keep no copy. */
  reveal(): string {
    return this.#value;
  }

  /** The bytes of a base64url secret, or `undefined` when it is not base64url. */
  bytes(): Buffer | undefined {
    return fromBase64url(this.#value);
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [inspect.custom](): string {
    return HIDDEN;
  }
}
