-- Ways out: offers that nobody accepts, choices by a link, conversations that end.

alter table dispatch.visits
  -- Until when somebody has to take the offer, or a person looks; null for offers from before there was such an end.
  add answer_by timestamptz,
  -- When a person was told that nobody did. Once for each offer.
  add escalated_at timestamptz,
  add constraint visits_escalated_when_due check (escalated_at is null or escalated_at >= answer_by);
