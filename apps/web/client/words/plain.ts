import { CHOICE_WORDS } from './commands.ts';

/** `photo.before.failed_lock` as `Before: failed lock`; a test or a choice by its words; else in plain words. */
export function choiceWords(key: string): string {
  const choice = key.replace(/^test\./, '');
  if (Object.hasOwn(CHOICE_WORDS, choice)) return CHOICE_WORDS[choice] ?? choice;
  const [, phase, ...rest] = key.startsWith('photo.') ? key.split('.') : [];
  return phase && rest.length > 0 ? `${plain(phase)}: ${plain(rest.join(' ')).toLowerCase()}` : plain(key);
}

/** `some_machine.word` as plain words; for sets that grow without us. */
export function plain(name: string): string {
  const words = name
    .replace(/^photo\./, '')
    .replace(/[._]+/g, ' ')
    .trim()
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The word for `value` in a table, or its plain form. */
export function wordFor(table: Readonly<Record<string, string>>, value: string | null | undefined): string {
  if (value == null) return '–';
  return Object.hasOwn(table, value) ? (table[value] as string) : plain(value);
}
