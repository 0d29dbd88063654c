import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressKey, type DetailName, wrongDetails } from './details.ts';
import { toE164 } from './phone-number.ts';

const wrong = (name: DetailName, value: string) => wrongDetails({ [name]: value }).length > 0;

test('what people write down is taken, what is none is named', () => {
  const good: Readonly<Record<DetailName, readonly string[]>> = {
    name: ['Nina Oxenham', 'Éa Ó Néill', "O'Brien, Jr.", '李雷'],
    phone: ['+15125550177', '(512) 555-0177', '512.555.0177', '+44 20 7946 0018'],
    email: ['nina@shop.example', 'N.O+door@shop.example'],
  };
  const bad: Readonly<Record<DetailName, readonly string[]>> = {
    name: ['', ' Nina', 'Ni\u0000na', 'Ni\nna', '\u27e6PERSON_1\u27e7', '\ud800', 'n'.repeat(201)],
    phone: ['', '12', 'my number', '555-0177', `+1${'5'.repeat(40)}`],
    email: [
      '',
      'nina',
      'nina@',
      '@shop.example',
      'a@b@c',
      'ni na@shop.example',
      `${'n'.repeat(65)}@x.example`,
    ],
  };
  for (const [name, values] of Object.entries(good) as [DetailName, readonly string[]][])
    for (const value of values) assert.equal(wrong(name, value), false, `${name} ${value}`);
  for (const [name, values] of Object.entries(bad) as [DetailName, readonly string[]][])
    for (const value of values) assert.equal(wrong(name, value), true, `${name} ${JSON.stringify(value)}`);
  assert.deepEqual(wrongDetails({ name: '', phone: '1', email: 'x' }), ['name', 'phone', 'email']);
  assert.deepEqual(wrongDetails({}), []);
});

test('one address written in several ways is one address', () => {
  const written = ['+15125550177', '512-555-0177', '(512) 555 0177', '1 512 555 0177', '+1 (512) 555.0177'];
  assert.deepEqual(new Set(written.map((value) => addressKey('phone', value))), new Set(['+15125550177']));
  assert.equal(addressKey('email', 'Nina@Shop.example'), addressKey('email', 'nina@shop.EXAMPLE'));
  assert.notEqual(addressKey('phone', '+15125550177'), addressKey('phone', '+15125550178'));
});

test('whatever is written, it is taken or named, and a number that is taken stays the number it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (value) => {
      for (const name of ['name', 'phone', 'email'] as const) wrongDetails({ [name]: value });
      if (wrong('phone', value)) return;
      const number = toE164(value) ?? assert.fail('taken and no number');
      assert.equal(toE164(number), number);
    }),
  );
});
