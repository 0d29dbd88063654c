import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { carrierSignature, verifyCarrierSignature } from './carrier-signature.ts';
import { parseForm } from './form.ts';

/** The carrier's own published example. */
const URL = 'https://mycompany.com/myapp.php?foo=1&bar=2';
const FORM = new Map([
  ['Digits', '1234'],
  ['To', '+18005551212'],
  ['From', '+14158675309'],
  ['Caller', '+14158675309'],
  ['CallSid', 'CA1234567890ABCDE'],
]);
const SIGNATURE = 'RSOYDt4T1cUTdK1PDd93/VVr8B8=';

const isRefused = (error: unknown) => error instanceof DispatchError && error.code === 'unauthenticated';

test("the carrier's published example has the published signature", () => {
  assert.equal(carrierSignature('12345', URL, FORM), SIGNATURE);
  verifyCarrierSignature('12345', URL, FORM, [SIGNATURE]);
});

test('a changed url, name, value, token or signature is refused', () => {
  const changed = new Map(FORM).set('To', '+18005551213');
  const fewer = new Map([...FORM].slice(1));
  const cases: [string, string, ReadonlyMap<string, string>, string[]][] = [
    ['12345', `${URL}3`, FORM, [SIGNATURE]],
    ['12345', URL.replace('https', 'http'), FORM, [SIGNATURE]],
    ['12345', URL, changed, [SIGNATURE]],
    ['12345', URL, fewer, [SIGNATURE]],
    ['12346', URL, FORM, [SIGNATURE]],
    ['12345', URL, FORM, []],
    ['12345', URL, FORM, ['']],
    ['12345', URL, FORM, [SIGNATURE, SIGNATURE]],
    ['12345', URL, FORM, [SIGNATURE.toLowerCase()]],
    ['12345', URL, FORM, [`${SIGNATURE} `]],
    ['12345', URL, FORM, [SIGNATURE.slice(0, -1)]],
  ];
  for (const [token, url, form, headers] of cases) {
    assert.throws(() => verifyCarrierSignature(token, url, form, headers), isRefused);
  }
});

test('an empty token proves nothing, although anybody can sign with it', () => {
  const forged = carrierSignature('', URL, FORM);
  assert.throws(() => verifyCarrierSignature('', URL, FORM, [forged]), isRefused);
});

test('the scheme itself cannot tell {A:1,B:2} from {A:"1B2"}, which is why shapes are checked afterwards', () => {
  const two = parseForm(Buffer.from('A=1&B=2'));
  const one = parseForm(Buffer.from('A=1B2'));
  assert.equal(carrierSignature('t', URL, two), carrierSignature('t', URL, one));
});
