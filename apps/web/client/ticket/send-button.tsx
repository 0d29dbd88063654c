import { Alert, Button } from '@mantine/core';
import { type ReactNode, useRef, useState } from 'react';
import { Problem } from '../api.ts';
import { useSendCommand } from '../queries.ts';
import { T } from '../words/pages.ts';
import { ProblemNote } from './problem-note.tsx';

/**
 * A command whose content stands beside its button, so that there is nothing to fill in. Its idempotency key lives until
 * there is an answer: pressing again after an outage cannot act twice.
 */
export function SendButton(props: {
  readonly command: string;
  readonly targetId: string;
  readonly input: Readonly<Record<string, string>>;
  /** What is shown, and what a screen reader says where several such buttons stand in a list. */
  readonly label: string;
  readonly about?: string;
  readonly variant?: 'filled' | 'light';
}): ReactNode {
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const key = useRef<string | null>(null);
  const sendCommand = useSendCommand();

  async function press(): Promise<void> {
    if (busy) return;
    key.current ??= crypto.randomUUID();
    setBusy(true);
    setProblem(null);
    try {
      const { command, input, targetId } = props;
      await sendCommand({ command, targetId, input, idempotencyKey: key.current });
      key.current = null;
    } catch (error) {
      const found = error instanceof Problem ? error : new Problem({});
      if (found.code !== 'unavailable') key.current = null;
      setProblem(found);
    } finally {
      setBusy(false);
    }
  }

  return (
    <>
      <Button
        size="sm"
        variant={props.variant ?? 'light'}
        loading={busy}
        onClick={press}
        {...(props.about === undefined ? {} : { 'aria-label': `${props.label}: ${props.about}` })}
      >
        {props.label}
      </Button>
      {problem ? (
        <Alert color="red" role="alert" title={T.problemTitle}>
          <ProblemNote problem={problem} />
        </Alert>
      ) : null}
    </>
  );
}
