-- announce --
-- "Settle this": one row per matter and domain. The matter is locked against a join (which locks for update) and its pointer
-- followed, so that work never lands on a row that nobody claims. A change of a row that is out or started is remembered as
-- again; a failed one is tried from the start because its source changed. What is in doubt stays so: only proof or a person
-- ends it, and both come as a delivery of their own (cause 'proof', 'person'). For a tenant that is leaving only what an
-- ending delivery leaves behind is remembered, in case it stays.
with named as materialized (
    select coalesce(m.joined_into, m.id) as id from matter m
    where m.tenant_id = %(tenant_id)s and m.id = any (%(matters)s)
      and exists (select from tenant t where t.id = m.tenant_id and (t.state not in ('leaving', 'erasing')
                  or %(cause)s::text in ('followed', 'seen', 'waited for')))
    order by m.id for key share
)
insert into outbox as o (tenant_id, domain, matter_id, cause, system, register, rank)
select distinct %(tenant_id)s::uuid, %(domain)s, n.id, %(cause)s, %(system)s, %(register)s, %(rank)s::smallint from named n order by 3
on conflict (tenant_id, domain, matter_id) do update set
    again = o.again or o.state in ('out', 'started'),
    -- what our own work made possible need not sit out a pause
    due_at = case when o.state in ('failed', 'in_doubt', 'waiting') then bridge_now()
                  when excluded.cause in ('followed', 'signed in', 'person') then least(o.due_at, bridge_now()) else o.due_at end,
    attempts = case when o.state in ('failed', 'in_doubt') then 0 else o.attempts end,
    lost = case when o.state in ('failed', 'in_doubt') then 0 else o.lost end,
    waits_matter = null, waits_key = null,
    rank = least(o.rank, excluded.rank),
    state = case when o.state in ('failed', 'in_doubt', 'waiting') then 'ready' else o.state end,
    cause = case when o.state in ('failed', 'in_doubt', 'waiting') then excluded.cause else o.cause end,
    changed_at = bridge_now()
-- A changed setting asks nothing of what only proof or a person may end (rule 19).
where not (o.state = 'in_doubt' and excluded.cause = 'setting')
returning (xmax = 0) as made, o.matter_id

-- take --
-- The fair claim: per domain at most the free room of its window, per tenant at most a few over all domains, tenants in
-- rotating order, begun deliveries first, then by rank; every fourth turn the lowest rank first, so that 100,000 matters of a
-- changed setting neither go before an invoice nor starve (rule 19). A matter that somebody works on is left out. A paused
-- tenant's backlog is never walked through: each lateral stops at its limit.
with room as (
    select d.domain,
           greatest(0, %(window)s - (select count(*) from outbox where state in ('out', 'started') and domain = d.domain)) as free
    from unnest(%(domains)s::text[]) as d (domain)
),
busy as (
    select tenant_id, count(*) as n from outbox where state in ('out', 'started') group by tenant_id
),
serving as (
    select t.id, t.paused_domains, greatest(0, %(per_tenant)s - coalesce(b.n, 0)) as free, t.id <= %(after)s as served
    from tenant t left join busy b on b.tenant_id = t.id
    where t.state = 'live'
      and not exists (select from connection c where c.tenant_id = t.id and c.paused_until > bridge_now())
      -- writes are on, the clock is steady, and both systems were read to the end since the last epoch began
      and t.id in (select o.id from open_tenant o)
),
found as (
    select o.*, r.free as domain_free, t.free as tenant_free, t.served
    from serving t
    cross join room r
    cross join lateral (
        select q.tenant_id, q.id, q.domain, q.begun, q.rank, q.due_at
        from outbox q
        where q.tenant_id = t.id and q.domain = r.domain and q.state in ('ready', 'waiting')
          and q.due_at <= bridge_now() and not (r.domain = any (t.paused_domains))
          and exists (select from matter m where m.tenant_id = q.tenant_id and m.id = q.matter_id and (m.lease_until is null or m.lease_until < bridge_now()))
        order by q.begun desc, case when %(lowest_first)s then -q.rank else q.rank end, q.due_at
        limit least(t.free, r.free)
    ) o
),
fair as (
    select f.*, row_number() over (partition by f.tenant_id order by f.begun desc, case when %(lowest_first)s then -f.rank else f.rank end, f.due_at, f.id) as of_tenant
    from found f
),
chosen as (
    select f.tenant_id, f.id, row_number() over (partition by f.domain order by f.served, f.tenant_id, f.of_tenant) as of_domain, f.domain_free
    from fair f where f.of_tenant <= f.tenant_free
),
picked as (
    select o.tenant_id, o.id, c.of_domain from chosen c
    join outbox o on o.tenant_id = c.tenant_id and o.id = c.id
    where c.of_domain <= c.domain_free and o.state in ('ready', 'waiting')
    for update of o skip locked
)
update outbox o
set state = 'out', generation = o.generation + 1, waits_matter = null, waits_key = null, changed_at = bridge_now(),
    lease_until = bridge_now() + %(lease)s * interval '1 second'
from picked p
where o.tenant_id = p.tenant_id and o.id = p.id
returning o.tenant_id, o.id, o.domain, o.generation, o.system, o.register, o.matter_id, p.of_domain

-- untake --
-- A row whose message the broker did not take goes back, unless its lease has moved on already.
update outbox
set state = 'ready', lease_until = null, due_at = bridge_now() + interval '1 second', changed_at = bridge_now()
where tenant_id = %(tenant_id)s and id = %(id)s and generation = %(generation)s and state = 'out'

-- wake --
-- Whatever waited for one of these matters goes on at once; what failed because of it only when it has succeeded.
update outbox set state = 'ready', waits_matter = null, waits_key = null, due_at = bridge_now(), changed_at = bridge_now(),
    attempts = 0, lost = 0
where tenant_id = %(tenant_id)s and state = any (%(states)s) and waits_matter = any (%(matters)s)

-- wake_key --
update outbox set state = 'ready', waits_matter = null, waits_key = null, due_at = bridge_now(), changed_at = bridge_now(),
    attempts = 0, lost = 0
where tenant_id = %(tenant_id)s and state in ('waiting', 'failed') and waits_key = %(key)s

-- state --
select state, waits_matter from outbox where tenant_id = %(tenant_id)s and domain = %(domain)s and matter_id = %(matter_id)s

-- circle --
-- Whether what somebody is about to wait for waits for him, through however many others (rule 17).
with recursive chain (id) as (
    select o.waits_matter from outbox o where o.tenant_id = %(tenant_id)s and o.matter_id = %(needed)s and o.waits_matter is not null
    union
    select o.waits_matter from outbox o join chain c on o.tenant_id = %(tenant_id)s and o.matter_id = c.id where o.waits_matter is not null
)
select exists (select from chain where id = %(matter_id)s) as found

-- rows --
select o.id, o.domain, o.matter_id, m.severa_id, m.erp_id, o.state, o.due_at, o.attempts, o.lost, o.waits_matter, o.waits_key, o.cause, o.rank, o.changed_at,
       coalesce(w.domain, o.waits_key) as waits_for
from outbox o join matter m on m.tenant_id = o.tenant_id and m.id = o.matter_id
left join matter w on w.tenant_id = o.tenant_id and w.id = o.waits_matter
where o.tenant_id = %(tenant_id)s order by o.id

-- retry --
-- A person asks again. What is in doubt is looked at again, not decided.
update outbox set state = 'ready', due_at = bridge_now(), attempts = 0, lost = 0, rank = 0, waits_matter = null, waits_key = null, waits_since = null,
    cause = 'person', changed_at = bridge_now()
where tenant_id = %(tenant_id)s and domain = %(domain)s and matter_id = %(matter_id)s and state in ('failed', 'in_doubt', 'ready', 'waiting')
returning id

-- failed_count --
select count(*) as n from outbox where tenant_id = %(tenant_id)s and state = 'failed'

-- retry_failed --
-- A setting was changed: what failed under the old one is tried again, behind everything else.
update outbox set state = 'ready', due_at = bridge_now(), attempts = 0, lost = 0, rank = 2, waits_matter = null, waits_key = null, waits_since = null,
    cause = 'setting', changed_at = bridge_now()
where tenant_id = %(tenant_id)s and state = 'failed'

-- sign_in_again --
-- After a new sign-in everything that waited for it goes on at once.
update outbox set due_at = bridge_now() where tenant_id = %(tenant_id)s and state in ('ready', 'waiting') and due_at > bridge_now()

-- unfinished --
-- What is still to be done, over all live tenants; failed and in doubt wait for people, not for the bridge.
select count(*) as n from outbox o join tenant t on t.id = o.tenant_id
where o.state in ('ready', 'waiting', 'out', 'started') and t.state = 'live' and not (o.domain = any (t.paused_domains))

-- unfinished_by --
-- The same by tenant, domain and state: what somebody waits for who gives up.
select t.name as tenant, o.domain, o.state, count(*) as n, min(o.due_at) as due_at from outbox o join tenant t on t.id = o.tenant_id
where o.state in ('ready', 'waiting', 'out', 'started') and t.state = 'live' and not (o.domain = any (t.paused_domains))
group by t.name, o.domain, o.state order by t.name, o.domain, o.state

-- claims --
-- How often work was claimed so far: whether anything was delivered between two moments, since rows that are done are gone.
select coalesce(sum(generation), 0) as n from matter

-- counts --
select o.domain, o.state, count(*) as n, min(o.due_at) as oldest from outbox o group by o.domain, o.state order by 1, 2

-- unfinished_of --
-- Which of these matters something is still open about in the domain: a row, whatever its state, or a problem.
select matter_id from outbox where tenant_id = %(tenant_id)s and domain = %(domain)s and matter_id = any (%(matters)s)
union
select matter_id from problem where tenant_id = %(tenant_id)s and domain = %(domain)s and matter_id = any (%(matters)s) and closed_at is null

-- with_work --
-- Which of these matters have a row in the domain: the audit's question.
select matter_id from outbox where tenant_id = %(tenant_id)s and domain = %(domain)s and matter_id = any (%(matters)s)
