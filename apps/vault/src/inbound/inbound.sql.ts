import { sql, type Tx } from '@deadlatch/postgres';

/** What POST /v1/inbound answers; stored, so that the same carrier id again gets the same. */
export interface InboundAnswer {
  readonly text_id: string;
  readonly contact_id: string | null;
  readonly sender_hash: string;
  readonly doubts: readonly string[];
  readonly mask_state: 'RELEASED' | 'WITHHELD';
  readonly masked_text: string | null;
}

/** @returns false when the carrier's id has an answer already; waits for one that is being written */
export async function insertInbound(
  tx: Tx,
  tenantId: string,
  providerId: string,
  answer: InboundAnswer,
): Promise<boolean> {
  const inserted = await tx.run(sql`
    insert into vault.inbound (tenant_id, provider_id, answer)
    values (${tenantId}, ${providerId}, ${JSON.stringify(answer)}::jsonb)
    on conflict (tenant_id, provider_id) do nothing`);
  return inserted === 1;
}

export async function readInbound(
  tx: Tx,
  tenantId: string,
  providerId: string,
): Promise<InboundAnswer | null> {
  const row = await tx.one<{ answer: InboundAnswer }>(sql`
    select answer from vault.inbound where tenant_id = ${tenantId} and provider_id = ${providerId}`);
  return row?.answer ?? null;
}
