-- A reading of a register is let through or held as a whole, and what was seen is ordered by when it was asked for, not by
-- its stamps (docs/never-twice.md rules 13 and 16). What 0.1.0 had stored stands as announced: an unsettled record without
-- work is found by the audit. Watermarks stay.
set local statement_timeout = '15min';

create table reading (
    tenant_id    uuid        not null,
    system       text        not null,
    register     text        not null,
    id           bigint      not null generated always as identity,
    -- open: its pages are being read; complete: read to its end, everything announced; let_through: announcing goes on;
    -- held: the brake asks; dead: never read to its end, what it brought is judged with what comes later
    state        text        not null default 'open' check (state in ('open', 'complete', 'let_through', 'held', 'dead')),
    -- the whole register, so that absence can be told; or what changed since
    whole        boolean     not null,
    since        timestamptz,
    -- PostgreSQL's time before its first request
    began_at     timestamptz not null,
    completed_at timestamptz,
    -- where the next page begins, as the connector says it; null = cannot go on
    position     text,
    -- no mark of this reading may be later: the server's time of its first answer
    mark_at      timestamptz not null,
    newest       timestamptz,
    rows         bigint      not null default 0,
    changed      bigint      not null default 0,
    -- rows that could not be read: absence is not told
    unreadable   bigint      not null default 0,
    -- rows whose order nobody knows: they are asked for again, so the mark stays
    left_out     bigint      not null default 0,
    -- changes of known records that were announced with it
    announced    bigint      not null default 0,
    primary key (tenant_id, id),
    foreign key (tenant_id, system) references connection
);
create unique index reading_open on reading (tenant_id, system, register) where state = 'open';
create unique index reading_held on reading (tenant_id, system, register) where state = 'held';
create index reading_register on reading (tenant_id, system, register, id);

alter table reading enable row level security;
create policy of_tenant on reading to bridge_app
    using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid)
    with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select, insert, update, delete on reading to bridge_app;

alter table record rename column requested_at to asked_at;
alter table record
    -- PostgreSQL's time after the answer: what was asked for later is newer, what overlaps is read again
    add column answered_at       timestamptz,
    -- the reading that showed it last
    add column reading_id        bigint,
    -- everybody whom the record concerns knows of its versions up to this one
    add column announced_version bigint  not null default 0,
    -- two states of it overlap in time: read again with the next poll
    add column read_again        boolean not null default false;
update record set answered_at = asked_at, announced_version = version;
alter table record alter column answered_at set not null;
create index record_unannounced on record (tenant_id, system, register, id) where in_scope and version > announced_version;
create index record_read_again on record (tenant_id, system, register) where read_again;

-- Registers are read from the beginning, by polls that begin when this moment has passed; nothing is claimed before, and no
-- reading of another history goes on.
create or replace function bridge_read_anew(moment timestamptz) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update connection set epoch_at = moment, next_poll_at = moment;
    update stream set watermark = null, complete_at = null, swept_at = null;
    update reading set state = 'dead' where state = 'open';
end $$;
