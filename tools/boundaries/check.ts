import { existsSync, globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, normalize } from 'node:path/posix';
import {
  MAY_IMPORT,
  MAY_IMPORT_TYPES,
  mayReadEnvironment,
  OUTSIDE_WORLD,
  PURE,
  PURE_EXCEPTIONS,
  WITHOUT_FASTIFY,
} from './layers.ts';
import { type Import, type ScannedModule, scanModule } from './scan-module.ts';

export const RULES = [
  'direction',
  'app-imports-app',
  'undeclared',
  'deep-import',
  'barrel',
  'cycle',
  'specifier',
  'default-export',
  'process-env',
  'fastify',
  'outside-world',
  'computed-import',
] as const;
export type Rule = (typeof RULES)[number];

export interface Violation {
  readonly rule: Rule;
  readonly file: string;
  readonly detail: string;
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** Where a file lives: `packages/kernel`, `apps/web`, `tools` or `test`. */
interface Home {
  readonly kind: 'package' | 'app' | 'root';
  readonly name: string;
  readonly folder: string;
}

const SCOPE = '@deadlatch/';
const SOURCES = [
  'packages/*/src/**/*.ts',
  'apps/*/src/**/*.ts',
  'apps/*/bin/*.mjs',
  'apps/*/client/**/*.{ts,tsx}',
  'tools/**/*.ts',
  'test/**/*.ts',
];

/**
 * Checks every module of the tree under `root` (our own layout) against the rules of `layers.ts`.
 * Paths in the answer are relative to `root`, with forward slashes.
 */
export function checkBoundaries(root: string): { modules: number; violations: Violation[] } {
  const files = SOURCES.flatMap((pattern) => globSync(pattern, { cwd: root }))
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => !/(^|\/)(node_modules|dist|fixtures)\//.test(file))
    .sort();
  const manifests = new Map<string, Manifest>();
  const manifestOf = (folder: string): Manifest => {
    const known = manifests.get(folder);
    if (known) return known;
    const path = join(root, folder, 'package.json');
    const read = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Manifest) : {};
    manifests.set(folder, read);
    return read;
  };
  const scanned = new Map(
    files.map((file) => [file, scanModule(file, readFileSync(join(root, file), 'utf8'))]),
  );
  const violations: Violation[] = [];
  for (const [file, module] of scanned) {
    const say = (rule: Rule, detail: string) => violations.push({ rule, file, detail });
    checkModule(file, module, say);
    for (const one of module.imports) {
      if (one.specifier.startsWith('.')) checkRelative(file, one, say);
      else checkBare(file, one, manifestOf, say);
    }
  }
  violations.push(...findCycles(scanned));
  return { modules: files.length, violations };
}

type Say = (rule: Rule, detail: string) => void;

function checkModule(file: string, module: ScannedModule, say: Say): void {
  const isClient = /^apps\/[^/]+\/client\//.test(file);
  const isIndex = /^packages\/[^/]+\/src\/index\.ts$/.test(file);
  if (module.hasDefaultExport && !isClient) say('default-export', 'name what you export');
  if (module.readsProcessEnv && !mayReadEnvironment(file) && !isTest(file)) {
    say('process-env', 'only env.ts and main.ts of an app read the environment');
  }
  if (module.hasComputedImport) say('computed-import', 'the target of an import must be a literal');
  if (!isIndex) {
    for (const one of module.imports.filter((i) => i.reExport)) say('barrel', one.specifier);
  }
}

function checkRelative(file: string, { specifier, typeOnly }: Import, say: Say): void {
  const from = homeOf(file);
  const target = normalize(join(dirname(file), specifier));
  const isClient = /^apps\/[^/]+\/client\//.test(file);
  const extension = isClient ? /\.(ts|tsx|css|svg|json)$/ : /\.(ts|json|mjs)$/;
  if (!extension.test(specifier)) say('specifier', `${specifier} needs its file extension`);
  if (target.startsWith('..')) {
    say('specifier', `${specifier} leaves the repository`);
    return;
  }
  const isForTests = isTest(file) || from.kind === 'root' || file.includes('/testing/');
  if (isTest(target) && !isForTests) say('direction', `${specifier}: only tests use fixtures`);
  const to = homeOf(target);
  if (from.folder === to.folder) return;
  if (to.kind === 'root') {
    const mayUseSupport = isTest(file) || from.kind === 'root';
    if (!mayUseSupport) say('direction', `${specifier}: only tests use ${to.folder}/`);
    return;
  }
  if (to.kind === 'app' && from.kind === 'app') say('app-imports-app', specifier);
  else if (to.kind === 'app' && from.kind === 'package')
    say('direction', `${specifier}: a package imports an app`);
  // Apps export nothing, so developer commands and acceptance tests start them by their files.
  else if (to.kind === 'package')
    say('deep-import', `${specifier}: use ${SCOPE}${to.name}${typeOnly ? ' (types too)' : ''}`);
}

function checkBare(file: string, one: Import, manifestOf: (folder: string) => Manifest, say: Say): void {
  const { specifier, typeOnly } = one;
  const from = homeOf(file);
  if (isBuiltin(specifier)) {
    checkBuiltin(file, from, specifier, say);
    return;
  }
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  const own = manifestOf(from.folder === 'tools' || from.folder === 'test' ? '.' : from.folder);
  const declared = new Set(Object.keys(own.dependencies ?? {}));
  // The browser's code is bundled: its packages are build-time dependencies.
  const isBundled = file.includes('/client/');
  if (isTest(file) || from.kind === 'root' || isBundled) addAll(declared, own.devDependencies);
  if (isTest(file)) addAll(declared, manifestOf('.').devDependencies);
  if (!name.startsWith(SCOPE)) {
    const isTypeOfDeclared = typeOnly && Object.keys(own.devDependencies ?? {}).includes(name);
    if (!declared.has(name) && !isTypeOfDeclared) say('undeclared', name);
    if (/^(fastify|@fastify\/.*)$/.test(name)) {
      const isRule = /\/src\/rules\//.test(file);
      if (isRule || (from.kind === 'package' && WITHOUT_FASTIFY.includes(from.name)))
        say('fastify', specifier);
    }
    return;
  }
  if (specifier !== name) say('deep-import', `${specifier}: a package has one way in`);
  const target = name.slice(SCOPE.length);
  if (!MAY_IMPORT.has(target)) {
    say(from.kind === 'app' ? 'app-imports-app' : 'direction', `${name} is not a package`);
    return;
  }
  // Tools and tests at the root use every package: npm links all workspaces there.
  if (from.kind === 'root') return;
  if (!declared.has(name)) say('undeclared', name);
  if (from.kind !== 'package' || isTest(file)) return;
  const allowed = MAY_IMPORT.get(from.name) ?? [];
  const allowedTypes = typeOnly ? (MAY_IMPORT_TYPES.get(from.name) ?? []) : [];
  if (![...allowed, ...allowedTypes].includes(target)) {
    say('direction', `${from.name} must not import ${typeOnly ? 'even types of ' : ''}${target}`);
  }
}

function checkBuiltin(file: string, from: Home, specifier: string, say: Say): void {
  if (!specifier.startsWith('node:')) say('specifier', `write node:${specifier}`);
  if (from.kind !== 'package' || !PURE.includes(from.name) || isTest(file)) return;
  const module = specifier.replace(/^node:/, '').split('/')[0] ?? '';
  if (OUTSIDE_WORLD.includes(module) && !PURE_EXCEPTIONS.has(file)) say('outside-world', specifier);
}

function addAll(names: Set<string>, more: Readonly<Record<string, string>> | undefined): void {
  for (const name of Object.keys(more ?? {})) names.add(name);
}

/** A test, or a fixture beside the code that only tests use (which is checked). */
function isTest(file: string): boolean {
  return /\.(test|fixture)\.tsx?$/.test(file);
}

function homeOf(file: string): Home {
  const [top = '', name = ''] = file.split('/');
  if (top === 'packages') return { kind: 'package', name, folder: `packages/${name}` };
  if (top === 'apps') return { kind: 'app', name, folder: `apps/${name}` };
  return { kind: 'root', name: top, folder: top };
}

/** Every import ring once, named by its first file in the alphabet. Type imports count: a ring of ideas is a ring. */
function findCycles(scanned: ReadonlyMap<string, ScannedModule>): Violation[] {
  const found = new Map<string, Violation>();
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]): void => {
    const at = trail.indexOf(file);
    if (at >= 0) {
      const ring = trail.slice(at);
      const first = [...ring].sort()[0] ?? file;
      const key = [...ring].sort().join(' ');
      found.set(key, { rule: 'cycle', file: first, detail: [...ring, file].join(' -> ') });
      return;
    }
    if (done.has(file)) return;
    for (const { specifier } of scanned.get(file)?.imports ?? []) {
      if (!specifier.startsWith('.')) continue;
      const target = normalize(join(dirname(file), specifier));
      if (scanned.has(target)) visit(target, [...trail, file]);
    }
    done.add(file);
  };
  for (const file of scanned.keys()) visit(file, []);
  return [...found.values()];
}
