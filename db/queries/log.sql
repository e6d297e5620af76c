-- write --
insert into transfer_log (tenant_id, domain, subject, matter_id, direction, system, register, record_id, number, name, level, outcome, code, values, duration_ms, attempt_id)
values (%(tenant_id)s, %(domain)s, %(subject)s, %(matter_id)s, %(direction)s, %(system)s, %(register)s, %(record_id)s, %(number)s, %(name)s, %(level)s, %(outcome)s,
        %(code)s, %(values)s, %(duration_ms)s, %(attempt_id)s)

-- read --
select * from transfer_log
where tenant_id = %(tenant_id)s and (%(domain)s::text is null or domain = %(domain)s) and (%(level)s::text is null or level = %(level)s)
order by at desc, id desc limit %(limit)s

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

-- problems --
select * from problem where tenant_id = %(tenant_id)s and (%(all)s or closed_at is null) order by opened_at, id

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

-- open_problems --
select count(*) as n from problem p join tenant t on t.id = p.tenant_id where p.closed_at is null and t.state not in ('new', 'leaving', 'erasing')

-- put_gap --
insert into number_gap (tenant_id, document_type, number, severa_id, reason, values)
values (%(tenant_id)s, %(document_type)s, %(number)s, %(severa_id)s, %(reason)s, %(values)s) on conflict (tenant_id, document_type, number) do update set values = excluded.values, reason = excluded.reason
where number_gap.values = '{}' and excluded.values <> '{}'

-- gaps --
select document_type, number, severa_id, reason, values, at from number_gap where tenant_id = %(tenant_id)s order by at, number
