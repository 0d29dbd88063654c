import { type Clock, refuse } from '@deadlatch/kernel';

/** Counts what one turn spends. */
export interface TurnBudget {
  /**
   * Spends one. @param endsAt when the turn's grant ends, in milliseconds since the epoch
   * @throws DispatchError `rate_limited` when the turn has nothing left
   */
  spend(turnId: string, endsAt: number): void;
}

interface Spent {
  count: number;
  readonly endsAt: number;
}

/** Live turns counted at once. They last ten minutes, so this is some 1,000 messages a minute. */
const CAPACITY = 10_000;

/**
 * A bound on what one turn may do, however often it is played again. It lives in memory: a restart gives a turn
 * its budget back, and the turn still ends with its grant.
 * @invariant a turn is forgotten only when its grant has ended; when there is no room, the answer is no
 * @source T1.8
 */
export function createTurnBudget(options: {
  readonly limit: number;
  readonly now: Clock;
  readonly capacity?: number;
}): TurnBudget {
  const { limit, now, capacity = CAPACITY } = options;
  const turns = new Map<string, Spent>();
  const makeRoom = () => {
    if (turns.size < capacity) return;
    const at = now();
    for (const [id, turn] of turns) if (turn.endsAt <= at) turns.delete(id);
    if (turns.size >= capacity) refuse('rate_limited', { detail: 'too many turns at once' });
  };
  return {
    spend(turnId, endsAt) {
      const known = turns.get(turnId);
      if (!known) makeRoom();
      const turn = known ?? { count: 0, endsAt };
      if (turn.count >= limit) refuse('rate_limited', { detail: 'the turn has spent its budget' });
      turn.count += 1;
      turns.set(turnId, turn);
    },
  };
}
