import Type from 'typebox';
import { type CommandEntry, command, own, staff } from '../define.ts';
import {
  amount,
  choice,
  flag,
  freeText,
  instant,
  integer,
  list,
  object,
  optional,
  reference,
  sha256,
  word,
} from '../fields.ts';
import { PHOTO_KEYS, TEST_KEYS } from '../incident-types/catalogue.ts';
import { APPROVAL_KINDS } from '../proofs.ts';
import { OUTCOMES } from '../states.ts';
import { changeLines } from './ticket.ts';

export const EVIDENCE_CONTENT_TYPES = ['image/jpeg', 'image/png', 'image/webp'] as const;
export const MAX_EVIDENCE_BYTES = 15_000_000;
export const EMERGENCY_REASONS = ['CANNOT_SECURE', 'PERSON_AT_RISK', 'EXIT_BLOCKED', 'OTHER'] as const;

/** Why a technician leaves. */
export const CHECK_OUT_OUTCOMES = [
  'COMPLETE',
  'PARTS',
  'NO_ACCESS',
  'WAITING_APPROVAL',
  'RETURN_TRIP',
] as const;

/** The trip: from the dispatcher's word to the end of the work. */
export const FIELD_COMMANDS: readonly CommandEntry[] = [
  command('visit.dispatch_emergency', {
    summary: 'Sends a technician at once; skips the proposal, never the evidence.',
    target: 'ticket',
    who: staff('dispatcher'),
    proof: 'L1',
    input: object({
      technician_id: reference('technician'),
      reason: choice(EMERGENCY_REASONS),
      note: optional(freeText()),
    }),
    needs: ['visit', 'technician', 'schedule', 'conversation'],
  }),
  command('visit.accept', {
    summary: 'The technician takes the offered visit.',
    target: 'ticket',
    who: [own('technician')],
    proof: 'L1',
    input: object({}),
    needs: ['visit'],
  }),
  command('tech.check_in', {
    summary: 'Arrival, by server time; client time and position are claims that are recorded, not believed.',
    target: 'ticket',
    who: [own('technician')],
    proof: 'L1',
    input: object({
      client_time: optional(instant()),
      /** Degrees times 10^6. */
      position: optional(
        object({ lat_e6: integer(-90_000_000, 90_000_000), lon_e6: integer(-180_000_000, 180_000_000) }),
      ),
    }),
    needs: ['visit', 'conversation'],
  }),
  command('tech.start', {
    summary: 'Work begins; the before-evidence must be there.',
    target: 'ticket',
    who: [own('technician')],
    proof: 'L1',
    input: object({}),
    needs: ['visit', 'evidence'],
  }),
  command('tech.request_change', {
    summary: 'Asks for more money or scope, with lines and photos.',
    target: 'ticket',
    who: [own('technician')],
    proof: 'L1',
    input: object({
      kind: choice(APPROVAL_KINDS),
      lines: changeLines,
      photos: list(reference('evidence'), 1, 20),
      reason: freeText(),
    }),
    needs: ['visit', 'approvals', 'evidence', 'costs', 'conversation'],
  }),
  command('evidence.presign', {
    summary: 'Announces an upload of exactly these bytes.',
    target: 'ticket',
    who: [own('requester'), own('technician'), ...staff('dispatcher')],
    proof: 'L1',
    input: object({
      key: choice(PHOTO_KEYS),
      content_type: choice(EVIDENCE_CONTENT_TYPES),
      size_bytes: integer(1, MAX_EVIDENCE_BYTES),
      sha256: sha256(),
    }),
    needs: ['visit', 'open_uploads'],
  }),
  command('evidence.finalize', {
    summary: 'Takes the stored object as evidence after hashing it again.',
    target: 'ticket',
    who: [own('requester'), own('technician'), ...staff('dispatcher')],
    proof: 'L1',
    input: object({ evidence_id: reference('evidence') }),
    needs: ['visit', 'evidence_item'],
  }),
  command('part.record', {
    summary: 'A part that went into the job.',
    target: 'ticket',
    who: [own('technician')],
    proof: 'L1',
    input: object({
      part_number: word('^[A-Za-z0-9][A-Za-z0-9 ._/-]*$', 60),
      quantity: integer(1, 1_000),
      unit_cents: amount(),
    }),
    needs: ['visit'],
  }),
  command('time.record', {
    summary: 'Minutes worked; the rate comes from the contract.',
    target: 'ticket',
    who: [own('technician')],
    proof: 'L1',
    input: object({ minutes: integer(1, 1_440) }),
    needs: ['visit'],
  }),
  command('test.record', {
    summary: 'A typed test of the incident type.',
    target: 'ticket',
    who: [own('technician')],
    proof: 'L1',
    input: object({
      test: choice(TEST_KEYS),
      passed: flag(),
      value: optional(Type.Number({ minimum: 0, maximum: 100_000, 'x-source': 'literal' })),
    }),
    needs: ['visit', 'tests'],
  }),
  command('tech.check_out', {
    summary: 'The trip is over; its outcome says what becomes of the ticket.',
    target: 'ticket',
    who: [own('technician')],
    proof: 'L1',
    input: object({
      outcome: choice(CHECK_OUT_OUTCOMES),
      /** Until when parts or access are waited for. */
      hold_until: optional(instant()),
      note: optional(freeText()),
    }),
    needs: ['visit', 'approvals', 'conversation'],
  }),
  command('tech.complete', {
    summary: 'Hands the work in for verification; refused until the evidence list is satisfied.',
    target: 'ticket',
    who: [own('technician')],
    proof: 'L1',
    input: object({
      outcome: choice(OUTCOMES),
      work_note: freeText(),
      /** A vault text with the signature, or the reason there is none and who was asked. */
      signature: object({ kind: choice(['signed', 'unavailable']), text: freeText() }),
    }),
    needs: ['visit', 'evidence', 'tests', 'costs', 'consents', 'conversation'],
  }),
];
