-- When people work, when sites are open, what was offered and what was chosen.

-- One row each, because a plan is read and signed as a whole. Hours are WorkingHours of packages/scheduling.
create table dispatch.technician_schedules (
  tenant_id uuid not null,
  id uuid not null,
  shifts jsonb not null check (jsonb_typeof(shifts) = 'object'),
  -- [{ name, valid_from, valid_until }]
  certifications jsonb not null check (jsonb_typeof(certifications) = 'array'),
  -- [{ starts_at, ends_at }]
  absences jsonb not null check (jsonb_typeof(absences) = 'array'),
  -- From where a shift starts. Where somebody was last is the site of their last booking.
  home_lat_e6 integer check (home_lat_e6 between -90000000 and 90000000),
  home_lon_e6 integer check (home_lon_e6 between -180000000 and 180000000),
  event_id uuid not null,
  primary key (tenant_id, id),
  check ((home_lat_e6 is null) = (home_lon_e6 is null)),
  foreign key (tenant_id, id) references dispatch.technicians (tenant_id, id),
  foreign key (tenant_id, event_id) references audit.events (tenant_id, id)
);

create table dispatch.site_schedules (
  tenant_id uuid not null,
  id uuid not null,
  hours jsonb not null check (jsonb_typeof(hours) = 'object'),
  lat_e6 integer check (lat_e6 between -90000000 and 90000000),
  lon_e6 integer check (lon_e6 between -180000000 and 180000000),
  event_id uuid not null,
  primary key (tenant_id, id),
  check ((lat_e6 is null) = (lon_e6 is null)),
  foreign key (tenant_id, id) references dispatch.sites (tenant_id, id),
  foreign key (tenant_id, event_id) references audit.events (tenant_id, id)
);

-- A time that was offered. Only what became of it changes: agreed, taken back.
create table dispatch.schedule_options (
  tenant_id uuid not null,
  id uuid not null,
  ticket_id uuid not null,
  number smallint not null check (number between 1 and 3),
  window_from timestamptz not null,
  window_to timestamptz not null,
  technician_id uuid not null,
  visit_from timestamptz not null,
  visit_to timestamptz not null,
  -- null: nobody was asked, so only a dispatcher can take it
  asked_contact_id uuid,
  proposed_at timestamptz not null,
  held_until timestamptz not null,
  confirmed_at timestamptz,
  ended_at timestamptz,
  event_id uuid not null,
  primary key (tenant_id, id),
  -- Target of composite keys: a choice is of an option of its own ticket.
  constraint schedule_options_ticket_key unique (tenant_id, id, ticket_id),
  check (window_from <= visit_from and visit_from < window_to),
  check (visit_from < visit_to),
  check (proposed_at < held_until),
  foreign key (tenant_id, ticket_id) references dispatch.tickets (tenant_id, id),
  foreign key (tenant_id, technician_id) references dispatch.technicians (tenant_id, id),
  foreign key (tenant_id, asked_contact_id) references dispatch.contacts (tenant_id, id),
  foreign key (tenant_id, event_id) references audit.events (tenant_id, id)
);
create index schedule_options_by_ticket on dispatch.schedule_options (tenant_id, ticket_id) where ended_at is null;
create unique index schedule_options_one_agreed on dispatch.schedule_options (tenant_id, ticket_id)
  where confirmed_at is not null and ended_at is null;
create unique index schedule_options_numbered on dispatch.schedule_options (tenant_id, ticket_id, number)
  where ended_at is null;

-- What plain code read in a whole message. Never edited; used up by a row of its own.
create table dispatch.choices (
  tenant_id uuid not null,
  id uuid not null,
  ticket_id uuid not null,
  kind text not null check (kind in ('OPTION', 'OTHER_TIME')),
  option_id uuid,
  contact_id uuid not null,
  message_id uuid not null,
  channel text not null,
  made_at timestamptz not null,
  event_id uuid not null,
  primary key (tenant_id, id),
  -- One message says one thing.
  constraint choices_message_key unique (tenant_id, message_id),
  check ((kind = 'OPTION') = (option_id is not null)),
  foreign key (tenant_id, ticket_id) references dispatch.tickets (tenant_id, id),
  foreign key (tenant_id, option_id, ticket_id) references dispatch.schedule_options (tenant_id, id, ticket_id),
  foreign key (tenant_id, contact_id) references dispatch.contacts (tenant_id, id),
  foreign key (tenant_id, message_id) references dispatch.messages (tenant_id, id),
  foreign key (tenant_id, event_id) references audit.events (tenant_id, id)
);
create index choices_by_ticket on dispatch.choices (tenant_id, ticket_id, made_at);

create table dispatch.consumed_choices (
  tenant_id uuid not null,
  choice_id uuid not null,
  consumed_at timestamptz not null default now(),
  event_id uuid not null,
  primary key (tenant_id, choice_id),
  foreign key (tenant_id, choice_id) references dispatch.choices (tenant_id, id),
  foreign key (tenant_id, event_id) references audit.events (tenant_id, id)
);

-- A technician's time is taken by a visit, by a time that was agreed, or by an offer until it ends by itself.
alter table dispatch.bookings add column option_id uuid;
alter table dispatch.bookings drop constraint bookings_check1;
alter table dispatch.bookings add constraint bookings_for_something check (num_nonnulls(visit_id, option_id) = 1);
alter table dispatch.bookings add constraint bookings_visits_are_firm check (held_until is null or visit_id is null);
alter table dispatch.bookings add constraint bookings_option_key unique (tenant_id, option_id);
alter table dispatch.bookings add foreign key (tenant_id, option_id)
  references dispatch.schedule_options (tenant_id, id);

-- Facts of a technician say what their time is taken by; whether that is in the way is decided outside.
drop function if exists dispatch.technician_facts(uuid, uuid, timestamptz, timestamptz);
