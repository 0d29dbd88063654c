import { MISTAKES } from '../../test/mistakes.ts';
import { citationsOf, testFiles } from '../requirements/test-files.ts';
import { code, page, table } from './markdown.ts';

/** `docs/reference/mistakes.md`: what went wrong elsewhere, and which tests would notice it here. */
export function mistakesPage(): string {
  const guards = citationsOf(testFiles(), 'guardsAgainst');
  const filesOf = (number: number) => [
    ...new Set(guards.filter(({ id }) => id === String(number)).map(({ file }) => file)),
  ];
  return page('Mistakes of comparable systems', '`test/mistakes.ts` and the tests that cite it', [
    'Each was made by a system that does what this one does. A test that would fail if it were made here says so ' +
      '(`guardsAgainst(11)`); `npm run check` fails when one of them is guarded against by no test.',
    table(
      ['number', 'what went wrong', 'guarded against in'],
      MISTAKES.map(({ number, text }) => [String(number), text, filesOf(number).map(code).join('<br>')]),
    ),
  ]);
}
