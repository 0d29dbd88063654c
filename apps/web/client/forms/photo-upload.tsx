import { Alert, Button, FileInput, Group, NativeSelect, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { type CommandForm as Form, Problem, upload } from '../api.ts';
import { meQuery, useSendCommand } from '../queries.ts';
import { COMMAND_WORDS, choiceWords, T, wordFor } from '../strings.ts';
import { ProblemNote } from '../ticket/problem-note.tsx';
import type { FormContext } from './field.tsx';

type Step = 'idle' | 'hashing' | 'sending' | 'checking' | 'done';

const STEP_WORDS: Readonly<Record<Step, string>> = {
  idle: '',
  hashing: T.photoHashing,
  sending: T.photoSending,
  checking: T.photoChecking,
  done: T.photoDone,
};

/**
 * A photo in three steps: announce exactly these bytes, upload them, have the stored object hashed again.
 * It counts only after the third; a cut connection leaves an announced photo that is no evidence.
 */
export function PhotoUpload(props: {
  readonly form: Form;
  readonly ticketId: string;
  readonly context: FormContext;
  readonly onClose: () => void;
}): ReactNode {
  const me = useQuery(meQuery);
  const sendCommand = useSendCommand();
  const [file, setFile] = useState<File | null>(null);
  const [key, setKey] = useState('');
  const [step, setStep] = useState<Step>('idle');
  const [problem, setProblem] = useState<Problem | null>(null);
  const fields = props.form.input.properties ?? {};
  const wanted = props.context.incident?.evidence.map((rule) => rule.key) ?? [];
  const keys = (fields.key?.enum ?? []).filter((name) => wanted.length === 0 || wanted.includes(name));
  const types = fields.content_type?.enum ?? [];
  const maxBytes = fields.size_bytes?.maximum ?? 0;
  const complaint =
    file === null
      ? null
      : !types.includes(file.type)
        ? T.photoWrongType
        : file.size > maxBytes
          ? T.photoTooLarge
          : null;
  const busy = step === 'hashing' || step === 'sending' || step === 'checking';

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    if (!file || complaint || busy) return;
    setProblem(null);
    try {
      setStep('hashing');
      const sha256 = await hexDigest(file);
      setStep('sending');
      const presigned = await sendCommand({
        command: 'evidence.presign',
        targetId: props.ticketId,
        input: { key, content_type: file.type, size_bytes: file.size, sha256 },
        idempotencyKey: crypto.randomUUID(),
      });
      const { evidence_id: evidenceId, upload_url: address } = presigned.result ?? {};
      if (typeof evidenceId !== 'string' || typeof address !== 'string') throw new Problem({});
      await upload(address, me.data?.csrf ?? '', file);
      setStep('checking');
      await sendCommand({
        command: 'evidence.finalize',
        targetId: props.ticketId,
        input: { evidence_id: evidenceId },
        idempotencyKey: crypto.randomUUID(),
      });
      setStep('done');
      setFile(null);
    } catch (error) {
      setStep('idle');
      setProblem(error instanceof Problem ? error : new Problem({}));
    }
  }

  return (
    <form onSubmit={submit} className="command-form" aria-label={wordFor(COMMAND_WORDS, props.form.name)}>
      <Stack gap="sm">
        <NativeSelect
          label={T.photoFor}
          required
          withAsterisk={false}
          data={[
            { value: '', label: T.choose },
            ...keys.map((value) => ({ value, label: choiceWords(value) })),
          ]}
          value={key}
          onChange={(event) => setKey(event.currentTarget.value)}
        />
        <FileInput
          label={T.photoFile}
          description={T.photoHint}
          placeholder={T.choose}
          required
          withAsterisk={false}
          accept={types.join(',')}
          value={file}
          error={complaint}
          onChange={(next) => {
            setFile(next);
            setStep('idle');
          }}
        />
        {problem ? (
          <Alert color="red" role="alert" title={T.problemTitle}>
            <ProblemNote problem={problem} />
          </Alert>
        ) : null}
        <Text size="sm" role="status" aria-live="polite">
          {STEP_WORDS[step]}
        </Text>
        <Group gap="xs">
          <Button type="submit" size="md" loading={busy}>
            {T.photoUpload}
          </Button>
          <Button variant="subtle" size="md" onClick={props.onClose}>
            {T.cancel}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

async function hexDigest(file: File): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', await file.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
