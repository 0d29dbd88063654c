/** Width times height of the largest picture that is taken as evidence: more than any telephone's. */
export const MAX_EVIDENCE_PIXELS = 60_000_000;

/** Announced and not finished, of one ticket at a time. */
export const MAX_OPEN_UPLOADS = 30;

/** Why bytes that are exactly what was announced are no evidence. Public: the sender can do something about it. */
export const UNUSABLE_REASONS = [
  /** another type than was announced, or no picture at all */
  'type_differs',
  /** the end is missing */
  'not_whole',
  /** more than one picture in time */
  'animated',
  'too_many_pixels',
  /** something else stands behind the picture */
  'trailing_data',
  'undecodable',
  /** more bytes than are taken, once it is drawn anew */
  'too_large',
  /** it took longer to decode than any photo does */
  'too_slow',
  /** it ended the program that decoded it */
  'decoder_failed',
] as const;
export type UnusableReason = (typeof UNUSABLE_REASONS)[number];
