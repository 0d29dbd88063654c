-- Which version of an incident type, or of a message's text, is in force since when. What a version says ships with the
-- release; that it comes into force is a decision with an event of its own. Rows are added and never changed.

create table dispatch.publications (
  tenant_id uuid not null,
  kind text not null check (kind in ('incident_type', 'template')),
  name text not null check (length(name) between 1 and 60),
  -- Counts the publications of the name. Of two that begin at the same moment the later one holds.
  number integer not null check (number >= 1),
  -- Of the content.
  version integer not null check (version between 1 and 1000),
  effective_from timestamptz not null,
  event_id uuid not null,
  published_at timestamptz not null default now(),
  constraint publications_pkey primary key (tenant_id, kind, name, number),
  foreign key (tenant_id, event_id) references audit.events (tenant_id, id)
);
create index publications_in_force on dispatch.publications (tenant_id, kind, name, effective_from desc, number desc);

-- By which version of its template a message is rendered, today and in ten years. Written when the message is.
alter table dispatch.messages add template_version integer;

-- Tenants that are on file already go on with what this release used for everybody, as if that had been published before
-- anything else. No service can sign for it: the verifier of the trail has this same list of its own, and the rows name
-- the event that put their tenant on file.
do $$
declare
  t text;
  tables text[] := array['dispatch.tenants', 'audit.events', 'dispatch.messages'];
begin
  foreach t in array tables loop
    execute format('alter table %s no force row level security', t);
  end loop;
  update dispatch.messages set template_version = 1 where template like 'M__';
  insert into dispatch.publications (tenant_id, kind, name, number, version, effective_from, event_id)
  select t.id, v.kind, v.name, 1, v.version, '1970-01-01T00:00:00Z', e.id
    from dispatch.tenants t
    join lateral (
      select x.id from audit.events x
       where x.tenant_id = t.id and x.origin = 'operator' and x.command = 'operator.bootstrap'
       order by x.at, x.id limit 1) e on true
   cross join (values
     ('incident_type', 'DOOR_CANNOT_SECURE', 2), ('incident_type', 'DOOR_WONT_LATCH', 2),
     ('incident_type', 'CLOSER_LEAK_OR_SLAM', 2), ('incident_type', 'AUTO_OPERATOR_FAULT', 2),
     ('incident_type', 'AUTO_SENSOR_SAFETY', 2), ('incident_type', 'GLASS_OR_FRAME_DAMAGE', 1),
     ('incident_type', 'EGRESS_OR_PANIC_HARDWARE', 1), ('incident_type', 'FIRE_DOOR_DEFICIENCY', 2),
     ('incident_type', 'ROLLING_OR_DOCK_DOOR', 2), ('incident_type', 'ACCESS_CONTROL_STRIKE', 1),
     ('incident_type', 'HARDWARE_REPLACEMENT', 1), ('incident_type', 'ADA_OPERATOR_OR_THRESHOLD', 1),
     ('template', 'M01', 1), ('template', 'M02', 1), ('template', 'M04', 1), ('template', 'M05', 1),
     ('template', 'M06', 1), ('template', 'M08', 1), ('template', 'M09', 1), ('template', 'M10', 1),
     ('template', 'M11', 1), ('template', 'M12', 1), ('template', 'M13', 1), ('template', 'M14', 1),
     ('template', 'M15', 1), ('template', 'M16', 1), ('template', 'M17', 1), ('template', 'M18', 1),
     ('template', 'M20', 1), ('template', 'M21', 1)
   ) as v (kind, name, version);
  foreach t in array tables loop
    execute format('alter table %s force row level security', t);
  end loop;
end $$;

-- A phrase has one text; what came in was written by others.
alter table dispatch.messages add constraint messages_of_a_version
  check ((coalesce(template, '') like 'M__') = (template_version is not null));
