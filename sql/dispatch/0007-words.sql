-- Messages, turns, and what waits for a person or a process. Texts themselves live in the vault.
create table dispatch.messages (
  tenant_id uuid not null,
  id uuid not null,
  direction text not null check (direction in ('IN', 'OUT')),
  channel text not null,
  conversation_id uuid,
  contact_id uuid,
  ticket_id uuid,
  state text not null check (state in ('RECEIVED', 'QUEUED', 'SENT', 'DELIVERED', 'FAILED', 'SUPERSEDED')),
  template text,
  slots jsonb not null,
  claim jsonb not null,
  text_id uuid,
  provider_id text,
  correlation_id uuid not null,
  created_at timestamptz not null,
  primary key (tenant_id, id),
  check ((direction = 'IN') = (state = 'RECEIVED')),
  foreign key (tenant_id, conversation_id) references dispatch.conversations (tenant_id, id),
  foreign key (tenant_id, contact_id) references dispatch.contacts (tenant_id, id),
  foreign key (tenant_id, ticket_id) references dispatch.tickets (tenant_id, id)
);
-- A carrier's message counts once.
create unique index messages_inbound_once on dispatch.messages (tenant_id, provider_id, channel)
  where direction = 'IN';
create index messages_by_conversation on dispatch.messages (tenant_id, conversation_id, created_at);
create index messages_by_ticket on dispatch.messages (tenant_id, ticket_id, created_at);

create table dispatch.turns (
  tenant_id uuid not null,
  id uuid not null,
  conversation_id uuid not null,
  message_id uuid not null,
  subject_kind text not null,
  subject_id uuid not null,
  assurance text not null check (assurance in ('L0', 'L1', 'L2', 'L3')),
  agent_role text not null,
  ticket_id uuid,
  opened_at timestamptz not null,
  expires_at timestamptz not null,
  ended_at timestamptz,
  primary key (tenant_id, id),
  constraint turns_at_most_ten_minutes check (expires_at <= opened_at + interval '10 minutes'),
  foreign key (tenant_id, conversation_id) references dispatch.conversations (tenant_id, id),
  foreign key (tenant_id, message_id) references dispatch.messages (tenant_id, id),
  foreign key (tenant_id, ticket_id) references dispatch.tickets (tenant_id, id)
);
-- Opening a turn ends the others; this holds also under concurrency.
create unique index turns_one_live_per_conversation on dispatch.turns (tenant_id, conversation_id)
  where ended_at is null;

-- Words of a stranger: no site, priority, clock or membership until a person attaches them.
create table dispatch.reports (
  tenant_id uuid not null,
  id uuid not null,
  message_id uuid not null,
  sender_hash text not null,
  channel text not null,
  reported_at timestamptz not null default now(),
  attached_ticket_id uuid,
  attached_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, message_id) references dispatch.messages (tenant_id, id),
  foreign key (tenant_id, attached_ticket_id) references dispatch.tickets (tenant_id, id)
);
create index reports_by_sender on dispatch.reports (tenant_id, sender_hash, reported_at);

-- Pages a person: a queue entry, never a text.
create table dispatch.tasks (
  tenant_id uuid not null,
  id uuid not null default gen_random_uuid(),
  event_id uuid not null,
  kind text not null,
  ticket_id uuid,
  opened_at timestamptz not null default now(),
  done_at timestamptz,
  done_by text,
  primary key (tenant_id, id),
  foreign key (tenant_id, event_id) references audit.events (tenant_id, id),
  foreign key (tenant_id, ticket_id) references dispatch.tickets (tenant_id, id)
);
create index tasks_open on dispatch.tasks (tenant_id, opened_at) where done_at is null;

-- Secret links handed out in messages: at least 128 bit, stored hashed, per recipient and purpose.
create table dispatch.links (
  tenant_id uuid not null,
  hash text not null,
  purpose text not null check (purpose in ('status', 'approval')),
  contact_id uuid not null,
  -- Ticket or approval, by purpose.
  object_id uuid not null,
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, hash),
  foreign key (tenant_id, contact_id) references dispatch.contacts (tenant_id, id)
);
create index links_by_object on dispatch.links (tenant_id, object_id);

-- What leaves: written with the effect, relayed by worker. Columns from `attempts` on are worker's.
create table dispatch.outbox (
  tenant_id uuid not null,
  id uuid not null,
  event_id uuid not null,
  kind text not null,
  ref_id uuid not null,
  -- Rows of one key leave in order of (created_at, id).
  order_key text not null,
  payload jsonb not null default '{}',
  created_at timestamptz not null default now(),
  attempts integer not null default 0,
  next_try_at timestamptz not null default now(),
  delivered_at timestamptz,
  abandoned_at timestamptz,
  last_error text,
  primary key (tenant_id, id),
  foreign key (tenant_id, event_id) references audit.events (tenant_id, id)
);
create index outbox_waiting on dispatch.outbox (tenant_id, created_at, id)
  where delivered_at is null and abandoned_at is null;

-- Durable timers. Columns from `attempts` on are worker's.
create table dispatch.timers (
  tenant_id uuid not null,
  id uuid not null,
  event_id uuid not null,
  kind text not null,
  target_id uuid not null,
  due_at timestamptz not null,
  attempts integer not null default 0,
  next_try_at timestamptz,
  fired_at timestamptz,
  abandoned_at timestamptz,
  last_error text,
  primary key (tenant_id, id),
  foreign key (tenant_id, event_id) references audit.events (tenant_id, id)
);
create index timers_waiting on dispatch.timers (tenant_id, due_at) where fired_at is null and abandoned_at is null;
