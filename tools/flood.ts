import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { type Met, quantile } from '../test/flood/bystanders.ts';
import { type Flooded, playFlood } from '../test/flood/play-flood.ts';
import { withSystem } from '../test/support/system.ts';

/**
 * `npm run flood [-- --json FILE]`: 100,000 refused requests and 100,000 texts of strangers against a running demo, or
 * one of its own, and what they change for somebody who is signed in. No test: a slow or busy machine fails nothing.
 */
const { values } = parseArgs({
  options: {
    'state-dir': { type: 'string' },
    'port-base': { type: 'string' },
    requests: { type: 'string', default: '100000' },
    texts: { type: 'string', default: '100000' },
    'requests-per-second': { type: 'string', default: '400' },
    'texts-per-second': { type: 'string', default: '200' },
    json: { type: 'string' },
  },
});
const CALM_MS = 60_000;

function timesOf({ commandsMs, refused }: Met) {
  return {
    commands: commandsMs.length,
    not_accepted: refused.length,
    p50_ms: Math.round(quantile(commandsMs, 0.5)),
    p99_ms: Math.round(quantile(commandsMs, 0.99)),
  };
}

/** Two calms as one: whatever else the machine does changes while a flood lasts, and is in what it is compared with. */
function joined(one: Met, other: Met): Met {
  return {
    commandsMs: [...one.commandsMs, ...other.commandsMs],
    refused: [...one.refused, ...other.refused],
    texts: one.texts + other.texts,
  };
}

function report(flooded: Flooded, calm: Met) {
  const { outcomes, met, growth, seconds } = flooded;
  return {
    seconds: Math.round(seconds),
    answers: outcomes,
    ...timesOf(met),
    p99_ratio: Number((quantile(met.commandsMs, 0.99) / quantile(calm.commandsMs, 0.99)).toFixed(2)),
    contact_texts_taken: met.texts,
    contact_texts_kept: growth.mariasMessages,
    stranger_texts_kept: growth.strangersMessages,
    events_of_refusals: growth.refusedEvents,
    refusals_counted: growth.countedRefusals,
    inbox_files: growth.inboxFiles,
    log_bytes: growth.logBytes,
    rows: growth.rows,
  };
}

await withSystem({ stateDir: values['state-dir'], portBase: values['port-base'] }, async (stateDir) => {
  const { calm, refusals, strangers } = await playFlood(stateDir, {
    requests: Number(values.requests),
    texts: Number(values.texts),
    requestsPerSecond: Number(values['requests-per-second']),
    textsPerSecond: Number(values['texts-per-second']),
    calmMs: CALM_MS,
    pace: { commandEveryMs: 200, textEveryMs: 5_000 },
  });
  const result = {
    calm: calm.map(timesOf),
    refused_requests: report(refusals, joined(calm[0], calm[1])),
    strangers_texts: report(strangers, joined(calm[1], calm[2])),
  };
  for (const [part, found] of Object.entries(result)) {
    console.log(part);
    for (const [name, value] of Object.entries(found)) console.log(`  ${name}: ${JSON.stringify(value)}`);
  }
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(result, null, 2)}\n`);
});
