-- A tenant can leave (docs/never-twice.md rule 23): nothing of it is claimed, polled or announced any more (leaving); when every call has
-- settled, what belongs to it is erased in portions (erasing), and at last the tenant itself, which frees its pair of companies.
set local statement_timeout = '15min';
alter table tenant drop constraint tenant_state_check;
alter table tenant add constraint tenant_state_check check (state in ('new', 'reading', 'live', 'paused', 'leaving', 'erasing'));

-- Who deletes a matter is asked by the foreign key who was joined into it: without this the whole tenant is read each time.
create index matter_joined on matter (tenant_id, joined_into) where joined_into is not null;

-- Nothing of a matter, a document or a log is ever deleted, but by an erasure: the tables themselves see to it.
grant delete on tenant, matter, document, transfer_log, audit_log to bridge_app;
create policy while_erased on tenant as restrictive for delete to bridge_app using (state = 'erasing');
do $$
declare t text;
begin
    foreach t in array array['matter', 'document', 'transfer_log', 'audit_log'] loop
        execute format('create policy while_erased on %I as restrictive for delete to bridge_app
                        using (exists (select from tenant e
                               where e.id = nullif(current_setting(''app.tenant'', true), '''')::uuid and e.state = ''erasing''))', t);
    end loop;
end $$;

-- What is left of an erased tenant: that it was, by whom, when and how much. Kept by the installation.
create table erasure (
    -- the tenant's
    id          uuid primary key,
    name        text        not null,
    who         text        not null,
    began_at    timestamptz not null default bridge_now(),
    -- null: not at its end yet
    ended_at    timestamptz,
    -- the file that everything was written to before; '' = the operator wanted none
    exported_to text        not null,
    -- rows per table
    counts      jsonb       not null default '{}',
    -- matters that the vendors still show unfinished, by kind: the operator was told, and went on
    unfinished  jsonb       not null default '{}'
);
alter table erasure enable row level security;
create policy of_tenant on erasure to bridge_app
    using (id = nullif(current_setting('app.tenant', true), '')::uuid)
    with check (id = nullif(current_setting('app.tenant', true), '')::uuid);
create policy dispatch on erasure to bridge_dispatch using (true);
grant select, insert, update on erasure to bridge_app;
grant select on erasure to bridge_dispatch;
