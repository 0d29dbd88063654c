-- A choice may come by a tap on a link: a link of its own purpose, which makes one choice of its recipient.

alter table dispatch.links
  drop constraint links_purpose_check,
  -- `choice`: object_id is the message of ours that it stood in.
  add constraint links_purpose_known check (purpose in ('status', 'approval', 'choice'));

alter table dispatch.choices
  -- By which link it was made; null for one that was read in a message of the contact.
  add link_hash text,
  add constraint choices_link_key unique (tenant_id, link_hash),
  add foreign key (tenant_id, link_hash) references dispatch.links (tenant_id, hash);
