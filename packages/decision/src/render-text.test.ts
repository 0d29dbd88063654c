import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  MAX_QUESTIONS_AT_ONCE,
  MESSAGE_TEMPLATES,
  OUTCOMES,
  PHRASES,
  QUESTION_IDS,
  releasedVersions,
  STAFF_PHRASES,
} from '@deadlatch/catalogue';
import { DispatchError } from '@deadlatch/kernel';
import fc from 'fast-check';
import { verifies } from '../../../test/requirements.ts';
import { type RenderContext, renderText } from './render-text.ts';
import type { MessageRow } from './rows.ts';
import { messageRow } from './testing/rows.ts';
import {
  OUTCOME_WORDS,
  PHRASE_TEXTS,
  QUESTION_TEXTS,
  STAFF_PHRASE_TEXTS,
  TEMPLATE_TEXTS,
  type TemplateText,
} from './texts.ts';

const CONTEXT: RenderContext = { senderName: 'Harbor Door', link: 'http://127.0.0.1:4300/s/abc_DEF-123' };
const REFERENCE = 'DL-ABCD2345';

function render(
  template: string,
  slots: MessageRow['slots'] = {},
  context: RenderContext = CONTEXT,
  template_version: number | null = template.startsWith('M') ? 1 : null,
): string {
  return renderText(
    messageRow({ template, template_version, slots: { reference: REFERENCE, ...slots } }),
    context,
  );
}

const WINDOW = '2026-03-03T15:00:00.000Z/2026-03-03T17:00:00.000Z@America/New_York';

const SLOTS: Readonly<Record<string, MessageRow['slots']>> = {
  M02: { questions: ['which_door', 'since_when'] },
  M04: { priority: 'EMERGENCY' },
  M05: { windows: [WINDOW, WINDOW, WINDOW] },
  M06: { state: 'DISPATCHED' },
  M10: { state: 'ON_SITE' },
  M11: { amount_cents: 20_000, new_nte_cents: 95_000 },
  M12: { result: 'APPROVED', nte_cents: 95_000 },
  M15: { outcome: 'RESOLVED' },
  M16: { over: 'DL-WXYZ6789' },
  M17: { total_cents: 83_250 },
  M20: { survivor: 'DL-WXYZ6789' },
  'phrase:ask_intake_questions': { questions: ['anyone_hurt'] },
};

test('every template and phrase renders one line with sender, ticket and link that every phone can show', () => {
  verifies('T2.1', 'T2.6');
  for (const [template, version] of [
    ...MESSAGE_TEMPLATES.flatMap((t) => releasedVersions('template', t).map((v) => [t, v] as const)),
    ...PHRASES.map((p) => [`phrase:${p}`, null] as const),
    ...STAFF_PHRASES.map((p) => [`staff:${p}`, null] as const),
  ]) {
    const text = render(template, SLOTS[template], CONTEXT, version);
    assert.ok(text.startsWith('Harbor Door: '), text);
    assert.ok(text.includes(REFERENCE), text);
    assert.ok(text.includes(CONTEXT.link ?? ''), text);
    assert.match(text, /^[\x20-\x7e]+$/);
    assert.doesNotMatch(text, /[{}[\]\\^~|`]/);
  }
});

test('amounts, states and outcomes are values of the row, written one way', () => {
  verifies('T2.3');
  assert.equal(
    render('M11', SLOTS.M11),
    'Harbor Door: Approval needed on ticket DL-ABCD2345: $200.00 more, new limit $950.00. A reply to this text approves nothing. Decide on this page only: http://127.0.0.1:4300/s/abc_DEF-123',
  );
  assert.match(render('M17', SLOTS.M17), /\$832\.50/);
});

test('no text offers a word to reply with that nothing listens to', () => {
  verifies('T2.1');
  assert.equal(
    render('M01'),
    'Harbor Door: We received your request. Ticket DL-ABCD2345. http://127.0.0.1:4300/s/abc_DEF-123',
  );
  const templates = [...TEMPLATE_TEXTS.values()].flatMap((versions) => [...versions.values()].flat());
  for (const { text } of [...templates, ...PHRASE_TEXTS.values()]) {
    assert.doesNotMatch(text, /\b(STOP|HELP)\b/);
  }
});

test('every closed set has its words', () => {
  verifies('C.8');
  assert.deepEqual([...TEMPLATE_TEXTS.keys()], [...MESSAGE_TEMPLATES]);
  for (const [template, versions] of TEMPLATE_TEXTS)
    assert.deepEqual([...versions.keys()], releasedVersions('template', template), template);
  assert.deepEqual([...PHRASE_TEXTS.keys()], [...PHRASES]);
  assert.deepEqual([...STAFF_PHRASE_TEXTS.keys()], [...STAFF_PHRASES]);
  assert.deepEqual([...QUESTION_TEXTS.keys()], [...QUESTION_IDS]);
  assert.deepEqual([...OUTCOME_WORDS.keys()], [...OUTCOMES]);
});

function refuses(template: string, slots: MessageRow['slots'], context: RenderContext = CONTEXT): void {
  assert.throws(
    () => renderText(messageRow({ template, slots }), context),
    (error) => error instanceof DispatchError && error.code === 'unavailable',
    `${template} ${JSON.stringify(slots)}`,
  );
}

test('an unknown template, slot or value is not rendered', () => {
  verifies('C.8', 'T2.6');
  const reference = REFERENCE;
  for (const template of ['M99', 'constructor', 'phrase:constructor', 'phrase:', ''])
    refuses(template, { reference });
  refuses('M01', {});
  refuses('M01', { reference, note: 'free words' });
  refuses('M01', { reference: 'DL-abc' });
  refuses('M01', { reference: `${REFERENCE}\nFrom: us` });
  for (const amount of [-1, 0.5, Number.NaN, '200', 1e15]) {
    refuses('M17', { reference, total_cents: amount as number });
  }
  refuses('M04', { reference, priority: 'HIGH' });
  refuses('M06', { reference, state: 'CLOSED' });
  refuses('M12', { reference, result: 'yes', nte_cents: 1 });
  refuses('M02', { reference, questions: [] });
  refuses('M02', { reference, questions: ['constructor'] });
  assert.throws(() => renderText(messageRow({ direction: 'IN', template: null }), CONTEXT), DispatchError);
});

test('every version of a template says the same values, so that any of them can be in force when they are committed', () => {
  verifies('T2.6');
  for (const [template, versions] of TEMPLATE_TEXTS) {
    const slotsOf = (text: TemplateText) =>
      [text]
        .flat()
        .map(({ slots }) => JSON.stringify(Object.entries(slots).sort()))
        .sort();
    const all = [...versions.values()].map(slotsOf);
    for (const slots of all) assert.deepEqual(slots, all[0], template);
  }
});

test('a message is rendered by its own version of the text, for ever, and by no other', () => {
  verifies('T2.1', 'C.8');
  const texts = new Map([
    [
      'M18',
      new Map([
        [1, { text: 'Ticket {reference} is off.', slots: {} }],
        [2, { text: 'Ticket {reference} was called off.', slots: {} }],
      ]),
    ],
  ]);
  const said = (template_version: number | null, slots = { reference: REFERENCE }) =>
    renderText(messageRow({ template: 'M18', template_version, slots }), { ...CONTEXT, link: null }, texts);
  assert.equal(said(1), 'Harbor Door: Ticket DL-ABCD2345 is off.');
  assert.equal(said(2), 'Harbor Door: Ticket DL-ABCD2345 was called off.');
  for (const version of [null, 0, 3, -1, 1.5, Number.NaN]) assert.throws(() => said(version), DispatchError);
  // A message from before there were versions is of the first; what was said by that can be said again.
  const invoice = (version: number) => render('M17', SLOTS.M17, { ...CONTEXT, link: null }, version);
  assert.equal(invoice(1), 'Harbor Door: Ticket DL-ABCD2345: the invoice over $832.50 is out.');
  assert.equal(
    invoice(2),
    'Harbor Door: Ticket DL-ABCD2345: we have issued the invoice. Its total is $832.50.',
  );
});

test('as many questions as may be asked at once fit into one text, be they the longest; one more is refused', () => {
  verifies('T2.6');
  const longest = [...QUESTION_TEXTS].sort((a, b) => b[1].length - a[1].length).map(([question]) => question);
  const widest = { senderName: 'x'.repeat(40), link: `http://127.0.0.1:4300/s/${'a'.repeat(60)}` };
  for (const template of ['M02', 'phrase:ask_intake_questions']) {
    const questions = longest.slice(0, MAX_QUESTIONS_AT_ONCE);
    assert.ok(render(template, { questions }, widest).includes('Is '), template);
    refuses(template, { reference: REFERENCE, questions: longest.slice(0, MAX_QUESTIONS_AT_ONCE + 1) });
  }
});

test('a link or sender that is more than one is not rendered', () => {
  verifies('T2.6', 'T3.12');
  const slots = { reference: REFERENCE };
  for (const link of [
    'javascript:alert(1)',
    'http://a.b/c d',
    'http://a@b/c',
    'https://a.b/c?next=//evil',
    '',
  ]) {
    refuses('M01', slots, { ...CONTEXT, link });
  }
  for (const senderName of ['', ' ', 'x'.repeat(41), 'Door\nCo', '門'])
    refuses('M01', slots, { ...CONTEXT, senderName });
  assert.match(render('M01', {}, { senderName: 'Café Door', link: null }), /^Cafe Door: /);
});

test('whatever stands in a slot, the text is one safe line or none', () => {
  verifies('T2.6');
  const anyValue = fc.oneof(fc.string(), fc.integer(), fc.double(), fc.array(fc.string(), { maxLength: 4 }));
  const names = ['reference', 'amount_cents', 'priority', 'state', 'outcome', 'questions', 'nte_cents', 'x'];
  fc.assert(
    fc.property(
      fc.constantFrom(...MESSAGE_TEMPLATES),
      fc.dictionary(fc.constantFrom(...names), anyValue),
      fc.string(),
      (template, slots, senderName) => {
        try {
          const text = renderText(messageRow({ template, slots }), { senderName, link: null });
          assert.match(text, /^[\x20-\x7e]{1,918}$/);
        } catch (error) {
          assert.ok(error instanceof DispatchError && error.code === 'unavailable');
        }
      },
    ),
  );
});
