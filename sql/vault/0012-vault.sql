-- Personal data: ciphertext under a key per subject, wrapped by the key-encryption key that only vault holds.

-- Destroying wrapped_key erases the person; ids and commitments stay valid.
create table vault.subjects (
  tenant_id uuid not null,
  -- The contact's id.
  id uuid not null,
  wrapped_key bytea,
  key_version integer not null default 1,
  created_at timestamptz not null default now(),
  erased_at timestamptz,
  primary key (tenant_id, id),
  check ((erased_at is null) = (wrapped_key is not null))
);

create table vault.values (
  tenant_id uuid not null,
  id uuid not null,
  subject_id uuid not null,
  kind text not null check (kind in ('phone', 'email', 'name', 'address')),
  ciphertext bytea not null,
  -- Keyed hash of the normal form; look-up by address. Not unique: an address on file twice lowers to L0.
  blind_index text,
  changed_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, subject_id) references vault.subjects (tenant_id, id)
);
create index values_by_blind_index on vault.values (tenant_id, kind, blind_index);
create index values_by_subject on vault.values (tenant_id, subject_id, kind);

-- Words of people: raw inbound messages, notes, reasons, signatures.
create table vault.texts (
  tenant_id uuid not null,
  id uuid not null,
  -- null: a stranger, or staff; then the text has a key of its own.
  subject_id uuid,
  wrapped_key bytea,
  ciphertext bytea not null,
  -- HMAC of the text, base64url: what audit holds instead of the words.
  commitment text not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, subject_id) references vault.subjects (tenant_id, id)
);

-- What stands behind each placeholder of a masked text.
create table vault.text_placeholders (
  tenant_id uuid not null,
  text_id uuid not null,
  -- e.g. PERSON_1
  placeholder text not null,
  ciphertext bytea not null,
  -- Keyed hash for the exit gate.
  blind_index text,
  primary key (tenant_id, text_id, placeholder),
  foreign key (tenant_id, text_id) references vault.texts (tenant_id, id)
);

-- The answer given for a carrier's message id: the same id again gets the same answer.
create table vault.inbound (
  tenant_id uuid not null,
  provider_id text not null,
  answer jsonb not null,
  received_at timestamptz not null default now(),
  constraint inbound_pkey primary key (tenant_id, provider_id)
);

-- Which accounts' known values mask a contact's texts.
create table vault.contact_accounts (
  tenant_id uuid not null,
  contact_id uuid not null,
  account_id uuid not null,
  primary key (tenant_id, contact_id, account_id)
);

-- Values of an account that are no person's: site names, addresses, door codes.
create table vault.account_values (
  tenant_id uuid not null,
  id uuid not null,
  account_id uuid not null,
  kind text not null,
  wrapped_key bytea,
  ciphertext bytea not null,
  primary key (tenant_id, id)
);
create index account_values_by_account on vault.account_values (tenant_id, account_id);

create table vault.used_grants (
  tenant_id uuid not null,
  jti uuid not null,
  expires_at timestamptz not null,
  used_at timestamptz not null default now(),
  constraint used_grants_pkey primary key (tenant_id, jti)
);

create table vault.nonces (
  keyid text not null,
  nonce text not null,
  created timestamptz not null,
  constraint nonces_pkey primary key (keyid, nonce)
);
create index nonces_by_age on vault.nonces using brin (created);
