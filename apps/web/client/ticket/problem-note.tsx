import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Problem } from '../api.ts';
import { T } from '../words/pages.ts';
import { choiceWords, wordFor } from '../words/plain.ts';
import { REFUSAL_WORDS, UNUSABLE_WORDS } from '../words/reasons.ts';
import { STATE_WORDS } from '../words/states.ts';

/** A refusal in plain words: why, what would have to be true, and the request to ask about. */
export function ProblemNote({ problem }: { readonly problem: Problem }): ReactNode {
  const states = problem.allowedFrom.map((state) => wordFor(STATE_WORDS, state));
  return (
    <>
      <Text size="sm">{wordFor(REFUSAL_WORDS, problem.code)}</Text>
      {problem.reason ? <Text size="sm">{wordFor(UNUSABLE_WORDS, problem.reason)}</Text> : null}
      {states.length > 0 ? (
        <Text size="sm">
          {T.mustBe} {states.join(', ')}.
        </Text>
      ) : null}
      {problem.missing.length > 0 ? (
        <Text size="sm">
          {T.missingList} {problem.missing.map(choiceWords).join(', ')}.
        </Text>
      ) : null}
      {problem.requestId ? (
        <Text size="xs" className="mono faint">
          {T.requestId} {problem.requestId}
        </Text>
      ) : null}
    </>
  );
}
