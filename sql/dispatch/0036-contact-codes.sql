-- What an account calls a contact that came on file in a batch: a label by which a file of contacts finds them again.
create table dispatch.contact_codes (
  tenant_id uuid not null,
  contact_id uuid not null,
  account_id uuid not null,
  slug text not null check (length(slug) between 1 and 60),
  -- The act that it was asked with.
  act_id uuid not null,
  event_id uuid not null,
  primary key (tenant_id, contact_id),
  constraint contact_codes_slug_key unique (tenant_id, account_id, slug),
  foreign key (tenant_id, contact_id) references dispatch.contacts (tenant_id, id),
  foreign key (tenant_id, account_id) references dispatch.accounts (tenant_id, id),
  foreign key (tenant_id, act_id) references dispatch.acts (tenant_id, id),
  foreign key (tenant_id, event_id) references audit.events (tenant_id, id)
);
create index contact_codes_by_act on dispatch.contact_codes (tenant_id, act_id);
