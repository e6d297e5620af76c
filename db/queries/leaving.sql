-- leave --
-- From here on nothing is let through. Claims look at the tenant under a lock of its row, so that one that is being taken at
-- this moment is committed before this statement ends, or refused.
update tenant set state = 'leaving' where id = %(tenant_id)s and state in ('new', 'reading', 'live', 'paused')
returning id

-- stop_polls --
-- A poll that is under way stores no further page: it holds nothing any more, and one that is leased at this moment is refused by
-- the fence of its first page.
update connection set poll_token = null, poll_lease_until = null where tenant_id = %(tenant_id)s

-- reap --
-- As the relay does for all; here so that nobody waits for a relay that does not run.
with lost as (
    update matter set token = null, lease_until = null, generation = generation + 1
    where tenant_id = %(tenant_id)s and lease_until < bridge_now() and bridge_steady()
    returning tenant_id, id
)
update outbox o
set state = 'ready', token = null, due_at = bridge_now(), changed_at = bridge_now(), lost = o.lost + 1
from lost l
where o.state = 'started' and o.tenant_id = l.tenant_id and o.matter_id = l.id

-- waits --
-- What a leaving tenant waits for: deliveries under way; calls without an answer; and every settle time, of answered calls too,
-- for what they made may not show yet; and whatever a lost future may have sent.
select (select count(*) from matter m where m.tenant_id = %(tenant_id)s and m.lease_until is not null) as at_work,
       s.unanswered,
       greatest(s.settles_at, (select max(m.lease_until) from matter m where m.tenant_id = %(tenant_id)s and m.lease_until is not null),
                i.quiet_until) as until,
       s.settles_at is not null as unsettled,
       coalesce(i.quiet_until > bridge_now(), false) as quiet,
       bridge_steady() as steady, bridge_epoch() is not null as writes, bridge_now() as now
from (select count(*) filter (where done_at is null) as unanswered, max(settles_at) as settles_at
      from step where tenant_id = %(tenant_id)s and sent_at is not null and settles_at > bridge_now()) s
left join installation i on true

-- unfinished --
-- What the vendors show unfinished and nobody will bring to its end, one row per matter: in doubt; a document that may stand on
-- hold; a delivery that has begun.
with work as (
    select o.matter_id, min(o.domain) as domain, bool_or(o.state = 'in_doubt') as in_doubt, bool_or(o.state = 'started') as at_work from outbox o
    where o.tenant_id = %(tenant_id)s and (o.state = 'in_doubt' or o.begun) group by o.matter_id
),
held as (
    select d.matter_id, string_agg(d.type || coalesce('/' || d.number, ''), ', ' order by d.id) as documents from document d
    where d.tenant_id = %(tenant_id)s and d.state in ('asked', 'made', 'claimed', 'unknown') group by d.matter_id
)
select case when w.in_doubt then 'in_doubt' when h.matter_id is not null then 'held' else 'begun' end as what,
       coalesce(w.domain, m.domain) as domain, m.severa_id, m.erp_id,
       coalesce(nullif(m.severa_number, ''), nullif(r.number, ''), m.erp_number) as number, coalesce(r.name, '') as name,
       coalesce(h.documents, '') as documents, coalesce(w.at_work, false) as at_work
from matter m
left join work w on w.matter_id = m.id
left join held h on h.matter_id = m.id
left join record r on r.tenant_id = m.tenant_id and r.system = 'severa' and r.register = m.severa_register and r.id = m.severa_id
where m.tenant_id = %(tenant_id)s and (w.matter_id is not null or h.matter_id is not null)
order by what, domain, number, m.id

-- begin_erasing --
-- The last look, and the point of no return. No claim is let through since it is leaving, and nothing is permitted without a
-- lease: where none stands, nobody can begin a call any more.
update tenant t set state = 'erasing'
where t.id = %(tenant_id)s and t.state = 'leaving'
  and not exists (select from matter m where m.tenant_id = t.id and m.lease_until is not null)
  and not exists (select from step s where s.tenant_id = t.id and s.sent_at is not null and s.settles_at > bridge_now())
  and bridge_steady() and bridge_epoch() is not null
  and not exists (select from installation i where i.quiet_until > bridge_now())
returning t.id

-- begun_erasing --
insert into erasure (id, name, who, exported_to, unfinished)
select t.id, t.name, %(who)s, %(exported_to)s, %(unfinished)s from tenant t where t.id = %(tenant_id)s

-- count --
-- In the transaction that deletes the portion.
update erasure set counts = jsonb_set(counts, array[%(table)s::text], to_jsonb(coalesce((counts ->> %(table)s)::bigint, 0) + %(n)s))
where id = %(tenant_id)s

-- lock --
-- Whoever is writing a line about this tenant at this moment comes to its end first; afterwards there is no tenant to write about.
select id from tenant where id = %(tenant_id)s and state = 'erasing' for update

-- erased --
delete from tenant where id = %(tenant_id)s
returning id

-- ended --
update erasure set ended_at = bridge_now() where id = %(tenant_id)s
returning id, name, who, began_at, ended_at, exported_to, counts, unfinished

-- erasures --
-- Over all tenants that are no more, or going.
select id, name, who, began_at, ended_at, exported_to, counts, unfinished from erasure order by began_at, id

-- erasure --
select id, name, who, began_at, ended_at, exported_to, counts, unfinished from erasure where id = %(tenant_id)s
