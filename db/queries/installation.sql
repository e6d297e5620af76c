-- know --
-- The first row, by the owner after the migrations: nothing was ever written in this database. Where tenants are but no row,
-- somebody restored the one without the other.
insert into installation (system_identifier, timeline, database_oid, started_at, written_by, writes, reason)
select s.system_identifier::text, bridge_timeline(), d.oid, pg_postmaster_start_time(), pg_current_xact_id(),
       case when t.any then 'off' else 'on' end, case when t.any then 'restored' end
from pg_control_system() s, pg_database d, (select exists (select from tenant) as any) t where d.datname = current_database()
on conflict do nothing

-- look --
-- Everything that tells this database from the one that was last written to, each for itself.
select i.writes, i.reason, i.history, i.epoch, i.quiet_until, bridge_now() as now,
       coalesce(i.steady_after = 'infinity', false) as stepped,
       i.system_identifier = s.system_identifier::text as same_server,
       coalesce(i.database_oid = d.oid, false) as same_database,
       coalesce(i.xmin = i.written_by::xid, false) and b.single is not null as same_row,
       coalesce(i.timeline = bridge_timeline(), false) as same_timeline,
       coalesce(i.started_at = pg_postmaster_start_time(), false) as same_start,
       coalesce(b.number, 0) as number, coalesce(b.recent, '{}') as recent,
       exists (select from tenant t where t.live_at is not null) as served
from installation i left join beat b on true, pg_control_system() s, pg_database d
where d.datname = current_database()

-- beat --
-- One more, while the database is known to be the one; no row: it is not, or writes are off.
update beat b
set number = b.number + 1, recent = (b.recent || %(random)s::uuid)[greatest(1, cardinality(b.recent) - 62):], at = bridge_now()
from installation i
where bridge_epoch() is not null
returning i.history, b.number

-- carry_on --
-- The server was started anew and the beat stands: the same history.
update installation set started_at = pg_postmaster_start_time(), written_by = pg_current_xact_id()
where history = %(history)s and writes = 'on' and xmin = written_by::xid
  and system_identifier = (select c.system_identifier::text from pg_control_system() c)
  and database_oid = (select d.oid from pg_database d where d.datname = current_database())

-- stop --
-- Nothing more is claimed until a person has said which database counts. A copy is judged by what was looked at a moment
-- ago: another relay may have known this very start for the same history since.
update installation set writes = 'off', reason = %(reason)s, written_by = pg_current_xact_id()
where history = %(history)s and writes <> 'off'
  and (%(reason)s <> 'copied' or started_at is distinct from pg_postmaster_start_time())

-- begin_epoch --
-- This database is the one from now on.
select bridge_begin_epoch(%(settle)s, %(history)s) as epoch

-- unsteady --
-- PostgreSQL's clock has stepped: a relay counts by its own until leases and waits mean something again.
update installation set steady_after = 'infinity', written_by = pg_current_xact_id() where steady_after is distinct from 'infinity' and xmin = written_by::xid

-- steady --
-- It has counted.
update installation set steady_after = bridge_now(), written_by = pg_current_xact_id() where steady_after = 'infinity' and xmin = written_by::xid

-- reachable_work --
-- A clock that stood ahead and was put back leaves times behind that the right one reaches much later: nothing would be
-- taken, polled or freed until then. No wait and no lease is longer than these, so whoever shortens them takes nothing away.
update outbox set due_at = bridge_now() + %(wait)s * interval '1 second' where due_at > bridge_now() + %(wait)s * interval '1 second'

-- reachable_polls --
update connection set
    next_poll_at = least(next_poll_at, bridge_now() + %(poll)s * interval '1 second'),
    poll_lease_until = least(poll_lease_until, bridge_now() + %(lease)s * interval '1 second')
where next_poll_at > bridge_now() + %(poll)s * interval '1 second' or poll_lease_until > bridge_now() + %(lease)s * interval '1 second'

-- reachable_messages --
update outbox set lease_until = bridge_now() + %(lease)s * interval '1 second' where lease_until > bridge_now() + %(lease)s * interval '1 second'

-- reachable_matters --
update matter set lease_until = bridge_now() + %(lease)s * interval '1 second' where lease_until > bridge_now() + %(lease)s * interval '1 second'

-- clock --
-- PostgreSQL's time, and whether a relay is counting.
select bridge_now() as now, bridge_steady() as steady

-- served_before --
-- Do the books of this tenant show documents of the bridge? Then the pair of companies was served before, by a database that is gone.
select exists (select from record where tenant_id = %(tenant_id)s and marker is not null) as found

-- read_anew --
-- A pair that was served before: what a lost database sent may still be carried out for a while, so both are read once more.
update connection set epoch_at = bridge_now() + %(settle)s * interval '1 second', next_poll_at = bridge_now() + %(settle)s * interval '1 second'
where tenant_id = %(tenant_id)s

-- forget_marks --
update stream set watermark = null, complete_at = null, swept_at = null where tenant_id = %(tenant_id)s
