import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type ServiceName, spiffeId } from '@deadlatch/catalogue';
import { UsageError } from '../../../apps/cli/src/arguments.ts';
import { type CallInput, callAs } from '../../../apps/cli/src/commands/call.ts';
import { asOperator } from '../../../apps/cli/src/operator.ts';
import { peersOf } from '../../../apps/cli/src/peers.ts';
import { type RunFile, readRunFile } from '../../../apps/cli/src/run-file.ts';
import { SIGNERS } from '../../../apps/cli/src/up/keys.ts';
import { PROCESSES } from '../../../apps/cli/src/up/services.ts';
import { verifies } from '../../requirements.ts';
import { randomPicture } from '../../support/pictures.ts';
import { freePortBase } from '../../support/system.ts';
import { describeImport } from './import.fixture.ts';
import { cli, occupy, processesNaming, type Started, startCli, temporaryFolder } from './start.fixture.ts';

/** One whole system, as an operator meets it: in a folder with a space in its name, given as a relative path. */
const NAME = 'state of things';
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let stateDir: string;
let portBase: number;
let system: Started;
let run: RunFile;

const up = () => startCli(['up', '--state-dir', NAME, '--port-base', String(portBase)], { cwd: folder.path });
const there = (...args: string[]) => cli([...args, '--state-dir', stateDir]);

before(async () => {
  folder = await temporaryFolder();
  await chmod(folder.path, 0o711);
  stateDir = join(folder.path, NAME);
  portBase = await freePortBase();
  system = up();
  await system.says('Deadlatch is running.');
  run = await readRunFile(stateDir);
});
after(async () => {
  system.stop();
  await system.ended;
  assert.deepEqual(await processesNaming(stateDir), []);
  await folder.remove();
});

/** A request to a service under the command line's certificate. */
const call = (name: string, path: string, init?: RequestInit) => {
  const peers = peersOf(run);
  return peers.fetchTo(name as ServiceName)(`${peers.urlOf(name as ServiceName)}${path}`, init);
};

describe('what a start leaves for others', () => {
  test('run.json says where everything is', async () => {
    assert.deepEqual(Object.keys(run.services).sort(), [...PROCESSES, 'cli'].sort());
    for (const [name, { pid, url, spiffe_id: id, key_dir: dir }] of Object.entries(run.services)) {
      process.kill(pid, 0);
      assert.equal(id, spiffeId('demo', name as ServiceName));
      assert.equal(basename(dir), name);
      assert.ok((await readdir(dir)).length > 0);
      if (name !== 'cli') assert.equal((await call(name, '/readyz')).status, 200, name);
      if (url.startsWith('http:')) assert.equal((await fetch(`${url}/readyz`)).status, 200, name);
    }
    assert.equal(run.pid, system.pid);
    assert.equal(run.web_url, `http://127.0.0.1:${portBase}`);
    assert.equal(run.identity_url, `http://localhost:${portBase + 20}`);
    assert.equal(run.simulator_url, `http://127.0.0.1:${portBase + 90}`);
    assert.equal(run.postgres.port, portBase + 99);
    process.kill(run.postgres.pid, 0);
    assert.deepEqual(run.subjects['dana-dispatcher'], {
      kind: 'staff',
      id: run.subjects['dana-dispatcher']?.id,
      label: 'Dispatcher',
      roles: ['dispatcher'],
    });
    assert.deepEqual(run.subjects['maria-manager']?.roles, ['requester']);
    assert.deepEqual(run.subjects['olga-owner']?.roles, ['approver']);
    assert.deepEqual(run.subjects['tom-technician']?.roles, ['technician']);
  });

  test('no secret is in it, and keys are for their owner alone', async () => {
    verifies('T4.2');
    const text = await readFile(join(stateDir, 'run.json'), 'utf8');
    for (const file of await readdir(join(stateDir, 'keys'), { recursive: true, withFileTypes: true })) {
      const path = join(file.parentPath, file.name);
      const { mode } = await stat(path);
      if (file.isDirectory()) {
        assert.equal(mode & 0o777, 0o700, path);
        continue;
      }
      // Public keys and certificates are no secret; the folders above are closed all the same.
      if (['trust.json', 'people.json', 'tls.pem', 'ca.pem'].includes(file.name)) continue;
      assert.equal(mode & 0o777, 0o600, path);
      assert.ok(!text.includes((await readFile(path, 'utf8')).trim()), path);
    }
    const { passwords } = JSON.parse(await readFile(join(stateDir, 'installation.json'), 'utf8'));
    for (const password of Object.values(passwords)) assert.ok(!text.includes(password as string));
    for (const name of ['installation.json', 'lock', 'postgres/admin-password', 'prepared.json']) {
      assert.equal((await stat(join(stateDir, name))).mode & 0o077, 0, name);
    }
    assert.equal((await stat(join(stateDir, 'keys'))).mode & 0o777, 0o700);
  });

  test('a second start there says so, and disturbs nothing', async () => {
    const second = await up().ended;
    assert.equal(second.code, 1);
    assert.match(
      second.stderr,
      new RegExp(`^deadlatch: Deadlatch is already running in .+${NAME} \\(process ${system.pid}\\)\\.`),
    );
    assert.equal((await call('dispatch-api', '/readyz')).status, 200);
  });
});

describe('deadlatch call', () => {
  let ticketId: string;
  const does = async (who: string, name: string, body: unknown = {}, over: Partial<CallInput> = {}) => {
    const input = { name, targetId: ticketId, body: JSON.stringify(body), key: undefined, ...over };
    // biome-ignore lint/suspicious/noExplicitAny: what a black box answers has no type
    return (await callAs(run, who, input)) as any;
  };
  const photo = async (key: string) => {
    const bytes = randomPicture();
    const { result } = await does('tom-technician', 'evidence.presign', {
      key,
      content_type: 'image/png',
      size_bytes: bytes.byteLength,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    });
    const put = await call('dispatch-api', result.upload_url, {
      method: 'PUT',
      headers: { 'content-type': 'image/png' },
      body: bytes,
    });
    assert.equal(put.status, 204);
    await does('tom-technician', 'evidence.finalize', { evidence_id: result.evidence_id });
  };

  test('takes a ticket from NEW to CLOSED, each step as the person whose work it is', async () => {
    verifies('A.3d');
    const create = ['call', 'ticket.create', '--as', 'maria-manager', '--json'];
    const body = JSON.stringify({ site_id: run.site_id, description: { text: "front door won't lock" } });
    const created = await there(...create, '--body', body);
    assert.equal(created.code, 0, created.stdout + created.stderr);
    const { ticket } = JSON.parse(created.stdout);
    assert.equal(ticket.state, 'NEW');
    ticketId = ticket.id;
    await does('dana-dispatcher', 'ticket.triage', {
      type: 'DOOR_CANNOT_SECURE',
      answers: [
        { question: 'cannot_lock_anything', answer: 'yes' },
        { question: 'open_to_public', answer: 'no' },
        { question: 'anyone_hurt', answer: 'no' },
      ],
    });
    await does('dana-dispatcher', 'visit.dispatch_emergency', {
      technician_id: run.subjects['tom-technician']?.id,
      reason: 'CANNOT_SECURE',
    });
    await does('tom-technician', 'visit.accept');
    await does('tom-technician', 'tech.check_in');
    await photo('photo.before.site_overview');
    await photo('photo.before.opening');
    await photo('photo.before.failed_lock');
    await does('tom-technician', 'tech.start');
    await photo('photo.after.secured_outside');
    await photo('photo.after.secured_inside');
    await does('tom-technician', 'test.record', { test: 'lock_unlock_x5', passed: true, value: 5 });
    await does('tom-technician', 'test.record', { test: 'egress_opens', passed: true });
    await does('tom-technician', 'part.record', { part_number: 'L-9080', quantity: 1, unit_cents: 20_000 });
    await does('tom-technician', 'time.record', { minutes: 60 });
    await does('tom-technician', 'tech.complete', {
      outcome: 'RESOLVED',
      work_note: { text: 'new latch' },
      signature: { kind: 'signed', text: { text: 'M. Torres' } },
    });
    await does('quinn-qa', 'qa.verify', { result: 'PASS' });
    const billed = await does('fay-finance', 'billing.generate_invoice');
    await does('fay-finance', 'billing.issue');
    await does('fay-finance', 'payment.record', { amount_cents: billed.result.total_cents, method: 'ACH' });
    const closed = await does('fay-finance', 'ticket.close');
    assert.equal(closed.ticket.state, 'CLOSED');
  });

  test('sends one command again under its key, and gets the same answer', async () => {
    const key = '5f0d2a52-4d3e-4b0e-9d0e-0d2c7e1f3a11';
    const over = { targetId: undefined, key };
    const first = await does('dana-dispatcher', 'ticket.create', { site_id: run.site_id }, over);
    const again = await does('dana-dispatcher', 'ticket.create', { site_id: run.site_id }, over);
    assert.deepEqual([again.ticket.id, first.replayed, again.replayed], [first.ticket.id, false, true]);
  });

  test('shows what was done, and can verify all of it', async () => {
    verifies('F.1');
    const shown = await there('audit', 'show', '--ticket', ticketId, '--json');
    const commands = shown.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).event)
      .filter(({ origin }) => origin === 'dispatch')
      .map(({ command }) => command)
      // The carrier says when it says.
      .filter((command) => command !== 'message.report_delivery');
    assert.equal(shown.code, 0);
    assert.deepEqual([commands[0], commands.at(-1)], ['ticket.create', 'ticket.close']);
    const verified = await there('audit', 'verify', '--json');
    assert.equal(verified.code, 0, verified.stdout);
    assert.deepEqual(JSON.parse(verified.stdout).problems, []);
  });

  test('the wrong person is refused with exit code 3 and the problem document', async () => {
    verifies('A.3b');
    for (const [who, command, code] of [
      ['maria-manager', 'qa.verify', 'not_granted'],
      ['dana-dispatcher', 'ticket.cancel', 'invalid_state'],
    ] as const) {
      const body = command === 'qa.verify' ? { result: 'PASS' } : { reason: 'OTHER' };
      const ended = await there(
        ...['call', command, '--as', who, '--target', ticketId, '--body', JSON.stringify(body)],
      );
      assert.equal(ended.code, 3, ended.stdout + ended.stderr);
      const problem = JSON.parse(ended.stdout);
      assert.equal(problem.code, code);
      assert.ok(problem.status >= 400 && problem.type.length > 0);
    }
  });

  test('an unknown person, an unknown command and a body that is none are exit code 2, asked of nobody', async () => {
    const ended = await there('call', 'ticket.list', '--as', 'mallory');
    assert.equal(ended.code, 2, ended.stdout + ended.stderr);
    assert.match(ended.stderr, /^deadlatch: there is no demo person "mallory"; there are maria-manager,/);
    const none = { targetId: undefined };
    for (const [refused, text] of [
      [() => does('__proto__', 'ticket.list', {}, none), /no demo person/],
      [() => does('adam-admin', 'ticket.destroy', {}, none), /no command or read "ticket\.destroy"/],
      [() => does('fay-finance', 'ticket.close', {}, none), /needs --target/],
      [() => does('fay-finance', 'ticket.close', {}, { targetId: '../..' }), /--target takes an id/],
      [
        () => does('maria-manager', 'ticket.create', {}, { body: '{"a":1,"a":2}' }),
        /--body must be one JSON/,
      ],
    ] as const) {
      await assert.rejects(refused, (error) => error instanceof UsageError && text.test(error.message));
    }
  });

  test('nobody is told more than they may see', async () => {
    verifies('T4.5');
    const self = await there('call', 'self.get', '--as', 'sue-supervisor', '--json');
    assert.deepEqual(JSON.parse(self.stdout).roles, ['supervisor']);
    const other = await there('call', 'ticket.get', '--as', 'tess-technician', '--target', ticketId);
    assert.deepEqual([other.code, JSON.parse(other.stdout).code], [3, 'not_found']);
  });
});

describeImport(() => ({ folder: folder.path, stateDir, run, there }));

describe('deadlatch doctor', () => {
  test('says what isolation is reached, and for which process it is not', async () => {
    const ended = await there('doctor', '--json');
    const report = JSON.parse(ended.stdout);
    assert.equal(ended.code, 0, ended.stdout);
    assert.deepEqual([report.is_as_known, report.is_tight], [true, false]);
    for (const finding of report.findings) {
      const hasKeys = !['imager', 'decoder'].includes(finding.process);
      assert.deepEqual([finding.has_keys, finding.reads_own], [hasKeys, hasKeys], finding.process);
      assert.deepEqual(finding.reads_others, [], finding.process);
      assert.equal(finding.starts_programs, finding.process === 'imager', finding.process);
      assert.equal(finding.reads_others_by_worker.length > 0, finding.process === 'vault');
    }
    const text = (await there('doctor')).stdout;
    assert.match(text, /^vault .+NOT ISOLATED/m);
    assert.match(text, /^imager .+STARTS PROGRAMS$/m);
    assert.match(text, /^decoder +has no keys, no other$/m);
  });

  test('keys are listed with their public parts', async () => {
    const ended = await there('keys', 'list', '--json');
    const keys: { service: string; purpose: string; keyid: string; state: string }[] = JSON.parse(
      ended.stdout,
    );
    assert.equal(new Set(keys.map((key) => key.keyid)).size, keys.length);
    assert.ok(keys.every(({ state }) => state === 'current'));
    const holdersOf = (purpose: string) =>
      keys.filter((key) => key.purpose === purpose).map(({ service }) => service);
    assert.deepEqual(holdersOf('signing').sort(), [...SIGNERS].sort());
    assert.deepEqual([...holdersOf('grant'), ...holdersOf('token')], ['dispatch-api', 'identity']);
  });
});

describe('a stop and what comes after', () => {
  test('Ctrl-C in a terminal leaves no process and no port', async () => {
    system.signalGroup('SIGINT');
    const ended = await system.ended;
    assert.equal(ended.code, 0, ended.stderr);
    assert.deepEqual(await processesNaming(stateDir), []);
    for (const distance of [0, 10, 20, 21, 30, 40, 50, 60, 61, 70, 75, 80, 90, 95, 99]) {
      (await occupy(portBase + distance)).close();
    }
    await assert.rejects(stat(join(stateDir, 'run.json')));
    const log = await readFile(join(stateDir, 'postgres', 'server.log'), 'utf8');
    assert.match(log, /database system is shut down/);
    const services = await Promise.all(
      PROCESSES.map((name) => readFile(join(stateDir, 'logs', `${name}.log`), 'utf8')),
    );
    for (const text of services) assert.doesNotMatch(text, /could not close|unexpected error/);
  });

  test('a password file that was changed is one sentence', async () => {
    const path = join(stateDir, 'postgres', 'admin-password');
    const password = await readFile(path, 'utf8');
    await writeFile(path, 'another\n');
    const ended = await up().ended;
    await writeFile(path, password);
    assert.equal(ended.code, 1);
    assert.match(
      ended.stderr,
      /^deadlatch: The database in .+data has another password than .+admin-password/m,
    );
    assert.deepEqual(await processesNaming(stateDir), []);
  });

  test('the database starts cleanly again, under the lock of a process that is gone', async () => {
    await writeFile(join(stateDir, 'lock'), '4194303 nowhere/1');
    system = up();
    await system.says('Deadlatch is running.');
    const log = await readFile(join(stateDir, 'postgres', 'server.log'), 'utf8');
    assert.doesNotMatch(log, /not properly shut down|recovery/);
    const before = run;
    run = await readRunFile(stateDir);
    assert.deepEqual(run.subjects, before.subjects);
    await asOperator(stateDir, ({ client }) =>
      client.query("insert into dispatch.migrations (number, name, checksum) values (9999, 'later', 'x')"),
    );
  });

  test('a database of a newer version is left alone, with one sentence', async () => {
    system.signalGroup('SIGTERM');
    assert.equal((await system.ended).code, 0);
    system = up();
    const ended = await system.ended;
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, /^deadlatch: The database is at migration 9999, this code knows \d+/m);
    assert.deepEqual(await processesNaming(stateDir), []);
  });
});
