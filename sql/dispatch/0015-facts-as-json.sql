-- These answer json from now on, which a replacement cannot change; they are made again with the other functions.
drop function if exists dispatch.read_facts(jsonb);
drop function if exists dispatch.ticket_facts(uuid, uuid, jsonb, jsonb);
drop function if exists dispatch.ticket_json(dispatch.tickets);
drop function if exists dispatch.visit_json(dispatch.visits);
