-- The versioned objects. Columns are exactly the fields of packages/decision/src/rows.ts.
-- Each row points at the effect of its version and state; guards.sql adds what a foreign key cannot say.
create table dispatch.conversations (
  tenant_id uuid not null,
  id uuid not null,
  version integer not null,
  state text not null,
  contact_id uuid not null,
  channel text not null,
  ticket_id uuid,
  opened_at timestamptz not null,
  primary key (tenant_id, id),
  constraint conversations_effect_fkey foreign key (tenant_id, id, version, state)
    references audit.effects (tenant_id, object_id, version, after_state),
  foreign key (tenant_id, contact_id) references dispatch.contacts (tenant_id, id)
);
create unique index conversations_one_open_per_contact
  on dispatch.conversations (tenant_id, contact_id, channel) where state <> 'CLOSED';

create table dispatch.tickets (
  tenant_id uuid not null,
  id uuid not null,
  version integer not null,
  state text not null,
  reference text not null check (reference ~ '^DL-[A-Z0-9]{8}$'),
  account_id uuid not null,
  site_id uuid not null,
  requester_id uuid,
  conversation_id uuid,
  resume_state text,
  hold_reason text,
  hold_owner text,
  hold_until timestamptz,
  scope_capped boolean not null,
  outcome text,
  incident_type text,
  incident_version integer,
  safety boolean not null,
  priority text check (priority in ('ROUTINE', 'URGENT', 'EMERGENCY')),
  answers jsonb not null check (jsonb_typeof(answers) = 'object'),
  missing text[] not null,
  base_nte_cents bigint not null check (base_nte_cents >= 0),
  nte_cents bigint not null,
  description_text_id uuid,
  reported_at timestamptz not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant_id, id),
  constraint tickets_reference_key unique (tenant_id, reference),
  constraint tickets_nte_at_least_base check (nte_cents >= base_nte_cents),
  constraint tickets_paused_remembers
    check (state not in ('APPROVAL_REQUIRED', 'ON_HOLD') or resume_state is not null),
  constraint tickets_hold_ends
    check (state <> 'ON_HOLD' or (hold_reason is not null and hold_owner is not null and hold_until is not null)),
  constraint tickets_effect_fkey foreign key (tenant_id, id, version, state)
    references audit.effects (tenant_id, object_id, version, after_state),
  constraint tickets_site_of_account foreign key (tenant_id, site_id, account_id)
    references dispatch.sites (tenant_id, id, account_id),
  foreign key (tenant_id, requester_id) references dispatch.contacts (tenant_id, id),
  foreign key (tenant_id, conversation_id) references dispatch.conversations (tenant_id, id)
);
create unique index tickets_one_open_per_conversation on dispatch.tickets (tenant_id, conversation_id)
  where conversation_id is not null and state not in ('CLOSED', 'CANCELLED');
create index tickets_by_state on dispatch.tickets (tenant_id, state, created_at);
create index tickets_by_site on dispatch.tickets (tenant_id, site_id, created_at);

-- Deferred: a command may open a ticket and name it in its conversation in one go.
alter table dispatch.conversations add constraint conversations_ticket_fkey foreign key (tenant_id, ticket_id)
  references dispatch.tickets (tenant_id, id) deferrable initially deferred;

create table dispatch.visits (
  tenant_id uuid not null,
  id uuid not null,
  version integer not null,
  state text not null,
  ticket_id uuid not null,
  technician_id uuid not null,
  emergency boolean not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  offered_by text not null,
  checked_in_at timestamptz,
  claimed_time timestamptz,
  claimed_lat_e6 integer,
  claimed_lon_e6 integer,
  started_at timestamptz,
  primary key (tenant_id, id),
  check (starts_at < ends_at),
  constraint visits_effect_fkey foreign key (tenant_id, id, version, state)
    references audit.effects (tenant_id, object_id, version, after_state),
  foreign key (tenant_id, ticket_id) references dispatch.tickets (tenant_id, id),
  foreign key (tenant_id, technician_id) references dispatch.technicians (tenant_id, id)
);
create unique index visits_one_live_per_ticket on dispatch.visits (tenant_id, ticket_id)
  where state not in ('DECLINED', 'CANCELLED', 'MISSED', 'CHECKED_OUT');
create index visits_by_ticket on dispatch.visits (tenant_id, ticket_id);
create index visits_by_technician on dispatch.visits (tenant_id, technician_id, starts_at);

-- The technician's time: nobody is in two places.
create table dispatch.bookings (
  tenant_id uuid not null,
  id uuid not null default gen_random_uuid(),
  technician_id uuid not null,
  visit_id uuid,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  -- Soft hold until then; null: firm. now() cannot be in a constraint, so commits delete expired holds first.
  held_until timestamptz,
  primary key (tenant_id, id),
  check (starts_at < ends_at),
  check ((visit_id is null) = (held_until is not null)),
  constraint bookings_visit_key unique (tenant_id, visit_id),
  constraint bookings_no_overlap exclude using gist (
    tenant_id with =, technician_id with =, tstzrange(starts_at, ends_at, '[)') with &&
  ),
  foreign key (tenant_id, technician_id) references dispatch.technicians (tenant_id, id),
  foreign key (tenant_id, visit_id) references dispatch.visits (tenant_id, id)
);
-- && is not leakproof and would scan under row-level security; reads use plain comparisons on this.
create index bookings_by_time on dispatch.bookings (tenant_id, technician_id, starts_at, ends_at);

create table dispatch.approvals (
  tenant_id uuid not null,
  id uuid not null,
  version integer not null,
  state text not null,
  ticket_id uuid not null,
  account_id uuid not null,
  kind text not null,
  requested_by_kind text not null,
  requested_by_id uuid not null,
  lines jsonb not null,
  photos uuid[] not null,
  amount_cents bigint not null check (amount_cents >= 0),
  nte_before_cents bigint not null check (nte_before_cents >= 0),
  new_nte_cents bigint not null,
  proof_assurance text not null check (proof_assurance in ('L0', 'L1', 'L2', 'L3')),
  deciders smallint not null check (deciders between 1 and 2),
  decider_id uuid not null,
  action text not null,
  action_digest text not null,
  resume_approved text not null,
  resume_denied text not null,
  reason_text_id uuid,
  requested_at timestamptz not null,
  expires_at timestamptz not null,
  decided_by text,
  decided_at timestamptz,
  primary key (tenant_id, id),
  constraint approvals_never_lower check (new_nte_cents >= nte_before_cents),
  constraint approvals_decided_by_somebody
    check (state not in ('CONSUMED', 'DENIED') or (decided_by is not null and decided_at is not null)),
  check (requested_at < expires_at),
  constraint approvals_effect_fkey foreign key (tenant_id, id, version, state)
    references audit.effects (tenant_id, object_id, version, after_state),
  foreign key (tenant_id, ticket_id) references dispatch.tickets (tenant_id, id),
  foreign key (tenant_id, account_id) references dispatch.accounts (tenant_id, id),
  foreign key (tenant_id, decider_id) references dispatch.contacts (tenant_id, id)
);
create unique index approvals_one_pending_per_ticket on dispatch.approvals (tenant_id, ticket_id)
  where state = 'PENDING';
create index approvals_by_ticket on dispatch.approvals (tenant_id, ticket_id, requested_at);

create table dispatch.evidence (
  tenant_id uuid not null,
  id uuid not null,
  version integer not null,
  state text not null,
  ticket_id uuid not null,
  visit_id uuid,
  key text not null,
  phase text not null,
  content_type text not null,
  size_bytes bigint not null check (size_bytes > 0),
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  content_key text,
  created_by_kind text not null,
  created_by_id uuid not null,
  created_at timestamptz not null,
  finalized_at timestamptz,
  primary key (tenant_id, id),
  constraint evidence_finalized_has_content
    check ((state = 'FINALIZED') = (content_key is not null and finalized_at is not null)),
  constraint evidence_effect_fkey foreign key (tenant_id, id, version, state)
    references audit.effects (tenant_id, object_id, version, after_state),
  foreign key (tenant_id, ticket_id) references dispatch.tickets (tenant_id, id),
  foreign key (tenant_id, visit_id) references dispatch.visits (tenant_id, id)
);
create index evidence_by_ticket on dispatch.evidence (tenant_id, ticket_id);

create table dispatch.invoices (
  tenant_id uuid not null,
  id uuid not null,
  version integer not null,
  state text not null,
  ticket_id uuid not null,
  account_id uuid not null,
  lines jsonb not null,
  total_cents bigint not null check (total_cents >= 0),
  nte_cents bigint not null,
  issued_at timestamptz,
  paid_at timestamptz,
  payment_method text,
  primary key (tenant_id, id),
  constraint invoices_within_nte check (total_cents <= nte_cents),
  constraint invoices_effect_fkey foreign key (tenant_id, id, version, state)
    references audit.effects (tenant_id, object_id, version, after_state),
  foreign key (tenant_id, ticket_id) references dispatch.tickets (tenant_id, id),
  foreign key (tenant_id, account_id) references dispatch.accounts (tenant_id, id)
);
create unique index invoices_one_live_per_ticket on dispatch.invoices (tenant_id, ticket_id) where state <> 'VOID';
