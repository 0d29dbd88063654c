import { mkdtempSync, rmSync } from 'node:fs';
import { startEmbeddedPostgres, ensureDatabase, migrate, urlForRole, createPool, createCommandPath } from './src/index.ts';
import { seedTenant } from '../../test/support/seed.ts';
import { newTicket, next, ticketStep, newId, commitOf } from '../../test/support/commits.ts';
import { authorityVersion } from '../../test/support/canonical-commits.ts';
const dir = mkdtempSync('/tmp/dlbench-');
const s = await startEmbeddedPostgres({ directory: dir, port: 45439 });
try {
  const url = await ensureDatabase(s.adminUrl, 'b');
  await migrate({ adminUrl: url, passwords: { dispatch: 'x' } });
  const t = await seedTenant(url);
  const pool = createPool({ url: urlForRole(url, 'dispatch', 'x'), applicationName: 'b', maxConnections: 16 });
  const path = createCommandPath(pool);
  const av = await authorityVersion(path, t);
  const run = async (clients: number, ms: number, kind: string) => {
    let n = 0; const lat: number[] = []; const until = Date.now() + ms;
    const client = async () => {
      let ticket = newTicket(t); await path.commitDecision(ticketStep(t, 'ticket.create', null, ticket));
      const tr = next(ticket, { state: 'TRIAGED', priority: 'EMERGENCY', base_nte_cents: 75000, nte_cents: 75000 });
      await path.commitDecision(ticketStep(t, 'ticket.triage', ticket, tr)); ticket = tr;
      while (Date.now() < until) {
        const b = performance.now();
        if (kind === 'update') {
          const n1 = next(ticket);
          await path.commitDecision(ticketStep(t, 'ticket.retriage', ticket, n1, {
            idempotency: { service: 'web', subject: `staff:${t.staff.dana}`, command: 'ticket.retriage', path: `/v1/tickets/${ticket.id}/ticket.retriage`, key: newId(), fingerprint: 'f'.repeat(43), answer: { ticket: ticket.id, state: 'TRIAGED', version: n1.version } },
            authority: { account_id: t.accountId, version: av } }));
          ticket = n1;
        } else if (kind === 'create') {
          await path.commitDecision(ticketStep(t, 'ticket.create', null, newTicket(t), { authority: { account_id: t.accountId, version: av } }));
        } else if (kind === 'event') {
          await path.commitDecision(commitOf(t, 'x'));
        } else {
          await path.readFacts({ tenant_id: t.tenantId, command: 'x', target: 'ticket', target_id: ticket.id, needs: ['visit','approvals'], subject: { kind: 'staff', id: t.staff.dana }, service: 'web', turn_id: null, conversation_id: null, idempotency: { service: 'web', subject: 'x', command: 'x', path: 'x', key: newId() }, refs: {} });
        }
        lat.push(performance.now() - b); n++;
      }
    };
    const st = Date.now(); await Promise.all(Array.from({ length: clients }, client)); const el = (Date.now() - st) / 1000;
    lat.sort((a, b) => a - b);
    console.log(kind, clients, Math.round(n / el) + '/s', 'p50', lat[n >> 1].toFixed(2), 'p99', lat[Math.floor(n * 0.99)].toFixed(2));
  };
  for (const k of ['event', 'update', 'create', 'read']) { await run(16, 4000, k); }
  await run(1, 2000, 'update'); await run(1, 2000, 'read');
  await pool.end();
} finally { await s.stop(); rmSync(dir, { recursive: true }); }
