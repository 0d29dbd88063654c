import { Alert, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Problem } from '../api.ts';
import { ProblemNote } from '../ticket/problem-note.tsx';
import { T } from '../words/pages.ts';

/** Says that something is being read, could not be read, or could not be read *again*. */
export function Unread(props: {
  readonly query: {
    readonly isPending: boolean;
    readonly error: Error | null;
    readonly data: unknown;
  };
}): ReactNode {
  const { isPending, error, data } = props.query;
  if (isPending && !error) return <Text className="faint">{T.loading}</Text>;
  if (!error) return null;
  const problem = error instanceof Problem ? error : new Problem({});
  if (data !== undefined) {
    return (
      <Alert color="orange" role="status">
        {T.staleData}
      </Alert>
    );
  }
  return (
    <Alert color="red" role="alert" title={problem.code === 'not_found' ? T.notFoundTitle : T.problemTitle}>
      <ProblemNote problem={problem} />
    </Alert>
  );
}
