import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { verifies } from '../../../test/requirements.ts';
import {
  ConfigError,
  choice,
  directory,
  integer,
  optional,
  port,
  readEnv,
  text,
  url,
  uuid,
} from './read-env.ts';
import { Secret } from './secret.ts';

const SETTINGS = {
  NAME: text(10),
  PORT: port(),
  URL: url(),
  STORE: url('file'),
  DIR: directory(),
  TENANT: uuid(),
  LEVEL: choice(['info', 'debug']),
  LIMIT: optional(integer(1, 9), 5),
  SID: optional(text()),
  NUMBER: optional(text()),
};
const GOOD = {
  NAME: 'demo',
  PORT: '4310',
  URL: 'http://127.0.0.1:4310/',
  STORE: 'file:///tmp/objects',
  DIR: tmpdir(),
  TENANT: '0190b2c4-7d1e-7a6b-8c3d-9e4f5a6b7c8d',
  LEVEL: 'info',
};

function problemsOf(env: Record<string, string | undefined>): readonly string[] {
  try {
    readEnv(SETTINGS, env, [['SID', 'NUMBER']]);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
  return [];
}

describe('readEnv', () => {
  it('gives typed, frozen values', () => {
    const config = readEnv(SETTINGS, GOOD);
    assert.deepEqual(
      { ...config },
      {
        NAME: 'demo',
        PORT: 4310,
        URL: 'http://127.0.0.1:4310',
        STORE: 'file:///tmp/objects',
        DIR: tmpdir(),
        TENANT: GOOD.TENANT,
        LEVEL: 'info',
        LIMIT: 5,
        SID: null,
        NUMBER: null,
      },
    );
    assert.ok(Object.isFrozen(config));
  });

  it('names every problem at once, and no value', () => {
    verifies('C.7');
    const problems = problemsOf({
      PORT: 'hunter2',
      URL: 'http://user:hunter2@host/',
      LIMIT: 'hunter2',
      SID: 'hunter2',
    });
    const names = problems.map((problem) => problem.split(' ')[0]);
    assert.deepEqual(names, ['NAME', 'PORT', 'URL', 'STORE', 'DIR', 'TENANT', 'LEVEL', 'LIMIT', 'NUMBER']);
    assert.doesNotMatch(problems.join(), /hunter2/);
  });

  const WRONG: Record<keyof typeof GOOD | 'LIMIT' | 'SID', readonly string[]> = {
    NAME: ['', 'longer than ten', 'a\nb', '\u0000'],
    PORT: ['', '0', '65536', '80.0', '+80', '0x50', ' 80', '080', '1e3', '-1'],
    URL: ['', 'host', 'ftp://h/', 'http://h/?a=b', 'http://h/#x', 'http://u@h/', 'http://h/?', 'file:///x'],
    STORE: ['', 'http://h/', '/tmp'],
    DIR: ['', '/nowhere/at/all', '/etc/passwd', '\u0000'],
    TENANT: ['', 'x', GOOD.TENANT.toUpperCase()],
    LEVEL: ['', 'INFO', 'constructor', '__proto__'],
    LIMIT: ['', '0', '10', 'five'],
    SID: [''],
  };
  for (const [name, values] of Object.entries(WRONG)) {
    for (const value of values) {
      it(`refuses ${name}=${JSON.stringify(value)}`, () => {
        verifies('C.7');
        assert.equal(problemsOf({ ...GOOD, NUMBER: '1', SID: '1', [name]: value }).length, 1);
      });
    }
  }

  it('refuses a half-set group, and takes all or nothing', () => {
    verifies('C.7');
    assert.equal(problemsOf({ ...GOOD, SID: 'x' }).length, 1);
    assert.equal(problemsOf({ ...GOOD, NUMBER: 'x' }).length, 1);
    assert.deepEqual(problemsOf({ ...GOOD, NUMBER: 'x', SID: 'y' }), []);
    assert.deepEqual(problemsOf(GOOD), []);
  });

  it('does not find inherited names', () => {
    assert.throws(() => readEnv({ constructor: text() } as never, {}), ConfigError);
  });
});

describe('secrets', () => {
  it('print as [secret] in every way they can be printed', () => {
    verifies('T5.1');
    const secret = new Secret('hunter2');
    const printed = [
      `${secret}`,
      JSON.stringify({ secret }),
      inspect(secret),
      inspect({ a: [secret] }, { showHidden: true }),
      String(Object.values(secret)),
      secret.toString(),
    ].join();
    assert.doesNotMatch(printed, /hunter2/);
    assert.equal(secret.reveal(), 'hunter2');
  });
});
