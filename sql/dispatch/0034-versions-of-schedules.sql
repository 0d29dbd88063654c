-- When somebody works, and when a place is open, are part of the technician and of the site: written by a version of theirs.
alter table dispatch.technician_schedules
  add version integer not null default 1,
  add constraint technician_schedules_effect_fkey foreign key (tenant_id, id, version)
    references audit.effects (tenant_id, object_id, version);
alter table dispatch.site_schedules
  add version integer not null default 1,
  add constraint site_schedules_effect_fkey foreign key (tenant_id, id, version)
    references audit.effects (tenant_id, object_id, version);
