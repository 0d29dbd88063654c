import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { verifies } from '../../../../test/requirements.ts';
import { type AskOptions, askForContacts } from './ask-contacts.ts';
import type { ContactBatch } from './plan-contacts.ts';
import { LineRefused } from './run-import.ts';

const BATCH: ContactBatch = {
  file: 'contacts.csv',
  account: 'acme',
  rows: [2, 5].map((line) => ({
    line,
    slug: `m-${line}`,
    site: line === 5 ? 'acme/store-1' : null,
    mayRequest: true,
    details: { name: `Name ${line}`, phone: `+1512555010${line}` },
    textKey: (name) => `text ${line} ${name}`,
  })),
  key: (attempt) => `key ${attempt}`,
};

/** A gate that answers the same request the same way, and what has become of the acts that it made. */
function gate(over: Partial<AskOptions> = {}) {
  const acts = new Map<string, 'waiting' | 'over'>();
  const sent: { readonly body: object; readonly key: string }[] = [];
  const sealed: string[] = [];
  let onFile = false;
  const options: AskOptions = {
    idOf: (kind, name) => `${kind}:${name}`,
    send: async (_command, body, key) => {
      sent.push({ body, key });
      if (!acts.has(key)) acts.set(key, 'waiting');
      return { result: { act_id: key, action_digest: `digest of ${key}` } };
    },
    seal: async (text, key) => {
      sealed.push(`${key}: ${text}`);
      return { text_id: key, commitment: 'c' };
    },
    readActs: async () => ({
      acts: [...acts]
        .filter(([, state]) => state === 'waiting')
        .map(([id]) => ({ id, confirm_url: `http://id.example/${id}`, expires_at: 'later' })),
    }),
    isOnFile: async () => onFile,
    onStep: () => undefined,
    ...over,
  };
  const end = (key: string, isDone: boolean) => {
    acts.set(key, 'over');
    onFile = isDone;
  };
  return { options, sent, sealed, end };
}

describe('asking for contacts', () => {
  test('hands the words to the vault, sends handles alone, and says where it is confirmed', async () => {
    verifies('T5.2');
    const { options, sent, sealed } = gate();
    const [asked] = await askForContacts([BATCH], options);
    assert.deepEqual(
      [asked?.actId, asked?.digest, asked?.confirmUrl],
      ['key 0', 'digest of key 0', 'http://id.example/key 0'],
    );
    assert.equal(sealed.length, 4);
    assert.deepEqual(sent[0]?.body, {
      account_id: 'accounts:acme',
      contacts: [
        {
          slug: 'm-2',
          may_request: true,
          name: { text_id: 'text 2 name', commitment: 'c' },
          phone: { text_id: 'text 2 phone', commitment: 'c' },
        },
        {
          slug: 'm-5',
          site_id: 'sites:acme/store-1',
          may_request: true,
          name: { text_id: 'text 5 name', commitment: 'c' },
          phone: { text_id: 'text 5 phone', commitment: 'c' },
        },
      ],
    });
    assert.doesNotMatch(JSON.stringify(sent), /Name \d|\+1512/);
  });

  test('again finds what waits; asks anew for what was declined or lapsed; and leaves what was confirmed', async () => {
    verifies('R.1', 'R.2');
    const { options, sent, end } = gate();
    const again = async () => (await askForContacts([BATCH], options)).map(({ actId }) => actId);
    assert.deepEqual(await again(), ['key 0']);
    assert.deepEqual(await again(), ['key 0']);
    end('key 0', false);
    assert.deepEqual(await again(), ['key 1']);
    assert.deepEqual(await again(), ['key 1']);
    end('key 1', true);
    assert.deepEqual(await again(), []);
    // Each attempt was one request, however often it was sent.
    assert.deepEqual(new Set(sent.map(({ key, body }) => key + JSON.stringify(body))).size, 2);
  });

  test('that is refused names the line at fault, and asks for nothing after it', async () => {
    const refusal = (extra: Record<string, readonly string[]>) => {
      const { options } = gate({
        send: async () => {
          throw new DispatchError('schema_mismatch', { extra });
        },
      });
      return askForContacts([BATCH, BATCH], options);
    };
    for (const [fields, line] of [
      [['/contacts/1/slug'], 5],
      [['/contacts/0/phone'], 2],
      [['/account_id'], 2],
      [['/contacts/9/slug'], 2],
    ] as const) {
      await assert.rejects(
        refusal({ fields }),
        (error) => error instanceof LineRefused && error.step.line === line,
        String(fields),
      );
    }
    const { options } = gate({ send: async () => ({ result: {} }) });
    await assert.rejects(
      askForContacts([BATCH], options),
      (error) => error instanceof LineRefused && error.refusal.code === 'unavailable',
    );
  });

  test('that nobody ever confirms ends', async () => {
    const { options } = gate({ readActs: async () => ({ acts: [] }) });
    await assert.rejects(
      askForContacts([BATCH], options),
      (error) => error instanceof LineRefused && error.refusal.code === 'rate_limited',
    );
  });
});
