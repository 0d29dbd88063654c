/** Why a message was not released; the agent sees the reason and typed facts, never the text. */
export const WITHHOLD_REASONS = [
  'empty',
  'oversize',
  'undecodable',
  'placeholder_like_input',
  'mostly_masked',
  'missing_dictionary',
  'exception',
  'timeout',
] as const;
export type WithholdReason = (typeof WITHHOLD_REASONS)[number];

/** Thrown inside the pipeline to end it; carries a reason and never any of the text. */
export class Withheld extends Error {
  readonly reason: WithholdReason;

  constructor(reason: WithholdReason) {
    super(reason);
    this.name = 'Withheld';
    this.reason = reason;
  }
}
