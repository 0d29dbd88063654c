import assert from 'node:assert/strict';
import { createHash, createHmac, randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { MAX_OPEN_UPLOADS } from '@deadlatch/catalogue';
import { guardsAgainst } from '../../mistakes.ts';
import { verifies } from '../../requirements.ts';
import { createDispatchWorld, type DispatchWorld, type Replica } from '../../support/dispatch-api.ts';
import { type Crew, createCrew } from '../../support/job.ts';
import { randomPicture } from '../../support/pictures.ts';
import { tableState } from '../../support/table-state.ts';
import { type Actor, createWire, type Wire } from '../../support/wire.ts';

/** Bytes that prove something: how they come in, and that they stay what they are. */
let world: DispatchWorld;
let replica: Replica;
let wire: Wire;
let crew: Crew;

before(async () => {
  world = await createDispatchWorld();
  replica = await world.start();
  wire = createWire(world, replica.port);
  crew = createCrew(world, wire);
});
after(() => world.close());

const announcementOf = (bytes: Buffer, type = 'image/png') => ({
  key: 'photo.before.opening',
  content_type: type,
  size_bytes: bytes.byteLength,
  sha256: createHash('sha256').update(bytes).digest('hex'),
});
const patch = (target: string, offset: number, body: Buffer) =>
  wire.send({
    method: 'PATCH',
    target,
    headers: [
      ['content-type', 'application/partial-upload'],
      ['upload-offset', String(offset)],
    ],
    body,
  });

async function offsetOf(target: string): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${replica.port}${target}`, { method: 'HEAD' });
  assert.equal(answer.status, 204);
  return Number(answer.headers.get('upload-offset'));
}

/** Where an upload stands once what was on its way has been stored. */
async function settled(target: string): Promise<number> {
  for (let before = -1; ; ) {
    const now = await offsetOf(target);
    if (now === before) return now;
    before = now;
    await sleep(200);
  }
}

/** The first line of the answer to headers alone. */
async function firstLine(head: readonly string[]): Promise<string> {
  const socket = connect(replica.port, '127.0.0.1');
  socket.setTimeout(10_000, () => socket.destroy(new Error('no answer')));
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  for await (const chunk of socket) return String(chunk).split('\r\n')[0] ?? '';
  return '';
}

describe('an upload', () => {
  const address = async (
    over: { size?: number; expires?: number; evidence?: string; tenant?: string } = {},
  ) => {
    const { size = 4, expires = Math.floor(Date.now() / 1000) + 60, evidence = randomUUID() } = over;
    const tenant = over.tenant ?? world.tenant.tenantId;
    const text = ['upload', tenant, evidence, size, expires].join('|');
    const signature = createHmac('sha256', await world.secret('upload.key'))
      .update(text)
      .digest('base64url');
    return {
      evidence,
      target: `/uploads/${tenant}/${evidence}?size=${size}&expires=${expires}&signature=${signature}`,
    };
  };
  const put = (target: string, body: Buffer, isChunked = false, type = 'image/png') =>
    wire.send({ method: 'PUT', target, headers: [['content-type', type]], body, isChunked });

  test('takes exactly the bytes of a signed address, and no others', async () => {
    verifies('T3.12', 'I.4');
    const { target } = await address();
    const before = await tableState(world.admin);
    for (const isChunked of [false, true]) {
      assert.equal((await put(target, Buffer.from('12345'), isChunked)).code, 'payload_too_large');
      assert.equal((await put(target, Buffer.from('123'), isChunked)).code, 'evidence_mismatch');
    }
    const wrong = [
      target.replace('size=4', 'size=5'),
      target.replace(/expires=\d+/, (e) => `${e.slice(0, -1)}${e.endsWith('9') ? '8' : '9'}`),
      target.replace(/signature=.*/, 'signature='),
      target.replace(/&signature=.*/, ''),
      target.replace(world.tenant.tenantId, randomUUID()),
      target.replace('size=4', 'size=4&size=4'),
      target.replace(/uploads\/[^/]+\/[^?]+/, 'uploads/x/y'),
      (await address({ expires: Math.floor(Date.now() / 1000) - 1 })).target,
      (await address({ evidence: '..' })).target,
    ];
    for (const one of wrong) {
      const answer = await put(one, Buffer.from('1234'));
      assert.ok([400, 404].includes(answer.status), `${one}: ${answer.status}`);
    }
    assert.equal((await put(target, Buffer.from('1234'), false, 'text/html')).code, 'unsupported_media_type');
    assert.equal((await put(target, Buffer.from('1234'))).status, 204);
    assert.deepEqual(await tableState(world.admin), before);
  });

  test('is refused before its body is read: a large one of a stranger costs nothing', async () => {
    guardsAgainst(14);
    verifies('I.4');
    const { target } = await address();
    const stranger = target.replace(/signature=.{43}/, `signature=${'s'.repeat(43)}`);
    for (const [to, length, status] of [
      [target, 60_000_000, 413],
      [stranger, 60_000_000, 413],
      [stranger, 14_000_000, 404],
      [target, 14_000_000, 413],
    ] as const) {
      for (const method of ['PUT', 'PATCH']) {
        const type = method === 'PUT' ? 'image/png' : 'application/partial-upload';
        const head = [`${method} ${to} HTTP/1.1`, 'host: a', `content-type: ${type}`, 'upload-offset: 0'];
        // Only the headers are sent: the answer comes all the same.
        const answer = await firstLine([...head, `content-length: ${length}`]);
        assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `), `${method} ${length}`);
      }
    }
  });

  test('whose sender goes away in the middle goes on from there, and half of it is no evidence', async () => {
    verifies('R.1', 'R.7', 'C.4');
    const id = await crew.ticket();
    const bytes = randomPicture(700, 700);
    const { evidence_id: evidenceId, upload_url: target } = (
      await crew.does(crew.dana, 'evidence.presign', id, announcementOf(bytes))
    ).body.result;
    const finalize = () => wire.command(crew.dana, 'evidence.finalize', id, { evidence_id: evidenceId });
    const socket = connect(replica.port, '127.0.0.1');
    socket.on('error', () => undefined);
    const lines = [`PUT ${target} HTTP/1.1`, 'host: a', 'content-type: image/png'];
    socket.write(`${lines.join('\r\n')}\r\ncontent-length: ${bytes.length}\r\n\r\n`);
    socket.write(bytes.subarray(0, 1_200_000));
    const deadline = Date.now() + 10_000;
    while ((await offsetOf(target)) === 0 && Date.now() < deadline) await sleep(20);
    socket.destroy();
    const stood = await settled(target);
    assert.ok(stood >= 1_000_000 && stood <= 1_200_000, String(stood));
    assert.equal((await finalize()).code, 'evidence_missing');

    const elsewhere = await patch(target, stood - 1, bytes.subarray(stood - 1));
    assert.deepEqual([elsewhere.code, elsewhere.body.expected_offset], ['upload_conflict', stood]);
    assert.equal((await patch(target, stood, bytes.subarray(stood, 1_300_000))).status, 204);
    assert.equal((await finalize()).code, 'evidence_missing');
    assert.equal((await patch(target, 1_300_000, bytes.subarray(1_300_000))).status, 204);
    assert.equal((await finalize()).status, 200);
  });

  test('goes on only where it says it does, and never past its end', async () => {
    verifies('T3.12', 'I.4');
    const { target } = await address({ size: 10 });
    assert.equal(await offsetOf(target), 0);
    for (const offset of ['', '-1', '1e0', '00', '0x0', '0, 0']) {
      const headers: [string, string][] = [
        ['content-type', 'application/partial-upload'],
        ['upload-offset', offset],
      ];
      const answer = await wire.send({ method: 'PATCH', target, headers, body: Buffer.from('x') });
      assert.equal(answer.code, 'malformed_body', offset);
    }
    assert.equal((await patch(target, 0, Buffer.from('12345678901'))).code, 'payload_too_large');
    assert.equal((await patch(target, 0, Buffer.from('1234567890'))).status, 204);
    assert.equal((await patch(target, 10, Buffer.from('1'))).code, 'payload_too_large');
    const stranger = target.replace(/signature=.{43}/, `signature=${'s'.repeat(43)}`);
    assert.equal(
      (await wire.send({ method: 'HEAD', target: stranger, headers: [], body: Buffer.alloc(0) })).status,
      404,
    );
    assert.equal((await patch(stranger, 0, Buffer.from('1'))).code, 'not_found');
  });
});

describe('evidence', () => {
  const announce = (actor: Actor, id: string, bytes: Buffer) =>
    crew.does(actor, 'evidence.presign', id, announcementOf(bytes));
  const put = (target: string, body: Buffer) =>
    wire.send({ method: 'PUT', target, headers: [['content-type', 'image/png']], body });
  const uploaded = async (actor: Actor, id: string, bytes: Buffer) => {
    const { evidence_id: evidenceId, upload_url: target } = (await announce(actor, id, bytes)).body.result;
    assert.equal((await put(target, bytes)).status, 204);
    return { evidenceId, target, input: { evidence_id: evidenceId } };
  };

  test('that was finalized cannot change: not by another upload, not by another finalize', async () => {
    verifies('R.7', 'C.4');
    const id = await crew.ticket();
    const real = randomPicture();
    const forged = randomPicture();
    const same = Buffer.concat([forged, Buffer.alloc(Math.max(0, real.length - forged.length))]).subarray(
      0,
      real.length,
    );
    const { evidence_id: evidenceId, upload_url: target } = (await announce(crew.dana, id, real)).body.result;
    const finalize = (key = randomUUID()) =>
      wire.command(crew.dana, 'evidence.finalize', id, { evidence_id: evidenceId }, { key });

    assert.equal((await finalize()).code, 'evidence_missing');
    assert.equal((await put(target, same)).status, 204);
    assert.deepEqual(
      [(await finalize()).code, (await finalize()).code],
      ['evidence_mismatch', 'evidence_missing'],
    );
    assert.equal((await put(target, real)).status, 204);
    const key = randomUUID();
    assert.equal((await finalize(key)).status, 200);

    const state = await tableState(world.admin, 'audit.events', 'dispatch.nonces');
    const kept = await contents();
    assert.equal((await put(target, same)).status, 204);
    const again = await finalize();
    assert.deepEqual([again.status, again.code, again.body.from_state], [409, 'invalid_state', 'FINALIZED']);
    assert.equal((await finalize(key)).body.replayed, true);
    assert.deepEqual(await tableState(world.admin, 'audit.events', 'dispatch.nonces'), state);
    assert.deepEqual(await contents(), kept);
    const { evidence } = (await wire.read(crew.dana, `/v1/tickets/${id}/evidence`)).body;
    const [{ id: shown, state: stateNow, sha256, kept_sha256: keptHash }] = evidence;
    assert.deepEqual([shown, stateNow, sha256], [evidenceId, 'FINALIZED', hashOf(real)]);
    assert.notEqual(keptHash, sha256);
    const { body } = await wire.read(crew.dana, `/v1/evidence/${evidenceId}/content`);
    assert.equal(hashOf(body), keptHash);
  });

  test('of another ticket, or announced by somebody else, is unknown', async () => {
    verifies('A.3b', 'C.4');
    const [id, other] = [await crew.ticket(), await crew.ticket()];
    const { input } = await uploaded(crew.dana, id, randomPicture());
    assert.equal((await wire.command(crew.dana, 'evidence.finalize', other, input)).code, 'not_found');
    assert.equal((await wire.command(crew.tom, 'evidence.finalize', id, input)).code, 'not_found');
    assert.equal((await wire.command(crew.maria, 'evidence.finalize', id, input)).code, 'not_found');
    assert.equal((await wire.command(crew.dana, 'evidence.finalize', id, input)).status, 200);
  });

  test('is a picture and nothing else; the refusal says why, and nothing is kept', async () => {
    verifies('C.4', 'I.4');
    const id = await crew.ticket();
    const before = await contents();
    const png = randomPicture();
    const cases: readonly (readonly [Buffer, string])[] = [
      [Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>'), 'type_differs'],
      [png.subarray(0, png.length - 20), 'not_whole'],
      [Buffer.concat([png, Buffer.from('<script>alert(1)</script>')]), 'trailing_data'],
    ];
    for (const [bytes, reason] of cases) {
      const { input } = await uploaded(crew.dana, id, bytes);
      const answer = await wire.command(crew.dana, 'evidence.finalize', id, input);
      assert.deepEqual([answer.status, answer.code, answer.body.reason], [422, 'evidence_unusable', reason]);
      // Its bytes are gone: nobody looks at them again.
      assert.equal((await wire.command(crew.dana, 'evidence.finalize', id, input)).code, 'evidence_missing');
    }
    const asJpeg = (await crew.does(crew.dana, 'evidence.presign', id, announcementOf(png, 'image/jpeg')))
      .body.result;
    assert.equal((await put(asJpeg.upload_url, png)).status, 204);
    const input = { evidence_id: asJpeg.evidence_id };
    assert.equal((await wire.command(crew.dana, 'evidence.finalize', id, input)).body.reason, 'type_differs');
    assert.deepEqual(await contents(), before);
    const { evidence } = (await wire.read(crew.dana, `/v1/tickets/${id}/evidence`)).body;
    assert.ok(evidence.every((e: { state: string }) => e.state === 'PRESIGNED'));
  });

  test('that two finish at once is finished once', async () => {
    verifies('R.2', 'R.7');
    const id = await crew.ticket();
    const { input } = await uploaded(crew.dana, id, randomPicture(100, 100));
    const answers = await Promise.all(
      [1, 2, 3].map(() => wire.command(crew.dana, 'evidence.finalize', id, input)),
    );
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    for (const { code } of answers.filter(({ status }) => status !== 200)) {
      assert.ok(
        ['invalid_state', 'version_conflict', 'evidence_missing', 'unavailable'].includes(code ?? ''),
        code,
      );
    }
  });

  test('that is kept and not committed, because the process died between, is finished by the next', async () => {
    verifies('R.1', 'R.7');
    const id = await crew.ticket();
    const bytes = randomPicture();
    const { input } = await uploaded(crew.dana, id, bytes);
    const second = await world.start();
    const other = createWire(world, second.port);
    // Its commit waits for this lock: the picture is kept by then, and nothing else has happened.
    const client = await world.admin.connect();
    await client.query('begin');
    await client.query('select 1 from dispatch.tickets where id = $1 for update', [id]);
    const before = await contents();
    const lost = other.command(crew.dana, 'evidence.finalize', id, input).catch(() => null);
    const deadline = Date.now() + 20_000;
    while ((await contents()).length === before.length && Date.now() < deadline) await sleep(20);
    assert.equal((await contents()).length, before.length + 1);
    await second.kill();
    await lost;
    // The database notices a dead client only when it answers; a machine that is gone takes its statements with it.
    await client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`,
    );
    await client.query('rollback');
    client.release();
    const { evidence } = (await wire.read(crew.dana, `/v1/tickets/${id}/evidence`)).body;
    assert.equal(evidence[0].state, 'PRESIGNED');
    assert.equal((await wire.command(crew.dana, 'evidence.finalize', id, input)).status, 200);
    assert.equal((await contents()).length, before.length + 1);
  });

  test('waits while nobody can look at it, and costs nothing but itself', async () => {
    verifies('R.6', 'C.6');
    const id = await crew.ticket();
    const { input } = await uploaded(crew.dana, id, randomPicture());
    await world.stopImager();
    assert.equal((await wire.command(crew.dana, 'evidence.finalize', id, input)).code, 'unavailable');
    // Everything else goes on.
    assert.ok(await crew.ticket());
    await world.startImager();
    assert.equal((await wire.command(crew.dana, 'evidence.finalize', id, input)).status, 200);
  });

  test('may be announced so often for one ticket, and no more until some of it is finished', async () => {
    verifies('I.4', 'R.6');
    const id = await crew.ticket();
    const { input } = await uploaded(crew.dana, id, randomPicture());
    const announced = () => wire.command(crew.dana, 'evidence.presign', id, announcementOf(randomPicture()));
    for (let i = 1; i < MAX_OPEN_UPLOADS; i += 1) assert.equal((await announced()).status, 200);
    assert.deepEqual([(await announced()).status, (await announced()).code], [409, 'too_many_uploads']);
    assert.equal((await wire.command(crew.dana, 'evidence.finalize', id, input)).status, 200);
    assert.equal((await announced()).status, 200);
    assert.equal((await announced()).code, 'too_many_uploads');
  });
});

const hashOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** What is kept, by name. */
async function contents(): Promise<string[]> {
  const entries = await readdir(join(world.objects, 'content'), {
    recursive: true,
    withFileTypes: true,
  }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort();
}
