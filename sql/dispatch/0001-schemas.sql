-- One schema per concern; the role that owns them cannot log in and is not a superuser, so that
-- row-level security and grants hold for everybody who can connect.
create schema if not exists dispatch;
create schema audit;
create schema identity;
create schema vault;
create schema context;
create schema trust;

comment on schema dispatch is 'The authority: tickets, visits, approvals, money. Written by dispatch-api alone.';
comment on schema audit is 'Append-only events and the object versions they account for.';
comment on schema identity is 'Sessions, codes, commitments. Written by identity alone.';
comment on schema vault is 'Personal data, encrypted. Written by vault alone.';
comment on schema context is 'What the model may see. Written by dispatch-api, read through the bridge.';
comment on schema trust is 'Pinned service keys.';
