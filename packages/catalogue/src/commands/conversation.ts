import Type from 'typebox';
import { type CommandEntry, command, intake, scheduling, staff } from '../define.ts';
import { choice, instant, list, object, optional, reference, word } from '../fields.ts';
import { MAX_QUESTIONS_AT_ONCE, QUESTION_IDS } from '../incident-types/shape.ts';
import { PHRASES } from '../messages.ts';

/** Words in, words out. */
export const MASK_STATES = ['RELEASED', 'WITHHELD'] as const;
export const DOUBTS = ['unknown_number', 'number_on_file_twice', 'vault_unavailable'] as const;
/** `superseded`: it was never handed to a carrier, because what it says is no longer true. */
export const DELIVERY_STATUSES = ['sent', 'delivered', 'failed', 'superseded'] as const;
export const CHANNELS = ['sms', 'email', 'voice', 'web'] as const;
export type Channel = (typeof CHANNELS)[number];

export const CONVERSATION_COMMANDS: readonly CommandEntry[] = [
  command('message.receive', {
    summary:
      'An inbound message that the gateway took over from a carrier; opens a turn when a contact wrote it.',
    target: 'none',
    who: [{ role: 'gateway', membership: 'tenant' }],
    proof: 'L0',
    input: object({
      channel: choice(CHANNELS),
      /** The carrier's id of the message: the same id again answers the same message. */
      provider_id: word('^[A-Za-z0-9_.@<>+=-]+$', 200),
      /** Vault handle of whoever owns the sending address, if exactly one contact does. */
      contact_id: optional(reference('contact')),
      /** Keyed hash of the sending address, so that strangers can be counted without being known. */
      sender_hash: word('^[A-Za-z0-9_-]{43}$', 43),
      doubts: list(choice(DOUBTS), 0, DOUBTS.length),
      received_at: instant(),
      /** Vault handle of the original. */
      text_id: reference('text'),
      mask_state: choice(MASK_STATES),
      /** Present when released: text with typed placeholders, free of personal data. */
      masked_text: optional(Type.String({ maxLength: 16_000, 'x-source': 'literal' })),
    }),
    needs: ['inbound', 'schedule', 'autonomy'],
  }),
  command('message.report_delivery', {
    summary: 'What became of an outbound message.',
    target: 'message',
    who: [{ role: 'gateway', membership: 'tenant' }],
    proof: 'L0',
    input: object({
      status: choice(DELIVERY_STATUSES),
      provider_id: optional(word('^[A-Za-z0-9_.@<>+=-]+$', 200)),
    }),
    needs: ['message'],
  }),
  command('conversation.reply', {
    summary: "The agent's own words: a reviewed phrase by id.",
    target: 'none',
    who: [],
    agents: [...intake(1), ...scheduling(1)],
    proof: 'L1',
    input: object({}),
    agentInput: object({
      phrase: choice(PHRASES),
      questions: optional(list(choice(QUESTION_IDS), 1, MAX_QUESTIONS_AT_ONCE)),
    }),
    needs: ['turn', 'conversation', 'autonomy'],
  }),
  command('autonomy.pause', {
    summary: 'Stops agents, and only agents, within a scope, at once.',
    target: 'none',
    who: staff('dispatcher', 'supervisor'),
    proof: 'L1',
    input: object({
      scope: choice(['tenant', 'account', 'ticket']),
      /** Absent for the whole tenant. */
      scope_id: optional(reference('scope')),
    }),
    needs: ['autonomy'],
  }),
  command('autonomy.resume', {
    summary: 'Lets agents act again within a scope.',
    target: 'none',
    who: staff('supervisor'),
    proof: 'L1',
    input: object({
      scope: choice(['tenant', 'account', 'ticket']),
      scope_id: optional(reference('scope')),
    }),
    needs: ['autonomy'],
    isActOfAuthority: true,
  }),
];
