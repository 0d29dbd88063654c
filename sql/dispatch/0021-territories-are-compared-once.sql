-- Whether a technician may go somewhere is decided by one function, outside; the facts bring both territories.
drop function if exists dispatch.technician_facts(uuid, uuid, text, timestamptz, timestamptz);
