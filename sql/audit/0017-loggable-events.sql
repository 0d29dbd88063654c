-- What a bundle of the log cannot hold is refused before it is written: later it would stop the log for everybody.
alter table audit.events add constraint events_body_loggable check (octet_length(body) <= 65535);
-- Two events of the same bytes are two entries, and the verifier names the second. Were they refused here, a service
-- that was taken over could stop the log by writing one event twice.
alter table audit.log_entries drop constraint log_entries_leaf_key;
create index log_entries_by_leaf on audit.log_entries (leaf_hash);
