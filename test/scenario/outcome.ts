/** What the play came to; the shape that outside checks read. */
export interface Outcome {
  readonly steps: { name: string; ok: boolean; ms: number }[];
  readonly attacks: { name: string; refused: boolean }[];
  /** One line for each step and attack, as it happens. */
  readonly say: (line: string) => void;
}

export function newOutcome(say: (line: string) => void): Outcome {
  return { steps: [], attacks: [], say };
}

/** One step of the play. @throws whatever stops the play, after it was noted */
export async function step<T>(outcome: Outcome, name: string, run: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const ms = () => Math.round(performance.now() - started);
  try {
    const result = await run();
    outcome.steps.push({ name, ok: true, ms: ms() });
    outcome.say(`  ok       ${name} (${ms()} ms)`);
    return result;
  } catch (error) {
    outcome.steps.push({ name, ok: false, ms: ms() });
    outcome.say(`  FAILED   ${name}`);
    throw error;
  }
}

/**
 * One attack. `run` answers whether the system refused it and nothing changed; an error counts as not refused,
 * because nobody knows what happened.
 */
export async function attack(outcome: Outcome, name: string, run: () => Promise<boolean>): Promise<void> {
  const refused = await run().catch((error: unknown) => {
    outcome.say(`           ${error instanceof Error ? error.message : String(error)}`);
    return false;
  });
  outcome.attacks.push({ name, refused });
  outcome.say(`  ${refused ? 'refused ' : 'SUCCEEDED'} ${name}`);
}

export function isClean(outcome: Outcome): boolean {
  return (
    outcome.steps.every((s) => s.ok) && outcome.attacks.length > 0 && outcome.attacks.every((a) => a.refused)
  );
}
