-- The decision of an event is the calling function's, not the caller's.
drop function if exists dispatch.write_event(uuid, jsonb);
