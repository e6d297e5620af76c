-- write --
insert into transfer_log (tenant_id, domain, subject, matter_id, direction, system, register, record_id, number, name, level, outcome, code, values, duration_ms, attempt_id)
values (%(tenant_id)s, %(domain)s, %(subject)s, %(matter_id)s, %(direction)s, %(system)s, %(register)s, %(record_id)s, %(number)s, %(name)s, %(level)s, %(outcome)s,
        %(code)s, %(values)s, %(duration_ms)s, %(attempt_id)s)

-- read --
-- Every filter stands here: behind the limit it would find nothing among what the limit cut off.
select * from transfer_log
where tenant_id = %(tenant_id)s
  and (%(domain)s::text is null or domain = %(domain)s) and (%(level)s::text is null or level = %(level)s)
  and (%(outcome)s::text is null or outcome = %(outcome)s)
  and (%(cause)s::text is null or code = %(cause)s)
  and (%(since)s::timestamptz is null or at >= %(since)s) and (%(until)s::timestamptz is null or at < %(until)s)
  and (%(record)s::text is null or bridge_lower(%(record)s) in (bridge_lower(record_id), bridge_lower(number), bridge_lower(name)))
  and (%(search)s::text is null or code = any (%(codes)s)
       or position(bridge_lower(%(search)s) in bridge_lower(concat_ws(' ', number, name, record_id, code, values::text))) > 0)
order by at desc, id desc limit %(limit)s

-- read_counts --
-- The same lines counted by cause; no limit, since there are as many rows as causes.
select domain, code, level, count(*) as n, min(at) as first_at, max(at) as last_at from transfer_log
where tenant_id = %(tenant_id)s
  and (%(domain)s::text is null or domain = %(domain)s) and (%(level)s::text is null or level = %(level)s)
  and (%(outcome)s::text is null or outcome = %(outcome)s)
  and (%(cause)s::text is null or code = %(cause)s)
  and (%(since)s::timestamptz is null or at >= %(since)s) and (%(until)s::timestamptz is null or at < %(until)s)
  and (%(record)s::text is null or bridge_lower(%(record)s) in (bridge_lower(record_id), bridge_lower(number), bridge_lower(name)))
  and (%(search)s::text is null or code = any (%(codes)s)
       or position(bridge_lower(%(search)s) in bridge_lower(concat_ws(' ', number, name, record_id, code, values::text))) > 0)
group by domain, code, level order by n desc, domain, code, level

-- of_matter --
select * from transfer_log where tenant_id = %(tenant_id)s and matter_id = %(matter_id)s order by at, id

-- open_problem --
insert into problem (tenant_id, domain, subject, matter_id, system, register, record_id, number, name, code, values)
values (%(tenant_id)s, %(domain)s, %(subject)s, %(matter_id)s, %(system)s, %(register)s, %(record_id)s, %(number)s, %(name)s, %(code)s, %(values)s)
on conflict (tenant_id, domain, coalesce(matter_id::text, subject), code) where closed_at is null do update set
    last_seen_at = bridge_now(), times = problem.times + 1, values = excluded.values, number = excluded.number, name = excluded.name
returning id, times

-- close_problems --
update problem set closed_at = bridge_now(), closed_how = %(how)s
where tenant_id = %(tenant_id)s and domain = %(domain)s and subject = %(subject)s and matter_id is not distinct from %(matter_id)s
  and closed_at is null and code <> all (%(except)s)

-- open_problems --
select * from problem where tenant_id = %(tenant_id)s and closed_at is null order by opened_at, id

-- problems_found --
-- A period is that of the opening: a problem belongs to one day.
select * from problem
where tenant_id = %(tenant_id)s and (%(all)s or closed_at is null)
  and (%(domain)s::text is null or domain = %(domain)s)
  and (%(cause)s::text is null or code = %(cause)s)
  and (%(since)s::timestamptz is null or opened_at >= %(since)s) and (%(until)s::timestamptz is null or opened_at < %(until)s)
  and (%(record)s::text is null or bridge_lower(%(record)s) in (bridge_lower(record_id), bridge_lower(number), bridge_lower(name)))
  and (%(search)s::text is null or code = any (%(codes)s)
       or position(bridge_lower(%(search)s) in bridge_lower(concat_ws(' ', number, name, record_id, code, values::text))) > 0)
order by opened_at, id limit %(limit)s

-- problem_counts --
select domain, code, count(*) as n, count(*) filter (where closed_at is null) as open, min(opened_at) as first_at, max(opened_at) as last_at from problem
where tenant_id = %(tenant_id)s and (%(all)s or closed_at is null)
  and (%(domain)s::text is null or domain = %(domain)s)
  and (%(cause)s::text is null or code = %(cause)s)
  and (%(since)s::timestamptz is null or opened_at >= %(since)s) and (%(until)s::timestamptz is null or opened_at < %(until)s)
  and (%(record)s::text is null or bridge_lower(%(record)s) in (bridge_lower(record_id), bridge_lower(number), bridge_lower(name)))
  and (%(search)s::text is null or code = any (%(codes)s)
       or position(bridge_lower(%(search)s) in bridge_lower(concat_ws(' ', number, name, record_id, code, values::text))) > 0)
group by domain, code order by n desc, domain, code

-- problem --
select * from problem where tenant_id = %(tenant_id)s and id = %(id)s

-- has_problem --
select exists (select from problem where tenant_id = %(tenant_id)s and domain = %(domain)s and matter_id = %(matter_id)s and closed_at is null) as found

-- problem_of --
-- The oldest: what holds up others is told first.
select id from problem where tenant_id = %(tenant_id)s and domain = %(domain)s and matter_id = %(matter_id)s and closed_at is null order by id limit 1

-- of_cause --
-- Locked in the order of their ids: whoever answers answers what stands there.
select * from problem where tenant_id = %(tenant_id)s and code = any (%(codes)s) and closed_at is null order by id for update

-- open_problems_of --
-- Which tenant's, and how many: 'there are problems' sends a person to look through every tenant.
select t.name as tenant, count(*) as n from problem p join tenant t on t.id = p.tenant_id
where p.closed_at is null and t.state not in ('new', 'leaving', 'erasing') group by t.name order by t.name

-- put_gap --
insert into number_gap (tenant_id, document_type, number, severa_id, reason, values)
values (%(tenant_id)s, %(document_type)s, %(number)s, %(severa_id)s, %(reason)s, %(values)s) on conflict (tenant_id, document_type, number) do update set values = excluded.values, reason = excluded.reason
where number_gap.values = '{}' and excluded.values <> '{}'

-- gaps --
select document_type, number, severa_id, reason, values, at from number_gap where tenant_id = %(tenant_id)s order by at, number

-- told_of --
-- Matters that an open problem of some causes is about, and that have no work.
select distinct p.domain, p.matter_id from problem p
where p.tenant_id = %(tenant_id)s and p.code = any (%(codes)s) and p.closed_at is null and p.matter_id is not null
  and not exists (select from outbox o where o.tenant_id = p.tenant_id and o.domain = p.domain and o.matter_id = p.matter_id)
