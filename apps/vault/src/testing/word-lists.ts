import { readFileSync } from 'node:fs';
import { readVocabulary, type Vocabulary } from '../masking/vocabulary.ts';

const FOLDER = new URL('../../vocabulary/', import.meta.url);

/** The word lists that ship, as text: tests run against what is released, not against a small copy. */
export function shippedWordLists(): { readonly words: string; readonly makers: string } {
  const read = (name: string) => readFileSync(new URL(name, FOLDER), 'utf8');
  return { words: read('words.txt'), makers: read('makers.txt') };
}

export function shippedVocabulary(): Vocabulary {
  const { words, makers } = shippedWordLists();
  return readVocabulary(words, makers);
}
