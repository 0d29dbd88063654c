-- Which key speaks for which service, in which environment, from when until when.
-- Written by the administrator only, through trust.put_service_key and trust.revoke_service_key.
create table trust.service_keys (
  -- RFC 7638 thumbprint
  keyid text primary key check (keyid ~ '^[A-Za-z0-9_-]{43}$'),
  service text not null,
  environment text not null,
  -- Ed25519 public key, base64url
  x text not null check (x ~ '^[A-Za-z0-9_-]{43}$'),
  not_before timestamptz not null,
  not_after timestamptz not null,
  revoked_at timestamptz,
  event_tenant_id uuid not null,
  event_id uuid not null,
  check (not_before < not_after),
  foreign key (event_tenant_id, event_id) references audit.events (tenant_id, id)
);
create index service_keys_by_service on trust.service_keys (environment, service);
