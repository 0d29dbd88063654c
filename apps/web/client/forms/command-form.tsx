import { Alert, Button, Group, Stack } from '@mantine/core';
import { type FormEvent, type ReactNode, useRef, useState } from 'react';
import { type CommandAnswer, type CommandForm as Form, Problem } from '../api.ts';
import { useSendCommand } from '../queries.ts';
import { ProblemNote } from '../ticket/problem-note.tsx';
import { COMMAND_WORDS } from '../words/commands.ts';
import { T } from '../words/pages.ts';
import { wordFor } from '../words/plain.ts';
import { type FormContext, ObjectFields } from './field.tsx';
import { askedOf, incidentOf, sentBeside, withQuestions } from './tailoring.ts';
import { emptyValue, type FormValue, toInput } from './values.ts';

interface Attempt {
  readonly input: FormValue;
  readonly idempotencyKey: string;
}

/** Fixes the content together with its key: a second try must be the same bytes. */
function newAttempt(form: Form, value: FormValue): Attempt {
  const asked = toInput(value, askedOf(form, value));
  const beside = sentBeside(form.name, new Date().toISOString());
  return { input: { ...asObject(asked), ...beside }, idempotencyKey: crypto.randomUUID() };
}

function asObject(value: FormValue): Readonly<Record<string, FormValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

/**
 * One form for one command. Its idempotency key lives as long as the same content is being tried, so that
 * sending again after an outage cannot act twice; an answer of either kind ends it.
 */
export function CommandForm(props: {
  readonly form: Form;
  readonly targetId: string | null;
  /** What stands in the form before anybody typed. */
  readonly start?: Readonly<Record<string, FormValue>>;
  readonly context: FormContext;
  readonly onDone: (answer: CommandAnswer) => void;
  readonly onClose: () => void;
}): ReactNode {
  const { form } = props;
  const [value, setValue] = useState<FormValue>(() => ({
    ...asObject(emptyValue(form.input)),
    ...props.start,
  }));
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const attempt = useRef<Attempt | null>(null);
  const sendCommand = useSendCommand();
  const asked = askedOf(form, value);
  const context = {
    ...props.context,
    incident: incidentOf(value, props.context.incidents, props.context.incident),
  };

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    if (busy) return;
    attempt.current ??= newAttempt(form, value);
    setBusy(true);
    setProblem(null);
    try {
      const answer = await sendCommand({
        command: form.name,
        targetId: props.targetId,
        ...attempt.current,
      });
      attempt.current = null;
      props.onDone(answer);
    } catch (error) {
      const found = error instanceof Problem ? error : new Problem({});
      if (found.code !== 'unavailable') attempt.current = null;
      setProblem(found);
    } finally {
      setBusy(false);
    }
  }

  return (
    <form onSubmit={submit} className="command-form" aria-label={wordFor(COMMAND_WORDS, form.name)}>
      <Stack gap="sm">
        <ObjectFields
          schema={asked}
          value={value}
          context={context}
          onChange={(next) => {
            attempt.current = null;
            setValue((before) =>
              withQuestions(form.name, before, next, props.context.incidents, props.context.incident),
            );
          }}
        />
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
