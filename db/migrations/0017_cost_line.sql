-- A cost line or file is brought once, ever: its step is its row for life (rule 1), and this index lets no second one through.
-- Of two that an earlier version wrote (a line that was found by its marker in a later delivery) the first made counts.
set local statement_timeout = '15min';
update step s set sent_at = null, done_at = null, not_after = null, settles_at = null,
    result = s.result || '{"undone": "an earlier step of the line counts"}'
where s.domain = 'cost' and (s.sent_at is not null or s.done_at is not null)
  and exists (select from step e where e.tenant_id = s.tenant_id and e.matter_id = s.matter_id and e.domain = 'cost'
              and e.name = s.name and e.round = s.round and (e.sent_at is not null or e.done_at is not null)
              and (coalesce(e.sent_at, e.done_at), e.attempt_id) < (coalesce(s.sent_at, s.done_at), s.attempt_id));
create unique index cost_line on step (tenant_id, matter_id, name, round)
    where domain = 'cost' and (sent_at is not null or done_at is not null);
