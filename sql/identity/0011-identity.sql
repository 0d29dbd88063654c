-- Everything secret is stored as a hash; subjects are `contact:<uuid>`, `staff:<uuid>`, `technician:<uuid>`.

-- One-use links that start a session. The demo's command line may insert here and nowhere else.
create table identity.sign_in_links (
  tenant_id uuid not null,
  hash text not null,
  subject text not null,
  label text not null,
  roles text[] not null default '{}',
  expires_at timestamptz not null,
  used_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (tenant_id, hash)
);

create table identity.sessions (
  tenant_id uuid not null,
  hash text not null,
  subject text not null,
  label text not null,
  roles text[] not null default '{}',
  assurance text not null default 'L1' check (assurance in ('L0', 'L1', 'L2', 'L3')),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  ended_at timestamptz,
  primary key (tenant_id, hash)
);

-- One code ceremony for exactly one action in exactly one browser.
create table identity.step_ups (
  tenant_id uuid not null,
  id uuid not null,
  approval_id uuid not null,
  contact_id uuid not null,
  action_digest text not null,
  level text not null default 'L2' check (level in ('L2', 'L3')),
  -- Keyed hash of the cookie of the browser that opened the page.
  browser_hash text not null,
  -- Keyed hash of the code.
  code_hash text not null,
  sent_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz,
  primary key (tenant_id, id),
  constraint step_ups_live_ten_minutes check (expires_at <= sent_at + interval '10 minutes')
);
create index step_ups_by_approval on identity.step_ups (tenant_id, approval_id, sent_at);

-- Five tries per approval over all of its codes; the sixth update is refused by the database.
create table identity.code_tries (
  tenant_id uuid not null,
  approval_id uuid not null,
  tries integer not null default 0,
  locked_at timestamptz,
  primary key (tenant_id, approval_id),
  constraint code_tries_at_most_five check (tries between 0 and 5)
);

-- Keyed commitment of each address on file: a vault that answers with another number is found out.
create table identity.address_commitments (
  tenant_id uuid not null,
  contact_id uuid not null,
  kind text not null check (kind in ('phone', 'email')),
  commitment text not null,
  changed_at timestamptz not null default now(),
  primary key (tenant_id, contact_id, kind)
);

-- Grants are single use.
create table identity.used_grants (
  tenant_id uuid not null,
  jti uuid not null,
  expires_at timestamptz not null,
  used_at timestamptz not null default now(),
  constraint used_grants_pkey primary key (tenant_id, jti)
);

create table identity.nonces (
  keyid text not null,
  nonce text not null,
  created timestamptz not null,
  constraint nonces_pkey primary key (keyid, nonce)
);
create index nonces_by_age on identity.nonces using brin (created);
