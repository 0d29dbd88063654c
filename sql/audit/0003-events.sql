-- Every accepted command writes exactly one event, in the transaction of its effect; every refusal one of its own.
create table audit.events (
  tenant_id uuid not null,
  id uuid not null,
  -- Database time; no role but the owner may write this column.
  at timestamptz not null default now(),
  -- Who wrote the row: bound to the database role by a policy.
  origin text not null check (origin in ('dispatch', 'identity', 'vault', 'operator')),
  command text not null,
  actor text not null,
  decision text not null check (decision in ('accepted', 'refused')),
  correlation_id uuid not null,
  ticket_id uuid,
  -- Canonical JSON (RFC 8785) as bytes: hash exactly what is stored.
  body bytea not null,
  constraint events_pkey primary key (tenant_id, id)
);
create index events_by_ticket on audit.events (tenant_id, ticket_id, at) where ticket_id is not null;
create index events_by_correlation on audit.events (tenant_id, correlation_id, at);

-- One row per object version that an event accounts for. A versioned row may exist only with its effect.
create table audit.effects (
  tenant_id uuid not null,
  object text not null,
  object_id uuid not null,
  version integer not null check (version >= 1),
  command text not null,
  before_state text not null,
  after_state text not null,
  event_id uuid not null,
  -- Start of the transaction. No app role may write it, so "effect of this transaction" can be checked.
  at timestamptz not null default now(),
  constraint effects_pkey primary key (tenant_id, object_id, version),
  -- What the versioned tables point at: the state is part of the key, so it cannot drift from its event.
  constraint effects_state_key unique (tenant_id, object_id, version, after_state),
  constraint effects_event_fkey foreign key (tenant_id, event_id) references audit.events (tenant_id, id),
  constraint effects_transition_fkey foreign key (object, command, before_state, after_state)
    references dispatch.transitions (object, command, before_state, after_state)
);
create index effects_by_event on audit.effects (tenant_id, event_id);
