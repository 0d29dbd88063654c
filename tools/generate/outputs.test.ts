import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ALL_EDGES, COMMANDS, INCIDENT_DEFINITIONS, TICKET_STATES } from '@deadlatch/catalogue';
import { parseSync, Visitor } from 'oxc-parser';
import { REQUIREMENTS } from '../../test/requirements.ts';
import { commandsPage } from './commands-page.ts';
import { incidentTypesPage } from './incident-types-page.ts';
import { table } from './markdown.ts';
import { OUTPUTS } from './outputs.ts';
import { ceilingCommands } from './services-page.ts';
import { statesPage } from './states-page.ts';
import { threatModel } from './threat-model.ts';
import { transitionsSql } from './transitions.ts';
import { VARIABLE_GROUPS } from './variables.ts';

const ROOT = join(import.meta.dirname, '../..');

describe('generated files', () => {
  it('come out the same each time, and end in one newline', () => {
    for (const [path, render] of OUTPUTS) {
      assert.equal(render(), render(), path);
      assert.match(render(), /[^\n]\n$/, path);
    }
  });

  it('list every command, every state and every requirement', () => {
    const commands = commandsPage();
    for (const entry of COMMANDS) assert.ok(commands.includes(`\`${entry.name}\``), entry.name);
    const states = statesPage();
    for (const state of TICKET_STATES) assert.ok(states.includes(`### ${state}\n`), state);
    const types = incidentTypesPage();
    for (const { type, version, ask, evidence, tests } of INCIDENT_DEFINITIONS) {
      const part = types.split(`## ${type}, version ${version}\n`)[1]?.split('\n## ')[0] ?? '';
      for (const name of [...ask.map((a) => a.question), ...[...evidence, ...tests].map((e) => e.key)]) {
        assert.ok(part.includes(`| \`${name}\` |`), `${type} ${version}: ${name}`);
      }
    }
    const threats = threatModel();
    for (const requirement of REQUIREMENTS)
      assert.ok(threats.includes(`| ${requirement.id} |`), requirement.id);
  });

  it('load every edge of the catalogue into the database, once', () => {
    const rows = transitionsSql().match(/^ {4}\('.*'\)/gm) ?? [];
    assert.equal(rows.length, ALL_EDGES.length);
    assert.equal(new Set(rows).size, rows.length);
  });

  it('keep a cell from breaking its table', () => {
    assert.equal(table(['a'], [['x|y']]), '| a |\n| --- |\n| x\\|y |');
    assert.throws(() => table(['a', 'b'], [['x']]), /row of 1 cells/);
  });
});

describe('ceilings spelled out', () => {
  it('hold what each service may send and nothing that it is excepted from', () => {
    assert.deepEqual(ceilingCommands('gateway'), ['message.receive', 'message.report_delivery']);
    assert.deepEqual(ceilingCommands('identity'), ['approval.decide', 'act.confirm']);
    assert.deepEqual(ceilingCommands('agent'), []);
    for (const service of ['web', 'cli', 'tool-bridge'] as const) {
      const commands = ceilingCommands(service);
      for (const never of ['approval.decide', 'approval.expire', 'message.receive']) {
        assert.ok(!commands.includes(never), `${service}: ${never}`);
      }
    }
  });
});

describe('.env.example', () => {
  it('says of every variable exactly which env.ts reads it', () => {
    const read = new Map<string, string[]>();
    for (const file of globSync('apps/*/src/env.ts', { cwd: ROOT }).sort()) {
      const app = file.split(/[\\/]/)[1] ?? '';
      for (const name of new Set(variablesOf(file))) read.set(name, [...(read.get(name) ?? []), app]);
    }
    const variables = VARIABLE_GROUPS.flatMap((group) => group.variables);
    const listed = variables.map((variable) => [variable.name, [...variable.readBy]] as const);
    assert.equal(new Set(listed.map(([name]) => name)).size, listed.length);
    assert.deepEqual(Object.fromEntries(listed), Object.fromEntries(read));
  });

  it('holds no secret', () => {
    for (const { variables } of VARIABLE_GROUPS) {
      for (const { name } of variables) assert.doesNotMatch(name, /SECRET|TOKEN|PASSWORD|PRIVATE|_KEY$/);
    }
  });
});

/** Names of the object keys in one env.ts that look like variables. */
function variablesOf(file: string): string[] {
  const names: string[] = [];
  new Visitor({
    Property(node) {
      if (node.key.type === 'Identifier' && /^[A-Z][A-Z0-9_]+$/.test(node.key.name))
        names.push(node.key.name);
    },
  }).visit(parseSync(file, readFileSync(join(ROOT, file), 'utf8')).program);
  return names;
}
