-- Who may do what gets versions: no version of a row without the effect of an audit event, as for tickets.
-- What is on file already was put there by the operator's event that the row names: its version 1.

create table dispatch.assets (
  tenant_id uuid not null,
  id uuid not null,
  version integer not null,
  state text not null check (state in ('ACTIVE', 'INACTIVE')),
  account_id uuid not null,
  site_id uuid not null,
  kind text not null check (length(kind) between 1 and 40),
  -- What people of the site call it; never a person's name.
  slug text not null check (length(slug) between 1 and 60),
  model text check (length(model) between 1 and 60),
  serial text check (length(serial) between 1 and 60),
  event_id uuid not null,
  primary key (tenant_id, id),
  constraint assets_site_key unique (tenant_id, id, site_id),
  unique (tenant_id, site_id, slug),
  constraint assets_effect_fkey foreign key (tenant_id, id, version, state)
    references audit.effects (tenant_id, object_id, version, after_state),
  foreign key (tenant_id, site_id, account_id) references dispatch.sites (tenant_id, id, account_id),
  foreign key (tenant_id, event_id) references audit.events (tenant_id, id)
);

alter table dispatch.accounts
  add version integer not null default 1,
  add state text not null default 'ACTIVE' check (state = 'ACTIVE'),
  -- Once anybody of the account could approve, two admins cannot make an approver any more.
  add has_had_approver boolean not null default false;
alter table dispatch.sites
  add version integer not null default 1,
  add state text not null default 'ACTIVE' check (state = 'ACTIVE');
alter table dispatch.contacts
  add version integer not null default 1,
  add state text not null default 'ACTIVE' check (state in ('ACTIVE', 'INACTIVE')),
  add check (active = (state = 'ACTIVE'));
alter table dispatch.contact_memberships
  add version integer not null default 1,
  add state text not null default 'ACTIVE' check (state = 'ACTIVE');
alter table dispatch.staff
  add version integer not null default 1,
  add state text not null default 'ACTIVE' check (state in ('ACTIVE', 'INACTIVE')),
  add check (active = (state = 'ACTIVE'));
alter table dispatch.technicians
  add version integer not null default 1,
  add state text not null default 'ACTIVE' check (state in ('ACTIVE', 'INACTIVE')),
  add check (active = (state = 'ACTIVE'));
-- A role is part of its member of staff: given by that version of theirs, taken by a later one.
alter table dispatch.staff_roles add version integer not null default 1;
-- A level is part of its account.
alter table dispatch.autonomy_settings add version integer not null default 1;
-- Not a tenant's object, so it has no effect of its own; its version is tied to the event that wrote it.
alter table trust.service_keys add version integer not null default 1;

-- Tables of people are forced to show their owner one tenant at a time; this looks at all of them, once.
do $$
declare
  t text;
  tables text[] := array['dispatch.accounts', 'dispatch.sites', 'dispatch.contacts', 'dispatch.contact_memberships',
                         'dispatch.staff', 'dispatch.technicians', 'audit.effects'];
begin
  foreach t in array tables loop
    execute format('alter table %s no force row level security', t);
  end loop;
  insert into dispatch.transitions (object, command, before_state, after_state, mode)
  select o, 'operator.bootstrap', '-', 'ACTIVE', 'plain'
    from unnest(array['account', 'site', 'contact', 'membership', 'staff', 'technician']) o
  on conflict do nothing;
  insert into audit.effects (tenant_id, object, object_id, version, command, before_state, after_state, event_id)
  select r.tenant_id, r.object, r.id, 1, 'operator.bootstrap', '-', 'ACTIVE', r.event_id
    from (select tenant_id, id, event_id, 'account' as object from dispatch.accounts
          union all select tenant_id, id, event_id, 'site' from dispatch.sites
          union all select tenant_id, id, event_id, 'contact' from dispatch.contacts
          union all select tenant_id, id, event_id, 'membership' from dispatch.contact_memberships
          union all select tenant_id, id, event_id, 'staff' from dispatch.staff
          union all select tenant_id, id, event_id, 'technician' from dispatch.technicians) r;
  update dispatch.accounts a set has_had_approver = true, authority_version = a.authority_version + 1
   where exists (select 1 from dispatch.contact_memberships m
                  where m.tenant_id = a.tenant_id and m.account_id = a.id and m.approval_limit_cents > 0);
  foreach t in array tables loop
    execute format('alter table %s force row level security', t);
  end loop;
end $$;

alter table dispatch.accounts add constraint accounts_effect_fkey foreign key (tenant_id, id, version, state)
  references audit.effects (tenant_id, object_id, version, after_state);
alter table dispatch.sites add constraint sites_effect_fkey foreign key (tenant_id, id, version, state)
  references audit.effects (tenant_id, object_id, version, after_state);
alter table dispatch.contacts add constraint contacts_effect_fkey foreign key (tenant_id, id, version, state)
  references audit.effects (tenant_id, object_id, version, after_state);
alter table dispatch.contact_memberships
  add constraint contact_memberships_effect_fkey foreign key (tenant_id, id, version, state)
  references audit.effects (tenant_id, object_id, version, after_state);
alter table dispatch.staff add constraint staff_effect_fkey foreign key (tenant_id, id, version, state)
  references audit.effects (tenant_id, object_id, version, after_state);
alter table dispatch.technicians add constraint technicians_effect_fkey foreign key (tenant_id, id, version, state)
  references audit.effects (tenant_id, object_id, version, after_state);
alter table dispatch.staff_roles add constraint staff_roles_effect_fkey foreign key (tenant_id, staff_id, version)
  references audit.effects (tenant_id, object_id, version);
alter table dispatch.autonomy_settings
  add constraint autonomy_settings_effect_fkey foreign key (tenant_id, account_id, version)
  references audit.effects (tenant_id, object_id, version);

-- An act that needs more than a session: what was asked, word for word, until whoever must has confirmed it.
create table dispatch.acts (
  tenant_id uuid not null,
  id uuid not null,
  version integer not null,
  state text not null check (state in ('PENDING', 'CONSUMED', 'DENIED')),
  command text not null,
  target_id uuid,
  input jsonb not null check (jsonb_typeof(input) = 'object'),
  -- RFC 8785 JSON of what is asked, and its SHA-256 in base64url.
  action text not null,
  action_digest text not null,
  asked_by uuid not null,
  proof_assurance text not null check (proof_assurance in ('L2', 'L3')),
  deciders smallint not null check (deciders between 1 and 2),
  asked_at timestamptz not null,
  expires_at timestamptz not null,
  decided_at timestamptz,
  primary key (tenant_id, id),
  check (asked_at < expires_at),
  check ((state = 'PENDING') = (decided_at is null)),
  constraint acts_effect_fkey foreign key (tenant_id, id, version, state)
    references audit.effects (tenant_id, object_id, version, after_state),
  foreign key (tenant_id, asked_by) references dispatch.staff (tenant_id, id)
);
create index acts_pending on dispatch.acts (tenant_id, asked_at) where state = 'PENDING';

-- Who has confirmed an act: once a person, however many accounts they have.
create table dispatch.act_confirmations (
  tenant_id uuid not null,
  act_id uuid not null,
  person_id uuid not null,
  staff_id uuid not null,
  event_id uuid not null,
  confirmed_at timestamptz not null default now(),
  constraint act_confirmations_pkey primary key (tenant_id, act_id, person_id),
  foreign key (tenant_id, act_id) references dispatch.acts (tenant_id, id),
  foreign key (tenant_id, staff_id) references dispatch.staff (tenant_id, id),
  foreign key (tenant_id, event_id) references audit.events (tenant_id, id)
);

-- The page on which one member of staff confirms one act. Stored hashed, like every link.
create table dispatch.act_links (
  tenant_id uuid not null,
  hash text not null,
  act_id uuid not null,
  staff_id uuid not null,
  expires_at timestamptz not null,
  primary key (tenant_id, hash),
  foreign key (tenant_id, act_id) references dispatch.acts (tenant_id, id),
  foreign key (tenant_id, staff_id) references dispatch.staff (tenant_id, id)
);
