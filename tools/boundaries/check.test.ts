import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { checkBoundaries, RULES, type Rule } from './check.ts';

const fixture = (name: string) => join(import.meta.dirname, '../fixtures/boundaries', name);

/** Every fault in the bad tree: one rule and the file that breaks it. */
const FAULTS: readonly (readonly [Rule, string])[] = [
  ['direction', 'packages/kernel/src/upwards.ts'],
  ['direction', 'packages/kernel/src/uses-tools.ts'],
  ['direction', 'packages/kernel/src/uses-an-app.ts'],
  ['direction', 'packages/decision/src/index.ts'],
  ['direction', 'packages/postgres/src/index.ts'],
  ['app-imports-app', 'apps/web/src/main.ts'],
  ['app-imports-app', 'apps/web/src/by-name.ts'],
  ['undeclared', 'packages/kernel/src/upwards.ts'],
  ['undeclared', 'packages/kernel/src/uses-fast-check.ts'],
  ['undeclared', 'packages/catalogue/src/undeclared-package.ts'],
  ['undeclared', 'packages/catalogue/src/undeclared-dynamically.ts'],
  ['undeclared', 'packages/catalogue/src/undeclared-in-a-type.ts'],
  ['undeclared', 'packages/signing/src/undeclared-workspace.ts'],
  ['undeclared', 'test/undeclared.test.ts'],
  ['deep-import', 'packages/catalogue/src/index.ts'],
  ['deep-import', 'packages/catalogue/src/subpath.ts'],
  ['barrel', 'packages/kernel/src/barrel.ts'],
  ['cycle', 'packages/kernel/src/ring-a.ts'],
  ['specifier', 'packages/kernel/src/no-extension.ts'],
  ['specifier', 'packages/kernel/src/no-prefix.ts'],
  ['default-export', 'packages/kernel/src/default-export.ts'],
  ['default-export', 'packages/kernel/src/default-export-renamed.ts'],
  ['process-env', 'packages/kernel/src/reads-environment.ts'],
  ['process-env', 'packages/kernel/src/reads-environment-sideways.ts'],
  ['process-env', 'packages/kernel/src/reads-environment-by-import.ts'],
  ['process-env', 'apps/web/src/config.ts'],
  ['fastify', 'packages/decision/src/answers-http.ts'],
  ['fastify', 'packages/signing/src/index.ts'],
  ['fastify', 'apps/web/src/rules/knows-http.ts'],
  ['outside-world', 'packages/kernel/src/reads-a-file.ts'],
  ['computed-import', 'packages/kernel/src/computed-import.ts'],
];

describe('checkBoundaries', () => {
  it('reports every fault of the bad tree, and no other', () => {
    const { violations } = checkBoundaries(fixture('bad'));
    assert.deepEqual(
      violations.map(({ rule, file }) => `${rule} ${file}`).sort(),
      FAULTS.map(([rule, file]) => `${rule} ${file}`).sort(),
    );
  });

  it('has a fault in the bad tree for every rule', () => {
    const broken = new Set(FAULTS.map(([rule]) => rule));
    assert.deepEqual(
      RULES.filter((rule) => !broken.has(rule)),
      [],
    );
  });

  it('names the ring of a cycle', () => {
    const { violations } = checkBoundaries(fixture('bad'));
    const ring = violations.find((violation) => violation.rule === 'cycle')?.detail;
    assert.match(String(ring), /ring-a\.ts -> .*ring-b\.ts -> .*ring-c\.ts -> .*ring-a\.ts/);
  });

  it('finds nothing in the clean tree, where imports stand in comments and strings', () => {
    const { modules, violations } = checkBoundaries(fixture('clean'));
    assert.deepEqual(violations, []);
    assert.equal(modules, 12);
  });
});
