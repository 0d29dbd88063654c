-- The edge table of every life cycle, filled from the command catalogue on every migrate.
-- An edge that left the catalogue stays for history's foreign keys, with mode 'retired', which no change may use.
create table dispatch.transitions (
  object text not null,
  command text not null,
  before_state text not null,
  after_state text not null,
  mode text not null check (mode in ('plain', 'pause', 'resume', 'retired')),
  primary key (object, command, before_state, after_state)
);
