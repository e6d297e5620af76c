-- of_severa --
select * from matter where tenant_id = %(tenant_id)s and domain = %(domain)s and severa_id = %(severa_id)s and joined_into is null

-- of_erp --
select * from matter where tenant_id = %(tenant_id)s and domain = %(domain)s and erp_id = %(erp_id)s and joined_into is null
order by severa_id nulls last limit 1

-- of_number --
-- As records.by_number: without case, the exact spelling first.
select * from matter where tenant_id = %(tenant_id)s and domain = %(domain)s and bridge_lower(erp_number) = bridge_lower(%(erp_number)s) and erp_number <> ''
and joined_into is null order by severa_id nulls last, erp_number = %(erp_number)s desc, id limit 1

-- get --
select * from matter where tenant_id = %(tenant_id)s
and id = (select coalesce(joined_into, id) from matter where tenant_id = %(tenant_id)s and id = %(id)s)

-- of_ids --
-- The matters of these records (a page's rows, in one question).
select id, domain, severa_register, severa_id, erp_register, erp_id from matter
where tenant_id = %(tenant_id)s and domain = any (%(domains)s) and joined_into is null
  and (severa_id = any (%(ids)s) or erp_id = any (%(ids)s))

-- meet_severa --
-- A record is seen for the first time: its matter, for life. In id order, so that two pages never wait for each other.
insert into matter (tenant_id, domain, severa_register, severa_id, severa_number)
select %(tenant_id)s, %(domain)s, %(register)s, r.id, coalesce(r.number, '')
from unnest(%(ids)s::text[], %(numbers)s::text[]) as r (id, number) order by r.id
on conflict (tenant_id, domain, severa_id) where severa_id is not null and joined_into is null do nothing

-- meet_erp --
insert into matter (tenant_id, domain, erp_register, erp_id, erp_number)
select %(tenant_id)s, %(domain)s, %(register)s, r.id, coalesce(r.number, '')
from unnest(%(ids)s::text[], %(numbers)s::text[]) as r (id, number) order by r.id
on conflict (tenant_id, domain, erp_register, erp_id) where erp_id is not null and joined_into is null do nothing

-- lock --
-- Whoever touches several matters locks them in id order.
select * from matter where tenant_id = %(tenant_id)s and id = any (%(ids)s) order by id for update

-- share --
-- Whoever announces to several holds them as an announcement holds one, in the same order.
select id from matter where tenant_id = %(tenant_id)s and id = any (%(ids)s) order by id for key share

-- put --
-- The pair as a delivery leaves it; its own matter, under its token or a person's lock.
update matter set severa_register = %(severa_register)s, severa_id = %(severa_id)s, severa_number = %(severa_number)s,
    erp_register = coalesce(%(erp_register)s, erp_register), erp_id = coalesce(%(erp_id)s, erp_id), erp_number = %(erp_number)s,
    base = coalesce(%(base)s::jsonb, base), natural_key = null, changed_at = bridge_now(),
    -- without a new base nothing tells yet of what was sent meanwhile
    state = case when %(base)s::jsonb is null and state ? 'sent'
                 then coalesce(%(state)s::jsonb, state) || jsonb_build_object('sent', state -> 'sent') else coalesce(%(state)s::jsonb, state) end
where tenant_id = %(tenant_id)s and id = %(id)s
returning id

-- busy --
-- Whether a matter may not be joined into another just now: somebody works on it, or a call of it is unanswered.
select m.token is not null and m.lease_until >= bridge_now() as leased,
       exists (select from step s where s.tenant_id = m.tenant_id and s.matter_id = m.id and s.sent_at is not null and s.done_at is null) as unsettled
from matter m where m.tenant_id = %(tenant_id)s and m.id = %(id)s

-- join --
-- The other one keeps its row for ever and points here; so do all that pointed at it.
update matter set joined_into = %(into)s, natural_key = null, token = null, lease_until = null, changed_at = bridge_now()
where tenant_id = %(tenant_id)s and (id = %(other)s or joined_into = %(other)s)

-- join_sent --
-- What the other one sent before its end was lost is known to whoever goes on (domain/sent.py).
update matter m set state = m.state || jsonb_build_object('sent', (o.state -> 'sent') || coalesce(m.state -> 'sent', '{}'))
from matter o where m.tenant_id = %(tenant_id)s and m.id = %(into)s and o.tenant_id = m.tenant_id and o.id = %(other)s and o.state ? 'sent'

-- join_work --
-- Open work moves: where both have a row of the domain, this one's counts and is looked at again.
update outbox o set again = again or state in ('out', 'started'),
    state = case when state in ('failed', 'waiting') then 'ready' else state end,
    waits_matter = case when state in ('failed', 'waiting') then null else waits_matter end,
    waits_key = case when state in ('failed', 'waiting') then null else waits_key end
where o.tenant_id = %(tenant_id)s and o.matter_id = %(into)s
  and exists (select from outbox x where x.tenant_id = o.tenant_id and x.matter_id = %(other)s and x.domain = o.domain)

-- join_work_drop --
delete from outbox o where o.tenant_id = %(tenant_id)s and o.matter_id = %(other)s
  and exists (select from outbox x where x.tenant_id = o.tenant_id and x.matter_id = %(into)s and x.domain = o.domain)

-- join_work_move --
update outbox set matter_id = %(into)s, state = case when state = 'started' then 'ready' else state end, token = null,
    generation = generation + 1, lease_until = case when state = 'out' then lease_until end, changed_at = bridge_now()
where tenant_id = %(tenant_id)s and matter_id = %(other)s

-- join_waits --
update outbox set waits_matter = %(into)s where tenant_id = %(tenant_id)s and waits_matter = %(other)s

-- join_problems_close --
update problem p set closed_at = bridge_now(), closed_how = 'other cause'
where p.tenant_id = %(tenant_id)s and p.matter_id = %(other)s and p.closed_at is null
  and exists (select from problem q where q.tenant_id = p.tenant_id and q.matter_id = %(into)s and q.domain = p.domain and q.code = p.code and q.closed_at is null)

-- join_problems --
update problem set matter_id = %(into)s where tenant_id = %(tenant_id)s and matter_id = %(other)s and closed_at is null

-- join_needs --
insert into need (tenant_id, matter_id, needed_id, what)
select tenant_id, case when matter_id = %(other)s then %(into)s else matter_id end, case when needed_id = %(other)s then %(into)s else needed_id end, what
from need where tenant_id = %(tenant_id)s and (matter_id = %(other)s or needed_id = %(other)s)
on conflict do nothing

-- put_need --
insert into need (tenant_id, matter_id, needed_id, what) values (%(tenant_id)s, %(matter_id)s, %(needed_id)s, %(what)s) on conflict do nothing
returning needed_id

-- lift_needs --
-- A matter that rests needs nothing more; whom it needed is looked at. But: whose own problem is in the way.
delete from need where tenant_id = %(tenant_id)s and matter_id = %(matter_id)s and needed_id is distinct from %(but)s::uuid
returning needed_id

-- needs --
select needed_id from need where tenant_id = %(tenant_id)s and matter_id = %(id)s

-- needed --
select distinct n.what from need n where n.tenant_id = %(tenant_id)s and n.needed_id = %(id)s

-- document_owner --
select m.severa_id from document d join matter m on m.tenant_id = d.tenant_id and m.id = d.matter_id
where d.tenant_id = %(tenant_id)s and d.type = %(type)s and d.number = %(number)s order by d.id desc limit 1

-- document_matter --
-- Whose a document is, of those that one of these ids (type/number) names.
select d.type || '/' || d.number as id, d.matter_id from document d
where d.tenant_id = %(tenant_id)s and d.type || '/' || d.number = any (%(ids)s)

-- removed_before --
-- Documents that a reading shows which was asked for when their removal must have shown; not a number that another document
-- of ours has by now.
select d.matter_id from document d
where d.tenant_id = %(tenant_id)s and d.state = 'removed' and d.type || '/' || d.number = any (%(ids)s) -- few: document_removed
  and coalesce(d.gone_by, d.changed_at) < %(asked_at)s
  and not exists (select from document n where n.tenant_id = d.tenant_id and n.type = d.type and n.number = d.number
                  and n.state in ('made', 'claimed', 'released', 'unknown'))

-- doubtful --
-- What only a person can end: a matter in doubt, with what was shown (rule 9).
select o.id as work_id, o.domain, o.matter_id, m.generation, m.severa_id, m.erp_id, m.decision, p.id as problem_id, p.number, p.name, p.code, p.values, p.opened_at,
       o.state, (select max(s.settles_at) from step s where s.tenant_id = o.tenant_id and s.matter_id = o.matter_id and s.sent_at is not null and s.done_at is null) as settles_at,
       bridge_now() as now
from outbox o join matter m on m.tenant_id = o.tenant_id and m.id = o.matter_id
left join lateral (select * from problem p where p.tenant_id = o.tenant_id and p.matter_id = o.matter_id and p.domain = o.domain and p.closed_at is null
                   order by p.last_seen_at desc limit 1) p on true
where o.tenant_id = %(tenant_id)s and o.state = 'in_doubt' order by p.opened_at, o.id

-- decide --
-- Refused if the matter moved since it was shown; carried out by a delivery, under the lease.
update matter set decision = %(decision)s::jsonb, changed_at = bridge_now()
where tenant_id = %(tenant_id)s and id = %(matter_id)s and generation = %(generation)s and token is null
returning id

-- choice --
select value from choice where tenant_id = %(tenant_id)s and domain = %(domain)s and system = %(system)s and record_id = %(record_id)s

-- put_choice --
insert into choice (tenant_id, domain, system, record_id, value)
values (%(tenant_id)s, %(domain)s, %(system)s, %(record_id)s, %(value)s)
on conflict (tenant_id, domain, system, record_id) do update set value = excluded.value

-- take_over_choice --
-- What a delivery found in the ERP, in the transaction that ends it; what a person chose since it looked stays.
insert into choice (tenant_id, domain, system, record_id, value)
values (%(tenant_id)s, %(domain)s, 'severa', %(record_id)s, %(value)s)
on conflict (tenant_id, domain, system, record_id) do update set value = excluded.value where choice.value = %(was)s
