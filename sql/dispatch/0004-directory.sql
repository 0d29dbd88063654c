-- Who there is. No names, numbers or addresses: those live in the vault under the same ids.
-- Every row of authority names the audit event that made it.
create table dispatch.tenants (
  id uuid primary key,
  slug text not null check (length(slug) between 1 and 60),
  -- Goes up with every pause, resume or change of autonomy; agents commit only at the version they read.
  autonomy_version integer not null default 1,
  created_at timestamptz not null default now()
);

create table dispatch.accounts (
  tenant_id uuid not null references dispatch.tenants (id),
  id uuid not null,
  slug text not null check (length(slug) between 1 and 60),
  -- Goes up with every change of who may do what; decisions commit only at the version they read.
  authority_version integer not null default 1,
  -- ContractFacts: nte_cents by priority, labor_cents_per_hour, trip_cents, quote_first, close_when_issued, desk_hours.
  contract jsonb not null,
  event_id uuid not null,
  primary key (tenant_id, id),
  unique (tenant_id, slug),
  foreign key (tenant_id, event_id) references audit.events (tenant_id, id)
);

create table dispatch.sites (
  tenant_id uuid not null,
  id uuid not null,
  account_id uuid not null,
  slug text not null check (length(slug) between 1 and 60),
  time_zone text not null check (length(time_zone) between 1 and 60),
  territory text not null check (length(territory) between 1 and 60),
  event_id uuid not null,
  primary key (tenant_id, id),
  -- Target of composite keys: a ticket's site belongs to the ticket's account.
  constraint sites_account_key unique (tenant_id, id, account_id),
  unique (tenant_id, account_id, slug),
  foreign key (tenant_id, account_id) references dispatch.accounts (tenant_id, id),
  foreign key (tenant_id, event_id) references audit.events (tenant_id, id)
);

create table dispatch.contacts (
  tenant_id uuid not null,
  id uuid not null,
  -- The human being: two subjects of one person are compared by this.
  person_id uuid not null,
  active boolean not null default true,
  changed_at timestamptz not null default now(),
  event_id uuid not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, event_id) references audit.events (tenant_id, id)
);

create table dispatch.contact_memberships (
  tenant_id uuid not null,
  id uuid not null default gen_random_uuid(),
  contact_id uuid not null,
  account_id uuid not null,
  -- null: every site of the account
  site_id uuid,
  may_request boolean not null,
  may_approve boolean not null,
  approval_limit_cents bigint not null default 0 check (approval_limit_cents >= 0),
  changed_at timestamptz not null default now(),
  event_id uuid not null,
  primary key (tenant_id, id),
  unique nulls not distinct (tenant_id, contact_id, account_id, site_id),
  check (may_approve or approval_limit_cents = 0),
  foreign key (tenant_id, contact_id) references dispatch.contacts (tenant_id, id),
  foreign key (tenant_id, account_id) references dispatch.accounts (tenant_id, id),
  foreign key (tenant_id, site_id, account_id) references dispatch.sites (tenant_id, id, account_id),
  foreign key (tenant_id, event_id) references audit.events (tenant_id, id)
);
create index contact_memberships_by_account on dispatch.contact_memberships (tenant_id, account_id);

create table dispatch.staff (
  tenant_id uuid not null references dispatch.tenants (id),
  id uuid not null,
  person_id uuid not null,
  active boolean not null default true,
  event_id uuid not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, event_id) references audit.events (tenant_id, id)
);

create table dispatch.staff_roles (
  tenant_id uuid not null,
  staff_id uuid not null,
  role text not null check (role in ('dispatcher', 'supervisor', 'qa', 'finance', 'admin', 'auditor')),
  event_id uuid not null,
  primary key (tenant_id, staff_id, role),
  foreign key (tenant_id, staff_id) references dispatch.staff (tenant_id, id),
  foreign key (tenant_id, event_id) references audit.events (tenant_id, id)
);

create table dispatch.technicians (
  tenant_id uuid not null references dispatch.tenants (id),
  id uuid not null,
  person_id uuid not null,
  slug text not null check (length(slug) between 1 and 60),
  active boolean not null default true,
  skills text[] not null default '{}',
  territories text[] not null default '{}',
  event_id uuid not null,
  primary key (tenant_id, id),
  unique (tenant_id, slug),
  foreign key (tenant_id, event_id) references audit.events (tenant_id, id)
);

-- How much an agent may do by itself; an account without a row stands at 2.
create table dispatch.autonomy_settings (
  tenant_id uuid not null,
  account_id uuid not null,
  level smallint not null check (level between 0 and 3),
  event_id uuid not null,
  primary key (tenant_id, account_id),
  foreign key (tenant_id, account_id) references dispatch.accounts (tenant_id, id),
  foreign key (tenant_id, event_id) references audit.events (tenant_id, id)
);

-- Agents, and only agents, stop within a scope while its row exists.
create table dispatch.pauses (
  tenant_id uuid not null references dispatch.tenants (id),
  scope text not null check (scope in ('tenant', 'account', 'ticket')),
  scope_id uuid not null,
  event_id uuid not null,
  paused_at timestamptz not null default now(),
  primary key (tenant_id, scope, scope_id),
  foreign key (tenant_id, event_id) references audit.events (tenant_id, id)
);
