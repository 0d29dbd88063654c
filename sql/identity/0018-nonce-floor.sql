-- As in dispatch: anything created before the floor is refused; nonces may be forgotten only below it.
create table identity.nonce_floor (
  one boolean primary key default true check (one),
  floor timestamptz not null
);
insert into identity.nonce_floor (floor) values ('-infinity');
