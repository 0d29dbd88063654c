import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { verifies } from '../../../test/requirements.ts';
import { carrierSignature, verifyCarrierSignature } from './carrier-signature.ts';
import { readInboundText, readStatusReport } from './sms-webhook.ts';

const OURS = { accountSid: `AC${'0'.repeat(32)}`, number: '+15550001111' };
const SID = `SM${'a'.repeat(32)}`;

function inbound(changes: Record<string, string | undefined> = {}): Map<string, string> {
  const params: Record<string, string | undefined> = {
    MessageSid: SID,
    SmsSid: SID,
    SmsMessageSid: SID,
    MessagingServiceSid: `MG${'c'.repeat(32)}`,
    OriginalRepliedMessageSid: `SM${'d'.repeat(32)}`,
    AccountSid: OURS.accountSid,
    From: '+15552223333',
    To: OURS.number,
    Body: 'front door will not lock',
    NumMedia: '0',
    FromCity: 'FROMBERG',
    ApiVersion: '2010-04-01',
    ...changes,
  };
  return new Map(Object.entries(params).filter((pair): pair is [string, string] => pair[1] !== undefined));
}

function status(changes: Record<string, string | undefined> = {}): Map<string, string> {
  return inbound({
    From: OURS.number,
    To: '+15552223333',
    Body: undefined,
    NumMedia: undefined,
    MessageStatus: 'delivered',
    ...changes,
  });
}

const refusal = (code: string) => (error: unknown) => error instanceof DispatchError && error.code === code;

test('an inbound text is read, and parameters the carrier adds are ignored within bounds', () => {
  assert.deepEqual(readInboundText(inbound({ SomethingNew: 'x' }), OURS), {
    providerId: SID,
    from: '+15552223333',
    to: OURS.number,
    body: 'front door will not lock',
  });
  assert.equal(readInboundText(inbound({ Body: '', NumMedia: '1' }), OURS).body, '');
});

test('every parameter that is read must have its exact shape', () => {
  verifies('I.4');
  const cases: Record<string, string | undefined>[] = [
    { MessageSid: undefined },
    { MessageSid: '' },
    { MessageSid: `${SID}0` },
    { MessageSid: `../${SID}` },
    { SmsSid: `SM${'b'.repeat(32)}` },
    { SmsMessageSid: `SM${'b'.repeat(32)}` },
    { XMessageSid: `${SID}NumMedia0` },
    { From: undefined },
    { From: '' },
    { From: '15552223333' },
    { From: 'whatsapp:+15552223333' },
    { From: '+15552223333FromCountryUS' },
    { To: undefined },
    { Body: undefined },
    { Body: 'x'.repeat(1601) },
    { NumMedia: '-1' },
    { NumMedia: '0NumSegments1' },
    { AccountSid: undefined },
    { AccountSid: 'AC1' },
    { Other: 'x'.repeat(1025) },
  ];
  for (const change of cases) {
    assert.throws(
      () => readInboundText(inbound(change), OURS),
      refusal('schema_mismatch'),
      JSON.stringify(change),
    );
  }
});

test('another account or another number is not ours', () => {
  assert.throws(
    () => readInboundText(inbound({ AccountSid: `AC${'1'.repeat(32)}` }), OURS),
    refusal('not_found'),
  );
  assert.throws(() => readInboundText(inbound({ To: '+15550001112' }), OURS), refusal('not_found'));
  assert.throws(
    () => readStatusReport(status({ AccountSid: `AC${'1'.repeat(32)}` }), OURS),
    refusal('not_found'),
  );
  assert.throws(() => readStatusReport(status({ From: '+15550001112' }), OURS), refusal('not_found'));
});

test('a genuine signature cannot be split into another sender', () => {
  verifies('T3.8');
  const url = 'https://example.test/sms/inbound';
  // The attacker writes parameters into the text and then holds the signature of exactly this webhook.
  const genuine = inbound({ Body: 'helloFrom+15559990000', FromCity: undefined, FromCountry: 'US' });
  const signature = carrierSignature('token', url, genuine);
  for (const swallower of ['FromA', 'Fromage', 'G', 'Fro', 'FromCountry']) {
    const split = new Map(genuine).set('Body', 'hello').set('From', '+15559990000');
    split.delete('FromCountry');
    split.set(swallower, 'From+15552223333FromCountryUS'.slice(swallower === 'Fro' ? 3 : 0));
    const isSame = signature === carrierSignature('token', url, split);
    if (isSame) verifyCarrierSignature('token', url, split, [signature]);
    assert.throws(() => readInboundText(split, OURS), refusal('schema_mismatch'), swallower);
  }
  // The forms that do sign alike: the name's own letters begin the swallowed text.
  const alike = new Map(genuine).set('Body', 'hello').set('From', '+15559990000From+15552223333');
  assert.equal(carrierSignature('token', url, alike), signature);
  assert.throws(() => readInboundText(alike, OURS), refusal('schema_mismatch'));
  const body = new Map([...inbound()].filter(([name]) => name !== 'ApiVersion'));
  body.set('ApiVersion', '2010-04-01Bodyfront door ').set('Body', 'will not lock');
  assert.throws(() => readInboundText(body, OURS), refusal('schema_mismatch'));
});

test('a status is read; steps on the way report nothing; unlisted words are refused', () => {
  verifies('C.8');
  assert.deepEqual(readStatusReport(status(), OURS), { providerId: SID, status: 'delivered' });
  assert.equal(readStatusReport(status({ MessageStatus: 'undelivered' }), OURS).status, 'failed');
  assert.equal(readStatusReport(status({ MessageStatus: 'sent' }), OURS).status, null);
  for (const word of ['constructor', 'approved', '', 'DELIVERED', undefined]) {
    assert.throws(() => readStatusReport(status({ MessageStatus: word }), OURS), refusal('schema_mismatch'));
  }
});
