-- The reason of a number gap is a sentence with values (totals, status, period): kept with it, or the auditor reads "–".
-- Gaps from before have none.
alter table number_gap add column values jsonb not null default '{}';
