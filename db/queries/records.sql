-- known --
select id, hash, mapping_version, remote_time, requested_at, version, body from record
where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s and id = any (%(ids)s)
for update

-- put --
-- A record is never replaced by one with an older remote time; on equal times the later request wins. Our own write's
-- answer (own) is settled in the version it gets, so that its echo causes nothing.
insert into record (tenant_id, system, register, id, number, name, name_key, marker, body, hash, mapping_version, remote_time, requested_at, in_scope,
                    organisation, owner, settled_version)
values (%(tenant_id)s, %(system)s, %(register)s, %(id)s, %(number)s, %(name)s, %(name_key)s, %(marker)s, %(body)s, %(hash)s,
        %(mapping_version)s, %(remote_time)s, %(requested_at)s, %(in_scope)s, %(organisation)s, %(owner)s, case when %(own)s then 1 else 0 end)
on conflict (tenant_id, system, register, id) do update set
    number = excluded.number, name = excluded.name, name_key = excluded.name_key,
    marker = coalesce(excluded.marker, record.marker), body = excluded.body, hash = excluded.hash,
    mapping_version = excluded.mapping_version, remote_time = excluded.remote_time, requested_at = excluded.requested_at,
    in_scope = excluded.in_scope, organisation = excluded.organisation, owner = excluded.owner, gone_at = null,
    seen_at = case when record.hash <> excluded.hash then bridge_now() else record.seen_at end,
    version = record.version + case when record.hash <> excluded.hash and record.mapping_version = excluded.mapping_version then 1 else 0 end,
    settled_version = case when %(own)s
        then record.version + case when record.hash <> excluded.hash and record.mapping_version = excluded.mapping_version then 1 else 0 end
        else record.settled_version end
where coalesce(record.remote_time, '-infinity') < coalesce(excluded.remote_time, 'infinity')
   or (record.remote_time is not distinct from excluded.remote_time and record.requested_at <= excluded.requested_at)
   or (excluded.remote_time is null and record.requested_at <= excluded.requested_at)
returning version

-- touch --
-- Nothing changed, but it was read again just now: what is fresh need not be read once more.
update record set requested_at = %(requested_at)s, gone_at = null
where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s and id = any (%(ids)s) and (requested_at < %(requested_at)s or gone_at is not null)

-- settled --
update record set settled_version = greatest(settled_version, %(version)s)
where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s and id = %(id)s

-- settled_now --
update record set settled_version = version
where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s and id = %(id)s

-- get --
select * from record where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s and id = %(id)s

-- newest --
-- The same record may stand in several registers (a sales case that became a project): the one seen last counts.
select * from record where tenant_id = %(tenant_id)s and system = %(system)s and register = any (%(registers)s) and id = %(id)s
order by gone_at nulls first, requested_at desc limit 1

-- by_number --
-- Keys of the ERP do not tell upper from lower case, so neither does any look-up by number; the exact spelling comes first.
select * from record where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s
and lower(number) = lower(%(number)s) and number <> '' and gone_at is null
order by number = %(number)s desc, id

-- by_name --
select * from record where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s and name_key = %(name_key)s and gone_at is null
order by id

-- by_number_and_name --
select * from record where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s
and lower(number) = lower(%(number)s) and number <> ''
and name_key = %(name_key)s and gone_at is null order by number = %(number)s desc, id

-- by_organisation --
-- Who else has this organisation number: matching at first meeting, and two records that became one.
select * from record where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s and organisation = %(organisation)s
and organisation <> '' and gone_at is null order by id

-- by_owner --
-- The addresses, contacts and communications of a record.
select * from record where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s and owner = %(owner)s
and owner <> '' and gone_at is null order by id

-- by_marker --
select * from record where tenant_id = %(tenant_id)s and marker = %(marker)s and gone_at is null order by register, id

-- all --
select * from record where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s and gone_at is null order by id

-- ids --
select id from record where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s and gone_at is null

-- count --
select count(*) as n from record where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s and gone_at is null

-- all_in --
-- Whether a register has rows and all of them stand in another one too.
select count(*) > 0 and count(o.id) = count(*) as shown from record r
left join record o on o.tenant_id = r.tenant_id and o.system = r.system and o.register = %(other)s and o.id = r.id and o.gone_at is null
where r.tenant_id = %(tenant_id)s and r.system = %(system)s and r.register = %(register)s and r.gone_at is null

-- gone --
-- Absence is concluded only from a complete sweep.
update record set gone_at = bridge_now() where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s and id = any (%(ids)s)

-- search --
-- By id or by what people call it.
select * from record where tenant_id = %(tenant_id)s and register = any (%(registers)s) and (id = %(wanted)s or lower(number) = lower(%(wanted)s) or name_key = %(name_key)s)
order by system, register, id limit 20

-- set_scope --
-- A changed start date: whether these are to be settled at all.
update record set in_scope = %(in_scope)s
where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s and id = any (%(ids)s)

-- known_before --
-- When a record was first seen (rule 7: one that was known before an attempt is no look-alike of what it made).
select exists (select from record where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s and id = %(id)s
               and first_seen_at < %(moment)s) as known
