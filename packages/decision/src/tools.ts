import type { InputValidator } from '@deadlatch/catalogue';
import type { JsonValue } from '@deadlatch/kernel';
import type { Zones } from '@deadlatch/scheduling';
import type { PolicyEngine } from './policy/engine.ts';

/** All that `decide` may use beside its arguments. None of it reads, waits or remembers anything a test cannot see. */
export interface DecisionTools {
  /** A fresh UUIDv7. */
  readonly newId: () => string;
  readonly policy: PolicyEngine;
  /** From `createInputValidator` of the catalogue. */
  readonly validateInput: InputValidator;
  /** RFC 8785. */
  readonly canonicalJson: (value: JsonValue) => string;
  readonly sha256Base64Url: (text: string) => string;
  /** Wall clocks by name; remembers those it has made and nothing else. */
  readonly zones: Zones;
}
