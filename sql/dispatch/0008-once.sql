-- What may happen once.

-- Nonces are shared by tenants and replicas: a signature is a signature.
create table dispatch.nonces (
  keyid text not null,
  nonce text not null,
  created timestamptz not null,
  constraint nonces_pkey primary key (keyid, nonce)
);
-- BRIN: pruning by age must not cost a second tree on every commit.
create index nonces_by_age on dispatch.nonces using brin (created);

-- Anything created before the floor is refused; nonces may be forgotten only below it.
create table dispatch.nonce_floor (
  one boolean primary key default true check (one),
  floor timestamptz not null
);
insert into dispatch.nonce_floor (floor) values ('-infinity');

-- Kept as long as the ticket. Holds references, never personal data.
create table dispatch.idempotency (
  tenant_id uuid not null,
  service text not null,
  subject text not null,
  command text not null,
  -- The concrete path, not the route template: the same key on another ticket is another key.
  path text not null,
  key text not null check (length(key) between 1 and 100),
  -- Keyed digest of the body that was answered.
  fingerprint text not null,
  answer jsonb not null,
  event_id uuid not null,
  created_at timestamptz not null default now(),
  constraint idempotency_pkey primary key (tenant_id, service, subject, command, path, key)
);

-- A token that carries an action digest is consumed once, with its effect.
create table dispatch.consumed_tokens (
  tenant_id uuid not null,
  txn uuid not null,
  consumed_at timestamptz not null default now(),
  constraint consumed_tokens_pkey primary key (tenant_id, txn)
);
