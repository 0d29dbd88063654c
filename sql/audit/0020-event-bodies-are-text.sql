-- The sequencer reads bodies as text. JSON has no zero byte, and one that had would stop the log for everybody.
alter table audit.events add constraint events_body_text check (position('\x00'::bytea in body) = 0);
