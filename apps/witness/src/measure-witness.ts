import type { Metrics } from '@deadlatch/telemetry';
import type { Cosigner } from './cosigner.ts';
import type { Ledger } from './ledger.ts';

/** Measures what the witness waits for and what it found missing, whenever somebody asks. */
export function measureWitness(
  parts: {
    readonly ledger: Ledger;
    readonly cosigner: Pick<Cosigner, 'head'>;
    readonly steady: () => number;
  },
  metrics: Metrics,
): void {
  const { ledger, cosigner, steady } = parts;
  const gauges = [
    'receipts_pending',
    'receipt_oldest_age_seconds',
    'witness_alarms',
    'witnessed_size',
  ] as const;
  metrics.beforeRead(gauges, async () => {
    const pending = ledger.pending();
    const now = steady();
    const oldest = pending.reduce((first, { since }) => Math.min(first, since), now);
    metrics.set('receipts_pending', {}, pending.length);
    metrics.set('receipt_oldest_age_seconds', {}, (now - oldest) / 1_000);
    metrics.set('witness_alarms', {}, ledger.alarms().length);
    metrics.set('witnessed_size', {}, cosigner.head().cosigned?.size ?? 0);
  });
}
