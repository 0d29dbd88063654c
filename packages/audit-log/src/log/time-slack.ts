/**
 * How far the time of an event of ours may lie behind that of an event logged before it, milliseconds.
 *
 * An event states the time at which its facts were read, and is put in order once it has committed. In between a
 * command may use up the life of its request's signature (60 s, compared again at the commit); then its transaction may
 * hang until the database ends it (30 s idle, 5 s for a statement); and clocks of two machines may differ by 5 s. Twenty
 * seconds are left for the batch and the witness. More would let a back-dated event pass unnamed.
 */
export const EVENT_TIME_SLACK_MS = 120_000;
