-- What is kept of a photo is drawn anew from it: the row remembers both, the bytes that were announced and hashed, and
-- the picture. Rows of earlier versions kept the bytes themselves and have nothing here.
alter table dispatch.evidence
  add column kept_sha256 text check (kept_sha256 ~ '^[0-9a-f]{64}$'),
  add column kept_size_bytes bigint check (kept_size_bytes > 0),
  add constraint evidence_kept_is_whole check ((kept_sha256 is null) = (kept_size_bytes is null)),
  -- A name that says another hash than the row would show another picture under it.
  add constraint evidence_kept_is_named check (
    kept_sha256 is null
    or (state = 'FINALIZED' and content_key = 'content/' || tenant_id || '/' || kept_sha256));

-- Of old rows nothing can be said any more; from now on there is no final evidence without a picture.
alter table dispatch.evidence
  add constraint evidence_final_is_kept check (state <> 'FINALIZED' or kept_sha256 is not null) not valid;
