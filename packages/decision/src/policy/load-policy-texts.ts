import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { PolicyText } from './engine.ts';

/**
 * Reads the reviewed policies that ship with this release. There is no other source and no run-time publishing.
 * Called by `compose.ts` at start; nothing is read when this file is imported.
 */
export function loadPolicyTexts(): readonly PolicyText[] {
  const folder = fileURLToPath(new URL('../../policies/', import.meta.url));
  return readdirSync(folder)
    .filter((name) => name.endsWith('.cedar') || name.endsWith('.cedarschema'))
    .sort()
    .map((name) => ({ name, text: readFileSync(`${folder}${name}`, 'utf8') }));
}
