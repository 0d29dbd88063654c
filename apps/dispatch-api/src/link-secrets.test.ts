import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { verifies } from '../../../test/requirements.ts';
import { type LinkPurpose, linkHash, linkSecret } from './link-secrets.ts';

const KEY = randomBytes(32);
const LINK: LinkPurpose = { purpose: 'status', contactId: randomUUID(), objectId: randomUUID() };

test('a link is the same every time it is written, and of no use for anything else', () => {
  verifies('T3.12');
  const secret = linkSecret(LINK, KEY);
  assert.equal(linkSecret({ ...LINK }, KEY), secret);
  const others = [
    linkSecret(LINK, randomBytes(32)),
    linkSecret({ ...LINK, purpose: 'approval' }, KEY),
    linkSecret({ ...LINK, contactId: randomUUID() }, KEY),
    linkSecret({ ...LINK, objectId: randomUUID() }, KEY),
    linkSecret({ ...LINK, contactId: LINK.objectId, objectId: LINK.contactId }, KEY),
  ];
  assert.equal(new Set([secret, ...others]).size, 6);
});

test('a link holds 128 bits or more, in letters that every phone makes clickable', () => {
  verifies('T3.12');
  for (let i = 0; i < 50; i += 1) {
    assert.match(linkSecret({ ...LINK, objectId: randomUUID() }, KEY), /^[0-9a-f]{32,}$/);
  }
});

test('what is kept of a link does not lead back to it', () => {
  verifies('T3.12');
  const secret = linkSecret(LINK, KEY);
  const hash = linkHash(secret);
  assert.match(hash, /^[A-Za-z0-9_-]{43}$/);
  assert.equal(linkHash(secret), hash);
  assert.ok(!hash.includes(secret) && !secret.includes(hash));
  assert.notEqual(linkHash(`${secret} `), hash);
});
