-- Tickets are updated many times: with room in the page, a new version that keeps its state touches no index.
alter table dispatch.tickets set (fillfactor = 80);
alter table dispatch.visits set (fillfactor = 80);
