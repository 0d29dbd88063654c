-- What was done and found. Append-only for the app; a record's id is the event that made it.
create table dispatch.parts (
  tenant_id uuid not null,
  event_id uuid not null,
  ticket_id uuid not null,
  part_number text not null check (length(part_number) between 1 and 60),
  quantity integer not null check (quantity > 0),
  unit_cents bigint not null check (unit_cents >= 0),
  recorded_at timestamptz not null default now(),
  primary key (tenant_id, event_id),
  foreign key (tenant_id, event_id) references audit.events (tenant_id, id),
  foreign key (tenant_id, ticket_id) references dispatch.tickets (tenant_id, id)
);
create index parts_by_ticket on dispatch.parts (tenant_id, ticket_id);

create table dispatch.times (
  tenant_id uuid not null,
  event_id uuid not null,
  ticket_id uuid not null,
  minutes integer not null check (minutes > 0),
  recorded_at timestamptz not null default now(),
  primary key (tenant_id, event_id),
  foreign key (tenant_id, event_id) references audit.events (tenant_id, id),
  foreign key (tenant_id, ticket_id) references dispatch.tickets (tenant_id, id)
);
create index times_by_ticket on dispatch.times (tenant_id, ticket_id);

create table dispatch.tests (
  tenant_id uuid not null,
  event_id uuid not null,
  ticket_id uuid not null,
  test text not null,
  passed boolean not null,
  value double precision,
  recorded_at timestamptz not null default now(),
  primary key (tenant_id, event_id),
  foreign key (tenant_id, event_id) references audit.events (tenant_id, id),
  foreign key (tenant_id, ticket_id) references dispatch.tickets (tenant_id, id)
);
-- The latest result of a test counts.
create index tests_by_ticket on dispatch.tests (tenant_id, ticket_id, test, recorded_at desc);

-- Immutable submissions: a remedy adds a row elsewhere, it never edits this one.
create table dispatch.completions (
  tenant_id uuid not null,
  id uuid not null,
  event_id uuid not null,
  ticket_id uuid not null,
  visit_id uuid not null,
  submitted_by text not null,
  outcome text not null,
  work_note_text_id uuid not null,
  signature_kind text not null check (signature_kind in ('signed', 'unavailable')),
  signature_text_id uuid not null,
  submitted_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, event_id) references audit.events (tenant_id, id),
  foreign key (tenant_id, ticket_id) references dispatch.tickets (tenant_id, id),
  foreign key (tenant_id, visit_id) references dispatch.visits (tenant_id, id)
);
create index completions_by_ticket on dispatch.completions (tenant_id, ticket_id, submitted_at desc);

create table dispatch.verifications (
  tenant_id uuid not null,
  event_id uuid not null,
  completion_id uuid not null,
  result text not null check (result in ('PASS', 'FAIL')),
  verified_by text not null,
  note_text_id uuid,
  verified_at timestamptz not null default now(),
  primary key (tenant_id, event_id),
  foreign key (tenant_id, event_id) references audit.events (tenant_id, id),
  foreign key (tenant_id, completion_id) references dispatch.completions (tenant_id, id)
);

-- What a failed verification asks for, key by key.
create table dispatch.wanting (
  tenant_id uuid not null,
  verification_id uuid not null,
  completion_id uuid not null,
  key text not null,
  primary key (tenant_id, verification_id, key),
  foreign key (tenant_id, verification_id) references dispatch.verifications (tenant_id, event_id),
  foreign key (tenant_id, completion_id) references dispatch.completions (tenant_id, id)
);
create index wanting_by_completion on dispatch.wanting (tenant_id, completion_id);

-- A key is open while it has no row here.
create table dispatch.remedies (
  tenant_id uuid not null,
  verification_id uuid not null,
  key text not null,
  event_id uuid not null,
  evidence_id uuid,
  submitted_at timestamptz not null default now(),
  primary key (tenant_id, verification_id, key),
  foreign key (tenant_id, verification_id, key) references dispatch.wanting (tenant_id, verification_id, key),
  foreign key (tenant_id, event_id) references audit.events (tenant_id, id),
  foreign key (tenant_id, evidence_id) references dispatch.evidence (tenant_id, id)
);
