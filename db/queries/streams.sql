-- due --
-- Connections whose time has come, or that a person or a webhook asked for; leased so that one poller has each.
update connection c
set poll_token = %(token)s, poll_lease_until = bridge_now() + %(lease)s * interval '1 second'
where (c.tenant_id, c.system) in (
    select d.tenant_id, d.system from connection d join tenant t on t.id = d.tenant_id
    where t.state = 'live' and (d.next_poll_at <= bridge_now() or d.asked_at is not null)
      and coalesce(d.poll_lease_until, '-infinity') < bridge_now()
      and coalesce(d.paused_until, '-infinity') < bridge_now()
      and coalesce(d.epoch_at, '-infinity') < bridge_now()  -- a reading within the quiet time proves nothing
    order by d.next_poll_at limit %(limit)s
    for update of d skip locked)
returning c.tenant_id, c.system, (select t.name from tenant t where t.id = c.tenant_id) as tenant, bridge_now() as now

-- lease_one --
-- Go-live polls before the tenant is live; same lease, same fence.
update connection set poll_token = %(token)s, poll_lease_until = bridge_now() + %(lease)s * interval '1 second'
where tenant_id = %(tenant_id)s and system = %(system)s and coalesce(poll_lease_until, '-infinity') < bridge_now()
  and exists (select from tenant t where t.id = connection.tenant_id and t.state not in ('leaving', 'erasing'))
  and coalesce(epoch_at, '-infinity') < bridge_now()
returning (select t.name from tenant t where t.id = connection.tenant_id) as tenant, bridge_now() as now

-- hold --
-- The fence of every page transaction: no lease, or a tenant that is leaving, no rows. Extends it, and tells what time it is.
update connection set poll_lease_until = bridge_now() + %(lease)s * interval '1 second'
where tenant_id = %(tenant_id)s and system = %(system)s and poll_token = %(token)s and poll_lease_until > bridge_now()
  and exists (select from tenant t where t.id = connection.tenant_id and t.state not in ('leaving', 'erasing'))
returning bridge_now() as now

-- ended --
-- asked_at is cleared only by a poll that began after it was set.
update connection
set poll_token = null, poll_lease_until = null, polls = polls + 1, last_error = %(error)s,
    last_changes = case when %(complete)s then %(changes)s else last_changes end,
    checked_at = case when %(complete)s then %(began)s else checked_at end,
    asked_at = case when asked_at <= %(began)s then null else asked_at end,
    next_poll_at = bridge_now() + %(wait)s * interval '1 second'
where tenant_id = %(tenant_id)s and system = %(system)s and poll_token = %(token)s

-- ask --
update connection set asked_at = bridge_now() where tenant_id = %(tenant_id)s

-- ask_all --
-- Of every tenant (dispatch).
update connection set asked_at = bridge_now()

-- checked --
-- Since when is nothing new: polls begun after a moment, and whether they brought changes.
select count(*) filter (where c.checked_at is null or c.checked_at < %(since)s) as unchecked, coalesce(sum(c.last_changes), 0) as changes
from connection c join tenant t on t.id = c.tenant_id where t.state = 'live'

-- unchecked --
-- Which connections those are; one that is paused or leased says why.
select t.name as tenant, c.system, c.checked_at, c.paused_until, c.poll_lease_until > bridge_now() as being_read
from connection c join tenant t on t.id = c.tenant_id
where t.state = 'live' and (c.checked_at is null or c.checked_at < coalesce(%(since)s::timestamptz, 'infinity')) order by t.name, c.system

-- get --
-- Every register of a connection in one question, with the earliest record whose order is not known.
select s.register, s.watermark, s.complete_at, s.swept_at,
       (select min(r.asked_at) from record r where r.tenant_id = s.tenant_id and r.system = s.system and r.register = s.register and r.read_again)
           as unsure_since
from stream s where s.tenant_id = %(tenant_id)s and s.system = %(system)s

-- complete --
-- The mark is set, not raised: one that a wrong clock once put too far ahead must come back.
insert into stream (tenant_id, system, register, watermark, complete_at, swept_at, changes)
values (%(tenant_id)s, %(system)s, %(register)s, %(watermark)s, bridge_now(), case when %(whole)s then bridge_now() end, %(changes)s)
on conflict (tenant_id, system, register) do update set
    watermark = coalesce(excluded.watermark, stream.watermark), complete_at = excluded.complete_at,
    swept_at = coalesce(excluded.swept_at, stream.swept_at), changes = stream.changes + excluded.changes, not_understood = 0

-- not_understood --
-- One more poll in a row, whoever polled; a whole reading ends the count.
insert into stream (tenant_id, system, register, not_understood) values (%(tenant_id)s, %(system)s, %(register)s, 1)
on conflict (tenant_id, system, register) do update set not_understood = stream.not_understood + 1
returning not_understood

-- swept --
-- A person said that what a whole reading showed is so: it need not be read whole again before the next sweep.
update stream set swept_at = greatest(swept_at, %(at)s) where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s

-- now --
select bridge_now() as now
