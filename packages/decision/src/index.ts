export type { ApprovalAction } from './approval-request.ts';
export * from './caller.ts';
export * from './changes.ts';
export { decide, whyNot } from './decide.ts';
export * from './directory-rows.ts';
export { isWaived } from './evidence-list.ts';
export * from './facts.ts';
export { agreedOption, choiceOfTurn, openOptions, recommendations } from './options.ts';
export * from './policy/engine.ts';
export { loadPolicyTexts } from './policy/load-policy-texts.ts';
export {
  inForceAt,
  type PublicationFacts,
  type PublicationRow,
  scheduledAfter,
} from './publications.ts';
export * from './render-text.ts';
export * from './rows.ts';
export * from './schedule-facts.ts';
export { openAnswers } from './tapped-link.ts';
export { PHRASE_TEXTS, TEMPLATE_TEXTS, type TemplateText, type TextPattern } from './texts.ts';
export type { DecisionTools } from './tools.ts';
export { factsAfter, toolsAllowed } from './tools-allowed.ts';
export { windowSlot, windowWords } from './window-words.ts';
