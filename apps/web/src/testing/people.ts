import type { FakePerson } from './fake-peers.ts';

export const DANA: FakePerson = {
  subject: 'staff:01900000-0000-7000-8000-000000000001',
  label: 'dana-dispatcher',
  roles: ['dispatcher'],
};

export const TOM: FakePerson = {
  subject: 'technician:01900000-0000-7000-8000-000000000002',
  label: 'tom-technician',
  roles: ['technician'],
};

export const TICKET_ID = '01900000-0000-7000-8000-0000000000aa';
export const CONVERSATION_ID = '01900000-0000-7000-8000-0000000000bb';
export const EVIDENCE_ID = '01900000-0000-7000-8000-0000000000cc';
export const KEY_ONE = '6f1b1d6e-4a68-4f0e-9a53-0a5a4c5b7f01';
export const KEY_TWO = '6f1b1d6e-4a68-4f0e-9a53-0a5a4c5b7f02';
