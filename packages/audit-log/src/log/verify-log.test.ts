import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { generateSigningKeyPem, loadSigningKey } from '@deadlatch/signing';
import { formatExportLine, parseExportLine } from './export-line.ts';
import { leafHash } from './hashing.ts';
import { encodeBundle } from './tile-contents.ts';
import {
  checkpointOf,
  eventOf,
  eventsOf,
  idOf,
  linesOf,
  logOf,
  START_MS,
  TRUST,
} from './verify-log.fixture.ts';
import { type LogEvidence, type LogReport, type LogTrust, verifyLog } from './verify-log.ts';

const SIZE = 600;
const EVENTS = eventsOf(SIZE);
const CHECKPOINT = checkpointOf(EVENTS);
const OLDER = [10, 256, 500].map((size) => checkpointOf(EVENTS.slice(0, size), 0));

type Changes = Partial<Omit<LogEvidence, 'source'>> & { readonly trust?: Partial<LogTrust> };
function verify(source: LogEvidence['source'], { trust = {}, ...changes }: Changes): LogReport {
  const evidence = { checkpoint: CHECKPOINT, otherCheckpoints: [], receipts: [], ...changes, source };
  return verifyLog(evidence, { ...TRUST, ...trust });
}
const verifyLines = (lines: Iterable<Uint8Array>, changes: Changes = {}) =>
  verify({ kind: 'export', lines }, changes);
const verifyFiles = (files: ReadonlyMap<string, Uint8Array>, changes: Changes = {}) =>
  verify({ kind: 'tiles', read: (path) => files.get(path) }, changes);

/** Kind and place of what was found. */
const found = ({ problems, checked }: LogReport) => {
  assert.equal(
    checked.length === 0,
    problems.length > 0,
    'it says what it checked when all is well, and only then',
  );
  return problems.map(({ kind, index, through }) =>
    [kind, index, ...(index === through ? [] : [through])].join(' ').trim(),
  );
};
const filesOf = (events: readonly Uint8Array[]) => logOf(events).files;
/** The stored log with one bundle holding other events. */
function withBundle(index: number, change: (entries: Uint8Array[]) => Uint8Array[]): Map<string, Uint8Array> {
  const files = new Map(filesOf(EVENTS));
  const path = index === 2 ? 'tile/entries/002.p/88' : `tile/entries/00${index}`;
  files.set(path, encodeBundle(change(EVENTS.slice(index * 256, (index + 1) * 256))));
  return files;
}
const swap = <T>(list: readonly T[], at: number): T[] => {
  const [a, b] = [list[at], list[at + 1]];
  return a !== undefined && b !== undefined ? list.with(at, b).with(at + 1, a) : [];
};

describe('a whole log', () => {
  it('verifies from an export and from tiles, with older checkpoints and receipts, and says what was checked', () => {
    const receipts = [0, 300, 599].map((n) => ({
      eventId: idOf(n),
      leafHash: leafHash(eventOf(n)),
      timeMs: START_MS,
    }));
    for (const report of [
      verifyLines(linesOf(EVENTS), { otherCheckpoints: OLDER, receipts }),
      verifyFiles(filesOf(EVENTS), { otherCheckpoints: [...OLDER, CHECKPOINT], receipts }),
    ]) {
      assert.deepEqual(found(report), []);
      assert.deepEqual([report.size, report.events, report.cosignatures.length], [SIZE, SIZE, 2]);
      assert.equal(report.checked.length, 7);
      assert.match(report.checked.join('\n'), /600 events[\s\S]*2 of 2[\s\S]*10, 256, 500[\s\S]*3 receipts/);
    }
  });

  it('verifies at the borders of tiles, and without any event', () => {
    for (const size of [0, 1, 2, 255, 256, 257, 512]) {
      const events = EVENTS.slice(0, size);
      const checkpoint = checkpointOf(events);
      assert.deepEqual(found(verifyLines(linesOf(events), { checkpoint })), []);
      assert.deepEqual(found(verifyFiles(filesOf(events), { checkpoint })), []);
    }
  });

  it('verifies from tiles that have grown since its checkpoint', () => {
    const checkpoint = checkpointOf(EVENTS.slice(0, 300));
    const log = logOf(EVENTS.slice(0, 300));
    log.append(EVENTS.slice(300));
    for (const path of ['tile/0/001.p/44', 'tile/entries/001.p/44']) assert.ok(log.files.delete(path));
    assert.deepEqual(found(verifyFiles(log.files, { checkpoint })), []);
  });
});

describe('what is absent', () => {
  it('fails: cosignatures, the signature, the checkpoint, events, another key, another log', () => {
    const lines = linesOf(EVENTS);
    const other = loadSigningKey(generateSigningKeyPem());
    for (const checkpoint of [
      Buffer.from(''),
      checkpointOf(EVENTS, 0),
      checkpointOf(EVENTS, 1),
      checkpointOf(EVENTS, 2, other),
    ]) {
      assert.deepEqual(found(verifyLines(lines, { checkpoint })), ['checkpoint']);
      assert.deepEqual(found(verifyFiles(filesOf(EVENTS), { checkpoint })), ['checkpoint']);
    }
    assert.deepEqual(found(verifyLines([])), ['truncated 0 599']);
    assert.ok(found(verifyFiles(new Map())).length > 0);
    assert.deepEqual(found(verifyLines(lines, { otherCheckpoints: [Buffer.from('')] })), ['checkpoint']);
    assert.deepEqual(
      found(verifyLines(lines, { otherCheckpoints: [checkpointOf(EVENTS.slice(0, 5), 0, other)] })),
      ['checkpoint'],
    );
  });

  it('fails: any stored tile or bundle', () => {
    const files = filesOf(EVENTS);
    for (const path of files.keys()) {
      const without = new Map(files);
      without.delete(path);
      assert.ok(found(verifyFiles(without)).length > 0, path);
      for (const at of [0, 40]) {
        const spoiled = Uint8Array.from(files.get(path) ?? []);
        spoiled[at] = (spoiled[at] ?? 0) ^ 1;
        assert.ok(found(verifyFiles(new Map(files).set(path, spoiled))).length > 0, path);
      }
    }
  });

  it('fails: a slack that is none', () => {
    for (const slackMs of [Number.NaN, -1]) {
      assert.throws(() => verifyLines(linesOf(EVENTS), { trust: { slackMs } }), DispatchError);
    }
  });

  it('fails: the event of a receipt, or another one in its place', () => {
    const lines = linesOf(EVENTS);
    const eventId = idOf(SIZE);
    assert.deepEqual(
      found(
        verifyLines(lines, { receipts: [{ eventId, leafHash: leafHash(eventOf(SIZE)), timeMs: START_MS }] }),
      ),
      ['omitted'],
    );
    const receipt = {
      eventId: idOf(7),
      leafHash: leafHash(eventOf(7, { command: 'ticket.close' })),
      timeMs: START_MS,
    };
    assert.deepEqual(found(verifyLines(lines, { receipts: [receipt] })), ['altered 7']);
  });

  it('does not ask yet for the event of a receipt that was a minute old at most when the log was cosigned', () => {
    const lines = linesOf(EVENTS);
    const seenMs = (verifyLines(lines).cosignatures[0]?.timeS ?? 0) * 1000;
    const at = (timeMs: number) =>
      verifyLines(lines, { receipts: [{ eventId: idOf(SIZE), leafHash: leafHash(eventOf(SIZE)), timeMs }] });
    const young = at(seenMs - 59_999);
    assert.deepEqual([found(young), young.awaited], [[], 1]);
    const due = at(seenMs - 60_000);
    assert.deepEqual([found(due), due.awaited], [['omitted'], 0]);
    assert.deepEqual(found(at(Number.NaN)), ['omitted']);
  });

  it('hands out every event shown, as the bytes that were hashed', () => {
    const seen: Uint8Array[] = [];
    verifyLines(linesOf(EVENTS), {
      onEvent: (event, at) => {
        seen[at] = Buffer.from(event);
      },
    });
    assert.deepEqual(
      seen.map((event) => Buffer.from(event).toString()),
      EVENTS.map((event) => Buffer.from(event).toString()),
    );
  });
});

describe('an altered event is named', () => {
  const altered = eventOf(300, { command: 'ticket.close' });
  const line = (n: number, event: Uint8Array, hash = leafHash(event)) =>
    formatExportLine({ index: n, leafHash: hash, event });

  it('by the hash that stands beside it', () => {
    const lines = linesOf(EVENTS).with(300, line(300, altered, leafHash(eventOf(300))));
    assert.deepEqual(found(verifyLines(lines)), ['altered 300']);
    assert.deepEqual(found(verifyFiles(withBundle(1, (entries) => entries.with(44, altered)))), [
      'altered 300',
    ]);
  });

  it('and so is a hash beside an event that was left alone', () => {
    const lines = linesOf(EVENTS).with(300, line(300, eventOf(300), leafHash(altered)));
    assert.deepEqual(found(verifyLines(lines)), ['forged_hash 300']);
  });

  it('by a range, when its hash was changed too: from older checkpoints, tiles, or by its receipt', () => {
    const lines = linesOf(EVENTS).with(300, line(300, altered));
    assert.deepEqual(found(verifyLines(lines)), ['rebuilt 0 599']);
    assert.deepEqual(found(verifyLines(lines, { otherCheckpoints: OLDER })), ['rebuilt 256 499']);
    const receipts = [{ eventId: idOf(300), leafHash: leafHash(eventOf(300)), timeMs: START_MS }];
    assert.ok(found(verifyLines(lines, { receipts })).includes('altered 300'));
    const files = withBundle(1, (entries) => entries.with(44, altered));
    const tile = Buffer.from(files.get('tile/0/001') ?? []);
    tile.set(leafHash(altered), 44 * 32);
    assert.deepEqual(found(verifyFiles(files.set('tile/0/001', tile))), ['tile 256 511']);
  });

  it('when it is not canonical, not an event, or not JSON', () => {
    for (const text of [
      eventOf(300).toString().replace('{', '{ '),
      '{"v":1}',
      '[]',
      'no',
      '{"a":1,"a":1}',
      eventOf(300, { v: 2 }).toString(),
      eventOf(300, { time: '2026-02-30T00:00:00.000Z' }).toString(),
      eventOf(300, { id: 'x' }).toString(),
    ]) {
      const event = Buffer.from(text);
      const lines = linesOf(EVENTS).with(300, line(300, event));
      const events = EVENTS.with(300, event);
      // Also when it was logged just so.
      assert.deepEqual(
        found(verifyLines(lines, { checkpoint: checkpointOf(events) })),
        ['malformed 300'],
        text,
      );
      assert.ok(found(verifyLines(lines)).includes('malformed 300'), text);
    }
    assert.ok(found(verifyLines(linesOf(EVENTS).with(300, Buffer.from('{}')))).includes('malformed 300'));
  });
});

describe('a removed event is named', () => {
  it('by its missing index, alone, in a row, at both ends', () => {
    const lines = linesOf(EVENTS);
    const without = (from: number, to: number) => lines.filter((_, i) => i < from || i >= to);
    assert.ok(found(verifyLines(without(300, 301))).includes('removed 300'));
    assert.ok(found(verifyLines(without(300, 310))).includes('removed 300 309'));
    assert.ok(found(verifyLines(without(0, 1))).includes('removed 0'));
    assert.deepEqual(found(verifyLines(without(599, 600))), ['truncated 599']);
  });

  it('in a bundle, by the hashes that remain', () => {
    assert.deepEqual(found(verifyFiles(withBundle(1, (entries) => entries.toSpliced(44, 1)))), [
      'removed 300',
    ]);
    assert.deepEqual(found(verifyFiles(withBundle(0, (entries) => entries.slice(1)))), ['removed 0']);
    assert.deepEqual(found(verifyFiles(withBundle(2, (entries) => entries.slice(0, -1)))), ['truncated 599']);
  });

  it('by a range, when everything after it was renumbered', () => {
    const lines = linesOf(EVENTS.toSpliced(300, 1));
    assert.deepEqual(found(verifyLines(lines, { otherCheckpoints: OLDER })), [
      'rebuilt 256 499',
      'truncated 599',
    ]);
  });
});

describe('an inserted event is named', () => {
  const extra = eventOf(9_000, { time: new Date(START_MS + 300 * 90_000).toISOString() });

  it('by an index or an id that stands twice', () => {
    const twice = linesOf(EVENTS).toSpliced(
      300,
      0,
      formatExportLine({ index: 300, leafHash: leafHash(extra), event: extra }),
    );
    assert.ok(found(verifyLines(twice)).includes('inserted 300'));
    const copied = EVENTS.toSpliced(
      301,
      0,
      eventOf(20, { time: new Date(START_MS + 300 * 90_000).toISOString() }),
    );
    assert.deepEqual(found(verifyLines(linesOf(copied), { checkpoint: checkpointOf(copied) })), [
      'inserted 301',
    ]);
  });

  it('in a bundle, by the hashes that were logged', () => {
    assert.deepEqual(found(verifyFiles(withBundle(1, (entries) => entries.toSpliced(44, 0, extra)))), [
      'inserted 300',
    ]);
    assert.deepEqual(found(verifyFiles(withBundle(1, (entries) => entries.toSpliced(45, 0, eventOf(300))))), [
      'inserted 301',
    ]);
  });

  it('by a range, when everything after it was renumbered; at the end as not covered', () => {
    const lines = linesOf(EVENTS.toSpliced(300, 0, extra));
    assert.deepEqual(found(verifyLines(lines, { otherCheckpoints: OLDER })), [
      'rebuilt 256 499',
      'uncovered 600',
    ]);
    assert.deepEqual(found(verifyLines(linesOf(eventsOf(602)))), ['uncovered 600 601']);
  });
});

describe('reordered events are named', () => {
  it('by their indexes, by their hashes, by a range', () => {
    // Close in time, so that nothing but the order is wrong.
    const near = (n: number) => eventOf(n, { time: new Date(START_MS + 300 * 90_000).toISOString() });
    const events = EVENTS.with(300, near(300)).with(301, near(301));
    const checkpoint = checkpointOf(events);
    assert.deepEqual(found(verifyLines(swap(linesOf(events), 300), { checkpoint })), ['reordered 300']);
    const lines = swap(events, 300).map((event, index) =>
      formatExportLine({ index, leafHash: leafHash(events[index] ?? event), event }),
    );
    assert.deepEqual(found(verifyLines(lines, { checkpoint })), ['reordered 300']);
    const older = [checkpointOf(events.slice(0, 290), 0), checkpointOf(events.slice(0, 310), 0)];
    const renumbered = linesOf(swap(events, 300));
    assert.deepEqual(found(verifyLines(renumbered, { checkpoint, otherCheckpoints: older })), [
      'rebuilt 290 309',
    ]);
  });
});

describe('a wrong date is named', () => {
  const dated = (n: number, offsetMs: number) =>
    EVENTS.with(n, eventOf(n, { time: new Date(START_MS + n * 90_000 + offsetMs).toISOString() }));
  const check = (events: readonly Uint8Array[]) =>
    found(verifyLines(linesOf(events), { checkpoint: checkpointOf(events) }));

  it('when it lies further back than the slack allows, and not before', () => {
    assert.deepEqual(check(dated(300, -90_000 - 60_001)), ['back_dated 300']);
    assert.deepEqual(check(dated(300, -90_000 - 60_000)), []);
    assert.deepEqual(check(dated(599, -86_400_000)), ['back_dated 599']);
    assert.deepEqual(check(dated(1, -86_400_000)), ['back_dated 1']);
  });

  it('when it lies ahead of what follows, or of the cosignatures', () => {
    assert.deepEqual(check(dated(300, 86_400_000)), ['dated_ahead 300']);
    assert.deepEqual(check(dated(599, 86_400_000)), ['dated_ahead 599']);
  });
});

describe('another history is named', () => {
  const changed = EVENTS.with(300, eventOf(300, { command: 'ticket.close' }));

  it('a truncated log, also one whose checkpoint is genuine and old', () => {
    assert.deepEqual(found(verifyLines(linesOf(EVENTS.slice(0, 500)))), ['truncated 500 599']);
    const checkpoint = checkpointOf(EVENTS.slice(0, 500));
    const old = linesOf(EVENTS.slice(0, 500));
    assert.deepEqual(found(verifyLines(old, { checkpoint })), []);
    assert.deepEqual(found(verifyLines(old, { checkpoint, otherCheckpoints: [CHECKPOINT] })), [
      'truncated 500 599',
    ]);
  });

  it('a rebuilt and re-signed tree: no witness cosigned it, and it does not begin as it did', () => {
    const rebuilt = { checkpoint: checkpointOf(changed, 0), otherCheckpoints: OLDER };
    assert.deepEqual(found(verifyLines(linesOf(changed), rebuilt)), ['checkpoint', 'rebuilt 256 499']);
    assert.deepEqual(found(verifyFiles(filesOf(changed), rebuilt)), ['checkpoint', 'rebuilt 256 499']);
    // With the keys of the witnesses too, only an older checkpoint tells.
    const colluding = { ...rebuilt, checkpoint: checkpointOf(changed) };
    assert.deepEqual(found(verifyLines(linesOf(changed), colluding)), ['rebuilt 256 499']);
  });

  it('two different views of one size, or of sizes that do not fit', () => {
    const other = { otherCheckpoints: [checkpointOf(changed)] };
    assert.deepEqual(found(verifyLines(linesOf(EVENTS), other)), ['split_view 599']);
    const later = { otherCheckpoints: [checkpointOf(changed.slice(0, 400))] };
    assert.deepEqual(found(verifyLines(linesOf(EVENTS), later)), ['rebuilt 0 399']);
    const pair = [EVENTS, changed].map((events) => checkpointOf(events.slice(0, 400)));
    for (const otherCheckpoints of [pair, pair.toReversed()]) {
      assert.deepEqual(found(verifyLines(linesOf(EVENTS), { otherCheckpoints })), ['split_view 399']);
    }
  });
});

describe('line of an export', () => {
  it('gives back what was put in, and has one form', () => {
    const shown = { index: 5, leafHash: leafHash(eventOf(5)), event: eventOf(5, { command: ',"index":7' }) };
    const line = Buffer.from(formatExportLine(shown));
    const read = parseExportLine(line);
    assert.deepEqual(
      [read.index, Buffer.from(read.leafHash), read.event.toString()],
      [5, shown.leafHash, shown.event.toString()],
    );
    assert.deepEqual(JSON.parse(line.toString()).index, 5);
    const text = line.toString();
    for (const wrong of [
      '',
      `${text}\n`,
      ` ${text}`,
      text.slice(0, -1),
      text.replace('"index":5', '"index":05'),
      text.replace('"index":5', '"index":-5'),
      text.replace('"index":5', '"index":99999999999999999'),
      text.replace('"leaf_hash":"', '"leaf_hash":"A'),
      text.replace(/.("})$/, '=$1'),
    ]) {
      assert.throws(() => parseExportLine(Buffer.from(wrong)), DispatchError, wrong);
    }
  });
});
