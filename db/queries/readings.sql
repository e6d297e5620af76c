-- of_connection --
-- The readings of a connection that still want something: pages, a person's answer, or the rest of their announcing.
select * from reading where tenant_id = %(tenant_id)s and system = %(system)s and state in ('open', 'held', 'let_through') order by id

-- begin --
insert into reading (tenant_id, system, register, whole, since, began_at, mark_at)
values (%(tenant_id)s, %(system)s, %(register)s, %(whole)s, %(since)s, %(began_at)s, %(mark_at)s)
returning *

-- page --
-- A page is stored: how far the reading has come, so that it can go on from here.
update reading set position = %(position)s, rows = rows + %(rows)s, changed = changed + %(changed)s,
    unreadable = unreadable + %(unreadable)s, left_out = left_out + %(left_out)s,
    newest = greatest(newest, %(newest)s)
where tenant_id = %(tenant_id)s and id = %(id)s
returning *

-- cleared --
-- Rows whose order could not be told have been read singly.
update reading set left_out = left_out - %(n)s where tenant_id = %(tenant_id)s and id = %(id)s
returning *

-- end --
-- Read to its end (completed) or given up.
update reading set state = %(state)s, position = null, completed_at = case when %(completed)s then bridge_now() else completed_at end
where tenant_id = %(tenant_id)s and id = %(id)s
returning *

-- announced --
update reading set announced = announced + %(n)s, state = coalesce(%(state)s, state) where tenant_id = %(tenant_id)s and id = %(id)s

-- supersede --
-- A newer whole reading takes the place of the held one: what it shows is what a person is asked about.
update reading set state = 'dead'
where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s and state = 'held'

-- given_up --
-- What readings that never came to their end have announced since the last one that did: a mass change in parts is one.
select coalesce(sum(r.announced), 0) as n from reading r
where r.tenant_id = %(tenant_id)s and r.system = %(system)s and r.register = %(register)s and r.state = 'dead' and r.id < %(id)s

-- clear --
-- A complete reading stands for all before it; a register keeps one finished row.
delete from reading
where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s and id < %(id)s and state in ('complete', 'dead')

-- held --
-- What the brake has stopped at a tenant, locked in the order of its id: whoever resumes resumes what was counted.
select * from reading where tenant_id = %(tenant_id)s and state = 'held' order by id for update

-- open --
select * from reading where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s and state = 'open'

-- resume --
update reading set state = 'let_through' where tenant_id = %(tenant_id)s and id = %(id)s and state = 'held'

-- forget --
-- A pair of companies that is read once more from the beginning goes on with no reading of another history.
update reading set state = 'dead' where tenant_id = %(tenant_id)s and state = 'open'
