import { Alert, Button, Group, Stack } from '@mantine/core';
import { type FormEvent, type ReactNode, useRef, useState } from 'react';
import { type CommandAnswer, type CommandForm as Form, Problem } from '../api.ts';
import { useSendCommand } from '../queries.ts';
import { COMMAND_WORDS, T, wordFor } from '../strings.ts';
import { ProblemNote } from '../ticket/problem-note.tsx';
import { type FormContext, ObjectFields } from './field.tsx';
import { emptyValue, toInput } from './values.ts';

/**
 * One form for one command. Its idempotency key lives as long as the same content is being tried, so that
 * sending again after an outage cannot act twice; an answer of either kind ends it.
 */
export function CommandForm(props: {
  readonly form: Form;
  readonly targetId: string | null;
  readonly context: FormContext;
  readonly onDone: (answer: CommandAnswer) => void;
  readonly onClose: () => void;
}): ReactNode {
  const { form } = props;
  const [value, setValue] = useState(() => emptyValue(form.input));
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const key = useRef<string | null>(null);
  const sendCommand = useSendCommand();
  const blank = Object.keys(form.input.properties ?? {}).length === 0;

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    if (busy) return;
    key.current ??= crypto.randomUUID();
    setBusy(true);
    setProblem(null);
    try {
      const answer = await sendCommand({
        command: form.name,
        targetId: props.targetId,
        input: toInput(value, form.input) ?? {},
        idempotencyKey: key.current,
      });
      key.current = null;
      props.onDone(answer);
    } catch (error) {
      const found = error instanceof Problem ? error : new Problem({});
      if (found.code !== 'unavailable') key.current = null;
      setProblem(found);
    } finally {
      setBusy(false);
    }
  }

  return (
    <form onSubmit={submit} className="command-form" aria-label={wordFor(COMMAND_WORDS, form.name)}>
      <Stack gap="sm">
        {blank ? null : (
          <ObjectFields
            schema={form.input}
            value={value}
            context={props.context}
            onChange={(next) => {
              key.current = null;
              setValue(next);
            }}
          />
        )}
        {problem ? (
          <Alert color="red" role="alert" title={T.problemTitle}>
            <ProblemNote problem={problem} />
          </Alert>
        ) : null}
        <Group gap="xs">
          <Button type="submit" size="md" loading={busy}>
            {wordFor(COMMAND_WORDS, form.name)}
          </Button>
          <Button variant="subtle" size="md" onClick={props.onClose}>
            {T.cancel}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
