import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type AuditEvent, encodeEvent, leafHash } from '@deadlatch/audit-log';
import { spiffeId } from '@deadlatch/catalogue';
import { canonicalJson, signReceipt, toBase64url } from '@deadlatch/signing';
import fc from 'fast-check';
import { StartError } from '../../../apps/cli/src/arguments.ts';
import type { Confirmation } from '../../../apps/cli/src/audit/describe-event.ts';
import { verifyProofFile } from '../../../apps/cli/src/audit/proof-file.ts';
import type { AuditReport } from '../../../apps/cli/src/audit/verify-audit.ts';
import {
  type Beside,
  EXPORT_FILES,
  verifyExport,
  verifyTiles,
} from '../../../apps/cli/src/audit/verify-files.ts';
import { guardsAgainst } from '../../mistakes.ts';
import { verifies } from '../../requirements.ts';
import { type LivedInstallation, liveThrough, sizeOf } from './installation.fixture.ts';
import { rebuildLog } from './rebuilt-log.ts';
import { SUPERUSER_ATTACKS, type Target } from './superuser.ts';

// Longer than 400 lines because all attacks share one installation, which takes a minute to live through.

/** A line of `audit show --json`. */
interface ShownLine {
  readonly index: number | null;
  readonly event: AuditEvent;
  readonly confirmations: readonly Confirmation[];
}

const NOTHING: Beside = { otherCheckpoints: [], receipts: [] };

describe('tampering is found', { timeout: 900_000 }, () => {
  let lived: LivedInstallation;
  let target: Target;

  before(async () => {
    lived = await liveThrough();
    const size = lived.entries.length;
    const eventAt = (index: number) => JSON.parse(String(lived.entries[index])) as AuditEvent;
    target = {
      tenantId: lived.tenantId,
      ticketId: lived.ticketId,
      at: Math.floor(size / 3),
      later: Math.floor(size / 2),
      eventAt,
      size,
    };
  });
  after(async () => lived?.close());

  const clean = (report: AuditReport) => {
    assert.deepEqual(report.problems, []);
    assert.ok(report.checked.length >= 4);
  };
  const reasonsOf = (report: AuditReport) =>
    report.problems.map(({ kind, index, through, reason }) => `${kind} ${index}..${through} ${reason}`);
  const named = (report: AuditReport, pattern: RegExp) => {
    assert.ok(
      reasonsOf(report).some((line) => pattern.test(line)),
      reasonsOf(report).slice(0, 10).join('\n'),
    );
    assert.deepEqual(report.checked, []);
  };
  const witness = () => ({ name: `${lived.pinned.environment}.deadlatch/witness`, key: lived.keys.witness });
  const rebuilt = (entries: readonly Uint8Array[], isWitnessed = true) =>
    rebuildLog(entries, lived.pinned.log.origin, {
      log: lived.keys.log,
      ...(isWitnessed && { witness: witness() }),
    });
  /** The tiles of somebody's own history, verified by files alone. */
  const showing = async (entries: readonly Uint8Array[], isWitnessed = true, beside = NOTHING) => {
    const folder = await lived.folder();
    await rebuilt(entries, isWitnessed).store(folder);
    return verifyTiles(folder, lived.trust, beside);
  };
  const receiptFor = (eventId: string, event: Uint8Array, time: string) =>
    signReceipt(
      {
        iss: spiffeId(lived.pinned.environment, 'dispatch-api'),
        origin: lived.pinned.log.origin,
        event_id: eventId,
        leaf_hash: toBase64url(leafHash(event)),
        time,
      },
      lived.keys.grant,
    );

  it('not where there was none: database, tiles, export and proof verify, and say what was checked', async () => {
    verifies('F.4', 'F.7');
    clean(await lived.attack(async () => undefined));
    clean(verifyTiles(lived.state.log, lived.trust, { ...NOTHING, otherCheckpoints: [lived.older] }));
    clean(verifyExport(lived.exported, lived.trust, NOTHING));
    clean(verifyProofFile(lived.proof, lived.trust));
    for (const args of [
      ['--log', lived.state.log],
      ['--export', lived.exported],
      ['--proof', lived.proof],
    ]) {
      const { code, out } = await lived.cli('audit', 'verify', ...args, '--trust', lived.trustFile);
      assert.equal(code, 0, out);
      assert.match(out, /cosigned by[\s\S]*backed by a signature[\s\S]*all well/);
    }
  });

  it('and "why was this refused?" is answered in one command, by the name that the caller was given', () => {
    verifies('F.6', 'A.5');
    const { refusal, why, whyInWords } = lived.asked;
    assert.equal(why.code, 0, why.err);
    const answer = JSON.parse(why.out) as Record<string, unknown>;
    assert.deepEqual(
      [answer.request_id, answer.code, answer.dimension, answer.command],
      [refusal.request_id, refusal.code, refusal.dimension, 'tech.start'],
    );
    assert.match(whyInWords.out, /tech\.start was refused[\s\S]*wanted[\s\S]*policies[\s\S]*needed/);
    if (refusal.code === 'invalid_state') assert.match(whyInWords.out, /facts +.*from_state CLOSED/);
  });

  it('and the chain of a ticket is shown from the message to the delivery, with log index and trace', () => {
    verifies('F.2', 'F.3');
    const { show, showInWords } = lived.asked;
    assert.equal(show.code, 0, show.err);
    const lines = show.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as ShownLine);
    for (const { index, event } of lines.filter((line) => line.index !== null)) {
      assert.equal(target.eventAt(index ?? -1).id, event.id);
    }
    const created = lines.find(({ event }) => event.command === 'ticket.create');
    assert.match(created?.event.trace_id ?? '', /^[0-9a-f]{32}$/);
    assert.deepEqual(
      created?.confirmations.map(({ state }) => state),
      ['DELIVERED'],
    );
    for (const stage of ['message', 'turn', 'tool call', 'command', 'vault', 'delivery'])
      assert.match(showInWords.out, new RegExp(`log index \\d+  ${stage}: `));
    assert.match(showInWords.out, /policies permit\.[\s\S]*mutation +ticket [\s\S]*said +M01 to contact/);
  });

  it('and each reading by the operator is an event that the operator signed, with what was asked for', () => {
    verifies('F.1');
    const every = lived.entries.map((_, index) => target.eventAt(index));
    const reads = every.filter(({ command }) => command === 'audit.read');
    assert.deepEqual(
      reads.map(({ details }) => details.kind),
      ['why', 'why', 'show', 'show', 'export', 'proof'],
    );
    const [operator] = lived.pinned.operators;
    for (const { origin, request } of reads)
      assert.deepEqual([origin, request.key_id], ['operator', operator?.keyid]);
    assert.equal(reads.at(-1)?.details.by_ticket, lived.ticketId);
    assert.equal(reads[0]?.details.by_event, lived.asked.refusal.request_id);
  });

  describe("by the database's superuser, who names", () => {
    for (const { name, deed, isNamed } of SUPERUSER_ATTACKS) {
      it(name, async () => {
        const report = await lived.attack((client) => deed(client, target));
        assert.ok(
          report.problems.some((problem) => isNamed(problem, target)),
          reasonsOf(report).slice(0, 10).join('\n'),
        );
      });
    }

    it('a restored backup', async () => {
      const report = await lived.attack(async () => undefined, { isBackup: true });
      const had = sizeOf(lived.older);
      named(report, new RegExp(`^database ${had}..${target.size - 1} the database is a restored backup`));
    });

    it('a command nobody signed, although it went the whole way into the log', async () => {
      const accepted = target.eventAt(target.at);
      const event = {
        ...accepted,
        id: randomUUID(),
        time: new Date().toISOString(),
        command: 'approval.decide',
        request: { ...accepted.request, signature: Buffer.alloc(64).toString('base64') },
      };
      const report = await showing([...lived.entries, Buffer.from(encodeEvent(event))]);
      named(report, new RegExp(`^trail ${target.size}\\.\\.${target.size} `));
    });
  });

  describe('by whoever holds the log key, who names', () => {
    const altered = (index: number) => {
      const event = target.eventAt(index);
      return Buffer.from(canonicalJson({ ...event, policy_ids: ['permit.everything'] }));
    };

    it('a rebuilt tree that no witness cosigned', async () => {
      named(await showing(lived.entries, false), /^checkpoint .*too_few_cosignatures/);
      const stranger = rebuildLog(lived.entries, lived.pinned.log.origin, {
        log: lived.keys.log,
        witness: { name: witness().name, key: lived.keys.stranger },
      });
      const folder = await lived.folder();
      await stranger.store(folder);
      named(verifyTiles(folder, lived.trust, NOTHING), /^checkpoint /);
    });

    it('a tree under another key', async () => {
      const folder = await lived.folder();
      const other = rebuildLog(lived.entries, lived.pinned.log.origin, {
        log: lived.keys.stranger,
        witness: witness(),
      });
      await other.store(folder);
      named(verifyTiles(folder, lived.trust, NOTHING), /^checkpoint .*note_not_signed_by_key/);
    });

    it("a rebuilt tree with the witness's key too, from an older checkpoint that somebody kept", async () => {
      const entries = lived.entries.with(target.at, altered(target.at));
      const beside = { ...NOTHING, otherCheckpoints: [lived.older] };
      named(await showing(entries, true, beside), new RegExp(`^rebuilt 0\\.\\.${sizeOf(lived.older) - 1} `));
    });

    it('the same, by index, from the receipt for the event that was altered, or from the database', async () => {
      const { at } = target;
      const { id, time } = target.eventAt(at);
      const entries = lived.entries.with(at, altered(at));
      const receipts = [receiptFor(id, lived.entries[at] ?? Buffer.alloc(0), time)];
      named(await showing(entries, true, { ...NOTHING, receipts }), new RegExp(`^altered ${at}\\.\\.${at} `));
      const log = await lived.folder();
      await rebuilt(entries).store(log);
      const report = await lived.attack(async () => undefined, { log });
      named(report, new RegExp(`^database ${at}\\.\\.${at} .*not the one that was logged`));
    });

    it('events that are left out, put in, exchanged or back-dated in a tree that is rebuilt throughout', async () => {
      const { at, later, size } = target;
      const entry = (index: number) => lived.entries[index] ?? Buffer.alloc(0);
      const log = async (entries: readonly Uint8Array[]) => {
        const folder = await lived.folder();
        await rebuilt(entries).store(folder);
        return lived.attack(async () => undefined, { log: folder });
      };
      const { id } = target.eventAt(at);
      const without = await log(lived.entries.toSpliced(at, 1));
      assert.ok(without.problems.some((p) => p.event_id === id && /is not in the log after/.test(p.reason)));
      const put = { ...target.eventAt(at), id: randomUUID() };
      const inserted = await log(lived.entries.toSpliced(at, 0, Buffer.from(canonicalJson(put))));
      named(inserted, new RegExp(`^(trail|database) ${at}\\.\\.${at} `));
      const exchanged = await log(lived.entries.with(at, entry(later)).with(later, entry(at)));
      named(
        exchanged,
        new RegExp(`^database ${at}\\.\\.${at} the database has it at ${later}|${later}.*has it at ${at}`),
      );
      const dated = { ...target.eventAt(later), time: '2020-01-01T00:00:00.000Z' };
      named(
        await showing(lived.entries.with(later, Buffer.from(canonicalJson(dated)))),
        new RegExp(`^back_dated ${later}\\.\\.${later} `),
      );
      named(
        await showing(lived.entries.slice(0, size - 2), true, {
          ...NOTHING,
          otherCheckpoints: [lived.checkpoint],
        }),
        new RegExp(`^truncated ${size - 2}\\.\\.${size - 1} `),
      );
    });

    it('two views', () => {
      const { at, size } = target;
      const other = rebuilt(lived.entries.with(at, altered(at))).checkpoint;
      const report = verifyTiles(lived.state.log, lived.trust, { ...NOTHING, otherCheckpoints: [other] });
      named(
        report,
        new RegExp(
          `^split_view ${size - 1}\\.\\.${size - 1} the log signed two different trees of size ${size}`,
        ),
      );
    });

    it('a receipt without an event', () => {
      const eventId = randomUUID();
      // Older than any log may leave an event waiting, and yet within the time of the key.
      const time = lived.pinned.grant_keys[0]?.from ?? '';
      const receipts = [receiptFor(eventId, Buffer.from('{}'), time)];
      named(
        verifyTiles(lived.state.log, lived.trust, { ...NOTHING, receipts }),
        new RegExp(`^omitted null..null event ${eventId} has a receipt and is not in the log`),
      );
      const genuine = [receiptFor(target.eventAt(3).id, lived.entries[3] ?? Buffer.alloc(0), time)];
      clean(verifyTiles(lived.state.log, lived.trust, { ...NOTHING, receipts: genuine }));
      named(
        verifyTiles(lived.state.log, lived.trust, { ...NOTHING, receipts: ['a.b.c'] }),
        /^receipt .*receipt 1 is none/,
      );
    });
  });

  describe('by whoever holds the files alone, who names', () => {
    /** What verification makes of files: a report, or one sentence about what is absent. */
    const outcome = (verify: () => AuditReport): string[] => {
      try {
        const report = verify();
        assert.equal(report.checked.length === 0, report.problems.length > 0);
        return reasonsOf(report);
      } catch (error) {
        if (error instanceof StartError) return [error.message];
        throw error;
      }
    };

    it('what is absent: trust, checkpoint, tiles, events, rows', async () => {
      const { cli, trustFile, state, exported } = lived;
      const empty = await lived.folder();
      for (const args of [
        ['--log', empty, '--trust', trustFile],
        ['--export', empty, '--trust', trustFile],
        ['--proof', join(empty, 'proof'), '--trust', trustFile],
        ['--log', state.log, '--trust', join(empty, 'trust.json')],
        ['--log', state.log, '--trust', join(state.keys, 'witness', 'witness.pem')],
        ['--log', state.log, '--trust', trustFile, '--older', join(empty, 'checkpoint')],
        ['--log', state.log, '--trust', trustFile, '--receipts', join(empty, 'receipts')],
      ]) {
        const { code, out, err } = await cli('audit', 'verify', ...args);
        assert.equal(code, 1, `${args.join(' ')}: ${out}${err}`);
        assert.match(out + err, /absent|cannot be read|is not one|ENOENT|no such/i);
      }
      assert.equal((await cli('audit', 'verify', '--export', exported)).code, 2, 'whom to trust is said');
      for (const name of Object.values(EXPORT_FILES)) {
        if (name === EXPORT_FILES.trust || name === EXPORT_FILES.receipts) continue;
        const copy = await lived.folder();
        cpSync(exported, copy, { recursive: true });
        rmSync(join(copy, name));
        assert.ok(outcome(() => verifyExport(copy, lived.trust, NOTHING)).length > 0, name);
      }
    });

    it('a row of authority or an object of an export that was changed, added or left out', async () => {
      const lines = readFileSync(join(lived.exported, 'objects.jsonl'), 'utf8').trimEnd().split('\n');
      const copy = await lived.folder();
      cpSync(lived.exported, copy, { recursive: true });
      const shown = (changed: readonly string[]) => {
        const content = [...changed, JSON.stringify({ end: changed.length })].join('\n');
        writeFileSync(join(copy, 'objects.jsonl'), `${content}\n`);
        return outcome(() => verifyExport(copy, lived.trust, NOTHING)).join('\n');
      };
      const rows = lines.slice(0, -1);
      assert.equal(shown(rows), '');
      const approver = rows.findIndex((line) => line.includes('"may_approve":true'));
      const raised = (rows[approver] ?? '').replace(
        /"approval_limit_cents":\d+/,
        '"approval_limit_cents":99',
      );
      assert.match(shown(rows.with(approver, raised)), /contact_memberships:\S+ is not as the last event/);
      assert.match(shown(rows.toSpliced(approver, 1)), /contact_memberships:\S+ is gone/);
      assert.match(shown([...rows, rows[approver] ?? '']), /is shown twice/);
      assert.match(shown(rows.slice(1)), /is gone/);
    });

    /** Which changes mean something: rows are a set, and the signatures of a note may stand in any order and twice. */
    const CHANGES = fc.oneof(
      fc.tuple(fc.constant('events' as const), fc.constantFrom(0, 1, 2, 3)),
      fc.tuple(fc.constant('objects' as const), fc.constantFrom(0, 1, 2)),
      fc.tuple(fc.constant('checkpoint' as const), fc.constantFrom(0, 1)),
    );

    it('any single change of one byte, one line or one place in an export', async () => {
      const copy = await lived.folder();
      cpSync(lived.exported, copy, { recursive: true });
      fc.assert(
        fc.property(CHANGES, fc.nat(), fc.nat(), ([name, how], where, other) => {
          const path = join(copy, EXPORT_FILES[name]);
          const genuine = readFileSync(path);
          const changed = mutated(genuine, where, other, how);
          if (changed === undefined) return;
          writeFileSync(path, changed);
          try {
            assert.notDeepEqual(
              outcome(() => verifyExport(copy, lived.trust, NOTHING)),
              [],
            );
          } finally {
            writeFileSync(path, genuine);
          }
        }),
        { numRuns: 40 },
      );
      const objects = join(copy, EXPORT_FILES.objects);
      const genuine = readFileSync(objects, 'utf8');
      writeFileSync(objects, `${genuine}${genuine.trimEnd().split('\n').at(-1)}\n`);
      assert.notDeepEqual(
        outcome(() => verifyExport(copy, lived.trust, NOTHING)),
        [],
        'the last line twice',
      );
      writeFileSync(objects, genuine);
      clean(verifyExport(copy, lived.trust, NOTHING));
    });

    it('an event that is shown with the proof of another', async () => {
      guardsAgainst(35);
      const path = join(await lived.folder(), 'proof.jsonl');
      const [head = '', ...lines] = readFileSync(lived.proof, 'utf8').trimEnd().split('\n');
      const [first, second] = lines.map((line) => JSON.parse(line) as { event: string });
      assert.ok(first && second && first.event !== second.event);
      // Both events are in the log and both proofs are genuine.
      const swapped = [
        { ...first, event: second.event },
        { ...second, event: first.event },
      ].map((line) => JSON.stringify(line));
      writeFileSync(path, `${[head, ...swapped, ...lines.slice(2)].join('\n')}\n`);
      const found = outcome(() => verifyProofFile(path, lived.trust)).join('\n');
      for (const line of [2, 3]) assert.match(found, new RegExp(`line ${line} proves nothing`));
    });

    it('any single change of one byte or one line in a proof', async () => {
      const path = join(await lived.folder(), 'proof.jsonl');
      const genuine = readFileSync(lived.proof);
      fc.assert(
        fc.property(fc.nat(), fc.nat(), fc.constantFrom(0, 2, 3), (where, other, how) => {
          // What is left out of a proof, no proof can say; and the filter in its first line is a label.
          const from = genuine.indexOf('\n') + 1;
          const body = mutated(genuine.subarray(from), where, other, how);
          if (body === undefined) return;
          writeFileSync(path, Buffer.concat([genuine.subarray(0, from), body]));
          assert.notDeepEqual(
            outcome(() => verifyProofFile(path, lived.trust)),
            [],
          );
        }),
        { numRuns: 40 },
      );
      const head = JSON.parse(genuine.subarray(0, genuine.indexOf('\n')).toString()) as {
        checkpoint: string;
      };
      const forged = {
        ...head,
        checkpoint: head.checkpoint.replace(/\n(\d+)\n/, (_, n) => `\n${Number(n) + 1}\n`),
      };
      writeFileSync(path, `${JSON.stringify(forged)}\n`);
      assert.match(outcome(() => verifyProofFile(path, lived.trust)).join(), /the checkpoint does not count/);
    });

    it('any single change of one byte in the tiles', async () => {
      const folder = await lived.copyOfLog();
      const tiles = ['tile/0/000', 'tile/entries/000'].map((path) => join(folder, path));
      fc.assert(
        fc.property(fc.constantFrom(...tiles), fc.nat(), (path, where) => {
          const genuine = readFileSync(path);
          const changed = mutated(genuine, where, 0, 0);
          if (changed === undefined) return;
          writeFileSync(path, changed);
          try {
            assert.notDeepEqual(
              outcome(() => verifyTiles(folder, lived.trust, NOTHING)),
              [],
            );
          } finally {
            writeFileSync(path, genuine);
          }
        }),
        { numRuns: 25 },
      );
      clean(verifyTiles(folder, lived.trust, NOTHING));
    });
  });
});

/** One change: a byte, a line that is gone, a line that stands twice, two lines exchanged. Undefined when it is none. */
function mutated(genuine: Buffer, where: number, other: number, how: number): Buffer | undefined {
  if (how === 0) {
    const changed = Buffer.from(genuine);
    const at = where % changed.byteLength;
    changed[at] = (changed[at] ?? 0) ^ (1 << (other % 8));
    return changed;
  }
  const lines = genuine.toString('latin1').trimEnd().split('\n');
  const [a, b] = [where % lines.length, other % lines.length];
  const [first = '', second = ''] = [lines[a], lines[b]];
  const changed =
    how === 1
      ? lines.toSpliced(a, 1)
      : how === 2
        ? lines.toSpliced(a, 0, first)
        : lines.with(a, second).with(b, first);
  const bytes = Buffer.from(`${changed.join('\n')}\n`, 'latin1');
  return bytes.equals(genuine) ? undefined : bytes;
}
