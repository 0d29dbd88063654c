import { randomUUID } from 'node:crypto';
import {
  type CommandEntry,
  type FreeTextRef,
  findCommand,
  findRead,
  routeOf,
  sealFreeText,
} from '@deadlatch/catalogue';
import { problemFor } from '@deadlatch/http';
import { DispatchError, isUuid, type JsonValue, parseStrictJson } from '@deadlatch/kernel';
import { type Arguments, EXIT, UsageError } from '../arguments.ts';
import { demoPerson } from '../demo-session.ts';
import { asPerson, type PersonSession } from '../person-session.ts';
import { type RunFile, readRunFile } from '../run-file.ts';

/**
 * `deadlatch call`: signs in as a demo person like any client and sends one command or read with the command line's
 * own key. Nothing is minted here; the command line can do no more than that person at a keyboard.
 * @returns 0, 3 with the problem document when refused, 4 when the service cannot be reached
 */
export async function callCommand(args: Arguments): Promise<number> {
  const [name] = args.words;
  if (!name || !args.as) throw new UsageError('call COMMAND --as PERSON [--target ID] [--body JSON]');
  const run = await readRunFile(args.stateDir);
  try {
    const answer = await callAs(run, args.as, {
      name,
      targetId: args.target,
      body: args.body,
      key: args.key,
    });
    process.stdout.write(`${JSON.stringify(answer, null, args.json ? 0 : 2)}\n`);
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error;
    process.stdout.write(`${JSON.stringify(problemFor(error, randomUUID()).body)}\n`);
    return error.code === 'unavailable' ? EXIT.unreachable : EXIT.refused;
  }
}

export interface CallInput {
  readonly name: string;
  readonly targetId: string | undefined;
  /** JSON text; words as `{"text": "…"}`. */
  readonly body: string | undefined;
  readonly key: string | undefined;
}

/**
 * @throws UsageError for what nobody has to be asked about: an unknown person, command, target or body
 * @throws DispatchError with the code of whoever refused
 */
export async function callAs(run: RunFile, slug: string, input: CallInput): Promise<JsonValue> {
  demoPerson(run, slug);
  const request = readCall(input);
  return asPerson(run, slug, (session) => send(session, request));
}

type Call =
  | { readonly kind: 'read'; readonly path: string }
  | {
      readonly kind: 'write';
      readonly entry: CommandEntry;
      readonly path: string;
      readonly body: JsonValue;
      readonly key: string;
    };

function readCall(input: CallInput): Call {
  const read = findRead(input.name);
  if (read) {
    return { kind: 'read', path: `${withTarget(read.route, input.targetId)}${queryOf(input.body)}` };
  }
  const entry = findCommand(input.name);
  if (!entry) throw new UsageError(`there is no command or read "${input.name}"`);
  return {
    kind: 'write',
    entry,
    path: withTarget(routeOf(entry), input.targetId),
    body: readBody(input.body ?? '{}'),
    key: input.key ?? randomUUID(),
  };
}

/** Parameters of a read, given like the input of a command: `{"state": "NEW"}`. */
function queryOf(text: string | undefined): string {
  if (text === undefined) return '';
  const given = readBody(text);
  const entries =
    typeof given === 'object' && given !== null && !Array.isArray(given) ? Object.entries(given) : null;
  if (entries === null || entries.some(([, value]) => typeof value !== 'string')) {
    throw new UsageError('--body of a read must be one JSON object of strings');
  }
  return entries.length === 0 ? '' : `?${new URLSearchParams(entries as [string, string][])}`;
}

function readBody(text: string): JsonValue {
  try {
    return parseStrictJson(Buffer.from(text));
  } catch {
    throw new UsageError('--body must be one JSON value without duplicate keys');
  }
}

async function send(session: PersonSession, call: Call): Promise<JsonValue> {
  if (call.kind === 'read') return session.read(call.path);
  const sealed = await sealFreeText(call.entry.input, call.body, async (text) => {
    return (await session.clientOf('vault').write('/v1/texts', { text })) as unknown as FreeTextRef;
  });
  return session.write(call.path, sealed as object, call.key);
}

function withTarget(route: string, targetId: string | undefined): string {
  if (!route.includes(':id')) return route;
  if (!targetId) throw new UsageError('this needs --target ID');
  if (!isUuid(targetId)) throw new UsageError(`--target takes an id, not "${targetId}"`);
  return route.replace(':id', targetId);
}
