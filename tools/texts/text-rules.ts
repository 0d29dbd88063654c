/** One thing that must not stand in a file of this repository. */
export interface TextRule {
  readonly name: string;
  /** Matched line by line. */
  readonly pattern: RegExp;
  /** Which files it is for. */
  readonly files: RegExp;
}

const ANY = /./;
const CODE = /\.(ts|tsx|mjs)$/;
const PROSE_AND_CODE = /\.(ts|tsx|mjs|md|sql|yml|yaml|css|html)$/;

/**
 * The patterns are written so that this file does not match itself.
 * @source CONTRIBUTING.md, "Style"
 */
export const TEXT_RULES: readonly TextRule[] = [
  // A lock file or an address of a registry would tie an install to one host.
  { name: 'registry-host', pattern: /\bregistry\.[a-z0-9-]+\.[a-z]{2,}|\bnpmjs\.(com|org)\b/i, files: ANY },
  // Somebody's machine is nobody else's.
  {
    name: 'machine-path',
    pattern: /(^|[\s"'`(=:])\/(home|root|Users|work|tmp)\/[A-Za-z0-9]/,
    files: PROSE_AND_CODE,
  },
  // Work that is not in the tracker is forgotten: link it, e.g. (#12).
  { name: 'untracked-work', pattern: /\b(TO[D]O|FIX[M]E|XX[X])\b(?!\s*\(#\d+\))/, files: PROSE_AND_CODE },
  // Notes that are not in the repository: cite a requirement id, an RFC or a record in docs/adr.
  { name: 'unknown-document', pattern: /\b0[0-8]-(the-)?[a-z]+(-[a-z]+)*(\.md)?\b(?<!\.ts)/, files: CODE },
  { name: 'merge-conflict', pattern: /^(<{7}|>{7}) /, files: ANY },
  { name: 'focused-or-skipped-test', pattern: /\b(it|describe|test)\.(only|skip)\(/, files: /\.test\.tsx?$/ },
  { name: 'silenced-compiler', pattern: /@ts-(ignore|nocheck)\b/, files: CODE },
];

/** Words that say nothing about what is inside. */
const EMPTY_NAMES = /(^|[-/])(utils?|helpers?|common|manager|misc)(\.|\/|$)/;
const LONGEST_FILE = 400;
const WHY_LONG = /Longer than \d+ lines because/;

/** What is wrong with one file: `rule: detail` per line, empty when nothing is. */
export function textProblems(path: string, text: string): string[] {
  const problems: string[] = [];
  const lines = text.split('\n');
  for (const rule of TEXT_RULES.filter((r) => r.files.test(path))) {
    lines.forEach((line, index) => {
      if (rule.pattern.test(line)) problems.push(`${path}:${index + 1}: ${rule.name}`);
    });
  }
  if (!CODE.test(path)) return problems;
  if (lines.length > LONGEST_FILE + 1 && !WHY_LONG.test(text)) {
    problems.push(
      `${path}: long-file: ${lines.length} lines, and no line says "Longer than ${LONGEST_FILE} lines because"`,
    );
  }
  if (EMPTY_NAMES.test(path)) problems.push(`${path}: empty-name`);
  const name = path.split('/').at(-1) ?? '';
  if (!/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)+$/.test(name))
    problems.push(`${path}: file-name: use kebab-case`);
  return problems;
}
