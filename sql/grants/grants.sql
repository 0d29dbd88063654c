-- The whole truth about who may do what: everything is revoked and granted again on every migrate.
-- Column lists are the guarantee: what is not listed cannot be written, whatever a service's code says.
do $$
declare s text; r text;
begin
  foreach s in array array['dispatch', 'audit', 'identity', 'vault', 'context', 'trust'] loop
    foreach r in array array['public', 'deadlatch_dispatch', 'deadlatch_identity', 'deadlatch_vault',
                             'deadlatch_worker', 'deadlatch_sequencer', 'deadlatch_demo'] loop
      execute format('revoke all on schema %I from %s', s, r);
      execute format('revoke all on all functions in schema %I from %s', s, r);
      execute format('revoke all on all tables in schema %I from %s', s, r);
    end loop;
  end loop;
end $$;

-- dispatch-api ------------------------------------------------------------------------------------------------
grant usage on schema dispatch, audit, context, trust to deadlatch_dispatch;
grant select on all tables in schema dispatch to deadlatch_dispatch;
grant select on all tables in schema context to deadlatch_dispatch;
grant select on audit.events, audit.effects, audit.log_entries, audit.log_head, trust.service_keys to deadlatch_dispatch;
grant insert (tenant_id, event_id, bytes), select on audit.unsequenced to deadlatch_dispatch;
grant insert (tenant_id, id, origin, command, actor, decision, correlation_id, ticket_id, body)
  on audit.events to deadlatch_dispatch;
grant insert (tenant_id, object, object_id, version, command, before_state, after_state, event_id)
  on audit.effects to deadlatch_dispatch;

grant insert on dispatch.conversations, dispatch.tickets, dispatch.visits, dispatch.approvals, dispatch.evidence,
  dispatch.invoices, dispatch.messages, dispatch.turns to deadlatch_dispatch;
grant update (version, state, ticket_id) on dispatch.conversations to deadlatch_dispatch;
grant update (version, state, resume_state, hold_reason, hold_owner, hold_until, scope_capped, outcome,
  incident_type, incident_version, safety, priority, answers, missing, base_nte_cents, nte_cents,
  description_text_id, duplicate_of, updated_at) on dispatch.tickets to deadlatch_dispatch;
grant update (version, state, starts_at, ends_at, checked_in_at, claimed_time, claimed_lat_e6, claimed_lon_e6,
  started_at, escalated_at) on dispatch.visits to deadlatch_dispatch;
grant update (version, state, decided_by, decided_at) on dispatch.approvals to deadlatch_dispatch;
grant insert (tenant_id, event_id, ticket_id, act, object, object_version, role, staff_id, person_id, reason_text_id)
  on dispatch.consents to deadlatch_dispatch;
grant insert, update (version, state, decided_by, decided_at) on dispatch.suggestions to deadlatch_dispatch;
grant update (version, state, content_key, kept_sha256, kept_size_bytes, finalized_at) on dispatch.evidence
  to deadlatch_dispatch;
grant update (version, state, issued_at, paid_at, payment_method) on dispatch.invoices to deadlatch_dispatch;
grant update (state, provider_id) on dispatch.messages to deadlatch_dispatch;
grant update (ended_at, ticket_id) on dispatch.turns to deadlatch_dispatch;

grant insert (tenant_id, technician_id, visit_id, option_id, starts_at, ends_at, held_until), delete
  on dispatch.bookings to deadlatch_dispatch;
grant insert (tenant_id, id, ticket_id, number, window_from, window_to, technician_id, visit_from, visit_to,
  asked_contact_id, proposed_at, held_until, event_id), update (confirmed_at, ended_at)
  on dispatch.schedule_options to deadlatch_dispatch;
grant insert (tenant_id, id, ticket_id, kind, option_id, contact_id, message_id, link_hash, channel, made_at,
  event_id) on dispatch.choices to deadlatch_dispatch;
grant insert (tenant_id, choice_id, event_id) on dispatch.consumed_choices to deadlatch_dispatch;
grant insert (tenant_id, event_id, ticket_id, part_number, quantity, unit_cents) on dispatch.parts to deadlatch_dispatch;
grant insert (tenant_id, event_id, ticket_id, minutes) on dispatch.times to deadlatch_dispatch;
grant insert (tenant_id, event_id, ticket_id, test, passed, value) on dispatch.tests to deadlatch_dispatch;
grant insert (tenant_id, id, event_id, ticket_id, visit_id, submitted_by, outcome, work_note_text_id, signature_kind,
  signature_text_id) on dispatch.completions to deadlatch_dispatch;
grant insert (tenant_id, event_id, completion_id, result, verified_by, note_text_id)
  on dispatch.verifications to deadlatch_dispatch;
grant insert on dispatch.wanting to deadlatch_dispatch;
grant insert (tenant_id, verification_id, key, event_id, evidence_id) on dispatch.remedies to deadlatch_dispatch;
grant insert (tenant_id, id, message_id, sender_hash, channel), update (attached_ticket_id, attached_at)
  on dispatch.reports to deadlatch_dispatch;
grant insert (tenant_id, event_id, kind, ticket_id), update (done_at, done_by) on dispatch.tasks to deadlatch_dispatch;
grant insert (tenant_id, hash, purpose, contact_id, object_id, expires_at), update (expires_at)
  on dispatch.links to deadlatch_dispatch;
grant insert (tenant_id, id, event_id, kind, ref_id, order_key, payload) on dispatch.outbox to deadlatch_dispatch;
grant insert (tenant_id, id, event_id, kind, target_id, due_at) on dispatch.timers to deadlatch_dispatch;
grant insert (tenant_id, scope, scope_id, event_id), update (event_id, paused_at), delete
  on dispatch.pauses to deadlatch_dispatch;
grant insert (keyid, nonce, created), delete on dispatch.nonces to deadlatch_dispatch;
grant update (floor) on dispatch.nonce_floor to deadlatch_dispatch;
grant insert (tenant_id, service, subject, command, path, key, fingerprint, answer, event_id)
  on dispatch.idempotency to deadlatch_dispatch;
grant insert (tenant_id, txn) on dispatch.consumed_tokens to deadlatch_dispatch;
grant insert (tenant_id, message_id, conversation_id, mask_state, masked_text) on context.entries to deadlatch_dispatch;
grant insert (tenant_id, id, version, state, slug, contract, event_id), update (version, slug, contract, event_id,
  has_had_approver) on dispatch.accounts to deadlatch_dispatch;
grant insert (tenant_id, account_id, level, version, event_id), update (level, version, event_id)
  on dispatch.autonomy_settings to deadlatch_dispatch;
grant insert (tenant_id, id, version, state, account_id, slug, time_zone, territory, event_id),
  update (version, slug, time_zone, territory, event_id) on dispatch.sites to deadlatch_dispatch;
grant insert (tenant_id, id, version, state, account_id, site_id, kind, slug, model, serial, event_id),
  update (version, state, slug, model, serial, event_id) on dispatch.assets to deadlatch_dispatch;
grant insert (tenant_id, id, version, state, active, person_id, changed_at, event_id),
  update (version, state, active, changed_at, event_id) on dispatch.contacts to deadlatch_dispatch;
grant insert (tenant_id, id, version, state, contact_id, account_id, site_id, may_request, may_approve,
    approval_limit_cents, changed_at, event_id),
  update (version, may_request, may_approve, approval_limit_cents, changed_at, event_id)
  on dispatch.contact_memberships to deadlatch_dispatch;
grant insert (tenant_id, id, version, state, active, person_id, slug, skills, territories, event_id),
  update (version, state, active, skills, territories, event_id) on dispatch.technicians to deadlatch_dispatch;
grant insert (tenant_id, id, version, shifts, certifications, absences, home_lat_e6, home_lon_e6, event_id),
  update (version, shifts, certifications, absences, home_lat_e6, home_lon_e6, event_id)
  on dispatch.technician_schedules to deadlatch_dispatch;
grant insert (tenant_id, id, version, hours, lat_e6, lon_e6, event_id),
  update (version, hours, lat_e6, lon_e6, event_id) on dispatch.site_schedules to deadlatch_dispatch;
grant insert (tenant_id, kind, name, number, version, effective_from, event_id) on dispatch.publications
  to deadlatch_dispatch;
grant insert on dispatch.acts, dispatch.act_links to deadlatch_dispatch;
grant update (version, state, decided_at) on dispatch.acts to deadlatch_dispatch;
grant insert (tenant_id, contact_id, account_id, slug, act_id, event_id) on dispatch.contact_codes to deadlatch_dispatch;
grant insert (tenant_id, act_id, person_id, staff_id, event_id) on dispatch.act_confirmations to deadlatch_dispatch;
-- Also what FOR SHARE needs. A trigger lets them only step up by one.
grant update (authority_version) on dispatch.accounts to deadlatch_dispatch;
grant update (autonomy_version) on dispatch.tenants to deadlatch_dispatch;

-- identity ----------------------------------------------------------------------------------------------------
grant usage on schema identity, audit, trust to deadlatch_identity;
grant select, insert, update, delete on all tables in schema identity to deadlatch_identity;
revoke update on identity.nonces from deadlatch_identity;
revoke insert, update, delete on identity.nonce_floor from deadlatch_identity;
grant update (floor) on identity.nonce_floor to deadlatch_identity;
grant select on trust.service_keys to deadlatch_identity;
grant select on audit.log_head to deadlatch_identity;
grant insert (tenant_id, event_id, bytes), select on audit.unsequenced to deadlatch_identity;
grant insert (tenant_id, id, origin, command, actor, decision, correlation_id, ticket_id, body)
  on audit.events to deadlatch_identity;

-- vault -------------------------------------------------------------------------------------------------------
grant usage on schema vault, audit, trust to deadlatch_vault;
grant select, insert, update, delete on all tables in schema vault to deadlatch_vault;
revoke update on vault.nonces from deadlatch_vault;
revoke insert, update, delete on vault.nonce_floor from deadlatch_vault;
grant update (floor) on vault.nonce_floor to deadlatch_vault;
grant select on trust.service_keys to deadlatch_vault;
grant select on audit.log_head to deadlatch_vault;
grant insert (tenant_id, event_id, bytes), select on audit.unsequenced to deadlatch_vault;
grant insert (tenant_id, id, origin, command, actor, decision, correlation_id, ticket_id, body)
  on audit.events to deadlatch_vault;

-- worker ------------------------------------------------------------------------------------------------------
grant usage on schema dispatch to deadlatch_worker;
grant select on dispatch.outbox, dispatch.timers to deadlatch_worker;
grant update (attempts, next_try_at, delivered_at, abandoned_at, last_error) on dispatch.outbox to deadlatch_worker;
grant update (attempts, next_try_at, fired_at, abandoned_at, last_error) on dispatch.timers to deadlatch_worker;

-- sequencer ---------------------------------------------------------------------------------------------------
grant usage on schema dispatch, audit to deadlatch_sequencer;
grant select (tenant_id, id, at, body) on audit.events to deadlatch_sequencer;
grant select, delete on audit.unsequenced to deadlatch_sequencer;
grant select, insert on audit.log_entries to deadlatch_sequencer;
grant select on audit.log_head to deadlatch_sequencer;
grant update (origin, size, root, epoch, witnessed_note, witnessed_size) on audit.log_head to deadlatch_sequencer;

-- demo's command line -----------------------------------------------------------------------------------------
grant usage on schema identity to deadlatch_demo;
grant insert (tenant_id, hash, subject, label, roles, expires_at) on identity.sign_in_links to deadlatch_demo;

-- Functions ---------------------------------------------------------------------------------------------------
-- Everything is SECURITY INVOKER, so a function gives nobody a right; bootstrap and trust stay with the owner.
grant execute on all functions in schema dispatch to deadlatch_dispatch;
revoke execute on function dispatch.bootstrap(jsonb) from deadlatch_dispatch;
revoke execute on function dispatch.put_schedules(uuid, uuid, jsonb) from deadlatch_dispatch;
grant execute on function audit.append_entries(bigint, bigint, uuid[], uuid[], bytea, bytea) to deadlatch_sequencer;
-- What its guards say no with.
grant execute on function dispatch.raise_guarantee(text, text) to deadlatch_sequencer;
