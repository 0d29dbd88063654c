import { Alert, Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useRef, useState } from 'react';
import { Problem } from './api.ts';
import { autonomyQuery, useSendCommand } from './queries.ts';
import { ProblemNote } from './ticket/problem-note.tsx';
import { T } from './words/pages.ts';

const MAY_STOP: readonly string[] = ['dispatcher', 'supervisor'];
const MAY_START: readonly string[] = ['supervisor'];

/** Whether agents act here, with the switch: for everything, or for one ticket. Stopping never waits for a form. */
export function AgentSwitch(props: {
  readonly roles: readonly string[];
  readonly ticketId?: string;
}): ReactNode {
  const { roles, ticketId } = props;
  const mayStop = roles.some((role) => MAY_STOP.includes(role));
  const autonomy = useQuery({ ...autonomyQuery, enabled: mayStop });
  const sendCommand = useSendCommand();
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const attempt = useRef<{ command: string; idempotencyKey: string } | null>(null);
  if (!mayStop || !autonomy.data) return null;

  const pauses = autonomy.data.pauses ?? [];
  const allStopped = pauses.some((pause) => pause.scope === 'tenant');
  const stopped = ticketId === undefined ? allStopped : pauses.some((pause) => pause.scope_id === ticketId);
  const mayStart = roles.some((role) => MAY_START.includes(role));
  const command = stopped ? 'autonomy.resume' : 'autonomy.pause';

  async function press(): Promise<void> {
    setBusy(true);
    setProblem(null);
    if (attempt.current?.command !== command) {
      attempt.current = { command, idempotencyKey: crypto.randomUUID() };
    }
    try {
      const input = ticketId === undefined ? { scope: 'tenant' } : { scope: 'ticket', scope_id: ticketId };
      await sendCommand({ ...attempt.current, targetId: null, input });
      attempt.current = null;
    } catch (error) {
      const found = error instanceof Problem ? error : new Problem({});
      if (found.code !== 'unavailable') attempt.current = null;
      setProblem(found);
    } finally {
      setBusy(false);
    }
  }

  return (
    <div className="agents">
      <span role="status" className={stopped || allStopped ? 'note' : 'faint'}>
        {allStopped ? T.agentsStopped : stopped ? T.agentStopped : T.agentsRun}
        {stopped && !mayStart ? `. ${T.onlySupervisor}` : null}
      </span>
      {stopped && !mayStart ? null : (
        <Button
          size="sm"
          color={stopped ? 'brass' : 'red.9'}
          variant={ticketId === undefined ? 'filled' : 'outline'}
          loading={busy}
          onClick={() => void press()}
        >
          {labelOf(stopped, ticketId !== undefined)}
        </Button>
      )}
      {problem ? (
        <Alert color="red" role="alert" title={T.problemTitle}>
          <ProblemNote problem={problem} />
        </Alert>
      ) : null}
    </div>
  );
}

function labelOf(stopped: boolean, isTicket: boolean): string {
  if (stopped) return isTicket ? T.startAgent : T.startAgents;
  return isTicket ? T.stopAgent : T.stopAgents;
}
