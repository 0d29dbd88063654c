import type { EvidencePhase, EvidenceRule, QuestionId, QuestionRule, TestRule } from './shape.ts';

/** A question without which intake is not complete. */
export const must = (question: QuestionId): QuestionRule => ({
  question,
  required: true,
  safety: false,
  unlessNo: [],
});

/** As `must`, about a danger. */
export const danger = (question: QuestionId, unlessNo: readonly QuestionId[] = []): QuestionRule => ({
  question,
  required: true,
  safety: true,
  unlessNo,
});

const photo = (key: string, phase: EvidencePhase): EvidenceRule => ({
  key: `photo.${phase}.${key}`,
  kind: 'photo',
  phase,
  minimum: 1,
  requiredWhen: 'always',
  visibleWhen: 'always',
  waivableBy: 'supervisor',
  shownToCustomer: true,
});

export const before = (key: string) => photo(key, 'before');
export const after = (key: string) => photo(key, 'after');
/** What a change request is asked with; needed by nobody who asks for none. */
export const change = (key: string): EvidenceRule => ({ ...photo(key, 'change'), requiredWhen: 'never' });

/** What shows that the site was left safe: nobody may decide to go without. */
export const safely = (rule: EvidenceRule): EvidenceRule => ({ ...rule, waivableBy: null });

/** A count of tries that must all succeed. */
export const times = (key: string, count: number): TestRule => ({
  key,
  unit: 'count',
  pass: { min: count, max: count },
  mustPassWhen: 'always',
});

export const measure = (key: string, unit: 'mm' | 's' | 'N', min: number, max: number): TestRule => ({
  key,
  unit,
  pass: { min, max },
  mustPassWhen: 'always',
});

/** Passed or failed, with nothing to measure. */
export const passes = (key: string): TestRule => ({
  key,
  unit: 'none',
  pass: null,
  mustPassWhen: 'always',
});
