-- known --
-- What is stored of a page's rows. Not locked: outbox rows are locked before records, here as in the transaction that ends
-- a delivery; the guard of put sees what came in between.
select id, hash, mapping_version, asked_at, answered_at, version, body, gone_at is not null as gone from record
where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s and id = any (%(ids)s)

-- lock --
-- Whoever writes several of a register takes them in the order of their ids first.
select id from record where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s and id = any (%(ids)s)
order by id collate "C" for update

-- put --
-- A polled row. It replaces what was compared with it (seen_version), and only what had been answered before it was asked
-- for (rule 13); a stored time that is still to come was written before the clock was set back and orders nothing.
insert into record (tenant_id, system, register, id, number, name, name_key, marker, body, hash, mapping_version, remote_time, asked_at, answered_at,
                    in_scope, organisation, owner, reading_id, announced_version, settled_version)
values (%(tenant_id)s, %(system)s, %(register)s, %(id)s, %(number)s, %(name)s, %(name_key)s, %(marker)s, %(body)s, %(hash)s,
        %(mapping_version)s, %(remote_time)s, %(asked_at)s, least(%(answered_at)s, bridge_now()), %(in_scope)s, %(organisation)s, %(owner)s,
        %(reading_id)s, case when %(announced)s then 1 else 0 end, case when %(settled)s then 1 else 0 end)
on conflict (tenant_id, system, register, id) do update set
    number = excluded.number, name = excluded.name, name_key = excluded.name_key,
    marker = coalesce(excluded.marker, record.marker), body = excluded.body, hash = excluded.hash,
    mapping_version = excluded.mapping_version, remote_time = excluded.remote_time,
    asked_at = excluded.asked_at, answered_at = excluded.answered_at, read_again = false,
    reading_id = coalesce(excluded.reading_id, record.reading_id),
    in_scope = excluded.in_scope, organisation = excluded.organisation, owner = excluded.owner, gone_at = null,
    seen_at = case when %(changed)s then bridge_now() else record.seen_at end,
    version = record.version + case when %(changed)s then 1 else 0 end,
    announced_version = case when %(changed)s and %(announced)s then record.version + 1 else record.announced_version end,
    settled_version = case when %(changed)s and %(settled)s then record.version + 1 else record.settled_version end
where record.version = %(seen_version)s and (record.answered_at <= excluded.asked_at or record.answered_at > bridge_now())
returning version

-- put_own --
-- What our own read or write gave back, settled in the version it gets, so that its echo causes nothing (R-CON-2). What was
-- answered before the stored state was asked for is old news. Where both overlap ours stands until it is read again:
-- the other may be the state before our write, and would undo it.
insert into record (tenant_id, system, register, id, number, name, name_key, marker, body, hash, mapping_version, remote_time, asked_at, answered_at,
                    in_scope, organisation, owner, announced_version, settled_version)
values (%(tenant_id)s, %(system)s, %(register)s, %(id)s, %(number)s, %(name)s, %(name_key)s, %(marker)s, %(body)s, %(hash)s,
        %(mapping_version)s, %(remote_time)s, %(asked_at)s, least(coalesce(%(answered_at)s, bridge_now()), bridge_now()), %(in_scope)s,
        %(organisation)s, %(owner)s, 1, 1)
on conflict (tenant_id, system, register, id) do update set
    number = excluded.number, name = excluded.name, name_key = excluded.name_key,
    marker = coalesce(excluded.marker, record.marker), body = excluded.body, hash = excluded.hash,
    mapping_version = excluded.mapping_version, remote_time = excluded.remote_time,
    asked_at = excluded.asked_at, answered_at = greatest(excluded.answered_at, least(record.answered_at, bridge_now())),
    read_again = record.answered_at > excluded.asked_at and record.answered_at <= bridge_now()
        and (record.read_again or record.hash <> excluded.hash or record.mapping_version <> excluded.mapping_version),
    in_scope = excluded.in_scope, organisation = excluded.organisation, owner = excluded.owner, gone_at = null,
    seen_at = case when record.hash <> excluded.hash then bridge_now() else record.seen_at end,
    version = record.version + case when record.hash <> excluded.hash and record.mapping_version = excluded.mapping_version then 1 else 0 end,
    -- a change that a reading still holds back is announced later, whatever we wrote meanwhile
    announced_version = case when record.announced_version = record.version
        then record.version + case when record.hash <> excluded.hash and record.mapping_version = excluded.mapping_version then 1 else 0 end
        else record.announced_version end,
    settled_version = record.version + case when record.hash <> excluded.hash and record.mapping_version = excluded.mapping_version then 1 else 0 end
where record.answered_at > bridge_now() or excluded.answered_at > record.asked_at
returning read_again

-- own_agrees --
-- Our own answer was older than what a poll stored, and says the same: the polled state is its echo and needs nothing more.
update record set settled_version = version
where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s and id = %(id)s and hash = %(hash)s

-- touch --
-- A page's rows that say what is stored, in one statement: nothing is written anew but when they were last seen. What is
-- fresh need not be read once more, what was shown by this reading is not missing.
update record set
    asked_at = case when answered_at > bridge_now() then %(asked_at)s else greatest(asked_at, %(asked_at)s) end,
    answered_at = case when answered_at > bridge_now() then least(%(answered_at)s, bridge_now())
                       else greatest(answered_at, least(%(answered_at)s, bridge_now())) end,
    reading_id = coalesce(%(reading_id)s, reading_id),
    read_again = read_again and answered_at > %(asked_at)s and answered_at <= bridge_now()
where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s and id = any (%(ids)s)

-- again --
-- Rows of a connection whose order nobody could tell: to be read singly.
select register, id, body from record where tenant_id = %(tenant_id)s and system = %(system)s and read_again order by register, id limit 100

-- sure --
-- Nothing is left to be asked about these: they were read again, or the vendor has no such record any more.
update record set read_again = false
where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s and read_again
  and (id = any (%(ids)s) or answered_at < %(before)s)

-- unannounced --
-- What the brake counts: every row of the register that nobody was told of, whichever reading brought it, a dead one too.
-- An open reading's own rows are judged at its end (before).
select (select count(*) from record where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s
        and gone_at is null and announced_version > 0) as known,
       count(*) as waiting, count(*) filter (where announced_version > 0) as changed
from record
where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s
  and in_scope and version > announced_version and seen_at < coalesce(%(before)s, 'infinity'::timestamptz)

-- restless --
-- Registers of a connection with rows that nobody was told of: their next complete reading judges them.
select distinct register from record
where tenant_id = %(tenant_id)s and system = %(system)s and in_scope and version > announced_version

-- next_unannounced --
select id, version, body, announced_version > 0 as known from record
where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s
  and in_scope and version > announced_version and seen_at < coalesce(%(before)s, 'infinity'::timestamptz)
order by id limit %(limit)s

-- announced --
-- Everybody whom these concern has work now; settled: they have no work of their own.
with known as (
    select r.tenant_id, r.system, r.register, r.id, v.version, v.settled
    from unnest(%(ids)s::text[], %(versions)s::bigint[], %(settled)s::boolean[]) as v (id, version, settled)
    join record r on r.tenant_id = %(tenant_id)s and r.system = %(system)s and r.register = %(register)s and r.id = v.id
    order by r.id for update of r
)
update record r
set announced_version = greatest(r.announced_version, k.version),
    settled_version = case when k.settled then greatest(r.settled_version, k.version) else r.settled_version end
from known k where (r.tenant_id, r.system, r.register, r.id) = (k.tenant_id, k.system, k.register, k.id)

-- missing --
-- What a whole reading did not show, and nobody had an answer about since it began (a worker may have made it meanwhile).
select count(*) as n from record
where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s
  and gone_at is null and (reading_id is null or reading_id < %(reading_id)s) and answered_at < %(began_at)s

-- next_missing --
select id, body from record
where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s
  and gone_at is null and (reading_id is null or reading_id < %(reading_id)s) and answered_at < %(began_at)s
order by id limit %(limit)s

-- ids_of_numbers --
-- Rows that name a record by its number only (a contact of the ERP), a page of them in one question.
select id, number from record
where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s and number = any (%(numbers)s) and gone_at is null
order by id

-- owners --
select id, owner from record
where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s and id = any (%(ids)s) and owner <> ''

-- unsettled --
-- The audit's slice: announced, and not settled for a while. What a reading still holds back is not its business.
select system, register, id, version, body from record
where tenant_id = %(tenant_id)s and in_scope and version > settled_version and announced_version >= version
  and seen_at < bridge_now() - interval '60 seconds' and gone_at is null
  and (system, register, id) > (%(system)s, %(register)s, %(id)s)
order by system, register, id limit %(limit)s

-- still_unsettled --
-- Looked at once more after the outbox: a delivery that ended in between has settled its record with its row.
select r.system, r.register, r.id from record r
join unnest(%(systems)s::text[], %(registers)s::text[], %(ids)s::text[], %(versions)s::bigint[]) as w (system, register, id, version)
    on r.system = w.system and r.register = w.register and r.id = w.id and r.version = w.version
where r.tenant_id = %(tenant_id)s and r.version > r.settled_version

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
order by gone_at nulls first, asked_at desc limit 1

-- by_number --
-- Keys of the ERP do not tell upper from lower case, so neither does any look-up by number; the exact spelling comes first.
select * from record where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s
and bridge_lower(number) = bridge_lower(%(number)s) and number <> '' and gone_at is null
order by number = %(number)s desc, id

-- by_name --
select * from record where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s and name_key = %(name_key)s and gone_at is null
order by id

-- by_number_and_name --
select * from record where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s
and bridge_lower(number) = bridge_lower(%(number)s) and number <> ''
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

-- all_in --
-- Whether a register has rows and all of them stand in another one too.
select count(*) > 0 and count(o.id) = count(*) as shown from record r
left join record o on o.tenant_id = r.tenant_id and o.system = r.system and o.register = %(other)s and o.id = r.id and o.gone_at is null
where r.tenant_id = %(tenant_id)s and r.system = %(system)s and r.register = %(register)s and r.gone_at is null

-- gone --
-- Absence is concluded only from a complete reading of everything; looked at once more, since a worker may have had an
-- answer about it just now.
update record set gone_at = bridge_now(), read_again = false
where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s and id = any (%(ids)s)
  and gone_at is null and (reading_id is null or reading_id < %(reading_id)s) and answered_at < %(began_at)s
returning id

-- search --
-- By id or by what people call it.
select * from record where tenant_id = %(tenant_id)s and register = any (%(registers)s) and (id = %(wanted)s or bridge_lower(number) = bridge_lower(%(wanted)s) or name_key = %(name_key)s)
order by system, register, id limit 20

-- set_scope --
-- A changed start date: whether these are to be settled at all.
update record set in_scope = %(in_scope)s
where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s and id = any (%(ids)s)

-- known_before --
-- When a record was first seen (rule 7: one that was known before an attempt is no look-alike of what it made).
select exists (select from record where tenant_id = %(tenant_id)s and system = %(system)s and register = %(register)s and id = %(id)s
               and first_seen_at < %(moment)s) as known
