-- start --
insert into attempt (tenant_id, id, delivery, outbox_id, domain, subject, worker)
values (%(tenant_id)s, %(id)s, %(delivery)s, %(outbox_id)s, %(domain)s, %(subject)s, %(worker)s)

-- lose --
-- Attempts of this delivery that never ended: their worker died or was fenced out.
update attempt set ended_at = bridge_now(), outcome = 'lost' where tenant_id = %(tenant_id)s and delivery = %(delivery)s and ended_at is null and id <> %(id)s

-- finish --
update attempt set ended_at = bridge_now(), outcome = %(outcome)s, error = %(error)s, calls = %(calls)s
where tenant_id = %(tenant_id)s and id = %(id)s and (ended_at is null or outcome = 'lost')

-- steps --
select s.name, s.sent_at, s.done_at, s.request, s.result, a.started_at from step s
join attempt a on a.tenant_id = s.tenant_id and a.id = s.attempt_id
where s.tenant_id = %(tenant_id)s and s.delivery = %(delivery)s order by a.started_at, s.sent_at

-- begin_step --
insert into step (tenant_id, attempt_id, name, delivery, sent_at, request)
values (%(tenant_id)s, %(attempt_id)s, %(name)s, %(delivery)s, bridge_now(), %(request)s)
on conflict (tenant_id, attempt_id, name) do update set sent_at = bridge_now(), done_at = null, request = excluded.request, result = '{}'
returning sent_at

-- end_step --
insert into step (tenant_id, attempt_id, name, delivery, done_at, result)
values (%(tenant_id)s, %(attempt_id)s, %(name)s, %(delivery)s, bridge_now(), %(result)s)
on conflict (tenant_id, attempt_id, name) do update set done_at = bridge_now(), result = excluded.result

-- undo_step --
update step set sent_at = null, done_at = null, result = %(result)s where tenant_id = %(tenant_id)s and attempt_id = %(attempt_id)s and name = %(name)s

-- of_subject --
select a.*, (select coalesce(jsonb_agg(jsonb_build_object('name', s.name, 'sent_at', s.sent_at, 'done_at', s.done_at, 'request', s.request, 'result', s.result)
        order by coalesce(s.sent_at, s.done_at)), '[]') from step s where s.tenant_id = a.tenant_id and s.attempt_id = a.id) as steps
from attempt a where a.tenant_id = %(tenant_id)s and a.subject = any (%(subjects)s) order by a.started_at

-- payloads --
select at, system, method, path, status, seconds, request, response, error, attempt_id from payload
where tenant_id = %(tenant_id)s and attempt_id = any (%(attempts)s) order by at, id

-- put_payload --
insert into payload (tenant_id, at, attempt_id, system, method, path, status, seconds, request, response, error)
values (%(tenant_id)s, %(at)s, %(attempt_id)s, %(system)s, %(method)s, %(path)s, %(status)s, %(seconds)s, %(request)s, %(response)s, %(error)s)

-- waits --
-- How often a delivery found that what it needs is not there.
select count(*) as n from attempt where tenant_id = %(tenant_id)s and delivery = %(delivery)s and outcome = 'waiting'
