-- One matter, one row for life (docs/never-twice.md rules 1-9). A matter is what has to be brought to rest: a customer, a product,
-- a project, an invoice, a cost document. It has at most one record per side; its id never changes; work, problems, steps and
-- waits hang on it; its row is the mutex of its deliveries. Replaces the table link and the string subjects.
--
-- STOP every process of the bridge first: what is leased at this moment may still be writing. Nothing is thrown away: rows
-- that are ready, waiting, failed or in doubt stay so, calls without an answer keep their settle time.
set local statement_timeout = '15min';

do $$
begin
    if coalesce(current_setting('bridge.alone', true), '') <> 'on'
       and exists (select from outbox where state in ('out', 'started') and lease_until > bridge_now()) then
        raise exception 'work is leased' using errcode = 'BR001';
    end if;
end $$;
-- Whoever held these is dead: a lost worker counts as lost, a lost message does not.
update outbox set lost = lost + case when state = 'started' then 1 else 0 end, state = 'ready', token = null, lease_until = null
where state in ('out', 'started');
update connection set poll_token = null, poll_lease_until = null, refresh_lease_until = null;

create table matter (
    tenant_id       uuid        not null references tenant,
    id              uuid        not null default gen_random_uuid(),
    domain          text        not null check (domain in ('customer', 'product', 'project', 'invoice', 'cost')),
    severa_register text,
    severa_id       text,
    severa_number   text        not null default '',
    erp_register    text,
    erp_id          text,
    erp_number      text        not null default '',
    base            jsonb       not null default '{}',
    state           jsonb       not null default '{}',
    -- the fact that an invoice is booked: written once, never cleared (rule 8)
    booked_type     text,
    booked_number   text,
    booked_total    numeric,
    -- it became part of that one: readers follow the pointer, history is not rewritten (rule 2)
    joined_into     uuid,
    -- held from before a create until the pair is complete, unique over both directions (rule 2a)
    natural_key     text,
    -- the lease: one worker per matter (rule 3)
    token           uuid,
    lease_until     timestamptz,
    generation      bigint      not null default 0,
    epoch           bigint,
    -- what a person decided of a matter in doubt, until a delivery has carried it out (rule 9)
    decision        jsonb,
    made_at         timestamptz not null default bridge_now(),
    changed_at      timestamptz not null default bridge_now(),
    primary key (tenant_id, id),
    foreign key (tenant_id, joined_into) references matter,
    check ((token is null) = (lease_until is null)),
    check ((severa_id is null) = (severa_register is null)),
    check ((erp_id is null) = (erp_register is null)),
    check (severa_id is not null or erp_id is not null),
    check ((booked_type is null) = (booked_number is null) and (booked_type is null) = (booked_total is null))
) with (fillfactor = 80);

insert into matter (tenant_id, id, domain, severa_register, severa_id, severa_number, erp_register, erp_id, erp_number, base, state,
                    booked_type, booked_number, booked_total, made_at, changed_at)
select tenant_id, id, domain, severa_register, severa_id, severa_number,
       -- A claimed document that was never seen released is no side yet: it is told by a single read.
       case when domain <> 'invoice' or booked then erp_register end, case when domain <> 'invoice' or booked then erp_id end,
       case when domain <> 'invoice' or booked then erp_number else '' end, base, state,
       case when booked then split_part(erp_id, '/', 1) end, case when booked then erp_number end,
       case when booked then (state ->> 'total')::numeric end, made_at, changed_at
from (select l.*, l.domain = 'invoice' and l.state ? 'total' and l.erp_id like '%/%' as booked from link l) l;

create table document (
    tenant_id  uuid        not null,
    id         bigint      not null generated always as identity,
    matter_id  uuid        not null,
    type       text        not null,
    number     text,
    -- stands in the marker of the document, one per POST, committed before it; '' for what 0.1.0 made
    nonce      text        not null default '',
    state      text        not null check (state in ('asked', 'made', 'claimed', 'released', 'removed', 'retired', 'unknown', 'void')),
    round      integer     not null default 1,
    surplus    boolean     not null default false,
    reason     text        not null default '',
    made_at    timestamptz not null default bridge_now(),
    changed_at timestamptz not null default bridge_now(),
    primary key (tenant_id, id),
    foreign key (tenant_id, matter_id) references matter,
    check (number is not null or state in ('asked', 'void'))
);
create index document_matter on document (tenant_id, matter_id);
-- At most one document of a matter may be released, and no document is two matters' (R-INV-13): the last guard.
create unique index document_one on document (tenant_id, matter_id) where state in ('claimed', 'released');
create unique index document_number on document (tenant_id, type, number) where state in ('made', 'claimed', 'released', 'unknown');
create unique index document_nonce on document (tenant_id, nonce) where nonce <> '';

insert into document (tenant_id, matter_id, type, number, state, made_at)
select tenant_id, id, document_type, document_number,
       case when state ? 'total' and erp_id = document_type || '/' || document_number then 'released' else 'unknown' end, made_at
from link where document_number is not null;
insert into document (tenant_id, matter_id, type, number, state, made_at)
select m.tenant_id, m.id, m.booked_type, m.booked_number, 'released', m.made_at from matter m
where m.booked_number is not null
  and not exists (select from document d where d.tenant_id = m.tenant_id and d.matter_id = m.id)
on conflict do nothing;
insert into document (tenant_id, matter_id, type, number, state, reason, made_at)
select g.tenant_id, m.id, g.document_type, g.number, 'removed', g.reason, g.at
from number_gap g join matter m on m.tenant_id = g.tenant_id and m.domain = 'invoice' and m.severa_id = g.severa_id;

-- What somebody's string meant: a matter, made now where there was none.
create function matter_of_subject(tenant uuid, dom text, subject text) returns uuid language plpgsql as $$
declare
    found uuid;
    wanted text := case dom when 'payment' then 'invoice' else dom end;
    parts text[];
begin
    if subject like 'link:%' then
        select id into found from matter where tenant_id = tenant and id = substr(subject, 6)::uuid;
        return found;
    end if;
    parts := regexp_match(subject, '^record:(severa|visma_net)/([^/]+)/(.+)$');
    if parts is null or wanted not in ('customer', 'product', 'project', 'invoice', 'cost') then
        return null;
    end if;
    if wanted = 'invoice' and parts[1] = 'visma_net' then
        select matter_id into found from document d where d.tenant_id = tenant and d.type || '/' || d.number = parts[3] limit 1;
        return found;
    end if;
    if parts[1] = 'severa' then
        select id into found from matter m where m.tenant_id = tenant and m.domain = wanted and m.severa_id = parts[3] limit 1;
        if found is null then
            insert into matter (tenant_id, domain, severa_register, severa_id, severa_number)
            values (tenant, wanted, parts[2], parts[3],
                    coalesce((select r.number from record r where r.tenant_id = tenant and r.system = 'severa' and r.register = parts[2] and r.id = parts[3]), ''))
            returning id into found;
        end if;
    else
        select id into found from matter m
        where m.tenant_id = tenant and m.domain = wanted and m.erp_register = parts[2] and m.erp_id = parts[3] limit 1;
        if found is null then
            insert into matter (tenant_id, domain, erp_register, erp_id, erp_number)
            values (tenant, wanted, parts[2], parts[3],
                    coalesce((select r.number from record r where r.tenant_id = tenant and r.system = 'visma_net' and r.register = parts[2] and r.id = parts[3]), ''))
            returning id into found;
        end if;
    end if;
    return found;
end $$;

-- A record's first matter is where its link is; registers that show the same thing are one kind.
create unique index matter_severa on matter (tenant_id, domain, severa_id) where severa_id is not null and joined_into is null;
create unique index matter_erp on matter (tenant_id, domain, erp_register, erp_id) where erp_id is not null and joined_into is null;
create unique index matter_key on matter (tenant_id, domain, natural_key) where natural_key is not null;
create index matter_erp_number on matter (tenant_id, domain, erp_number) where erp_number <> '';
create index matter_leased on matter (lease_until) where lease_until is not null;

alter table outbox
    add column matter_id uuid,
    -- 0 begun or a person's, 1 a change, 2 a sweep or a setting (rule 19)
    add column rank smallint not null default 1,
    -- what it waits for: another matter, or a reference register by name; since when; what the other one is to do for it
    add column waits_matter uuid,
    add column waits_key text,
    add column waits_since timestamptz,
    add column waits_need text not null default '';
update outbox set matter_id = matter_of_subject(tenant_id, domain, subject);
-- Nothing can be settled that names nothing; a link that was taken away left such rows.
delete from outbox where matter_id is null;
update outbox set waits_key = substr(waits_for, 18) where waits_for like 'reference:severa/%';
update outbox set waits_matter = matter_of_subject(tenant_id, split_part(waits_for, ':', 1),
        'record:' || split_part(split_part(waits_for, ':', 2), '/', 1) || '/' ||
        case split_part(waits_for, ':', 1) || ':' || split_part(split_part(waits_for, ':', 2), '/', 1)
            when 'customer:severa' then 'customers' when 'customer:visma_net' then 'customer'
            when 'product:severa' then 'products' when 'product:visma_net' then 'inventory'
            when 'project:severa' then 'projects' when 'project:visma_net' then 'project'
            when 'invoice:severa' then 'invoices' when 'payment:severa' then 'invoices' else 'record' end || '/' ||
        substr(waits_for, strpos(waits_for, '/') + 1)),
    waits_since = changed_at
where waits_for is not null and waits_key is null and split_part(waits_for, ':', 1) in ('customer', 'product', 'project', 'invoice', 'payment');
update outbox set state = 'ready', due_at = bridge_now() where state = 'waiting' and waits_matter is null and waits_key is null;

-- Steps hang on the matter, so that whichever delivery comes next finds the calls that were never answered.
alter table step
    add column matter_id  uuid,
    add column domain     text    not null default '',
    add column round      integer not null default 1,
    add column not_after  timestamptz,
    add column settles_at timestamptz,
    add column nonce      text not null default '';
alter table attempt add column matter_id uuid;
update attempt set matter_id = matter_of_subject(tenant_id, domain, subject) where domain <> 'reference';
update step s set matter_id = a.matter_id, domain = a.domain from attempt a where a.tenant_id = s.tenant_id and a.id = s.attempt_id;
update step set not_after = sent_at + interval '300 seconds', settles_at = sent_at + interval '600 seconds' where sent_at is not null;
-- 'create.2' was the create of the second round.
update step set round = substr(name, strpos(name, '.') + 1)::integer, name = split_part(name, '.', 1)
where name ~ '^(create|proof|release|remove|failed|write_back)\.[0-9]+$';
alter table step drop constraint step_pkey, add primary key (tenant_id, attempt_id, name, round);
-- A successor's answer stands on a row of its own in 0.1.0: what it answered is not open any more.
update step s set done_at = d.done_at, result = d.result from step d
where s.sent_at is not null and s.done_at is null and d.tenant_id = s.tenant_id and d.delivery = s.delivery and d.name = s.name and d.round = s.round
  and d.done_at is not null and d.done_at >= s.sent_at;
-- What belongs to a delivery that has ended is history.
update step s set sent_at = null where s.sent_at is not null and s.done_at is null
  and not exists (select from outbox o where o.tenant_id = s.tenant_id and o.delivery = s.delivery);
create index step_open on step (tenant_id, matter_id) where sent_at is not null and done_at is null;

alter table problem add column matter_id uuid;
update problem set matter_id = matter_of_subject(tenant_id, domain, subject) where subject like 'link:%' or subject like 'record:%';
alter table transfer_log add column matter_id uuid;
update transfer_log set matter_id = matter_of_subject(tenant_id, domain, subject) where subject like 'link:%' or subject like 'record:%';
-- A link that was taken away and made anew left lines under its old id: those are told by their record.
update transfer_log t set matter_id = m.id from matter m
where t.matter_id is null and t.system = 'severa' and t.record_id <> '' and m.tenant_id = t.tenant_id and m.severa_id = t.record_id
  and m.domain = case t.domain when 'payment' then 'invoice' else t.domain end;
update problem p set matter_id = m.id from matter m
where p.matter_id is null and p.system = 'severa' and p.record_id <> '' and m.tenant_id = p.tenant_id and m.severa_id = p.record_id
  and m.domain = case p.domain when 'payment' then 'invoice' else p.domain end;
update attempt a set matter_id = t.matter_id from transfer_log t
where a.matter_id is null and t.matter_id is not null and t.tenant_id = a.tenant_id and t.attempt_id = a.id;
create index transfer_log_matter on transfer_log (tenant_id, matter_id, at) where matter_id is not null;
create index attempt_matter on attempt (tenant_id, matter_id, started_at);

-- Two rows of one invoice (S1, S47) become one: the begun one stays, and its first delivery looks before it sends anything.
delete from outbox o using outbox k
where o.tenant_id = k.tenant_id and o.domain = k.domain and o.matter_id = k.matter_id and o.id <> k.id
  and (k.begun::int, exists (select from step s where s.tenant_id = k.tenant_id and s.delivery = k.delivery and s.sent_at is not null)::int, k.id)
    > (o.begun::int, exists (select from step s where s.tenant_id = o.tenant_id and s.delivery = o.delivery and s.sent_at is not null)::int, o.id);

-- 0.1.0 counted rounds within a delivery, in its step 'removals', and wrote the gaps when that had ended. What an unfinished one
-- removed is said there only, and its steps' rounds are counted from it; a gap of an earlier delivery is of no round of this one.
update document set round = 0 where state = 'removed';
create temporary table removal on commit drop as
select o.tenant_id, o.matter_id, r.told ->> 'type' as type, r.told ->> 'number' as number, r.told ->> 'reason' as reason, s.done_at,
       not (r.told ->> 'round')::boolean as surplus,
       count(*) filter (where (r.told ->> 'round')::boolean) over (partition by o.tenant_id, o.id order by r.place)
           + (not (r.told ->> 'round')::boolean)::int as round
from outbox o
cross join lateral (
    select s.result, s.done_at from step s
    where s.tenant_id = o.tenant_id and s.delivery = o.delivery and s.name = 'removals' and s.done_at is not null
    order by s.done_at desc limit 1) s
cross join lateral jsonb_array_elements(s.result -> 'rows') with ordinality as r (told, place)
where o.domain = 'invoice';
update document d set round = r.round, surplus = r.surplus from removal r
where d.tenant_id = r.tenant_id and d.matter_id = r.matter_id and d.type = r.type and d.number = r.number and d.state = 'removed';
insert into document (tenant_id, matter_id, type, number, state, round, surplus, reason, made_at)
select r.tenant_id, r.matter_id, r.type, r.number, 'removed', r.round, r.surplus, r.reason, r.done_at from removal r
where not exists (
    select from document d
    where d.tenant_id = r.tenant_id and d.matter_id = r.matter_id and d.type = r.type and d.number = r.number and d.state = 'removed');
update document d set round = 1 + r.ended
from (select tenant_id, matter_id, count(*) filter (where not surplus) as ended from removal group by tenant_id, matter_id) r
where d.tenant_id = r.tenant_id and d.matter_id = r.matter_id and d.state in ('unknown', 'released');

update problem p set closed_at = bridge_now(), closed_how = 'other cause'
from problem k
where p.closed_at is null and k.closed_at is null and p.tenant_id = k.tenant_id and p.domain = k.domain and p.code = k.code
  and p.matter_id = k.matter_id and p.id < k.id;

drop index problem_open;
update problem set subject = '' where matter_id is not null;
create unique index problem_open on problem (tenant_id, domain, coalesce(matter_id::text, subject), code) where closed_at is null;
create index problem_matter on problem (tenant_id, matter_id) where closed_at is null and matter_id is not null;

drop index outbox_due, outbox_leased;
alter table outbox
    drop constraint outbox_check, drop constraint outbox_check1, drop constraint outbox_waits_for,
    drop column waits_for, drop column subject,
    alter column matter_id set not null,
    add constraint outbox_matter foreign key (tenant_id, matter_id) references matter,
    add constraint outbox_waits foreign key (tenant_id, waits_matter) references matter,
    add constraint outbox_once unique (tenant_id, domain, matter_id),
    add constraint outbox_out check ((state = 'out') = (lease_until is not null)),
    add constraint outbox_started check ((state = 'started') = (token is not null)),
    add constraint outbox_waiting check (state <> 'waiting' or num_nonnulls(waits_matter, waits_key) = 1),
    add constraint outbox_idle check (state in ('waiting', 'failed') or num_nonnulls(waits_matter, waits_key) = 0);
create index outbox_due on outbox (tenant_id, domain, begun desc, rank, due_at) where state in ('ready', 'waiting');
create index outbox_leased on outbox (lease_until) where state = 'out';
create index outbox_started on outbox (tenant_id, matter_id) where state = 'started';
create index outbox_matter on outbox (tenant_id, matter_id);
create index outbox_waits_matter on outbox (tenant_id, waits_matter) where waits_matter is not null;
create index outbox_waits_key on outbox (tenant_id, waits_key) where waits_key is not null;

drop function matter_of_subject(uuid, text, text);
alter table attempt drop column subject;
drop table link;

-- What a matter needs another one to do for it until it rests (rule 20): one writer per remote record.
create table need (
    tenant_id uuid        not null,
    matter_id uuid        not null,
    needed_id uuid        not null,
    what      text        not null,
    made_at   timestamptz not null default bridge_now(),
    primary key (tenant_id, matter_id, needed_id, what),
    foreign key (tenant_id, matter_id) references matter,
    foreign key (tenant_id, needed_id) references matter
);
create index need_needed on need (tenant_id, needed_id);

do $$
declare t text;
begin
    foreach t in array array['matter', 'document', 'need'] loop
        execute format('alter table %I enable row level security', t);
        execute format('create policy of_tenant on %I to bridge_app
                        using (tenant_id = nullif(current_setting(''app.tenant'', true), '''')::uuid)
                        with check (tenant_id = nullif(current_setting(''app.tenant'', true), '''')::uuid)', t);
        execute format('grant select, insert, update on %I to bridge_app', t);
    end loop;
end $$;
grant delete on need to bridge_app;
grant select on schema_migrations to bridge_app, bridge_dispatch;

create policy dispatch on matter to bridge_dispatch using (true);
grant select (tenant_id, id, domain, lease_until, generation) on matter to bridge_dispatch;
grant update (token, lease_until, generation) on matter to bridge_dispatch;
grant select (matter_id, rank, waits_matter, waits_key) on outbox to bridge_dispatch;
grant update (waits_matter, waits_key) on outbox to bridge_dispatch;

-- What this installation is called in the markers of its documents: a foreign one is somebody else's (rule 6).
alter table installation add column marker text not null default substr(replace(gen_random_uuid()::text, '-', ''), 1, 8);

-- When a record was first seen; of those that stand here already, no later than now is known.
alter table record add column first_seen_at timestamptz;
update record set first_seen_at = least(seen_at, requested_at);
alter table record alter column first_seen_at set default bridge_now(), alter column first_seen_at set not null;
