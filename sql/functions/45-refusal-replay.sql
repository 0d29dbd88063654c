-- A refusal of an identified caller is an event of its own. `nonce` null: the nonce was burned already or is
-- not worth believing.
create or replace function dispatch.commit_refusal(p jsonb) returns jsonb language plpgsql as $$
declare
  tenant uuid := (p ->> 'tenant_id')::uuid;
begin
  perform set_config('deadlatch.tenant', tenant::text, true);
  if jsonb_typeof(p -> 'nonce') = 'object' then
    perform dispatch.burn_nonce(p -> 'nonce');
  end if;
  perform dispatch.write_event(tenant, p -> 'event', 'refused');
  return jsonb_build_object('committed_at', dispatch.instant(now()));
end $$;

-- A stored answer is given again: nothing changes but the nonce.
create or replace function dispatch.commit_replay(p jsonb) returns jsonb language plpgsql as $$
begin
  perform set_config('deadlatch.tenant', (p ->> 'tenant_id')::uuid::text, true);
  perform dispatch.burn_nonce(p -> 'nonce');
  return jsonb_build_object('committed_at', dispatch.instant(now()));
end $$;

-- Forgets nonces older than ten minutes, raising the floor first. Safe at any time, from any replica.
create or replace function dispatch.prune_nonces() returns bigint language plpgsql as $$
declare
  n bigint;
begin
  update dispatch.nonce_floor f set floor = greatest(f.floor, now() - interval '10 minutes');
  delete from dispatch.nonces k where k.created < (select f.floor from dispatch.nonce_floor f);
  get diagnostics n = row_count;
  return n;
end $$;
