import { Alert, Button, FileInput, Group, NativeSelect, Progress, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { type CommandForm as Form, Problem, sendPiece, uploadStands } from '../api.ts';
import { meQuery, useSendCommand } from '../queries.ts';
import { ProblemNote } from '../ticket/problem-note.tsx';
import { COMMAND_WORDS } from '../words/commands.ts';
import { T } from '../words/pages.ts';
import { choiceWords, wordFor } from '../words/plain.ts';
import type { FormContext } from './field.tsx';
import { sendPhoto, type UploadWire } from './send-photo.ts';

type Step = 'idle' | 'hashing' | 'sending' | 'checking' | 'done';

const STEP_WORDS: Readonly<Record<Step, string>> = {
  idle: '',
  hashing: T.photoHashing,
  sending: T.photoSending,
  checking: T.photoChecking,
  done: T.photoDone,
};

interface Announcement {
  readonly key: string;
  readonly content_type: string;
  readonly size_bytes: number;
  readonly sha256: string;
}

/** What goes away by itself: nobody answered, somebody else was faster, too much at once. */
const PASSING: ReadonlySet<string> = new Set([
  'unavailable',
  'upload_conflict',
  'version_conflict',
  'rate_limited',
]);
const isPassing = (error: unknown) => error instanceof Problem && PASSING.has(error.code);

/**
 * A photo in three steps: announce exactly these bytes, upload them, have the stored object hashed and drawn anew.
 * It counts only after the third. Where the connection is cut the upload goes on from where it stood; half of it is
 * no evidence.
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
  const [share, setShare] = useState(0);
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
    setShare(0);
    try {
      setStep('hashing');
      const sha256 = await hexDigest(file);
      setStep('sending');
      // The same photo of the same thing is the same upload, also after this page was closed and opened again.
      const memory = `upload ${props.ticketId} ${key} ${sha256}`;
      const idempotencyKey = localStorage.getItem(memory) ?? crypto.randomUUID();
      localStorage.setItem(memory, idempotencyKey);
      try {
        await sendAndCheck(
          file,
          { key, content_type: file.type, size_bytes: file.size, sha256 },
          idempotencyKey,
        );
        localStorage.removeItem(memory);
      } catch (error) {
        // Refused for good: the next try is another upload.
        if (!isPassing(error)) localStorage.removeItem(memory);
        throw error;
      }
      setStep('done');
      setFile(null);
    } catch (error) {
      setStep('idle');
      setProblem(error instanceof Problem ? error : new Problem({}));
    }
  }

  async function sendAndCheck(photo: File, input: Announcement, idempotencyKey: string): Promise<void> {
    let evidenceId = '';
    const csrf = me.data?.csrf ?? '';
    const wire: UploadWire = {
      renew: async () => {
        const command = { command: 'evidence.presign', targetId: props.ticketId, input, idempotencyKey };
        const { evidence_id: id, upload_url: address } = (await sendCommand(command)).result ?? {};
        if (typeof id !== 'string' || typeof address !== 'string') throw new Problem({});
        evidenceId = id;
        return address;
      },
      stands: uploadStands,
      send: (address, offset, bytes) => sendPiece(address, csrf, offset, bytes),
      pause: (ms) => new Promise((done) => setTimeout(done, ms)),
      isPassing,
    };
    await sendPhoto(photo, wire, setShare);
    setStep('checking');
    await sendCommand({
      command: 'evidence.finalize',
      targetId: props.ticketId,
      input: { evidence_id: evidenceId },
      idempotencyKey: crypto.randomUUID(),
    });
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
        {step === 'sending' ? <Progress value={share * 100} aria-label={T.photoSending} /> : null}
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
