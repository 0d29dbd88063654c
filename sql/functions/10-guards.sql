-- What grants and foreign keys cannot say. Re-created on every migrate.
-- Every refusal carries a constraint name, which packages/postgres maps to an outcome.

create or replace function dispatch.instant(t timestamptz) returns text
language sql stable parallel safe as $$
  select to_char(t at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

create or replace function dispatch.raise_guarantee(name text, detail text) returns void
language plpgsql as $$
begin
  raise exception using errcode = 'DL001', message = name, constraint = name, detail = detail;
end $$;

-- Append-only, for whoever has more grants than the app.
create or replace function audit.refuse_change() returns trigger language plpgsql as $$
begin
  perform dispatch.raise_guarantee('append_only', tg_table_schema || '.' || tg_table_name || ' ' || tg_op);
  return null;
end $$;

do $$
declare t text;
begin
  foreach t in array array[
    'audit.events', 'audit.effects', 'audit.log_entries', 'dispatch.idempotency', 'dispatch.consumed_tokens', 'dispatch.parts',
    'dispatch.times', 'dispatch.tests', 'dispatch.completions', 'dispatch.verifications', 'dispatch.wanting',
    'dispatch.remedies', 'dispatch.consents', 'dispatch.choices', 'dispatch.consumed_choices',
    'context.entries'
  ] loop
    execute format('create or replace trigger append_only_rows before update or delete on %s
      for each row execute function audit.refuse_change()', t);
    execute format('create or replace trigger append_only_truncate before truncate on %s
      for each statement execute function audit.refuse_change()', t);
  end loop;
end $$;

-- No version of an object without its effect, written by this very transaction; no edge outside the table.
create or replace function dispatch.guard_version() returns trigger language plpgsql as $$
declare
  e record;
begin
  select x.object, x.command, x.before_state, x.after_state, x.at, t.mode into e
    from audit.effects x
    join dispatch.transitions t
      on t.object = x.object and t.command = x.command
     and t.before_state = x.before_state and t.after_state = x.after_state
   where x.tenant_id = new.tenant_id and x.object_id = new.id and x.version = new.version;
  if not found or e.object <> tg_argv[0] or e.after_state <> new.state then
    perform dispatch.raise_guarantee('change_without_event', tg_argv[0] || ' ' || new.id || ' v' || new.version);
  end if;
  -- Nobody but the owner can write effects.at, so an effect prepared by an earlier transaction is not ours.
  if e.at <> now() then
    perform dispatch.raise_guarantee('change_without_event', 'effect of another transaction');
  end if;
  if e.mode = 'retired' then
    perform dispatch.raise_guarantee('illegal_transition', 'edge is retired');
  end if;
  if tg_op = 'INSERT' then
    if new.version <> 1 or e.before_state <> '-' then
      perform dispatch.raise_guarantee('version_step', 'an object begins at version 1 and from nothing');
    end if;
    return new;
  end if;
  if new.tenant_id <> old.tenant_id or new.id <> old.id or new.version <> old.version + 1 then
    perform dispatch.raise_guarantee('version_step', 'from ' || old.version || ' to ' || new.version);
  end if;
  if e.before_state <> old.state then
    perform dispatch.raise_guarantee('illegal_transition', 'event says ' || e.before_state || ', row says ' || old.state);
  end if;
  if tg_argv[0] = 'ticket' then
    perform dispatch.guard_resume(old, new, e.command, e.mode);
    if new.nte_cents < old.nte_cents then
      perform dispatch.guard_nte(new);
    end if;
  end if;
  return new;
end $$;

-- APPROVAL_REQUIRED and ON_HOLD remember exactly where they came from and lead nowhere else.
create or replace function dispatch.guard_resume(o dispatch.tickets, n dispatch.tickets, command text, mode text)
returns void language plpgsql as $$
begin
  if mode = 'pause' then
    if n.resume_state is distinct from o.state then
      perform dispatch.raise_guarantee('resume_state', 'a pause remembers ' || o.state);
    end if;
  elsif mode = 'resume' then
    if n.state is distinct from o.resume_state
       -- Another trip: asked for, or needed because nobody is there to go on where it paused.
       and not (n.state = 'READY_TO_SCHEDULE'
                and (command = 'ticket.resume' or o.resume_state = 'TRIAGED'
                     or (o.state = 'ON_HOLD' and o.resume_state = 'APPROVAL_REQUIRED'))) then
      perform dispatch.raise_guarantee('resume_state', 'a resume leads back to ' || coalesce(o.resume_state, 'nowhere'));
    end if;
  elsif n.state = o.state and n.state in ('APPROVAL_REQUIRED', 'ON_HOLD')
        and n.resume_state is distinct from o.resume_state then
    perform dispatch.raise_guarantee('resume_state', 'memory is not edited');
  end if;
end $$;

-- Money that was approved or spent cannot be taken back by lowering the limit.
create or replace function dispatch.guard_nte(n dispatch.tickets) returns void language plpgsql as $$
declare
  approved bigint;
  spent bigint;
begin
  select coalesce(max(a.new_nte_cents), 0) into approved from dispatch.approvals a
   where a.tenant_id = n.tenant_id and a.ticket_id = n.id and a.state = 'CONSUMED';
  spent := dispatch.spent_cents(n.tenant_id, n.id, n.account_id);
  if n.nte_cents < approved or n.nte_cents < spent then
    perform dispatch.raise_guarantee('nte_below_commitments', 'approved ' || approved || ', spent ' || spent);
  end if;
end $$;

create or replace function dispatch.spent_cents(tenant uuid, ticket uuid, account uuid) returns bigint
language sql stable as $$
  select coalesce((select sum(p.quantity * p.unit_cents) from dispatch.parts p
                    where p.tenant_id = tenant and p.ticket_id = ticket), 0)::bigint
       + coalesce((select ceil(sum(t.minutes) * (a.contract ->> 'labor_cents_per_hour')::bigint / 60.0)
                     from dispatch.times t join dispatch.accounts a on a.tenant_id = tenant and a.id = account
                    where t.tenant_id = tenant and t.ticket_id = ticket
                    group by a.contract), 0)::bigint
$$;

-- Consumed once, together with its effect: the ticket's NTE must already be what was approved.
create or replace function dispatch.guard_money() returns trigger language plpgsql as $$
declare
  t record;
begin
  if not dispatch.whole_cents(new.lines) then
    perform dispatch.raise_guarantee('whole_cents', tg_table_name || ' ' || new.id);
  end if;
  select x.account_id, x.nte_cents into t from dispatch.tickets x
   where x.tenant_id = new.tenant_id and x.id = new.ticket_id;
  if not found or t.account_id <> new.account_id then
    perform dispatch.raise_guarantee('account_of_ticket', tg_table_name || ' ' || new.id);
  end if;
  if tg_table_name = 'approvals' then
    if new.state = 'CONSUMED' and t.nte_cents < new.new_nte_cents then
      perform dispatch.raise_guarantee('nte_below_commitments', 'approved, but the NTE was not raised');
    end if;
    if tg_op = 'UPDATE' and (
      (new.ticket_id, new.account_id, new.kind, new.lines, new.photos, new.amount_cents, new.nte_before_cents,
       new.new_nte_cents, new.proof_assurance, new.deciders, new.decider_id, new.action, new.action_digest,
       new.resume_approved, new.resume_denied, new.requested_by_kind, new.requested_by_id, new.expires_at)
      is distinct from
      (old.ticket_id, old.account_id, old.kind, old.lines, old.photos, old.amount_cents, old.nte_before_cents,
       old.new_nte_cents, old.proof_assurance, old.deciders, old.decider_id, old.action, old.action_digest,
       old.resume_approved, old.resume_denied, old.requested_by_kind, old.requested_by_id, old.expires_at)) then
      perform dispatch.raise_guarantee('approval_is_what_was_asked', new.id::text);
    end if;
  end if;
  return new;
end $$;

-- Every line holds a whole number of cents. A JSON number could be 0.5, a bigint column could not.
create or replace function dispatch.whole_cents(lines jsonb) returns boolean
language sql immutable as $$
  select jsonb_typeof(lines) = 'array' and not exists (
    select 1 from jsonb_array_elements(lines) l
     where jsonb_typeof(l -> 'unit_cents') is distinct from 'number'
        or (l ->> 'unit_cents')::numeric <> trunc((l ->> 'unit_cents')::numeric)
        or (l ->> 'unit_cents')::numeric < 0
        or (l ? 'total_cents' and (l ->> 'total_cents')::numeric <> trunc((l ->> 'total_cents')::numeric))
  )
$$;

-- What counts only upward.
create or replace function dispatch.guard_counter() returns trigger language plpgsql as $$
begin
  if (tg_table_name = 'accounts'
      and to_jsonb(new) ->> 'authority_version' is distinct from ((to_jsonb(old) ->> 'authority_version')::int + 1)::text)
     or (tg_table_name = 'tenants'
      and to_jsonb(new) ->> 'autonomy_version' is distinct from ((to_jsonb(old) ->> 'autonomy_version')::int + 1)::text)
  then
    perform dispatch.raise_guarantee('counter_step', tg_table_name);
  end if;
  return new;
end $$;
create or replace trigger counter_step before update on dispatch.accounts
  for each row execute function dispatch.guard_counter();
create or replace trigger counter_step before update on dispatch.tenants
  for each row execute function dispatch.guard_counter();

-- A change of who may do what, or of what agents may do, moves the version that decisions were made at.
create or replace function dispatch.bump_authority() returns trigger language plpgsql as $$
begin
  -- A membership is never taken away and never moves to another account: see authority-guards.
  update dispatch.accounts a
     set authority_version = a.authority_version + 1,
         has_had_approver = a.has_had_approver or new.approval_limit_cents > 0
   where a.tenant_id = new.tenant_id and a.id = new.account_id;
  return null;
end $$;
create or replace trigger bump_authority after insert or update on dispatch.contact_memberships
  for each row execute function dispatch.bump_authority();

-- A contact that was switched off, or on again, changed or became another person, in every account they are of.
create or replace function dispatch.bump_authority_of_contact() returns trigger language plpgsql as $$
begin
  update dispatch.accounts a set authority_version = a.authority_version + 1
   where a.tenant_id = new.tenant_id
     and a.id in (select m.account_id from dispatch.contact_memberships m
                   where m.tenant_id = new.tenant_id and m.contact_id = new.id);
  return null;
end $$;
create or replace trigger bump_authority after update on dispatch.contacts
  for each row when ((new.active, new.changed_at, new.person_id) is distinct from (old.active, old.changed_at, old.person_id))
  execute function dispatch.bump_authority_of_contact();

-- Staff and technicians are the tenant's: they work for every account of it.
create or replace function dispatch.bump_authority_everywhere() returns trigger language plpgsql as $$
declare
  tenant uuid := case when tg_op = 'DELETE' then old.tenant_id else new.tenant_id end;
begin
  -- In one order, so that two such changes wait for each other and do not deadlock.
  perform 1 from dispatch.accounts a where a.tenant_id = tenant order by a.id for no key update;
  update dispatch.accounts a set authority_version = a.authority_version + 1 where a.tenant_id = tenant;
  return null;
end $$;
create or replace trigger bump_authority after update on dispatch.staff
  for each row when ((new.active, new.person_id) is distinct from (old.active, old.person_id))
  execute function dispatch.bump_authority_everywhere();
create or replace trigger bump_authority after update on dispatch.technicians
  for each row when ((new.active, new.person_id, new.skills, new.territories)
    is distinct from (old.active, old.person_id, old.skills, old.territories))
  execute function dispatch.bump_authority_everywhere();
create or replace trigger bump_authority after insert or update or delete on dispatch.staff_roles
  for each row execute function dispatch.bump_authority_everywhere();

create or replace function dispatch.bump_autonomy() returns trigger language plpgsql as $$
declare
  tenant uuid := case when tg_op = 'DELETE' then old.tenant_id else new.tenant_id end;
begin
  update dispatch.tenants t set autonomy_version = t.autonomy_version + 1 where t.id = tenant;
  return null;
end $$;
create or replace trigger bump_autonomy after insert or update or delete on dispatch.pauses
  for each row execute function dispatch.bump_autonomy();
create or replace trigger bump_autonomy after insert or update or delete on dispatch.autonomy_settings
  for each row execute function dispatch.bump_autonomy();

-- Forgetting a nonce is allowed only below the floor, and the floor only rises, never beyond what a
-- signature may be dated ahead.
-- Both run under roles that know no other schema than their own, so they raise by themselves.
create or replace function dispatch.guard_nonce() returns trigger language plpgsql as $$
declare
  floor timestamptz;
begin
  execute format('select f.floor from %I.nonce_floor f', tg_table_schema) into floor;
  if tg_op <> 'DELETE' or floor is null or old.created >= floor then
    raise exception using errcode = 'DL001', message = 'nonce_above_floor', constraint = 'nonce_above_floor', detail = tg_op;
  end if;
  return old;
end $$;

create or replace function dispatch.guard_floor() returns trigger language plpgsql as $$
begin
  if tg_op <> 'UPDATE' or new.floor < old.floor or new.floor > now() + interval '5 seconds' then
    raise exception using errcode = 'DL001', message = 'nonce_floor_rises', constraint = 'nonce_floor_rises', detail = tg_op;
  end if;
  return new;
end $$;

do $$
declare s text;
begin
  foreach s in array array['dispatch', 'identity', 'vault'] loop
    execute format('create or replace trigger nonce_above_floor before update or delete on %I.nonces
      for each row execute function dispatch.guard_nonce()', s);
    execute format('create or replace trigger append_only_truncate before truncate on %I.nonces
      for each statement execute function audit.refuse_change()', s);
    execute format('create or replace trigger nonce_floor_rises before update or delete on %I.nonce_floor
      for each row execute function dispatch.guard_floor()', s);
    execute format('create or replace trigger append_only_truncate before truncate on %I.nonce_floor
      for each statement execute function audit.refuse_change()', s);
  end loop;
end $$;

do $$
declare k record;
begin
  for k in select * from (values
    ('conversation', 'dispatch.conversations'), ('ticket', 'dispatch.tickets'), ('visit', 'dispatch.visits'),
    ('approval', 'dispatch.approvals'), ('evidence', 'dispatch.evidence'), ('invoice', 'dispatch.invoices'),
    ('suggestion', 'dispatch.suggestions')
  ) as v (kind, tab) loop
    execute format('create or replace trigger a_version before insert or update on %s
      for each row execute function dispatch.guard_version(%L)', k.tab, k.kind);
    execute format('create or replace trigger kept_rows before delete on %s
      for each row execute function audit.refuse_change()', k.tab);
    execute format('create or replace trigger kept_truncate before truncate on %s
      for each statement execute function audit.refuse_change()', k.tab);
  end loop;
end $$;
create or replace trigger b_money before insert or update on dispatch.approvals
  for each row execute function dispatch.guard_money();
create or replace trigger b_money before insert or update on dispatch.invoices
  for each row execute function dispatch.guard_money();
