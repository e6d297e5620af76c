-- An invoice whose customer, project or item is itself in error fails with a problem that points there. It remembers what it
-- waits for, so that it goes on by itself once that record is settled (R-INV-11).

alter table outbox drop constraint outbox_check2;
alter table outbox add constraint outbox_waits_for
    check (case state when 'waiting' then waits_for is not null when 'failed' then true else waits_for is null end);
drop index outbox_waiting;
create index outbox_waiting on outbox (tenant_id, waits_for) where waits_for is not null;
