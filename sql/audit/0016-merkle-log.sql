-- The Merkle log over all tenants' events: which event has which index, and how far the log and its witness are.
-- Written by the sequencer alone. Order is not left to a sequence or to identity: an event waits here until a
-- transaction of the single writer gives it the next index.
create table audit.unsequenced (
  tenant_id uuid not null,
  event_id uuid not null,
  at timestamptz not null default now(),
  constraint unsequenced_pkey primary key (tenant_id, event_id)
);
create index unsequenced_by_age on audit.unsequenced (at);

create table audit.log_entries (
  index bigint not null check (index >= 0),
  tenant_id uuid not null,
  event_id uuid not null,
  -- SHA-256(0x00 || body), RFC 9162 section 2.1.1
  leaf_hash bytea not null check (octet_length(leaf_hash) = 32),
  constraint log_entries_pkey primary key (index),
  constraint log_entries_event_key unique (tenant_id, event_id),
  constraint log_entries_leaf_key unique (leaf_hash),
  constraint log_entries_event_fkey foreign key (tenant_id, event_id) references audit.events (tenant_id, id)
);

create table audit.log_head (
  one boolean primary key default true check (one),
  -- null until the first sequencer names the log
  origin text,
  size bigint not null default 0 check (size >= 0),
  -- of the first `size` entries; null while there are none
  root bytea check (octet_length(root) = 32),
  -- Fencing: whoever takes over raises it, and a writer of an older epoch commits nothing.
  epoch bigint not null default 0,
  -- The newest checkpoint with its cosignatures, as the witness gave them.
  witnessed_note bytea,
  witnessed_size bigint not null default 0 check (witnessed_size <= size),
  check ((size = 0) = (root is null))
);
insert into audit.log_head default values;

-- What was written before there was a log belongs into it too.
-- Of every tenant: row-level security binds the owner too, but for this one statement.
alter table audit.events no force row level security;
insert into audit.unsequenced (tenant_id, event_id, at) select tenant_id, id, at from audit.events;
alter table audit.events force row level security;
