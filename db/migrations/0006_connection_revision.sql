-- Which state of a connection a process works with: counted up whenever its address, organisation or secret is put anew, so
-- that every process notices, and a token got for an older state is never kept for a newer one.
alter table connection add column revision bigint not null default 1;
