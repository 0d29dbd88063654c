-- Tickets that belong to other tickets, what takes two people, and what an agent may only suggest.

alter table dispatch.tickets
  -- The ticket whose repair did not last.
  add recall_of uuid,
  -- The ticket that goes on where this one was a duplicate.
  add duplicate_of uuid,
  add constraint tickets_recall_of_another check (recall_of <> id),
  add constraint tickets_duplicate_is_over check (duplicate_of is null or (state = 'CANCELLED' and duplicate_of <> id)),
  add foreign key (tenant_id, recall_of) references dispatch.tickets (tenant_id, id),
  add foreign key (tenant_id, duplicate_of) references dispatch.tickets (tenant_id, id);
create index tickets_by_survivor on dispatch.tickets (tenant_id, duplicate_of) where duplicate_of is not null;
create index tickets_by_original on dispatch.tickets (tenant_id, recall_of) where recall_of is not null;

-- One person's yes to an act that needs two. Append-only for the app.
create table dispatch.consents (
  tenant_id uuid not null,
  event_id uuid not null,
  ticket_id uuid not null,
  act text not null check (act in ('evidence.waive', 'billing.void')),
  -- What it is about: an evidence key, or an invoice at a version.
  object text not null check (length(object) between 1 and 100),
  object_version integer not null check (object_version >= 0),
  role text not null check (role in ('qa', 'finance', 'supervisor')),
  staff_id uuid not null,
  person_id uuid not null,
  reason_text_id uuid not null,
  given_at timestamptz not null default now(),
  primary key (tenant_id, event_id),
  constraint consents_once_per_role unique (tenant_id, ticket_id, act, object, object_version, role),
  -- Two accounts of one human being are one.
  constraint consents_once_per_person unique (tenant_id, ticket_id, act, object, object_version, person_id),
  foreign key (tenant_id, event_id) references audit.events (tenant_id, id),
  foreign key (tenant_id, ticket_id) references dispatch.tickets (tenant_id, id),
  foreign key (tenant_id, staff_id) references dispatch.staff (tenant_id, id)
);

-- What an agent wanted and its level did not allow: references and choices only, never a word of anybody.
create table dispatch.suggestions (
  tenant_id uuid not null,
  id uuid not null,
  version integer not null,
  state text not null,
  command text not null,
  agent_role text not null,
  subject_kind text not null,
  subject_id uuid,
  conversation_id uuid not null,
  turn_id uuid not null,
  -- Null for what would make a ticket.
  ticket_id uuid,
  ticket_version integer,
  input jsonb not null check (jsonb_typeof(input) = 'object'),
  safety boolean not null,
  -- Of everything above but version and state, and of when it ends: what is accepted is what was suggested.
  digest text not null,
  -- The same command with the same input on the same version of the same ticket is the same suggestion.
  sameness text not null,
  suggested_at timestamptz not null,
  expires_at timestamptz not null,
  decided_by text,
  decided_at timestamptz,
  primary key (tenant_id, id),
  check (suggested_at < expires_at),
  check ((ticket_id is null) = (ticket_version is null)),
  constraint suggestions_decided_by_somebody
    check (state not in ('ACCEPTED', 'REJECTED') or (decided_by is not null and decided_at is not null)),
  constraint suggestions_effect_fkey foreign key (tenant_id, id, version, state)
    references audit.effects (tenant_id, object_id, version, after_state),
  foreign key (tenant_id, conversation_id) references dispatch.conversations (tenant_id, id),
  foreign key (tenant_id, turn_id) references dispatch.turns (tenant_id, id),
  foreign key (tenant_id, ticket_id) references dispatch.tickets (tenant_id, id)
);
create unique index suggestions_one_open on dispatch.suggestions (tenant_id, conversation_id, sameness)
  where state = 'OPEN';
-- An agent that acts for somebody of whom no account is chosen yet is held by each of theirs.
drop function if exists dispatch.autonomy_facts(uuid, uuid, uuid);

create index suggestions_open on dispatch.suggestions (tenant_id, suggested_at) where state = 'OPEN';
