import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';

const WORKSPACE = resolve(import.meta.dirname, '../..');
const CLI = join(WORKSPACE, 'apps/cli/src/main.ts');
/** A command that has not ended by then hangs. */
const PATIENCE_MS = 180_000;
/** A name in angle brackets: in what a runbook expects it takes what stands there, in a command it gives it back. */
const NAME = /<([a-z][a-z0-9-]*)>/g;

/** One command of a runbook and what it must print. */
export interface RunbookStep {
  /** Of the command in its file, from 1. */
  readonly line: number;
  /** The heading that it stands under. */
  readonly section: string;
  readonly command: string;
  /** Empty: whatever it prints is right. */
  readonly expected: readonly string[];
  readonly exitCode: number;
}

export interface Runbook {
  readonly file: string;
  /** Headings that have commands under them, in their order. */
  readonly sections: readonly string[];
  readonly steps: readonly RunbookStep[];
}

/**
 * Reads the commands of a page in `docs/operate/`.
 *
 * They stand in blocks fenced as `console`. A line `$ deadlatch …` is run; a backslash at its end goes on in the next.
 * The lines below it are what it prints, on either output: `…` stands for any text within a line, a line of only `…`
 * for any lines, `<name>` takes one word, which later commands and lines give back. `(exit 3)` as the last line says
 * how it ends when that is not 0. A command with no lines below it may print anything.
 * @throws Error for a page without commands, or with a command that is not ours
 */
export async function readRunbook(name: string): Promise<Runbook> {
  const file = join('docs/operate', `${basename(name, '.md')}.md`);
  return parseRunbook(file, await readFile(join(WORKSPACE, file), 'utf8'));
}

/** Exported for its own test. */
export function parseRunbook(file: string, text: string): Runbook {
  const steps: RunbookStep[] = [];
  let section = '';
  let fence: 'console' | 'other' | null = null;
  let open: { line: number; command: string; output: string[] } | null = null;
  const close = () => {
    if (open !== null) steps.push(stepOf(open, section, file));
    open = null;
  };
  text.split('\n').forEach((content, index) => {
    const line = index + 1;
    if (content.startsWith('```')) {
      close();
      fence = fence === null ? (content === '```console' ? 'console' : 'other') : null;
    } else if (fence === null) {
      section = /^#{1,6} (.+)$/.exec(content)?.[1] ?? section;
    } else if (fence === 'console') {
      if (content.startsWith('$ ')) {
        close();
        open = { line, command: content.slice(2), output: [] };
      } else if (open === null) throw new Error(`${file}:${line}: a block begins with a command`);
      else if (open.output.length === 0 && open.command.endsWith('\\'))
        open.command = `${open.command.slice(0, -1).trimEnd()} ${content.trim()}`;
      else open.output.push(content);
    }
  });
  if (fence !== null) throw new Error(`${file}: a block is not closed`);
  if (steps.length === 0) throw new Error(`${file} has no commands`);
  return { file, sections: [...new Set(steps.map((step) => step.section))], steps };
}

function stepOf(
  { line, command, output }: { line: number; command: string; output: readonly string[] },
  section: string,
  file: string,
): RunbookStep {
  if (wordsOf(command)[0] !== 'deadlatch')
    throw new Error(`${file}:${line}: "${command}" is not ours to run`);
  const exit = /^\(exit (\d+)\)$/.exec(output.at(-1) ?? '');
  const expected = exit === null ? output : output.slice(0, -1);
  return { line, section, command, expected, exitCode: Number(exit?.[1] ?? 0) };
}

export interface FollowOptions {
  readonly stateDir: string;
  /** Only the commands under these headings; all of them unless told. */
  readonly sections?: readonly string[];
  /** What the page calls by a name and nothing printed before. */
  readonly values?: Readonly<Record<string, string>>;
  /** Added to the environment of each command. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs the commands of a runbook against a system, one after the other, as an operator would.
 * @returns what its names stand for by now
 * @throws Error naming file and line of the first command that does not do what the page says
 */
export async function followRunbook(
  runbook: Runbook,
  options: FollowOptions,
): Promise<Readonly<Record<string, string>>> {
  const { sections } = options;
  const unknown = sections?.filter((section) => !runbook.sections.includes(section)) ?? [];
  if (unknown.length > 0) throw new Error(`${runbook.file} has no commands under "${unknown.join('", "')}"`);
  const values = new Map(Object.entries(options.values ?? {}));
  for (const step of runbook.steps) {
    if (sections !== undefined && !sections.includes(step.section)) continue;
    const place = `${runbook.file}:${step.line}: ${step.command}`;
    const words = wordsOf(step.command).map((word) => withValues(word, values, place));
    const ended = await run([...words.slice(1), '--state-dir', options.stateDir], options.env ?? {});
    const said = `\n--- it printed (exit ${ended.code}):\n${ended.output}`;
    if (ended.code !== step.exitCode) throw new Error(`${place}\nends with ${ended.code}${said}`);
    const lines = ended.output.split('\n').filter((line) => line !== '');
    if (step.expected.length > 0 && !matchLines(step.expected, lines, values))
      throw new Error(`${place}\ndoes not print\n${step.expected.join('\n')}${said}`);
  }
  return Object.fromEntries(values);
}

/** Words as a shell splits them; quotes hold words together. */
function wordsOf(command: string): string[] {
  const words = command.match(/'[^']*'|"[^"]*"|[^\s'"]+/g) ?? [];
  return words.map((word) => word.replace(/^(['"])(.*)\1$/, '$2'));
}

function withValues(word: string, values: ReadonlyMap<string, string>, place: string): string {
  return word.replace(NAME, (_, name: string) => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`${place}\nnothing said what <${name}> is`);
    return value;
  });
}

/**
 * Whether lines are what a runbook expects; takes the names that they give.
 * Exported for its own test.
 */
export function matchLines(
  expected: readonly string[],
  lines: readonly string[],
  values: Map<string, string>,
): boolean {
  const [first, ...rest] = expected;
  if (first === undefined) return lines.length === 0;
  if (first.trim() === '…') {
    for (let skipped = 0; skipped <= lines.length; skipped += 1) {
      const tried = new Map(values);
      if (!matchLines(rest, lines.slice(skipped), tried)) continue;
      for (const [name, value] of tried) values.set(name, value);
      return true;
    }
    return false;
  }
  const [line] = lines;
  const found = line === undefined ? null : patternOf(first, values).exec(line);
  if (found === null) return false;
  const given = new Map([...values, ...Object.entries(found.groups ?? {}).map(named)]);
  if (!matchLines(rest, lines.slice(1), given)) return false;
  for (const [name, value] of given) values.set(name, value);
  return true;
}

const named = ([name, value]: [string, string]): [string, string] => [name.replaceAll('_', '-'), value];

/** Columns are aligned for people: any space is as good as another. */
function patternOf(expected: string, values: ReadonlyMap<string, string>): RegExp {
  const seen = new Set<string>();
  const source = expected
    .trimEnd()
    .split(/(…|<[a-z][a-z0-9-]*>|\s+)/)
    .map((part) => {
      if (part === '…') return '.*';
      if (/^\s+$/.test(part)) return '\\s+';
      const name = /^<(.+)>$/.exec(part)?.[1];
      if (name === undefined) return literal(part);
      const known = values.get(name);
      if (known !== undefined) return literal(known);
      const group = name.replaceAll('-', '_');
      if (seen.has(group)) return `\\k<${group}>`;
      seen.add(group);
      return `(?<${group}>[^\\s;,]+)`;
    });
  return new RegExp(`^${source.join('')}\\s*$`);
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

interface Ended {
  readonly code: number | null;
  /** Both outputs as they came. */
  readonly output: string;
}

function run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  const child = spawn(process.execPath, [CLI, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    timeout: PATIENCE_MS,
  });
  let output = '';
  const keep = (chunk: Buffer) => {
    output += chunk.toString('utf8');
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return new Promise((done) => child.once('close', (code) => done({ code, output })));
}
