-- start --
insert into attempt (tenant_id, id, delivery, outbox_id, domain, matter_id, worker)
values (%(tenant_id)s, %(id)s, %(delivery)s, %(outbox_id)s, %(domain)s, %(matter_id)s, %(worker)s)

-- lose --
-- Attempts of this delivery that never ended: their worker died or was fenced out.
update attempt set ended_at = bridge_now(), outcome = 'lost' where tenant_id = %(tenant_id)s and delivery = %(delivery)s and ended_at is null and id <> %(id)s

-- silent --
-- Of the last so many attempts before this one, those that never said a word. A worker that was late and found itself fenced out
-- did: it is not dead.
select count(*) as n from (
    select a.outcome from attempt a where a.tenant_id = %(tenant_id)s and a.delivery = %(delivery)s and a.id <> %(id)s
    order by a.started_at desc limit %(last)s) l
where l.outcome is null or l.outcome = 'lost'

-- finish --
update attempt set ended_at = bridge_now(), outcome = %(outcome)s, error = %(error)s, calls = %(calls)s
where tenant_id = %(tenant_id)s and id = %(id)s and (ended_at is null or outcome = 'lost')

-- steps --
-- Of this delivery, and every call of the matter that nobody has heard an answer of, whichever delivery made it. What a cost
-- line or file became is known for life: it is brought once, ever (rule 1).
select s.name, s.round, s.sent_at, s.done_at, s.settles_at, s.nonce, s.request, s.result, a.started_at from step s
join attempt a on a.tenant_id = s.tenant_id and a.id = s.attempt_id
where s.tenant_id = %(tenant_id)s
  and (s.delivery = %(delivery)s or (s.matter_id = %(matter_id)s and s.domain = %(domain)s and s.sent_at is not null and s.done_at is null)
    or (s.matter_id = %(matter_id)s and s.domain = %(domain)s and s.domain = 'cost' and s.done_at is not null))
order by a.started_at, s.sent_at

-- begin_step --
-- Its settle time is reckoned from the moment after which the call may not leave, not from now (S23).
insert into step (tenant_id, attempt_id, name, round, delivery, matter_id, domain, sent_at, not_after, settles_at, nonce, request)
values (%(tenant_id)s, %(attempt_id)s, %(name)s, %(round)s, %(delivery)s, %(matter_id)s, %(domain)s, bridge_now(), bridge_now() + %(not_after)s,
        bridge_now() + %(settles)s, %(nonce)s, %(request)s)
on conflict (tenant_id, attempt_id, name, round) do update set sent_at = excluded.sent_at, not_after = excluded.not_after, settles_at = excluded.settles_at,
    nonce = excluded.nonce, done_at = null, request = excluded.request, result = '{}'
returning settles_at

-- end_step --
-- The answer belongs to the call: to the own one, or to one that was found open. Whoever was overtaken ends no other's call; a
-- step without a call is a row of its own. An attempt that is not there belongs to a future that a restore has taken back:
-- nothing is written, and its worker is fenced out by the permit.
with answered as (
    update step set done_at = bridge_now(), result = %(result)s
    where tenant_id = %(tenant_id)s and matter_id = %(matter_id)s and domain = %(domain)s and name = %(name)s and round = %(round)s
      and sent_at is not null and done_at is null
      and (attempt_id = %(attempt_id)s or not exists (select from step o where o.tenant_id = %(tenant_id)s
          and o.attempt_id = %(attempt_id)s and o.name = %(name)s and o.round = %(round)s))
    returning attempt_id
)
insert into step (tenant_id, attempt_id, name, round, delivery, matter_id, domain, done_at, result)
select %(tenant_id)s, %(attempt_id)s, %(name)s, %(round)s, %(delivery)s, %(matter_id)s, %(domain)s, bridge_now(), %(result)s
where not exists (select from answered)
  and exists (select from attempt a where a.tenant_id = %(tenant_id)s and a.id = %(attempt_id)s)
on conflict (tenant_id, attempt_id, name, round) do update set done_at = bridge_now(), result = excluded.result

-- undo_step --
-- The own call, or one that was found open and looked for: never a successor's, which may still come true.
update step set sent_at = null, done_at = null, not_after = null, settles_at = null, result = %(result)s
where tenant_id = %(tenant_id)s and matter_id = %(matter_id)s and domain = %(domain)s and name = %(name)s and round = %(round)s
  and (attempt_id = %(attempt_id)s
    or (sent_at is not null and done_at is null and not exists (select from step o where o.tenant_id = %(tenant_id)s
        and o.attempt_id = %(attempt_id)s and o.name = %(name)s and o.round = %(round)s)))

-- rested_since --
-- Whether a matter was settled in a domain since a moment; attempts of a matter are looked at by when they began.
select exists (select from attempt a where a.tenant_id = %(tenant_id)s and a.matter_id = %(matter_id)s and a.domain = %(domain)s
               and a.outcome = 'done' and a.ended_at >= %(since)s and a.started_at >= %(since)s - interval '1 hour') as found

-- of_matter --
select a.*, (select coalesce(jsonb_agg(jsonb_build_object('name', s.name, 'sent_at', s.sent_at, 'done_at', s.done_at, 'request', s.request, 'result', s.result)
        order by coalesce(s.sent_at, s.done_at)), '[]') from step s where s.tenant_id = a.tenant_id and s.attempt_id = a.id) as steps
from attempt a where a.tenant_id = %(tenant_id)s and a.matter_id = %(matter_id)s order by a.started_at

-- payloads --
select at, system, method, path, status, seconds, request, response, error, attempt_id from payload
where tenant_id = %(tenant_id)s and attempt_id = any (%(attempts)s) order by at, id

-- put_payload --
-- Of an attempt that is not there nothing is written: a restore has taken it back, or its tenant was erased.
insert into payload (tenant_id, at, attempt_id, system, method, path, status, seconds, request, response, error)
select %(tenant_id)s, %(at)s, a.id, %(system)s, %(method)s, %(path)s, %(status)s, %(seconds)s, %(request)s, %(response)s, %(error)s
from attempt a where a.tenant_id = %(tenant_id)s and a.id = %(attempt_id)s for key share of a
