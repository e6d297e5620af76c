-- of_row --
-- The mutex: the matter of a row, locked before anything is judged. A lease condition behind a lock wait is not evaluated
-- again, so that whatever permits an effect stands in a later statement of the same transaction (rule 4).
select m.id from outbox o join matter m on m.tenant_id = o.tenant_id and m.id = o.matter_id
where o.tenant_id = %(tenant_id)s and o.id = %(id)s
for update of m

-- lock --
select m.id from matter m where m.tenant_id = %(tenant_id)s and m.id = %(matter_id)s for update

-- tenant --
-- Whether a tenant is leaving is asked in a later statement, too: who has it leave waits for this lock, so that a claim is either
-- committed before or sees it. Behind the matter's lock, or a delivery that ends and one that is claimed could wait crosswise.
select t.id from tenant t where t.id = %(tenant_id)s for share

-- start --
-- Only the message of the present generation makes the row its own, only while the tenant is active, nobody works on the
-- matter, this is the database that it was, and this program is not older than the schema.
update outbox o
set state = 'started', token = %(token)s, attempts = o.attempts + 1, again = false, lease_until = null,
    waits_matter = null, waits_key = null, changed_at = bridge_now()
from tenant t, matter m
where o.tenant_id = %(tenant_id)s and o.id = %(id)s and o.generation = %(generation)s and o.state = 'out'
  and t.id = o.tenant_id and t.state = 'live' and not (o.domain = any (t.paused_domains))
  and m.tenant_id = o.tenant_id and m.id = o.matter_id and m.joined_into is null
  and (m.token is null or m.lease_until < bridge_now())
  and tenant_open(t.id)
  and not exists (select from schema_migrations s where s.version > %(schema)s)
returning o.matter_id, o.domain, o.delivery, o.attempts, o.lost, o.cause, o.system, o.register, o.begun, o.waits_since, bridge_now() as now,
          t.name as tenant_name, t.language, t.time_zone,
          (select s.values from setting s where s.tenant_id = o.tenant_id order by s.version desc limit 1) as settings,
          (select min(a.started_at) from attempt a where a.tenant_id = o.tenant_id and a.delivery = o.delivery) as first_attempt_at

-- lease --
update matter m
set token = %(token)s, generation = m.generation + 1, epoch = bridge_epoch(), lease_until = bridge_now() + %(lease)s * interval '1 second'
from outbox o
where o.tenant_id = %(tenant_id)s and o.id = %(id)s and o.token = %(token)s and o.state = 'started'
  and m.tenant_id = o.tenant_id and m.id = o.matter_id
returning m.generation, m.epoch, m.decision,
          (select i.marker from installation i) as installation,
          -- a tenant that was added anew begins with an epoch of its own: its lost rows are a lost history, too
          (select greatest(i.epoch_at, (select max(c.epoch_at) from connection c where c.tenant_id = m.tenant_id)) from installation i)
              as rewound_at

-- supersede --
-- A lease that ran out and was taken over before anybody reaped it: its row is another domain's, and its worker is lost.
update outbox set state = 'ready', token = null, due_at = bridge_now(), changed_at = bridge_now(), lost = lost + 1
where tenant_id = %(tenant_id)s and state = 'started' and token <> %(token)s
  and matter_id = (select o.matter_id from outbox o where o.tenant_id = %(tenant_id)s and o.id = %(id)s and o.token = %(token)s)

-- refuse --
-- A message that may not start gives its row back: a busy matter, a paused domain or tenant are no lost message.
update outbox set state = 'ready', lease_until = null, changed_at = bridge_now()
where tenant_id = %(tenant_id)s and id = %(id)s and generation = %(generation)s and state = 'out'

-- permit --
-- What permits an effect: token, generation, epoch and a lease that still runs; and for what nobody has begun, an active
-- tenant and domain. The lease outlives the not-after, the call's limit and the writing down.
update matter m
set lease_until = greatest(m.lease_until, bridge_now() + %(lease)s * interval '1 second')
from outbox o, tenant t
where m.tenant_id = %(tenant_id)s and m.id = %(matter_id)s and m.token = %(token)s and m.generation = %(matter_generation)s
  and m.epoch = bridge_epoch() and m.lease_until > bridge_now()
  and o.tenant_id = m.tenant_id and o.id = %(id)s and o.token = m.token and o.state = 'started' and t.id = m.tenant_id
  and (o.begun or (t.state = 'live' and not (o.domain = any (t.paused_domains))))
returning m.lease_until

-- renew --
-- A worker that works tells so. It permits nothing: every effect still asks for itself. Whoever holds the matter's lock is at work
-- this moment and is not waited for.
update matter h set lease_until = greatest(h.lease_until, bridge_now() + %(lease)s * interval '1 second')
from (select f.tenant_id, f.id from matter f where f.tenant_id = %(tenant_id)s and f.id = %(matter_id)s for update skip locked) free
where h.tenant_id = free.tenant_id and h.id = free.id and h.token = %(token)s and h.generation = %(matter_generation)s
  and h.epoch = bridge_epoch() and h.lease_until > bridge_now()
returning h.id

-- sending --
-- Which values are about to be written to a linked register (domain/sent.py); the link that ends the delivery takes their place.
update matter set state = state || jsonb_build_object('sent', %(sent)s::jsonb)
where tenant_id = %(tenant_id)s and id = %(matter_id)s and token = %(token)s and generation = %(matter_generation)s
returning id

-- begun --
update outbox set begun = true, rank = 0, waits_since = null
where tenant_id = %(tenant_id)s and id = %(id)s and token = %(token)s and not begun

-- holds --
-- Still ours? What records an effect names the token only: it has happened, whatever the lease says.
select o.again, m.generation from matter m join outbox o on o.tenant_id = m.tenant_id and o.matter_id = m.id
where m.tenant_id = %(tenant_id)s and m.id = %(matter_id)s and m.token = %(token)s and o.id = %(id)s and o.token = m.token and o.state = 'started'

-- give_back --
-- The end of a delivery: the matter is free for the next one.
update matter set token = null, lease_until = null where tenant_id = %(tenant_id)s and id = %(matter_id)s and token = %(token)s

-- make_due --
-- What a fenced-out worker knows stands on its own attempt; whoever comes next is to look at once. It was not dead, so a row that
-- was given up for three dead ones is not.
update outbox o set due_at = least(due_at, bridge_now()), again = again or state in ('out', 'started'), changed_at = bridge_now(),
    state = case when state = 'failed' and exists (
        select from problem p where p.tenant_id = o.tenant_id and p.matter_id = o.matter_id and p.domain = o.domain
        and p.code = 'work.poison' and p.closed_at is null) then 'ready' else state end
where o.tenant_id = %(tenant_id)s and o.id = %(id)s

-- finish --
delete from outbox where tenant_id = %(tenant_id)s and id = %(id)s and token = %(token)s and not again
returning id

-- again --
-- It changed while it was being settled: once more, as a new delivery.
update outbox
set state = 'ready', token = null, again = false, begun = false, attempts = 0, lost = 0, rank = 1, waits_since = null,
    delivery = gen_random_uuid(), due_at = bridge_now(), changed_at = bridge_now()
where tenant_id = %(tenant_id)s and id = %(id)s and token = %(token)s

-- later --
-- Temporary: the same delivery again after a while.
update outbox
set state = 'ready', token = null, lost = 0, attempts = attempts - %(refund)s,
    due_at = bridge_now() + %(delay)s * interval '1 second', changed_at = bridge_now()
where tenant_id = %(tenant_id)s and id = %(id)s and token = %(token)s and state = 'started'

-- wait --
-- Re-checked every now and then, woken earlier when what it waits for has come to rest.
update outbox
set state = case when again then 'ready' else 'waiting' end,
    waits_matter = case when again then null else %(waits_matter)s::uuid end,
    waits_key = case when again then null else %(waits_key)s::text end,
    waits_need = %(need)s, waits_since = coalesce(waits_since, bridge_now()),
    token = null, lost = 0, attempts = 0,
    due_at = bridge_now() + case when again then 0 else %(delay)s end * interval '1 second', changed_at = bridge_now()
where tenant_id = %(tenant_id)s and id = %(id)s and token = %(token)s and state = 'started'

-- fail --
-- A person must act, or its source must change (which it may have done meanwhile: again). The delivery starts anew
-- unless a sent call is still without an answer. With waits_… it failed for another record: that one's success wakes it.
update outbox o
set state = case when o.again then 'ready' else %(state)s end, token = null, lost = 0, again = false,
    waits_matter = case when o.again then null else %(waits_matter)s::uuid end,
    waits_key = case when o.again then null else %(waits_key)s::text end,
    waits_since = null, due_at = bridge_now(), changed_at = bridge_now(),
    begun = begun and %(state)s = 'in_doubt',
    delivery = case when %(state)s = 'in_doubt' or exists (
        select from step s where s.tenant_id = o.tenant_id and s.delivery = o.delivery and s.sent_at is not null and s.done_at is null)
        then o.delivery else gen_random_uuid() end
where o.tenant_id = %(tenant_id)s and o.id = %(id)s and o.token = %(token)s and o.state = 'started'

-- asked --
-- A document that is about to be asked for: its nonce is committed before its POST.
insert into document (tenant_id, matter_id, type, nonce, state, round)
values (%(tenant_id)s, %(matter_id)s, %(type)s, %(nonce)s, 'asked', %(round)s)

-- retire --
-- A person decided that it is to be made again (rule 8): the old document stays known, and the matter is open again.
update document set state = 'retired', reason = 'decided', changed_at = bridge_now()
where tenant_id = %(tenant_id)s and matter_id = %(matter_id)s and state in ('claimed', 'released', 'unknown')

-- reopen --
update matter set booked_type = null, booked_number = null, booked_total = null, decision = null,
    erp_register = null, erp_id = null, erp_number = '', changed_at = bridge_now()
where tenant_id = %(tenant_id)s and id = %(matter_id)s and token = %(token)s and decision ->> 'kind' = 'make'

-- made --
-- The answer told a number. By the nonce, not by the token: it is what this very POST made, whoever holds the matter now.
update document set type = %(type)s, number = %(number)s, state = 'made', changed_at = bridge_now()
where tenant_id = %(tenant_id)s and nonce = %(nonce)s and state in ('asked', 'void')

-- unmade --
update document set state = 'void', changed_at = bridge_now()
where tenant_id = %(tenant_id)s and nonce = %(nonce)s and state = 'asked'

-- adopt --
-- Found by its marker, or named by a person: ours from now on. It belongs to the round that takes it, which its removal ends. A
-- made one may turn out to stand under another number than the Location said; once claimed its number is certain.
insert into document (tenant_id, matter_id, type, number, nonce, state, round)
values (%(tenant_id)s, %(matter_id)s, %(type)s, %(number)s, %(nonce)s, 'made', %(round)s)
on conflict (tenant_id, nonce) where nonce <> '' do update set type = excluded.type, number = excluded.number,
    state = case when document.state in ('asked', 'void') then 'made' else document.state end,
    round = case when document.state in ('asked', 'void') then excluded.round else document.round end, changed_at = bridge_now()
where document.matter_id = excluded.matter_id
  and (document.number is null or document.number = excluded.number or document.state = 'made')
returning id

-- taken --
-- Another matter's, or a nonce that a document of another number bears: a person's copy (S28).
select d.id from document d
where d.tenant_id = %(tenant_id)s
  and ((d.type = %(type)s and d.number = %(number)s and d.matter_id <> %(matter_id)s and d.state in ('made', 'claimed', 'released', 'unknown'))
       or (%(nonce)s <> '' and d.nonce = %(nonce)s and d.number is not null and d.number <> %(number)s
           and (d.state <> 'made' or d.matter_id <> %(matter_id)s)))
limit 1

-- known --
-- One without a nonce (0.1.0's, or chosen by a person) that stands here already.
update document set state = case when state = 'unknown' then 'made' else state end, changed_at = bridge_now()
where tenant_id = %(tenant_id)s and matter_id = %(matter_id)s and type = %(type)s and number = %(number)s
  and state in ('made', 'claimed', 'released', 'unknown')
returning id

-- returned --
-- It was removed, stands there all the same, and a person says that it is this one.
update document set state = 'made', round = %(round)s, surplus = false, changed_at = bridge_now()
where tenant_id = %(tenant_id)s and matter_id = %(matter_id)s and type = %(type)s and number = %(number)s and state = 'removed'
  and (nonce = %(nonce)s or %(nonce)s = '')
returning id

-- no_gap --
-- Its number is in use after all.
delete from number_gap where tenant_id = %(tenant_id)s and document_type = %(type)s and number = %(number)s

-- claim --
-- The one document that may be released; the unique index lets no second one through.
update document set state = case when state = 'released' then state else 'claimed' end, changed_at = bridge_now()
where tenant_id = %(tenant_id)s and matter_id = %(matter_id)s and type = %(type)s and number = %(number)s
  and state in ('made', 'claimed', 'released', 'unknown')
  and not exists (select from document d where d.tenant_id = document.tenant_id and d.matter_id = document.matter_id and d.id <> document.id
                  and d.state in ('claimed', 'released'))
returning id

-- drop --
-- It was removed unreleased. Nothing is deleted; the document is named, so that no successor's is meant by mistake (S4).
-- One that was there all the same is removed once more: its round ended then, and its gap has its reason.
update document set state = 'removed',
    surplus = case when state = 'removed' then surplus else %(surplus)s end,
    reason = case when state = 'removed' then reason else %(reason)s end,
    removals = removals + 1, gone_by = bridge_now() + %(visibility)s * interval '1 second', changed_at = bridge_now()
where tenant_id = %(tenant_id)s and matter_id = %(matter_id)s and type = %(type)s and number = %(number)s and state <> 'released'
returning id

-- book --
-- Seen Open or Closed: a fact, written once.
update matter set booked_type = %(type)s, booked_number = %(number)s, booked_total = %(total)s, decision = null,
    erp_register = 'customerdocument', erp_id = %(type)s || '/' || %(number)s, erp_number = %(number)s, changed_at = bridge_now()
where tenant_id = %(tenant_id)s and id = %(matter_id)s and booked_number is null
returning id

-- released --
update document set state = 'released', changed_at = bridge_now()
where tenant_id = %(tenant_id)s and matter_id = %(matter_id)s and type = %(type)s and number = %(number)s and state in ('made', 'claimed', 'unknown')

-- documents --
select type, coalesce(number, '') as number, nonce, state, round, surplus, reason, removals,
       case when state = 'removed' then coalesce(gone_by, changed_at) end as gone_by
from document
where tenant_id = %(tenant_id)s and matter_id = %(matter_id)s order by id

-- hold_key --
-- Before a create its natural key is held, over both directions (rule 2a): the unique index lets one matter through.
update matter set natural_key = %(key)s where tenant_id = %(tenant_id)s and id = %(matter_id)s and token = %(token)s
returning id

-- key_holder --
select id, made_at from matter where tenant_id = %(tenant_id)s and domain = %(domain)s and natural_key = %(key)s and id <> %(matter_id)s

-- forget_key --
update matter set natural_key = null where tenant_id = %(tenant_id)s and id = %(matter_id)s and natural_key is not null

-- free_key --
-- An attempt that leaves nothing behind its key, neither a made record nor a call that may have made one, gives it free: who
-- waits for it would wait for a matter that may itself wait, or for a person.
update matter m set natural_key = null
where m.tenant_id = %(tenant_id)s and m.id = %(matter_id)s and m.token = %(token)s and m.natural_key is not null
  and not exists (select from outbox o join step s on s.tenant_id = o.tenant_id and s.delivery = o.delivery
                  where o.tenant_id = m.tenant_id and o.id = %(id)s and s.sent_at is not null)

-- forget_decision --
update matter set decision = null where tenant_id = %(tenant_id)s and id = %(matter_id)s and token = %(token)s and decision is not null

-- reap --
-- Leases that ran out: the worker is lost, or paused for so long that it may do nothing more. Its row is ready again.
with lost as (
    update matter set token = null, lease_until = null, generation = generation + 1 where lease_until < bridge_now()
    returning tenant_id, id
)
update outbox o
set state = 'ready', token = null, due_at = bridge_now(), changed_at = bridge_now(), lost = o.lost + 1
from lost l
where o.state = 'started' and o.tenant_id = l.tenant_id and o.matter_id = l.id
returning o.id

-- reap_messages --
-- Messages that nobody took in time.
update outbox set state = 'ready', lease_until = null, due_at = bridge_now(), changed_at = bridge_now()
where state = 'out' and lease_until < bridge_now()
returning id

-- reset --
-- One process only (embedded mode): whatever was leased when it died is free again.
update matter set token = null, lease_until = null, generation = generation + 1 where lease_until is not null
returning id

-- reset_rows --
update outbox
set state = 'ready', token = null, lease_until = null, due_at = bridge_now(), changed_at = bridge_now(),
    lost = lost + case when state = 'started' then 1 else 0 end
where state in ('out', 'started')
returning id
