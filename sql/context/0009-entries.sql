-- What the model may see of a message: typed placeholders, never a raw value.
create table context.entries (
  tenant_id uuid not null,
  message_id uuid not null,
  conversation_id uuid not null,
  mask_state text not null check (mask_state in ('RELEASED', 'WITHHELD')),
  masked_text text check (length(masked_text) <= 16000),
  created_at timestamptz not null default now(),
  primary key (tenant_id, message_id),
  -- Withheld means withheld.
  constraint entries_withheld_has_no_text check ((mask_state = 'RELEASED') = (masked_text is not null)),
  foreign key (tenant_id, conversation_id) references dispatch.conversations (tenant_id, id),
  foreign key (tenant_id, message_id) references dispatch.messages (tenant_id, id)
);
create index entries_by_conversation on context.entries (tenant_id, conversation_id, created_at);
