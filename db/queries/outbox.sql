-- announce --
-- "Settle this": one row per link or unlinked record. A change of a row that is out or started is remembered as again;
-- a failed one is tried from the start because its source changed.
insert into outbox (tenant_id, domain, subject, cause, system, register)
values (%(tenant_id)s, %(domain)s, %(subject)s, %(cause)s, %(system)s, %(register)s)
on conflict (tenant_id, domain, subject) do update set
    again = outbox.again or outbox.state in ('out', 'started'),
    -- what our own work made possible need not sit out a pause
    due_at = case when outbox.state in ('failed', 'in_doubt', 'waiting') then bridge_now()
                  when excluded.cause = 'followed' then least(outbox.due_at, bridge_now()) else outbox.due_at end,
    attempts = case when outbox.state in ('failed', 'in_doubt') then 0 else outbox.attempts end,
    lost = case when outbox.state in ('failed', 'in_doubt') then 0 else outbox.lost end,
    waits_for = null,
    state = case when outbox.state in ('failed', 'in_doubt', 'waiting') then 'ready' else outbox.state end,
    cause = case when outbox.state in ('failed', 'in_doubt', 'waiting') then excluded.cause else outbox.cause end,
    changed_at = bridge_now()

-- take --
-- The fair claim: per domain at most the free room of its window, per tenant at most a few at a time, tenants in
-- rotating order, begun deliveries first. A paused tenant's backlog is never walked through: each lateral stops at its limit.
with room as (
    select d.domain,
           greatest(0, %(window)s - (select count(*) from outbox where state in ('out', 'started') and domain = d.domain)) as free
    from unnest(%(domains)s::text[]) as d (domain)
),
busy as (
    select tenant_id, count(*) as n from outbox where state in ('out', 'started') group by tenant_id
),
picked as (
    select p.tenant_id, p.id
    from room r
    cross join lateral (
        select o.tenant_id, o.id
        from (
            select t.id, t.paused_domains, greatest(0, %(per_tenant)s - coalesce(b.n, 0)) as free
            from tenant t left join busy b on b.tenant_id = t.id
            where t.state = 'live'
              and not exists (select from connection c where c.tenant_id = t.id and c.paused_until > bridge_now())
              -- writes are on, and both systems have been read to the end since this database was adopted
              and exists (
                  select from installation i
                  where i.writes = 'on'
                    and (i.adopted_at is null
                         or (select min(coalesce(c.checked_at, '-infinity')) from connection c where c.tenant_id = t.id) > i.adopted_at))
            order by t.id <= %(after)s, t.id
        ) t
        cross join lateral (
            select q.tenant_id, q.id
            from outbox q
            where q.tenant_id = t.id and q.domain = r.domain and q.state in ('ready', 'waiting')
              and q.due_at <= bridge_now() and not (r.domain = any (t.paused_domains))
            order by q.begun desc, q.due_at
            limit t.free
            for update of q skip locked
        ) o
        limit r.free
    ) p
)
update outbox o
set state = 'out', generation = o.generation + 1, waits_for = null, changed_at = bridge_now(),
    lease_until = bridge_now() + %(lease)s * interval '1 second'
from picked p
where o.tenant_id = p.tenant_id and o.id = p.id
returning o.tenant_id, o.id, o.domain, o.generation, o.system, o.register, o.subject

-- untake --
-- A row whose message the broker did not take goes back, unless its lease has moved on already.
update outbox
set state = 'ready', lease_until = null, due_at = bridge_now() + interval '1 second', changed_at = bridge_now()
where tenant_id = %(tenant_id)s and id = %(id)s and generation = %(generation)s and state = 'out'

-- reap --
-- Leases that ran out: the message was lost (out) or the worker was (started). Three lost workers are told apart at the claim.
update outbox
set state = 'ready', token = null, lease_until = null, due_at = bridge_now(), changed_at = bridge_now(),
    lost = lost + case when state = 'started' then 1 else 0 end
where state in ('out', 'started') and lease_until < bridge_now()
returning tenant_id, id, lost

-- reset_leases --
-- One process only (embedded mode): whatever was out or started when it died is free again.
update outbox
set state = 'ready', token = null, lease_until = null, due_at = bridge_now(), changed_at = bridge_now(),
    lost = lost + case when state = 'started' then 1 else 0 end
where state in ('out', 'started')
returning id

-- claim --
-- A worker makes the row its own; only the message of the present generation may, and only while the tenant is active.
update outbox o
set state = 'started', token = %(token)s, attempts = o.attempts + 1, again = false, changed_at = bridge_now(),
    lease_until = bridge_now() + %(lease)s * interval '1 second'
from tenant t
where o.tenant_id = %(tenant_id)s and o.id = %(id)s and o.generation = %(generation)s and o.state = 'out'
  and t.id = o.tenant_id and t.state = 'live' and not (o.domain = any (t.paused_domains))
returning o.domain, o.subject, o.delivery, o.attempts, o.lost, o.cause, o.system, o.register, bridge_now() as now,
          t.name as tenant_name, t.language, t.time_zone,
          (select s.values from setting s where s.tenant_id = o.tenant_id order by s.version desc limit 1) as settings,
          (select min(a.started_at) from attempt a where a.tenant_id = o.tenant_id and a.delivery = o.delivery) as first_attempt_at

-- extend --
-- The lease of a begun step; no row, no call.
update outbox o
set lease_until = greatest(o.lease_until, bridge_now() + %(lease)s * interval '1 second'), begun = true
from tenant t
where o.tenant_id = %(tenant_id)s and o.id = %(id)s and o.token = %(token)s and o.state = 'started'
  and o.lease_until > bridge_now() and t.id = o.tenant_id
  and (o.begun or (t.state = 'live' and not (o.domain = any (t.paused_domains))))
returning o.id

-- hold --
-- Still ours? Locks the row for the finishing transaction.
select again from outbox
where tenant_id = %(tenant_id)s and id = %(id)s and token = %(token)s and state = 'started'
for update

-- finish --
delete from outbox where tenant_id = %(tenant_id)s and id = %(id)s and token = %(token)s and not again

-- again --
-- It changed while it was being settled: once more, as a new delivery.
update outbox
set state = 'ready', token = null, lease_until = null, again = false, begun = false, attempts = 0, lost = 0,
    delivery = gen_random_uuid(), due_at = bridge_now(), changed_at = bridge_now()
where tenant_id = %(tenant_id)s and id = %(id)s and token = %(token)s

-- later --
-- Temporary: the same delivery again after a while.
update outbox
set state = 'ready', token = null, lease_until = null, lost = 0, attempts = attempts - %(refund)s,
    due_at = bridge_now() + %(delay)s * interval '1 second', changed_at = bridge_now()
where tenant_id = %(tenant_id)s and id = %(id)s and token = %(token)s and state = 'started'

-- wait --
-- Re-checked every now and then, woken earlier when what it waits for is linked.
update outbox
set state = case when again then 'ready' else 'waiting' end, waits_for = case when again then null else %(waits_for)s end,
    token = null, lease_until = null, lost = 0, attempts = 0,
    due_at = bridge_now() + case when again then 0 else %(delay)s end * interval '1 second', changed_at = bridge_now()
where tenant_id = %(tenant_id)s and id = %(id)s and token = %(token)s and state = 'started'

-- fail --
-- A person must act, or its source must change (which it may have done meanwhile: again). The delivery starts anew
-- unless a sent call is still without an answer. With waits_for it failed for another record: that one's success wakes it.
update outbox o
set state = case when o.again then 'ready' else %(state)s end, token = null, lease_until = null, lost = 0, again = false,
    waits_for = case when o.again then null else %(waits_for)s end,
    due_at = bridge_now(), changed_at = bridge_now(),
    begun = begun and %(state)s = 'in_doubt',
    delivery = case when %(state)s = 'in_doubt' or exists (
        select from step s where s.tenant_id = o.tenant_id and s.delivery = o.delivery and s.sent_at is not null and s.done_at is null)
        then o.delivery else gen_random_uuid() end
where o.tenant_id = %(tenant_id)s and o.id = %(id)s and o.token = %(token)s and o.state = 'started'

-- wake --
-- Whatever waited for this record goes on at once; what failed because of it only when it has succeeded.
update outbox set state = 'ready', waits_for = null, due_at = bridge_now(), changed_at = bridge_now(),
    attempts = 0, lost = 0
where tenant_id = %(tenant_id)s and state = any (%(states)s) and waits_for = any (%(keys)s)

-- fold --
-- A record that became part of a link is settled with the link: its own row has no work left.
delete from outbox where tenant_id = %(tenant_id)s and domain = %(domain)s and subject = any (%(subjects)s) and id <> %(id)s
  and state <> 'started'
returning subject, state, again

-- row --
select id, domain, subject, state, waits_for, attempts, due_at from outbox
where tenant_id = %(tenant_id)s and domain = %(domain)s and subject = %(subject)s

-- rows --
select id, domain, subject, state, due_at, attempts, lost, waits_for, cause, changed_at from outbox
where tenant_id = %(tenant_id)s order by id

-- retry --
-- A person asks again.
update outbox set state = 'ready', due_at = bridge_now(), attempts = 0, lost = 0, waits_for = null, cause = 'person', changed_at = bridge_now()
where tenant_id = %(tenant_id)s and domain = %(domain)s and subject = %(subject)s and state in ('failed', 'in_doubt', 'ready', 'waiting')
returning id

-- unfinished --
-- What is still to be done, over all live tenants; failed and in doubt wait for people, not for the bridge.
select count(*) as n from outbox o join tenant t on t.id = o.tenant_id
where o.state in ('ready', 'waiting', 'out', 'started') and t.state = 'live' and not (o.domain = any (t.paused_domains))

-- counts --
select o.domain, o.state, count(*) as n, min(o.due_at) as oldest from outbox o group by o.domain, o.state order by 1, 2

-- announce_all --
-- "Settle this" for many records of a system at once: each on its link when it has one, in the order of the subjects, so
-- that two announcements never wait for each other crosswise. only_linked: nothing for a record without a link.
with wanted as (
    select w.register, w.id, w.only_linked, coalesce(s.id, e.id) as link
    from unnest(%(registers)s::text[], %(ids)s::text[], %(only_linked)s::boolean[]) as w (register, id, only_linked)
    left join link s on s.tenant_id = %(tenant_id)s and s.domain = %(link_domain)s
        and s.severa_id = case when %(system)s = 'severa' then w.id end
    left join link e on e.tenant_id = %(tenant_id)s and e.domain = %(link_domain)s
        and e.erp_id = case when %(system)s = 'visma_net' then w.id end
),
named as (
    select coalesce('link:' || link, 'record:' || %(system)s || '/' || register || '/' || id) as subject, register, id
    from wanted where link is not null or not only_linked
),
put as (
    insert into outbox (tenant_id, domain, subject, cause, system, register)
    select %(tenant_id)s, %(domain)s, subject, %(cause)s, %(system)s, min(register) from named group by subject order by subject
    on conflict (tenant_id, domain, subject) do update set
        again = outbox.again or outbox.state in ('out', 'started'),
        due_at = case when outbox.state in ('failed', 'in_doubt', 'waiting') then bridge_now() else outbox.due_at end,
        attempts = case when outbox.state in ('failed', 'in_doubt') then 0 else outbox.attempts end,
        lost = case when outbox.state in ('failed', 'in_doubt') then 0 else outbox.lost end,
        waits_for = null,
        state = case when outbox.state in ('failed', 'in_doubt', 'waiting') then 'ready' else outbox.state end,
        cause = case when outbox.state in ('failed', 'in_doubt', 'waiting') then excluded.cause else outbox.cause end,
        changed_at = bridge_now()
    returning subject, xmax = 0 as made
)
select n.register, n.id, p.made from named n join put p using (subject)

-- without_work --
-- Which of these records have no row in the domain, neither of their own nor of their link: the audit's question.
select w.register, w.id
from unnest(%(registers)s::text[], %(ids)s::text[], %(only_linked)s::boolean[]) as w (register, id, only_linked)
left join link s on s.tenant_id = %(tenant_id)s and s.domain = %(link_domain)s
    and s.severa_id = case when %(system)s = 'severa' then w.id end
left join link e on e.tenant_id = %(tenant_id)s and e.domain = %(link_domain)s
    and e.erp_id = case when %(system)s = 'visma_net' then w.id end
where (coalesce(s.id, e.id) is not null or not w.only_linked)
  and not exists (
      select from outbox o where o.tenant_id = %(tenant_id)s and o.domain = %(domain)s
        and o.subject in ('link:' || coalesce(s.id, e.id), 'record:' || %(system)s || '/' || w.register || '/' || w.id))
