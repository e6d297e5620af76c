-- add --
insert into tenant (id, name, language, time_zone) values (%(tenant_id)s, %(name)s, %(language)s, %(time_zone)s)

-- change --
update tenant set language = %(language)s, time_zone = %(time_zone)s where id = %(tenant_id)s

-- all --
select id, name, language, time_zone, state, paused_domains, made_at, live_at from tenant order by name

-- by_name --
select id, name, language, time_zone, state, paused_domains, made_at, live_at from tenant where name = %(name)s

-- set_state --
-- A tenant that is leaving is put into another state by nobody but a person who has it stay, and one that is being erased by
-- nobody: a delivery that pauses it, or a go-live that comes to its end, must not bring half a tenant back.
update tenant set state = %(state)s, live_at = case when %(state)s = 'live' then coalesce(live_at, bridge_now()) else live_at end
where id = %(tenant_id)s and state <> 'erasing' and (state <> 'leaving' or %(stays)s)
returning id

-- set_paused_domains --
update tenant set paused_domains = %(domains)s where id = %(tenant_id)s

-- pause_domains --
update tenant set paused_domains = array(select distinct d from unnest(paused_domains || %(domains)s::text[]) as d order by d)
where id = %(tenant_id)s

-- resume_domains --
update tenant set paused_domains = array(select d from unnest(paused_domains) as d where d <> all (%(domains)s::text[]) order by d)
where id = %(tenant_id)s

-- add_settings --
insert into setting (tenant_id, version, values, made_by)
select %(tenant_id)s, coalesce(max(version), 0) + 1, %(values)s, %(made_by)s from setting where tenant_id = %(tenant_id)s

-- settings --
select values from setting where tenant_id = %(tenant_id)s order by version desc limit 1

-- setting_versions --
select version, values, made_by, made_at from setting where tenant_id = %(tenant_id)s order by version desc

-- put_connection --
-- The revision tells every process that its clients are of yesterday. What the vendor said of another address or organisation
-- (its budget, its pause) does not hold for this one. A token belongs to the credentials it was given for: it stays while they
-- do. Added within an epoch's quiet time a connection waits as the others do: the lost future may have known it.
insert into connection (tenant_id, system, config, secret, epoch_at)
values (%(tenant_id)s, %(system)s, %(config)s, %(secret)s, (select i.quiet_until from installation i where i.quiet_until > bridge_now()))
on conflict (tenant_id, system) do update set config = excluded.config, secret = excluded.secret,
    token = case when %(keep_token)s then connection.token end,
    token_expires_at = case when %(keep_token)s then connection.token_expires_at end,
    refresh_lease_until = null, revision = connection.revision + 1,
    paused_until = case when connection.config = excluded.config then connection.paused_until end,
    budget_percent = case when connection.config = excluded.config then connection.budget_percent else 100 end

-- put_secret --
-- Only the cipher text changes (key rotation): the token stays good.
update connection set secret = %(secret)s, token = %(token)s where tenant_id = %(tenant_id)s and system = %(system)s

-- connection --
-- What is left of a pause is reckoned here: only this clock is everybody's.
select tenant_id, system, config, secret, token, token_expires_at, paused_until, checked_at, last_error, budget_percent, revision,
    greatest(0, coalesce(extract(epoch from paused_until - bridge_now()), 0))::float8 as paused_for from connection
where tenant_id = %(tenant_id)s and system = %(system)s

-- connections --
select tenant_id, system, config, secret, token, token_expires_at, paused_until, checked_at, last_error, budget_percent, revision,
    greatest(0, coalesce(extract(epoch from paused_until - bridge_now()), 0))::float8 as paused_for from connection
where tenant_id = %(tenant_id)s order by system

-- revisions --
-- Asked before deliveries, polls and now and then between calls: is what this process has in its hands still the connection?
select system, revision from connection where tenant_id = %(tenant_id)s

-- token --
-- No row: the connection was changed. Its token must not go to the old address, which is the only one the asker knows.
select token, token_expires_at from connection
where tenant_id = %(tenant_id)s and system = %(system)s and revision = %(revision)s

-- lease_refresh --
-- One process refreshes a token; the others wait for what it stores. A lease, not a lock: a dead refresher blocks nobody for long.
update connection set refresh_lease_until = bridge_now() + interval '60 seconds'
where tenant_id = %(tenant_id)s and system = %(system)s and revision = %(revision)s
  and coalesce(refresh_lease_until, '-infinity') < bridge_now()
returning system

-- save_token --
-- No row: the token was got with a secret or at an address that is no longer the connection's.
update connection set token = %(token)s, token_expires_at = %(expires_at)s, refresh_lease_until = null
where tenant_id = %(tenant_id)s and system = %(system)s and revision = %(revision)s
returning system

-- end_refresh --
update connection set refresh_lease_until = null
where tenant_id = %(tenant_id)s and system = %(system)s and revision = %(revision)s

-- forget_token --
update connection set token = null, token_expires_at = null, refresh_lease_until = null
where tenant_id = %(tenant_id)s and system = %(system)s and revision = %(revision)s

-- budget --
update connection set budget_percent = %(percent)s where tenant_id = %(tenant_id)s and system = %(system)s

-- pause_until --
-- A later, shorter pause does not end a longer one that runs: somebody was told to stay away until then.
update connection set paused_until = greatest(paused_until, bridge_now() + %(seconds)s * interval '1 second')
where tenant_id = %(tenant_id)s and system = %(system)s

-- lease_slot --
-- A free slot, or the one this holder has already. Slot 0 is the poller's.
update connection_slot s set holder = %(holder)s, lease_until = bridge_now() + %(lease)s * interval '1 second'
where (s.tenant_id, s.system, s.slot) in (
    select c.tenant_id, c.system, c.slot from connection_slot c
    where c.tenant_id = %(tenant_id)s and c.system = %(system)s and c.slot = any (%(slots)s)
      and (c.holder = %(holder)s or c.holder is null or c.lease_until < bridge_now())
    order by c.holder is distinct from %(holder)s, c.slot limit %(wanted)s
    for update skip locked)
returning s.slot

-- free_slots --
update connection_slot set holder = null, lease_until = null
where tenant_id = %(tenant_id)s and system = %(system)s and holder = %(holder)s

-- make_slots --
insert into connection_slot (tenant_id, system, slot) select %(tenant_id)s, %(system)s, generate_series(0, 3) on conflict do nothing

-- audit --
-- Of a tenant that is not there any more nothing is written: the lock has its erasure wait for whoever is writing just now.
insert into audit_log (tenant_id, who, action, details)
select %(tenant_id)s, %(who)s, %(action)s, %(details)s from tenant t where t.id = %(tenant_id)s and t.state <> 'erasing' for key share of t

-- branches --
select business_unit_id, branch_number from branch_map where tenant_id = %(tenant_id)s

-- put_branch --
insert into branch_map (tenant_id, business_unit_id, branch_number) values (%(tenant_id)s, %(business_unit_id)s, %(branch_number)s)
on conflict (tenant_id, business_unit_id) do update set branch_number = excluded.branch_number

-- drop_branch --
delete from branch_map where tenant_id = %(tenant_id)s and business_unit_id = %(business_unit_id)s
