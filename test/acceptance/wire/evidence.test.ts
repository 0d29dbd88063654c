import assert from 'node:assert/strict';
import { createHash, createHmac, randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { verifies } from '../../requirements.ts';
import { createDispatchWorld, type DispatchWorld, type Replica } from '../../support/dispatch-api.ts';
import { type Crew, createCrew } from '../../support/job.ts';
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

  test('whose sender goes away in the middle leaves nothing behind', async () => {
    verifies('I.4', 'R.1');
    const { evidence, target } = await address({ size: 400_000 });
    const kept = async () =>
      (await readdir(world.objects, { recursive: true })).filter((name) => name.includes(evidence));
    const lines = [`PUT ${target} HTTP/1.1`, 'host: a', 'content-type: image/png', 'content-length: 400000'];
    const settles = async (count: number) => {
      const deadline = Date.now() + 10_000;
      while ((await kept()).length !== count && Date.now() < deadline) await sleep(20);
    };
    const socket = connect(replica.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(`${lines.join('\r\n')}\r\n\r\n${'x'.repeat(200_000)}`);
    // It has begun to be stored before its sender goes away: otherwise nothing would be shown.
    await settles(1);
    assert.equal((await kept()).length, 1);
    socket.destroy();
    await settles(0);
    assert.deepEqual(await kept(), []);
    assert.equal((await put(target, Buffer.alloc(400_000))).status, 204);
    assert.deepEqual(
      (await kept()).map((name) => name.endsWith('.part')),
      [false],
    );
  });
});

describe('evidence', () => {
  const announce = (actor: Actor, id: string, bytes: Buffer) =>
    crew.does(actor, 'evidence.presign', id, {
      key: 'photo.before.opening',
      content_type: 'image/png',
      size_bytes: bytes.byteLength,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    });
  const put = (target: string, body: Buffer) =>
    wire.send({ method: 'PUT', target, headers: [['content-type', 'image/png']], body });

  test('that was finalized cannot change: not by another upload, not by another finalize', async () => {
    verifies('R.7', 'C.4');
    const id = await crew.ticket();
    const [real, forged] = [Buffer.from('what was there'), Buffer.from('WHAT WAS THERE')];
    const { evidence_id: evidenceId, upload_url: target } = (await announce(crew.dana, id, real)).body.result;
    const finalize = (key = randomUUID()) =>
      wire.command(crew.dana, 'evidence.finalize', id, { evidence_id: evidenceId }, { key });

    assert.equal((await finalize()).code, 'evidence_missing');
    assert.equal((await put(target, forged)).status, 204);
    assert.deepEqual([(await finalize()).status, (await finalize()).code], [422, 'evidence_mismatch']);
    assert.equal((await put(target, real)).status, 204);
    const key = randomUUID();
    assert.equal((await finalize(key)).status, 200);

    const state = await tableState(world.admin, 'audit.events', 'dispatch.nonces');
    assert.equal((await put(target, forged)).status, 204);
    const again = await finalize();
    assert.deepEqual([again.status, again.code, again.body.from_state], [409, 'invalid_state', 'FINALIZED']);
    assert.equal((await finalize(key)).body.replayed, true);
    assert.deepEqual(await tableState(world.admin, 'audit.events', 'dispatch.nonces'), state);
    const { evidence } = (await wire.read(crew.dana, `/v1/tickets/${id}/evidence`)).body;
    assert.deepEqual(
      evidence.map((e: { id: string; state: string; sha256: string }) => [e.id, e.state, e.sha256]),
      [[evidenceId, 'FINALIZED', createHash('sha256').update(real).digest('hex')]],
    );
  });

  test('of another ticket, or announced by somebody else, is unknown', async () => {
    verifies('A.3b', 'C.4');
    const [id, other] = [await crew.ticket(), await crew.ticket()];
    const bytes = Buffer.from('a door');
    const { evidence_id: evidenceId, upload_url: target } = (await announce(crew.dana, id, bytes)).body
      .result;
    assert.equal((await put(target, bytes)).status, 204);
    const input = { evidence_id: evidenceId };
    assert.equal((await wire.command(crew.dana, 'evidence.finalize', other, input)).code, 'not_found');
    assert.equal((await wire.command(crew.tom, 'evidence.finalize', id, input)).code, 'not_found');
    assert.equal((await wire.command(crew.maria, 'evidence.finalize', id, input)).code, 'not_found');
    assert.equal((await wire.command(crew.dana, 'evidence.finalize', id, input)).status, 200);
  });
});
