-- Which database is this? (docs/never-twice.md rules 10 and 22). A restored, copied or rewound database is older than the world:
-- what it would send again, somebody may have sent already. So every claim and every begin asks bridge_epoch().

alter table installation
    -- a name for this stretch of history; what processes remember of the beat counts for it only
    add history       uuid   not null default gen_random_uuid(),
    add epoch         bigint not null default 1,
    -- null: the first one, nothing was restored so far
    add epoch_at      timestamptz,
    -- what was sent in a lost future may still be carried out until then
    add quiet_until   timestamptz,
    add database_oid  oid,
    -- the transaction that wrote this row last: a dump brings the number, and a row written by another transaction
    add written_by    xid8,
    -- the start of the server that was last found to carry on this history
    add started_at    timestamptz,
    -- why writes are off: restored, moved, copied
    add reason        text   check (reason in ('restored', 'moved', 'copied')),
    -- infinity while a relay counts, by its own clock, until a step of PostgreSQL's is over; then when it was over
    add steady_after  timestamptz;

alter table connection
    -- nothing is claimed before a poll that began after this has read everything
    add epoch_at timestamptz;
grant select (epoch_at), update (epoch_at) on connection to bridge_dispatch;

-- Each second one more: what tells a rewound database from one that was only started anew.
create table beat (
    single boolean primary key default true check (single),
    number bigint      not null default 0,
    -- the last ones, newest at the end: a process that died before it could remember the newest is still recognised
    recent uuid[]      not null default '{}',
    at     timestamptz not null default bridge_now()
);
insert into beat default values;
grant select on beat to bridge_app;
grant select, update on beat to bridge_dispatch;

-- Of the write-ahead log that is being written now; the last checkpoint's may be an older one. Null on a standby.
create function bridge_timeline() returns integer language plpgsql stable parallel safe as $$
begin
    if pg_is_in_recovery() then
        return null;
    end if;
    return ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::integer;
end $$;

-- The epoch, or null: writes are off, or this is not the server, the database or the row that was last known. Everything
-- is compared each time: a restore beneath running processes tells nobody. The row's xmin survives VACUUM FREEZE, and no
-- way of bringing a dump back.
create function bridge_epoch() returns bigint language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    return (select i.epoch from installation i
            where i.writes = 'on'
              and i.xmin = i.written_by::xid
              and i.started_at = pg_postmaster_start_time()
              and i.database_oid = (select d.oid from pg_database d where d.datname = current_database())
              and i.timeline = bridge_timeline()
              and i.system_identifier = (select c.system_identifier::text from pg_control_system() c));
end $$;

-- False while PostgreSQL's clock has stepped: leases and waits mean nothing then. No time is compared: a second step cannot
-- end the pause.
create function bridge_steady() returns boolean language plpgsql stable parallel safe as $$
begin
    return coalesce((select i.steady_after <> 'infinity' or i.steady_after is null from installation i), false);
end $$;

-- Tenants for whom something may be claimed: writes are on, the clock is steady, and each connection has been read whole by
-- a poll that began after the last epoch's quiet time. A view, so that a statement over all tenants asks once.
create view open_tenant with (security_invoker = true) as
select t.id from tenant t
where (select bridge_epoch()) is not null and (select bridge_steady())
  and not exists (
      select from connection c
      where c.tenant_id = t.id and c.epoch_at is not null and coalesce(c.checked_at, '-infinity') <= c.epoch_at);
grant select on open_tenant to bridge_app, bridge_dispatch;

create function tenant_open(tenant uuid) returns boolean language plpgsql stable as $$
begin
    return exists (select from open_tenant o where o.id = tenant);
end $$;

-- Whatever a process of a lost future holds is worth nothing: all that is leased is free again, and no old message or
-- token names it. Everything with a lease belongs here.
create function bridge_void_leases() returns void language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update matter set token = null, lease_until = null, generation = generation + 1 where lease_until is not null;
    update outbox set state = 'ready', token = null, lease_until = null, generation = generation + 1,
        due_at = bridge_now(), changed_at = bridge_now()
    where state in ('out', 'started');
    update connection set poll_token = null, poll_lease_until = null, refresh_lease_until = null
    where poll_token is not null or poll_lease_until is not null or refresh_lease_until is not null;
end $$;

-- Registers are read from the beginning, by polls that begin when this moment has passed; nothing is claimed before.
create function bridge_read_anew(moment timestamptz) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update connection set epoch_at = moment, next_poll_at = moment;
    update stream set watermark = null, complete_at = null, swept_at = null;
end $$;

-- A new epoch of this very database: leases void, `settle` seconds of quiet, everything read anew. Null: another process has
-- begun one since the caller looked. Never called inside a savepoint, nor with an exception block around it: the row's
-- xmin would be the sub-transaction's.
create function bridge_begin_epoch(settle double precision, seen uuid) returns bigint
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    begun bigint;
    moment timestamptz;
begin
    update installation set epoch = epoch + 1, epoch_at = bridge_now(), quiet_until = bridge_now() + settle * interval '1 second',
        history = gen_random_uuid(), writes = case writes when 'off' then 'on' else writes end, reason = null,
        database_oid = (select d.oid from pg_database d where d.datname = current_database()),
        system_identifier = (select c.system_identifier::text from pg_control_system() c),
        timeline = bridge_timeline(), started_at = pg_postmaster_start_time(), written_by = pg_current_xact_id()
    where history = seen
    returning epoch, quiet_until into begun, moment;
    if not found then
        return null;
    end if;
    -- the beat of this stretch begins anew: nobody remembers anything of it yet
    insert into beat default values on conflict (single) do update set number = 0, recent = '{}', at = bridge_now();
    perform bridge_void_leases();
    perform bridge_read_anew(moment);
    return begun;
end $$;

revoke all on function bridge_void_leases(), bridge_read_anew(timestamptz), bridge_begin_epoch(double precision, uuid) from public;
grant execute on function bridge_begin_epoch(double precision, uuid) to bridge_dispatch;

-- A database of the version before: it goes on, unless that version already knew it for another server's.
update installation i set
    writes = case when i.system_identifier = s.system_identifier::text then i.writes else 'off' end,
    reason = case when i.system_identifier <> s.system_identifier::text then 'moved' when i.writes = 'off' then 'restored' end,
    system_identifier = s.system_identifier::text, timeline = bridge_timeline(), started_at = pg_postmaster_start_time(),
    database_oid = (select d.oid from pg_database d where d.datname = current_database()), written_by = pg_current_xact_id()
from pg_control_system() s;
-- An adoption that was not read to the end yet still is to be.
update connection c set epoch_at = i.adopted_at from installation i where i.adopted_at >= coalesce(c.checked_at, '-infinity');
alter table installation drop adopted_at;
