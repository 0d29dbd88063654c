import type { JsonValue } from '@deadlatch/kernel';
import { type FileKind, KINDS, type OnFile } from './kinds.ts';

/**
 * Everything on file, page by page.
 * @param read a read of dispatch-api, as the person who imports or exports
 */
export async function readDirectory(read: (path: string) => Promise<JsonValue>): Promise<OnFile> {
  const found = new Map<FileKind, JsonValue[]>();
  for (const kind of KINDS) {
    const rows: JsonValue[] = [];
    for (let next: string | null | undefined; next !== null; ) {
      const page: Page = (await read(pathOf(kind, next))) as unknown as Page;
      rows.push(...page.rows);
      next = page.next;
    }
    found.set(kind, rows);
  }
  return Object.fromEntries(found) as unknown as OnFile;
}

interface Page {
  readonly rows: readonly JsonValue[];
  readonly next: string | null;
}

function pathOf(kind: FileKind, after: string | undefined): string {
  return `/v1/directory?kind=${kind}${after === undefined ? '' : `&after=${after}`}`;
}
