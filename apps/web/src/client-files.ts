import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative } from 'node:path';

export interface ClientFile {
  readonly bytes: Buffer;
  readonly contentType: string;
}

/** The built console, in memory: a path that is not in this map does not exist, so no path can climb out. */
export interface ClientFiles {
  /** The page with `__STYLE_NONCE__` where each answer's nonce goes; `null` when nothing was built. */
  readonly page: string | null;
  /** By absolute path, e.g. `/assets/index-….js`. */
  readonly files: ReadonlyMap<string, ClientFile>;
}

const TYPES: ReadonlyMap<string, string> = new Map([
  ['.js', 'text/javascript; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.svg', 'image/svg+xml'],
]);

/** Reads the output of the client's build. A missing folder is no error: the pages without scripts still work. */
export function readClientFiles(directory: string): ClientFiles {
  let names: string[];
  try {
    names = readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(directory, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
  } catch {
    return { page: null, files: new Map() };
  }
  const files = names.flatMap((name): [string, ClientFile][] => {
    const contentType = TYPES.get(extname(name));
    return contentType ? [[`/${name}`, { bytes: readFileSync(join(directory, name)), contentType }]] : [];
  });
  return {
    page: names.includes('index.html') ? readFileSync(join(directory, 'index.html'), 'utf8') : null,
    files: new Map(files),
  };
}
