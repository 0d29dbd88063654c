import { parseSync, Visitor } from 'oxc-parser';

export interface Import {
  readonly specifier: string;
  /** Nothing of it is left when types are stripped. */
  readonly typeOnly: boolean;
  /** `export … from`. */
  readonly reExport: boolean;
}

/** What a module says about its surroundings. */
export interface ScannedModule {
  readonly imports: readonly Import[];
  readonly hasDefaultExport: boolean;
  readonly readsProcessEnv: boolean;
  /** A dynamic import whose target is not a literal: no checker can follow it. */
  readonly hasComputedImport: boolean;
}

/**
 * Reads imports and exports from the syntax tree, so that comments and strings that look like imports count
 * for nothing. @throws Error when the file does not parse
 */
export function scanModule(path: string, source: string): ScannedModule {
  const parsed = parseSync(path, source);
  const problem = parsed.errors[0];
  if (problem) throw new Error(`${path}: ${problem.message}`);
  const { staticImports, staticExports, dynamicImports } = parsed.module;
  const imports: Import[] = staticImports.map((statement) => ({
    specifier: statement.moduleRequest.value,
    typeOnly: statement.entries.length > 0 && statement.entries.every((entry) => entry.isType),
    reExport: false,
  }));
  for (const statement of staticExports) {
    const from = statement.entries.find((entry) => entry.moduleRequest)?.moduleRequest;
    if (!from) continue;
    const typeOnly = statement.entries.every((entry) => entry.isType);
    imports.push({ specifier: from.value, typeOnly, reExport: true });
  }
  let hasComputedImport = false;
  for (const { moduleRequest } of dynamicImports) {
    const specifier = literalOf(source.slice(moduleRequest.start, moduleRequest.end));
    if (specifier === null) hasComputedImport = true;
    else imports.push({ specifier, typeOnly: false, reExport: false });
  }
  let readsProcessEnv = imports.some((i) => i.specifier === 'node:process' || i.specifier === 'process');
  new Visitor({
    MemberExpression(node) {
      const object = node.object;
      const property = node.property;
      const onProcess =
        (object.type === 'Identifier' && object.name === 'process') ||
        (object.type === 'MemberExpression' && propertyName(object.property) === 'process');
      if (onProcess && propertyName(property) === 'env') readsProcessEnv = true;
    },
    TSImportType(node) {
      if (node.source.type === 'Literal' && typeof node.source.value === 'string') {
        imports.push({ specifier: node.source.value, typeOnly: true, reExport: false });
      }
    },
  }).visit(parsed.program);
  return {
    imports,
    hasDefaultExport: staticExports.some((s) => s.entries.some(({ exportName }) => isDefault(exportName))),
    readsProcessEnv,
    hasComputedImport,
  };
}

function literalOf(text: string): string | null {
  return /^(['"`])([^'"`$\\]*)\1$/.exec(text.trim())?.[2] ?? null;
}

function propertyName(node: {
  readonly type: string;
  readonly name?: unknown;
  readonly value?: unknown;
}): string {
  return String(node.type === 'Literal' ? node.value : node.name);
}

/** `export default x` and `export { x as default }`. */
function isDefault(exported: { readonly kind: string; readonly name: string | null }): boolean {
  return exported.kind === 'Default' || exported.name === 'default';
}
