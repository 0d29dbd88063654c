import { statusOf } from '@deadlatch/http';
import { dimensionOf, ERROR_CODES, REFUSAL_DIMENSIONS } from '@deadlatch/kernel';
import { code, page, table } from './markdown.ts';

/** `docs/reference/errors.md`: the closed set of codes. */
export function errorsPage(): string {
  return page('Errors', '`packages/kernel/src/errors.ts`, `packages/http/src/`', [
    'Every refusal is a problem document (RFC 9457) with one of these codes. `dimension` says which part of the gate refused. ' +
      'Which check of an authentication failed is never said to the caller; it is in the audit trail.',
    table(
      ['code', 'dimension', 'status'],
      REFUSAL_DIMENSIONS.flatMap((dimension) =>
        ERROR_CODES.filter((c) => dimensionOf(c) === dimension).map((c) => [
          code(c),
          dimension,
          String(statusOf(c)),
        ]),
      ),
    ),
  ]);
}
