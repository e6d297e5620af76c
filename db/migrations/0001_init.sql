-- The bridge's memory. Cluster roles (bridge_owner, bridge_app, bridge_dispatch) are made by db/migrate.py.
-- Keys and foreign keys begin with tenant_id; every tenant table has row-level security.

create table installation (
    single            boolean primary key default true check (single),
    system_identifier text        not null,
    timeline          integer     not null,
    writes            text        not null default 'on' check (writes in ('on', 'canary', 'off')),
    key_id            text,
    made_at           timestamptz not null default clock_timestamp(),
    adopted_at        timestamptz
);

create table tenant (
    id             uuid primary key default gen_random_uuid(),
    name           text        not null unique check (name ~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$'),
    language       text        not null check (language in ('sv', 'en')),
    time_zone      text        not null,
    -- new: not gone live; reading: go-live reads both systems; live; paused: by a person
    state          text        not null default 'new' check (state in ('new', 'reading', 'live', 'paused')),
    paused_domains text[]      not null default '{}',
    made_at        timestamptz not null default clock_timestamp(),
    live_at        timestamptz
);

create table setting (
    tenant_id uuid        not null references tenant,
    version   integer     not null,
    values    jsonb       not null,
    made_by   text        not null,
    made_at   timestamptz not null default clock_timestamp(),
    primary key (tenant_id, version)
);

create table connection (
    tenant_id           uuid        not null references tenant,
    system              text        not null check (system in ('severa', 'visma_net')),
    config              jsonb       not null,
    secret              bytea       not null,
    token               bytea,
    token_expires_at    timestamptz,
    refresh_lease_until timestamptz,
    -- the vendor's call budget: last threshold crossed, and a full stop after a 429
    budget_percent      integer     not null default 100,
    paused_until        timestamptz,
    poll_token          uuid,
    poll_lease_until    timestamptz,
    next_poll_at        timestamptz not null default clock_timestamp(),
    asked_at            timestamptz,
    checked_at          timestamptz,
    polls               bigint      not null default 0,
    -- what the last complete poll brought, so that "idle" can be told from "not looked yet"
    last_changes        bigint      not null default 0,
    last_error          text,
    primary key (tenant_id, system)
);
create index connection_due on connection (next_poll_at);

create table connection_slot (
    tenant_id   uuid    not null,
    system      text    not null,
    slot        integer not null,
    holder      uuid,
    lease_until timestamptz,
    primary key (tenant_id, system, slot),
    foreign key (tenant_id, system) references connection
);

create table branch_map (
    tenant_id        uuid not null references tenant,
    business_unit_id text not null,
    branch_number    text not null,
    primary key (tenant_id, business_unit_id)
);

create table stream (
    tenant_id   uuid   not null,
    system      text   not null,
    register    text   not null,
    -- largest server time seen by a complete poll; asked from again with an overlap
    watermark   timestamptz,
    complete_at timestamptz,
    swept_at    timestamptz,
    changes     bigint not null default 0,
    primary key (tenant_id, system, register),
    foreign key (tenant_id, system) references connection
);

create table record (
    tenant_id       uuid        not null references tenant,
    system          text        not null,
    register        text        not null,
    id              text        not null,
    number          text        not null default '',
    name            text        not null default '',
    name_key        text        not null default '',
    marker          text,
    body            bytea       not null,
    hash            bytea       not null,
    mapping_version integer     not null,
    remote_time     timestamptz,
    requested_at    timestamptz not null,
    version         bigint      not null default 1,
    settled_version bigint      not null default 0,
    -- whether a change of it must be settled; reference rows and rows before the start date are not
    in_scope        boolean     not null,
    seen_at         timestamptz not null default clock_timestamp(),
    gone_at         timestamptz,
    primary key (tenant_id, system, register, id)
);
create index record_number on record (tenant_id, system, register, number) where number <> '';
create index record_name on record (tenant_id, system, register, name_key) where name_key <> '';
create index record_marker on record (tenant_id, marker) where marker is not null;
create index record_unsettled on record (tenant_id) where in_scope and version > settled_version;

create table choice (
    tenant_id uuid not null references tenant,
    domain    text not null,
    system    text not null,
    record_id text not null,
    value     text not null,
    primary key (tenant_id, domain, system, record_id)
);

create table link (
    tenant_id       uuid        not null references tenant,
    id              uuid        not null default gen_random_uuid(),
    domain          text        not null,
    severa_register text        not null,
    severa_id       text        not null,
    severa_number   text        not null default '',
    erp_register    text        not null,
    erp_id          text        not null,
    erp_number      text        not null default '',
    base            jsonb       not null default '{}',
    state           jsonb       not null default '{}',
    -- the one ERP document that may be released for this Severa invoice (R-INV-13)
    document_type   text,
    document_number text,
    made_at         timestamptz not null default clock_timestamp(),
    changed_at      timestamptz not null default clock_timestamp(),
    primary key (tenant_id, id),
    unique (tenant_id, domain, severa_register, severa_id),
    unique (tenant_id, domain, erp_register, erp_id),
    unique (tenant_id, document_type, document_number),
    check ((document_type is null) = (document_number is null))
);
create index link_erp_number on link (tenant_id, domain, erp_number);

create table outbox (
    tenant_id   uuid        not null references tenant,
    id          bigint      not null generated always as identity,
    domain      text        not null,
    -- 'link:<uuid>' or 'record:<system>/<register>/<id>': settle this
    subject     text        not null,
    state       text        not null default 'ready'
                check (state in ('waiting', 'ready', 'out', 'started', 'failed', 'in_doubt')),
    due_at      timestamptz not null default clock_timestamp(),
    again       boolean     not null default false,
    -- begun deliveries go before new ones
    begun       boolean     not null default false,
    generation  integer     not null default 0,
    lease_until timestamptz,
    token       uuid,
    delivery    uuid        not null default gen_random_uuid(),
    attempts    integer     not null default 0,
    lost        integer     not null default 0,
    cause       text        not null,
    system      text        not null,
    register    text        not null,
    waits_for   text,
    made_at     timestamptz not null default clock_timestamp(),
    changed_at  timestamptz not null default clock_timestamp(),
    primary key (tenant_id, id),
    unique (tenant_id, domain, subject),
    check ((state in ('out', 'started')) = (lease_until is not null)),
    check ((state = 'started') = (token is not null)),
    check ((state = 'waiting') = (waits_for is not null))
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500, fillfactor = 70);
create index outbox_due on outbox (tenant_id, domain, begun desc, due_at) where state in ('ready', 'waiting');
create index outbox_leased on outbox (lease_until) where state in ('out', 'started');
create index outbox_waiting on outbox (tenant_id, waits_for) where state = 'waiting';

create table attempt (
    tenant_id  uuid        not null references tenant,
    id         uuid        not null,
    delivery   uuid        not null,
    outbox_id  bigint      not null,
    domain     text        not null,
    subject    text        not null,
    worker     text        not null,
    started_at timestamptz not null default clock_timestamp(),
    ended_at   timestamptz,
    outcome    text,
    error      text,
    calls      integer     not null default 0,
    primary key (tenant_id, id)
);
create index attempt_delivery on attempt (tenant_id, delivery);
create index attempt_subject on attempt (tenant_id, subject, started_at);

create table step (
    tenant_id  uuid        not null,
    attempt_id uuid        not null,
    name       text        not null,
    delivery   uuid        not null,
    sent_at    timestamptz,
    done_at    timestamptz,
    request    jsonb       not null default '{}',
    result     jsonb       not null default '{}',
    primary key (tenant_id, attempt_id, name),
    foreign key (tenant_id, attempt_id) references attempt on delete cascade
);
create index step_delivery on step (tenant_id, delivery);

create table problem (
    tenant_id    uuid        not null references tenant,
    id           bigint      not null generated always as identity,
    domain       text        not null,
    subject      text        not null,
    system       text        not null,
    register     text        not null,
    record_id    text        not null,
    number       text        not null default '',
    name         text        not null default '',
    code         text        not null,
    values       jsonb       not null default '{}',
    opened_at    timestamptz not null default clock_timestamp(),
    last_seen_at timestamptz not null default clock_timestamp(),
    times        integer     not null default 1,
    closed_at    timestamptz,
    closed_how   text,
    primary key (tenant_id, id),
    check ((closed_at is null) = (closed_how is null))
);
-- one open problem per record and cause (R-LOG-3)
create unique index problem_open on problem (tenant_id, domain, subject, code) where closed_at is null;

create table number_gap (
    tenant_id     uuid        not null references tenant,
    document_type text        not null,
    number        text        not null,
    severa_id     text        not null,
    reason        text        not null,
    at            timestamptz not null default clock_timestamp(),
    primary key (tenant_id, document_type, number)
);

-- By month; partitions are made ahead by the maintenance of the relay, the default one catches what it missed.
create table transfer_log (
    tenant_id   uuid        not null,
    at          timestamptz not null default clock_timestamp(),
    id          bigint      not null generated always as identity,
    domain      text        not null,
    subject     text        not null,
    direction   text        not null,
    system      text        not null,
    register    text        not null,
    record_id   text        not null,
    number      text        not null default '',
    name        text        not null default '',
    level       text        not null check (level in ('info', 'warning', 'error')),
    outcome     text        not null,
    code        text        not null,
    values      jsonb       not null default '{}',
    duration_ms integer     not null default 0,
    attempt_id  uuid,
    primary key (tenant_id, at, id)
) partition by range (at);
create table transfer_log_default partition of transfer_log default;
create index transfer_log_record on transfer_log (tenant_id, register, record_id, at);

create table audit_log (
    tenant_id uuid        not null,
    at        timestamptz not null default clock_timestamp(),
    id        bigint      not null generated always as identity,
    who       text        not null,
    action    text        not null,
    details   jsonb       not null default '{}',
    primary key (tenant_id, at, id)
) partition by range (at);
create table audit_log_default partition of audit_log default;

-- By day: requests and responses, masked.
create table payload (
    tenant_id  uuid        not null,
    at         timestamptz not null default clock_timestamp(),
    id         bigint      not null generated always as identity,
    attempt_id uuid,
    system     text        not null,
    method     text        not null,
    path       text        not null,
    status     integer,
    seconds    real        not null,
    request    text        not null default '',
    response   text        not null default '',
    error      text,
    primary key (tenant_id, at, id)
) partition by range (at);
create table payload_default partition of payload default;
create index payload_attempt on payload (tenant_id, attempt_id);

-- Row-level security: the application sees one tenant per transaction; without one it sees nothing.
do $$
declare t text;
begin
    foreach t in array array['setting', 'connection', 'connection_slot', 'branch_map', 'stream', 'record', 'choice', 'link',
                             'outbox', 'attempt', 'step', 'problem', 'number_gap', 'transfer_log', 'audit_log', 'payload'] loop
        execute format('alter table %I enable row level security', t);
        execute format('create policy of_tenant on %I to bridge_app
                        using (tenant_id = nullif(current_setting(''app.tenant'', true), '''')::uuid)
                        with check (tenant_id = nullif(current_setting(''app.tenant'', true), '''')::uuid)', t);
        execute format('grant select, insert, update, delete on %I to bridge_app', t);
    end loop;
end $$;
alter table tenant enable row level security;
create policy of_tenant on tenant to bridge_app
    using (id = nullif(current_setting('app.tenant', true), '')::uuid)
    with check (id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select, insert, update on tenant to bridge_app;
revoke update, delete on transfer_log, audit_log from bridge_app;
grant select on installation to bridge_app;

-- The dispatcher sees ids, tenants, domains, states and times of all tenants; no bodies, no secrets.
create policy dispatch on tenant to bridge_dispatch using (true);
create policy dispatch on connection to bridge_dispatch using (true);
create policy dispatch on outbox to bridge_dispatch using (true);
create policy dispatch on stream to bridge_dispatch using (true);
create policy dispatch on problem to bridge_dispatch using (true);
grant select on tenant, stream to bridge_dispatch;
grant select (tenant_id, system, paused_until, poll_token, poll_lease_until, next_poll_at, asked_at, checked_at, polls, last_changes)
    on connection to bridge_dispatch;
grant update (poll_token, poll_lease_until, next_poll_at, asked_at) on connection to bridge_dispatch;
grant select (tenant_id, id, domain, subject, state, due_at, again, begun, generation, lease_until, lost, delivery, system, register, waits_for)
    on outbox to bridge_dispatch;
grant update (state, due_at, generation, lease_until, token, lost, waits_for, changed_at) on outbox to bridge_dispatch;
grant select (tenant_id, id, domain, code, opened_at, closed_at) on problem to bridge_dispatch;
grant select, update on installation to bridge_dispatch;

-- Partitions three periods ahead; called by the relay's maintenance, which owns no table, hence security definer.
create function make_partitions(ahead integer) returns integer
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    made integer := 0;
    base record;
    start timestamptz;
    stop timestamptz;
    part text;
begin
    for base in select * from (values ('transfer_log', 'month'), ('audit_log', 'month'), ('payload', 'day')) as b (name, period) loop
        for i in 0 .. ahead loop
            start := date_trunc(base.period, now() at time zone 'utc') at time zone 'utc' + i * ('1 ' || base.period)::interval;
            stop := start + ('1 ' || base.period)::interval;
            part := base.name || to_char(start at time zone 'utc', '_YYYYMMDD');
            if to_regclass(part) is null then
                begin
                    execute format('create table %I partition of %I for values from (%L) to (%L)', part, base.name, start, stop);
                    made := made + 1;
                exception when check_violation then
                    -- rows of this period already stand in the default partition: they stay there
                    null;
                end;
            end if;
        end loop;
    end loop;
    return made;
end $$;
revoke all on function make_partitions(integer) from public;
grant execute on function make_partitions(integer) to bridge_dispatch;
