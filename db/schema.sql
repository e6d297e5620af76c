-- What the migrations make, all together. Made by `make schema`; a test compares it with them.

CREATE FUNCTION public.bridge_begin_epoch(settle double precision, seen uuid) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
declare
    begun bigint;
    moment timestamptz;
begin
    update installation set epoch = epoch + 1, epoch_at = bridge_now(), quiet_until = bridge_now() + settle * interval '1 second',
        history = gen_random_uuid(), writes = case writes when 'off' then 'on' else writes end, reason = null,
        database_oid = (select d.oid from pg_database d where d.datname = current_database()),
        system_identifier = (select c.system_identifier::text from pg_control_system() c),
        timeline = bridge_timeline(), started_at = pg_postmaster_start_time(), written_by = pg_current_xact_id()
    where history = seen
    returning epoch, quiet_until into begun, moment;
    if not found then
        return null;
    end if;
    -- the beat of this stretch begins anew: nobody remembers anything of it yet
    insert into beat default values on conflict (single) do update set number = 0, recent = '{}', at = bridge_now();
    perform bridge_void_leases();
    perform bridge_read_anew(moment);
    return begun;
end $$;

CREATE FUNCTION public.bridge_epoch() RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
    return (select i.epoch from installation i
            where i.writes = 'on'
              and i.xmin = i.written_by::xid
              and i.started_at = pg_postmaster_start_time()
              and i.database_oid = (select d.oid from pg_database d where d.datname = current_database())
              and i.timeline = bridge_timeline()
              and i.system_identifier = (select c.system_identifier::text from pg_control_system() c));
end $$;

CREATE FUNCTION public.bridge_lower(text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $_$select lower($1 collate pg_catalog.pg_c_utf8)$_$;

CREATE FUNCTION public.bridge_now() RETURNS timestamp with time zone
    LANGUAGE sql PARALLEL SAFE
    AS $$ select clock_timestamp() $$;

CREATE FUNCTION public.bridge_read_anew(moment timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
    update connection set epoch_at = moment, next_poll_at = moment;
    update stream set watermark = null, complete_at = null, swept_at = null;
    update reading set state = 'dead' where state = 'open';
end $$;

CREATE FUNCTION public.bridge_steady() RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$
begin
    return coalesce((select i.steady_after <> 'infinity' or i.steady_after is null from installation i), false);
end $$;

CREATE FUNCTION public.bridge_timeline() RETURNS integer
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$
begin
    if pg_is_in_recovery() then
        return null;
    end if;
    return ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::integer;
end $$;

CREATE FUNCTION public.bridge_void_leases() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
    update matter set token = null, lease_until = null, generation = generation + 1 where lease_until is not null;
    update outbox set state = 'ready', token = null, lease_until = null, generation = generation + 1,
        due_at = bridge_now(), changed_at = bridge_now()
    where state in ('out', 'started');
    update connection set poll_token = null, poll_lease_until = null, refresh_lease_until = null
    where poll_token is not null or poll_lease_until is not null or refresh_lease_until is not null;
end $$;

CREATE FUNCTION public.make_partitions(ahead integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
declare
    made integer := 0;
    base record;
    start timestamptz;
    stop timestamptz;
    part text;
begin
    for base in select * from (values ('transfer_log', 'month'), ('audit_log', 'month'), ('payload', 'day')) as b (name, period) loop
        for i in 0 .. ahead loop
            start := date_trunc(base.period, bridge_now() at time zone 'utc') at time zone 'utc' + i * ('1 ' || base.period)::interval;
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

CREATE FUNCTION public.tenant_open(tenant uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
begin
    return exists (select from open_tenant o where o.id = tenant);
end $$;

CREATE TABLE public.attempt (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    delivery uuid NOT NULL,
    outbox_id bigint NOT NULL,
    domain text NOT NULL,
    worker text NOT NULL,
    started_at timestamp with time zone DEFAULT public.bridge_now() NOT NULL,
    ended_at timestamp with time zone,
    outcome text,
    error text,
    calls integer DEFAULT 0 NOT NULL,
    matter_id uuid
);

CREATE TABLE public.audit_log (
    tenant_id uuid NOT NULL,
    at timestamp with time zone DEFAULT public.bridge_now() NOT NULL,
    id bigint NOT NULL,
    who text NOT NULL,
    action text NOT NULL,
    details jsonb DEFAULT '{}'::jsonb NOT NULL
)
PARTITION BY RANGE (at);

CREATE TABLE public.audit_log_default (
    tenant_id uuid CONSTRAINT audit_log_tenant_id_not_null NOT NULL,
    at timestamp with time zone DEFAULT public.bridge_now() CONSTRAINT audit_log_at_not_null NOT NULL,
    id bigint CONSTRAINT audit_log_id_not_null NOT NULL,
    who text CONSTRAINT audit_log_who_not_null NOT NULL,
    action text CONSTRAINT audit_log_action_not_null NOT NULL,
    details jsonb DEFAULT '{}'::jsonb CONSTRAINT audit_log_details_not_null NOT NULL
);

ALTER TABLE public.audit_log ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.audit_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.beat (
    single boolean DEFAULT true NOT NULL,
    number bigint DEFAULT 0 NOT NULL,
    recent uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    at timestamp with time zone DEFAULT public.bridge_now() NOT NULL,
    CONSTRAINT beat_single_check CHECK (single)
);

CREATE TABLE public.branch_map (
    tenant_id uuid NOT NULL,
    business_unit_id text NOT NULL,
    branch_number text NOT NULL
);

CREATE TABLE public.choice (
    tenant_id uuid NOT NULL,
    domain text NOT NULL,
    system text NOT NULL,
    record_id text NOT NULL,
    value text NOT NULL
);

CREATE TABLE public.connection (
    tenant_id uuid NOT NULL,
    system text NOT NULL,
    config jsonb NOT NULL,
    secret bytea NOT NULL,
    token bytea,
    token_expires_at timestamp with time zone,
    refresh_lease_until timestamp with time zone,
    budget_percent integer DEFAULT 100 NOT NULL,
    paused_until timestamp with time zone,
    poll_token uuid,
    poll_lease_until timestamp with time zone,
    next_poll_at timestamp with time zone DEFAULT public.bridge_now() NOT NULL,
    asked_at timestamp with time zone,
    checked_at timestamp with time zone,
    polls bigint DEFAULT 0 NOT NULL,
    last_changes bigint DEFAULT 0 NOT NULL,
    last_error text,
    revision bigint DEFAULT 1 NOT NULL,
    epoch_at timestamp with time zone,
    CONSTRAINT connection_system_check CHECK ((system = ANY (ARRAY['severa'::text, 'visma_net'::text])))
);

CREATE TABLE public.connection_slot (
    tenant_id uuid NOT NULL,
    system text NOT NULL,
    slot integer NOT NULL,
    holder uuid,
    lease_until timestamp with time zone
);

CREATE TABLE public.document (
    tenant_id uuid NOT NULL,
    id bigint NOT NULL,
    matter_id uuid NOT NULL,
    type text NOT NULL,
    number text,
    nonce text DEFAULT ''::text NOT NULL,
    state text NOT NULL,
    round integer DEFAULT 1 NOT NULL,
    surplus boolean DEFAULT false NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    made_at timestamp with time zone DEFAULT public.bridge_now() NOT NULL,
    changed_at timestamp with time zone DEFAULT public.bridge_now() NOT NULL,
    removals integer DEFAULT 0 NOT NULL,
    gone_by timestamp with time zone,
    CONSTRAINT document_check CHECK (((number IS NOT NULL) OR (state = ANY (ARRAY['asked'::text, 'void'::text])))),
    CONSTRAINT document_state_check CHECK ((state = ANY (ARRAY['asked'::text, 'made'::text, 'claimed'::text, 'released'::text, 'removed'::text, 'retired'::text, 'unknown'::text, 'void'::text])))
);

ALTER TABLE public.document ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.document_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.erasure (
    id uuid NOT NULL,
    name text NOT NULL,
    who text NOT NULL,
    began_at timestamp with time zone DEFAULT public.bridge_now() NOT NULL,
    ended_at timestamp with time zone,
    exported_to text NOT NULL,
    counts jsonb DEFAULT '{}'::jsonb NOT NULL,
    unfinished jsonb DEFAULT '{}'::jsonb NOT NULL
);

CREATE TABLE public.identity (
    tenant_id uuid NOT NULL,
    severa_place text DEFAULT ''::text NOT NULL,
    erp_place text DEFAULT ''::text NOT NULL,
    severa_organisation text,
    severa_number text DEFAULT ''::text NOT NULL,
    severa_name text DEFAULT ''::text NOT NULL,
    erp_tenant text NOT NULL,
    erp_number text DEFAULT ''::text NOT NULL,
    erp_name text DEFAULT ''::text NOT NULL,
    changed_at timestamp with time zone DEFAULT public.bridge_now() NOT NULL,
    CONSTRAINT identity_erp_tenant_check CHECK ((erp_tenant <> ''::text)),
    CONSTRAINT identity_severa_organisation_check CHECK ((severa_organisation <> ''::text))
);

CREATE TABLE public.installation (
    single boolean DEFAULT true NOT NULL,
    system_identifier text NOT NULL,
    timeline integer NOT NULL,
    writes text DEFAULT 'on'::text NOT NULL,
    key_id text,
    made_at timestamp with time zone DEFAULT public.bridge_now() NOT NULL,
    marker text DEFAULT substr(replace((gen_random_uuid())::text, '-'::text, ''::text), 1, 8) NOT NULL,
    history uuid DEFAULT gen_random_uuid() NOT NULL,
    epoch bigint DEFAULT 1 NOT NULL,
    epoch_at timestamp with time zone,
    quiet_until timestamp with time zone,
    database_oid oid,
    written_by xid8,
    started_at timestamp with time zone,
    reason text,
    steady_after timestamp with time zone,
    CONSTRAINT installation_reason_check CHECK ((reason = ANY (ARRAY['restored'::text, 'moved'::text, 'copied'::text]))),
    CONSTRAINT installation_single_check CHECK (single),
    CONSTRAINT installation_writes_check CHECK ((writes = ANY (ARRAY['on'::text, 'canary'::text, 'off'::text])))
);

CREATE TABLE public.matter (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    domain text NOT NULL,
    severa_register text,
    severa_id text,
    severa_number text DEFAULT ''::text NOT NULL,
    erp_register text,
    erp_id text,
    erp_number text DEFAULT ''::text NOT NULL,
    base jsonb DEFAULT '{}'::jsonb NOT NULL,
    state jsonb DEFAULT '{}'::jsonb NOT NULL,
    booked_type text,
    booked_number text,
    booked_total numeric,
    joined_into uuid,
    natural_key text,
    token uuid,
    lease_until timestamp with time zone,
    generation bigint DEFAULT 0 NOT NULL,
    epoch bigint,
    decision jsonb,
    made_at timestamp with time zone DEFAULT public.bridge_now() NOT NULL,
    changed_at timestamp with time zone DEFAULT public.bridge_now() NOT NULL,
    CONSTRAINT matter_check CHECK (((token IS NULL) = (lease_until IS NULL))),
    CONSTRAINT matter_check1 CHECK (((severa_id IS NULL) = (severa_register IS NULL))),
    CONSTRAINT matter_check2 CHECK (((erp_id IS NULL) = (erp_register IS NULL))),
    CONSTRAINT matter_check3 CHECK (((severa_id IS NOT NULL) OR (erp_id IS NOT NULL))),
    CONSTRAINT matter_check4 CHECK ((((booked_type IS NULL) = (booked_number IS NULL)) AND ((booked_type IS NULL) = (booked_total IS NULL)))),
    CONSTRAINT matter_domain_check CHECK ((domain = ANY (ARRAY['customer'::text, 'product'::text, 'project'::text, 'invoice'::text, 'cost'::text])))
)
WITH (fillfactor='80');

CREATE TABLE public.need (
    tenant_id uuid NOT NULL,
    matter_id uuid NOT NULL,
    needed_id uuid NOT NULL,
    what text NOT NULL,
    made_at timestamp with time zone DEFAULT public.bridge_now() NOT NULL
);

CREATE TABLE public.number_gap (
    tenant_id uuid NOT NULL,
    document_type text NOT NULL,
    number text NOT NULL,
    severa_id text NOT NULL,
    reason text NOT NULL,
    at timestamp with time zone DEFAULT public.bridge_now() NOT NULL,
    "values" jsonb DEFAULT '{}'::jsonb NOT NULL
);

CREATE TABLE public.tenant (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name text NOT NULL,
    language text NOT NULL,
    time_zone text NOT NULL,
    state text DEFAULT 'new'::text NOT NULL,
    paused_domains text[] DEFAULT '{}'::text[] NOT NULL,
    made_at timestamp with time zone DEFAULT public.bridge_now() NOT NULL,
    live_at timestamp with time zone,
    CONSTRAINT tenant_language_check CHECK ((language = ANY (ARRAY['sv'::text, 'en'::text]))),
    CONSTRAINT tenant_name_check CHECK ((name ~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$'::text)),
    CONSTRAINT tenant_state_check CHECK ((state = ANY (ARRAY['new'::text, 'reading'::text, 'live'::text, 'paused'::text, 'leaving'::text, 'erasing'::text])))
);

CREATE VIEW public.open_tenant WITH (security_invoker='true') AS
 SELECT id
   FROM public.tenant t
  WHERE ((( SELECT public.bridge_epoch() AS bridge_epoch) IS NOT NULL) AND ( SELECT public.bridge_steady() AS bridge_steady) AND (NOT (EXISTS ( SELECT
           FROM public.connection c
          WHERE ((c.tenant_id = t.id) AND (c.epoch_at IS NOT NULL) AND (COALESCE(c.checked_at, '-infinity'::timestamp with time zone) <= c.epoch_at))))));

CREATE TABLE public.outbox (
    tenant_id uuid NOT NULL,
    id bigint NOT NULL,
    domain text NOT NULL,
    state text DEFAULT 'ready'::text NOT NULL,
    due_at timestamp with time zone DEFAULT public.bridge_now() NOT NULL,
    again boolean DEFAULT false NOT NULL,
    begun boolean DEFAULT false NOT NULL,
    generation integer DEFAULT 0 NOT NULL,
    lease_until timestamp with time zone,
    token uuid,
    delivery uuid DEFAULT gen_random_uuid() NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    lost integer DEFAULT 0 NOT NULL,
    cause text NOT NULL,
    system text NOT NULL,
    register text NOT NULL,
    made_at timestamp with time zone DEFAULT public.bridge_now() NOT NULL,
    changed_at timestamp with time zone DEFAULT public.bridge_now() NOT NULL,
    matter_id uuid NOT NULL,
    rank smallint DEFAULT 1 NOT NULL,
    waits_matter uuid,
    waits_key text,
    waits_since timestamp with time zone,
    waits_need text DEFAULT ''::text NOT NULL,
    CONSTRAINT outbox_idle CHECK (((state = ANY (ARRAY['waiting'::text, 'failed'::text])) OR (num_nonnulls(waits_matter, waits_key) = 0))),
    CONSTRAINT outbox_out CHECK (((state = 'out'::text) = (lease_until IS NOT NULL))),
    CONSTRAINT outbox_started CHECK (((state = 'started'::text) = (token IS NOT NULL))),
    CONSTRAINT outbox_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'ready'::text, 'out'::text, 'started'::text, 'failed'::text, 'in_doubt'::text]))),
    CONSTRAINT outbox_waiting CHECK (((state <> 'waiting'::text) OR (num_nonnulls(waits_matter, waits_key) = 1)))
)
WITH (autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_threshold='500', fillfactor='70');

ALTER TABLE public.outbox ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.outbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.payload (
    tenant_id uuid NOT NULL,
    at timestamp with time zone DEFAULT public.bridge_now() NOT NULL,
    id bigint NOT NULL,
    attempt_id uuid,
    system text NOT NULL,
    method text NOT NULL,
    path text NOT NULL,
    status integer,
    seconds real NOT NULL,
    request text DEFAULT ''::text NOT NULL,
    response text DEFAULT ''::text NOT NULL,
    error text
)
PARTITION BY RANGE (at);

CREATE TABLE public.payload_default (
    tenant_id uuid CONSTRAINT payload_tenant_id_not_null NOT NULL,
    at timestamp with time zone DEFAULT public.bridge_now() CONSTRAINT payload_at_not_null NOT NULL,
    id bigint CONSTRAINT payload_id_not_null NOT NULL,
    attempt_id uuid,
    system text CONSTRAINT payload_system_not_null NOT NULL,
    method text CONSTRAINT payload_method_not_null NOT NULL,
    path text CONSTRAINT payload_path_not_null NOT NULL,
    status integer,
    seconds real CONSTRAINT payload_seconds_not_null NOT NULL,
    request text DEFAULT ''::text CONSTRAINT payload_request_not_null NOT NULL,
    response text DEFAULT ''::text CONSTRAINT payload_response_not_null NOT NULL,
    error text
);

ALTER TABLE public.payload ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.payload_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.problem (
    tenant_id uuid NOT NULL,
    id bigint NOT NULL,
    domain text NOT NULL,
    subject text NOT NULL,
    system text NOT NULL,
    register text NOT NULL,
    record_id text NOT NULL,
    number text DEFAULT ''::text NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    code text NOT NULL,
    "values" jsonb DEFAULT '{}'::jsonb NOT NULL,
    opened_at timestamp with time zone DEFAULT public.bridge_now() NOT NULL,
    last_seen_at timestamp with time zone DEFAULT public.bridge_now() NOT NULL,
    times integer DEFAULT 1 NOT NULL,
    closed_at timestamp with time zone,
    closed_how text,
    matter_id uuid,
    CONSTRAINT problem_check CHECK (((closed_at IS NULL) = (closed_how IS NULL)))
);

ALTER TABLE public.problem ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.problem_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.reading (
    tenant_id uuid NOT NULL,
    system text NOT NULL,
    register text NOT NULL,
    id bigint NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    whole boolean NOT NULL,
    since timestamp with time zone,
    began_at timestamp with time zone NOT NULL,
    completed_at timestamp with time zone,
    "position" text,
    mark_at timestamp with time zone NOT NULL,
    newest timestamp with time zone,
    rows bigint DEFAULT 0 NOT NULL,
    changed bigint DEFAULT 0 NOT NULL,
    unreadable bigint DEFAULT 0 NOT NULL,
    left_out bigint DEFAULT 0 NOT NULL,
    announced bigint DEFAULT 0 NOT NULL,
    CONSTRAINT reading_state_check CHECK ((state = ANY (ARRAY['open'::text, 'complete'::text, 'let_through'::text, 'held'::text, 'dead'::text])))
);

ALTER TABLE public.reading ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.reading_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.record (
    tenant_id uuid NOT NULL,
    system text NOT NULL,
    register text NOT NULL,
    id text NOT NULL,
    number text DEFAULT ''::text NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    name_key text DEFAULT ''::text NOT NULL,
    marker text,
    body bytea NOT NULL,
    hash bytea NOT NULL,
    mapping_version integer NOT NULL,
    remote_time timestamp with time zone,
    asked_at timestamp with time zone CONSTRAINT record_requested_at_not_null NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    settled_version bigint DEFAULT 0 NOT NULL,
    in_scope boolean NOT NULL,
    seen_at timestamp with time zone DEFAULT public.bridge_now() NOT NULL,
    gone_at timestamp with time zone,
    organisation text DEFAULT ''::text NOT NULL,
    owner text DEFAULT ''::text NOT NULL,
    first_seen_at timestamp with time zone DEFAULT public.bridge_now() NOT NULL,
    answered_at timestamp with time zone NOT NULL,
    reading_id bigint,
    announced_version bigint DEFAULT 0 NOT NULL,
    read_again boolean DEFAULT false NOT NULL
);

CREATE TABLE public.schema_migrations (
    version text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE public.setting (
    tenant_id uuid NOT NULL,
    version integer NOT NULL,
    "values" jsonb NOT NULL,
    made_by text NOT NULL,
    made_at timestamp with time zone DEFAULT public.bridge_now() NOT NULL
);

CREATE TABLE public.step (
    tenant_id uuid NOT NULL,
    attempt_id uuid NOT NULL,
    name text NOT NULL,
    delivery uuid NOT NULL,
    sent_at timestamp with time zone,
    done_at timestamp with time zone,
    request jsonb DEFAULT '{}'::jsonb NOT NULL,
    result jsonb DEFAULT '{}'::jsonb NOT NULL,
    matter_id uuid,
    domain text DEFAULT ''::text NOT NULL,
    round integer DEFAULT 1 NOT NULL,
    not_after timestamp with time zone,
    settles_at timestamp with time zone,
    nonce text DEFAULT ''::text NOT NULL
);

CREATE TABLE public.stream (
    tenant_id uuid NOT NULL,
    system text NOT NULL,
    register text NOT NULL,
    watermark timestamp with time zone,
    complete_at timestamp with time zone,
    swept_at timestamp with time zone,
    changes bigint DEFAULT 0 NOT NULL,
    not_understood integer DEFAULT 0 NOT NULL
);

CREATE TABLE public.transfer_log (
    tenant_id uuid NOT NULL,
    at timestamp with time zone DEFAULT public.bridge_now() NOT NULL,
    id bigint NOT NULL,
    domain text NOT NULL,
    subject text NOT NULL,
    direction text NOT NULL,
    system text NOT NULL,
    register text NOT NULL,
    record_id text NOT NULL,
    number text DEFAULT ''::text NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    level text NOT NULL,
    outcome text NOT NULL,
    code text NOT NULL,
    "values" jsonb DEFAULT '{}'::jsonb NOT NULL,
    duration_ms integer DEFAULT 0 NOT NULL,
    attempt_id uuid,
    matter_id uuid,
    CONSTRAINT transfer_log_level_check CHECK ((level = ANY (ARRAY['info'::text, 'warning'::text, 'error'::text])))
)
PARTITION BY RANGE (at);

CREATE TABLE public.transfer_log_default (
    tenant_id uuid CONSTRAINT transfer_log_tenant_id_not_null NOT NULL,
    at timestamp with time zone DEFAULT public.bridge_now() CONSTRAINT transfer_log_at_not_null NOT NULL,
    id bigint CONSTRAINT transfer_log_id_not_null NOT NULL,
    domain text CONSTRAINT transfer_log_domain_not_null NOT NULL,
    subject text CONSTRAINT transfer_log_subject_not_null NOT NULL,
    direction text CONSTRAINT transfer_log_direction_not_null NOT NULL,
    system text CONSTRAINT transfer_log_system_not_null NOT NULL,
    register text CONSTRAINT transfer_log_register_not_null NOT NULL,
    record_id text CONSTRAINT transfer_log_record_id_not_null NOT NULL,
    number text DEFAULT ''::text CONSTRAINT transfer_log_number_not_null NOT NULL,
    name text DEFAULT ''::text CONSTRAINT transfer_log_name_not_null NOT NULL,
    level text CONSTRAINT transfer_log_level_not_null NOT NULL,
    outcome text CONSTRAINT transfer_log_outcome_not_null NOT NULL,
    code text CONSTRAINT transfer_log_code_not_null NOT NULL,
    "values" jsonb DEFAULT '{}'::jsonb CONSTRAINT transfer_log_values_not_null NOT NULL,
    duration_ms integer DEFAULT 0 CONSTRAINT transfer_log_duration_ms_not_null NOT NULL,
    attempt_id uuid,
    matter_id uuid,
    CONSTRAINT transfer_log_level_check CHECK ((level = ANY (ARRAY['info'::text, 'warning'::text, 'error'::text])))
);

ALTER TABLE public.transfer_log ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.transfer_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY public.audit_log ATTACH PARTITION public.audit_log_default DEFAULT;

ALTER TABLE ONLY public.payload ATTACH PARTITION public.payload_default DEFAULT;

ALTER TABLE ONLY public.transfer_log ATTACH PARTITION public.transfer_log_default DEFAULT;

ALTER TABLE ONLY public.attempt
    ADD CONSTRAINT attempt_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.audit_log
    ADD CONSTRAINT audit_log_pkey PRIMARY KEY (tenant_id, at, id);

ALTER TABLE ONLY public.audit_log_default
    ADD CONSTRAINT audit_log_default_pkey PRIMARY KEY (tenant_id, at, id);

ALTER TABLE ONLY public.beat
    ADD CONSTRAINT beat_pkey PRIMARY KEY (single);

ALTER TABLE ONLY public.branch_map
    ADD CONSTRAINT branch_map_pkey PRIMARY KEY (tenant_id, business_unit_id);

ALTER TABLE ONLY public.choice
    ADD CONSTRAINT choice_pkey PRIMARY KEY (tenant_id, domain, system, record_id);

ALTER TABLE ONLY public.connection
    ADD CONSTRAINT connection_pkey PRIMARY KEY (tenant_id, system);

ALTER TABLE ONLY public.connection_slot
    ADD CONSTRAINT connection_slot_pkey PRIMARY KEY (tenant_id, system, slot);

ALTER TABLE ONLY public.document
    ADD CONSTRAINT document_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.erasure
    ADD CONSTRAINT erasure_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.identity
    ADD CONSTRAINT identity_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY public.installation
    ADD CONSTRAINT installation_pkey PRIMARY KEY (single);

ALTER TABLE ONLY public.matter
    ADD CONSTRAINT matter_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.need
    ADD CONSTRAINT need_pkey PRIMARY KEY (tenant_id, matter_id, needed_id, what);

ALTER TABLE ONLY public.number_gap
    ADD CONSTRAINT number_gap_pkey PRIMARY KEY (tenant_id, document_type, number);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_once UNIQUE (tenant_id, domain, matter_id);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.payload
    ADD CONSTRAINT payload_pkey PRIMARY KEY (tenant_id, at, id);

ALTER TABLE ONLY public.payload_default
    ADD CONSTRAINT payload_default_pkey PRIMARY KEY (tenant_id, at, id);

ALTER TABLE ONLY public.problem
    ADD CONSTRAINT problem_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.reading
    ADD CONSTRAINT reading_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.record
    ADD CONSTRAINT record_pkey PRIMARY KEY (tenant_id, system, register, id);

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.setting
    ADD CONSTRAINT setting_pkey PRIMARY KEY (tenant_id, version);

ALTER TABLE ONLY public.step
    ADD CONSTRAINT step_pkey PRIMARY KEY (tenant_id, attempt_id, name, round);

ALTER TABLE ONLY public.stream
    ADD CONSTRAINT stream_pkey PRIMARY KEY (tenant_id, system, register);

ALTER TABLE ONLY public.tenant
    ADD CONSTRAINT tenant_name_key UNIQUE (name);

ALTER TABLE ONLY public.tenant
    ADD CONSTRAINT tenant_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.transfer_log
    ADD CONSTRAINT transfer_log_pkey PRIMARY KEY (tenant_id, at, id);

ALTER TABLE ONLY public.transfer_log_default
    ADD CONSTRAINT transfer_log_default_pkey PRIMARY KEY (tenant_id, at, id);

CREATE INDEX attempt_delivery ON public.attempt USING btree (tenant_id, delivery);

CREATE INDEX attempt_matter ON public.attempt USING btree (tenant_id, matter_id, started_at);

CREATE INDEX connection_due ON public.connection USING btree (next_poll_at);

CREATE UNIQUE INDEX cost_line ON public.step USING btree (tenant_id, matter_id, name, round) WHERE ((domain = 'cost'::text) AND ((sent_at IS NOT NULL) OR (done_at IS NOT NULL)));

CREATE INDEX document_matter ON public.document USING btree (tenant_id, matter_id);

CREATE UNIQUE INDEX document_nonce ON public.document USING btree (tenant_id, nonce) WHERE (nonce <> ''::text);

CREATE UNIQUE INDEX document_number ON public.document USING btree (tenant_id, type, number) WHERE (state = ANY (ARRAY['made'::text, 'claimed'::text, 'released'::text, 'unknown'::text]));

CREATE UNIQUE INDEX document_one ON public.document USING btree (tenant_id, matter_id) WHERE (state = ANY (ARRAY['claimed'::text, 'released'::text]));

CREATE INDEX document_removed ON public.document USING btree (tenant_id, type, number) WHERE (state = 'removed'::text);

CREATE UNIQUE INDEX identity_erp ON public.identity USING btree (erp_place, erp_tenant);

CREATE UNIQUE INDEX identity_severa ON public.identity USING btree (severa_place, severa_organisation);

CREATE UNIQUE INDEX matter_erp ON public.matter USING btree (tenant_id, domain, erp_register, erp_id) WHERE ((erp_id IS NOT NULL) AND (joined_into IS NULL));

CREATE INDEX matter_erp_number ON public.matter USING btree (tenant_id, domain, public.bridge_lower(erp_number)) WHERE (erp_number <> ''::text);

CREATE INDEX matter_joined ON public.matter USING btree (tenant_id, joined_into) WHERE (joined_into IS NOT NULL);

CREATE UNIQUE INDEX matter_key ON public.matter USING btree (tenant_id, domain, natural_key) WHERE (natural_key IS NOT NULL);

CREATE INDEX matter_leased ON public.matter USING btree (lease_until) WHERE (lease_until IS NOT NULL);

CREATE UNIQUE INDEX matter_severa ON public.matter USING btree (tenant_id, domain, severa_id) WHERE ((severa_id IS NOT NULL) AND (joined_into IS NULL));

CREATE INDEX need_needed ON public.need USING btree (tenant_id, needed_id);

CREATE INDEX outbox_due ON public.outbox USING btree (tenant_id, domain, begun DESC, rank, due_at) WHERE (state = ANY (ARRAY['ready'::text, 'waiting'::text]));

CREATE INDEX outbox_leased ON public.outbox USING btree (lease_until) WHERE (state = 'out'::text);

CREATE INDEX outbox_matter ON public.outbox USING btree (tenant_id, matter_id);

CREATE INDEX outbox_started ON public.outbox USING btree (tenant_id, matter_id) WHERE (state = 'started'::text);

CREATE INDEX outbox_waits_key ON public.outbox USING btree (tenant_id, waits_key) WHERE (waits_key IS NOT NULL);

CREATE INDEX outbox_waits_matter ON public.outbox USING btree (tenant_id, waits_matter) WHERE (waits_matter IS NOT NULL);

CREATE INDEX payload_attempt ON ONLY public.payload USING btree (tenant_id, attempt_id);

CREATE INDEX payload_default_tenant_id_attempt_id_idx ON public.payload_default USING btree (tenant_id, attempt_id);

CREATE INDEX problem_matter ON public.problem USING btree (tenant_id, matter_id) WHERE ((closed_at IS NULL) AND (matter_id IS NOT NULL));

CREATE UNIQUE INDEX problem_open ON public.problem USING btree (tenant_id, domain, COALESCE((matter_id)::text, subject), code) WHERE (closed_at IS NULL);

CREATE UNIQUE INDEX reading_held ON public.reading USING btree (tenant_id, system, register) WHERE (state = 'held'::text);

CREATE UNIQUE INDEX reading_open ON public.reading USING btree (tenant_id, system, register) WHERE (state = 'open'::text);

CREATE INDEX reading_register ON public.reading USING btree (tenant_id, system, register, id);

CREATE INDEX record_marker ON public.record USING btree (tenant_id, marker) WHERE (marker IS NOT NULL);

CREATE INDEX record_name ON public.record USING btree (tenant_id, system, register, name_key) WHERE (name_key <> ''::text);

CREATE INDEX record_number ON public.record USING btree (tenant_id, system, register, public.bridge_lower(number)) WHERE (number <> ''::text);

CREATE INDEX record_organisation ON public.record USING btree (tenant_id, system, register, organisation) WHERE (organisation <> ''::text);

CREATE INDEX record_owner ON public.record USING btree (tenant_id, system, register, owner) WHERE (owner <> ''::text);

CREATE INDEX record_read_again ON public.record USING btree (tenant_id, system, register) WHERE read_again;

CREATE INDEX record_unannounced ON public.record USING btree (tenant_id, system, register, id) WHERE (in_scope AND (version > announced_version));

CREATE INDEX record_unsettled ON public.record USING btree (tenant_id) WHERE (in_scope AND (version > settled_version));

CREATE INDEX step_delivery ON public.step USING btree (tenant_id, delivery);

CREATE INDEX step_open ON public.step USING btree (tenant_id, matter_id) WHERE ((sent_at IS NOT NULL) AND (done_at IS NULL));

CREATE INDEX transfer_log_matter ON ONLY public.transfer_log USING btree (tenant_id, matter_id, at) WHERE (matter_id IS NOT NULL);

CREATE INDEX transfer_log_default_tenant_id_matter_id_at_idx ON public.transfer_log_default USING btree (tenant_id, matter_id, at) WHERE (matter_id IS NOT NULL);

CREATE INDEX transfer_log_record ON ONLY public.transfer_log USING btree (tenant_id, register, record_id, at);

CREATE INDEX transfer_log_default_tenant_id_register_record_id_at_idx ON public.transfer_log_default USING btree (tenant_id, register, record_id, at);

ALTER INDEX public.audit_log_pkey ATTACH PARTITION public.audit_log_default_pkey;

ALTER INDEX public.payload_pkey ATTACH PARTITION public.payload_default_pkey;

ALTER INDEX public.payload_attempt ATTACH PARTITION public.payload_default_tenant_id_attempt_id_idx;

ALTER INDEX public.transfer_log_pkey ATTACH PARTITION public.transfer_log_default_pkey;

ALTER INDEX public.transfer_log_matter ATTACH PARTITION public.transfer_log_default_tenant_id_matter_id_at_idx;

ALTER INDEX public.transfer_log_record ATTACH PARTITION public.transfer_log_default_tenant_id_register_record_id_at_idx;

ALTER TABLE ONLY public.attempt
    ADD CONSTRAINT attempt_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(id);

ALTER TABLE ONLY public.branch_map
    ADD CONSTRAINT branch_map_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(id);

ALTER TABLE ONLY public.choice
    ADD CONSTRAINT choice_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(id);

ALTER TABLE ONLY public.connection_slot
    ADD CONSTRAINT connection_slot_tenant_id_system_fkey FOREIGN KEY (tenant_id, system) REFERENCES public.connection(tenant_id, system);

ALTER TABLE ONLY public.connection
    ADD CONSTRAINT connection_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(id);

ALTER TABLE ONLY public.document
    ADD CONSTRAINT document_tenant_id_matter_id_fkey FOREIGN KEY (tenant_id, matter_id) REFERENCES public.matter(tenant_id, id);

ALTER TABLE ONLY public.identity
    ADD CONSTRAINT identity_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(id);

ALTER TABLE ONLY public.matter
    ADD CONSTRAINT matter_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(id);

ALTER TABLE ONLY public.matter
    ADD CONSTRAINT matter_tenant_id_joined_into_fkey FOREIGN KEY (tenant_id, joined_into) REFERENCES public.matter(tenant_id, id);

ALTER TABLE ONLY public.need
    ADD CONSTRAINT need_tenant_id_matter_id_fkey FOREIGN KEY (tenant_id, matter_id) REFERENCES public.matter(tenant_id, id);

ALTER TABLE ONLY public.need
    ADD CONSTRAINT need_tenant_id_needed_id_fkey FOREIGN KEY (tenant_id, needed_id) REFERENCES public.matter(tenant_id, id);

ALTER TABLE ONLY public.number_gap
    ADD CONSTRAINT number_gap_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(id);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_matter FOREIGN KEY (tenant_id, matter_id) REFERENCES public.matter(tenant_id, id);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(id);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_waits FOREIGN KEY (tenant_id, waits_matter) REFERENCES public.matter(tenant_id, id);

ALTER TABLE ONLY public.problem
    ADD CONSTRAINT problem_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(id);

ALTER TABLE ONLY public.reading
    ADD CONSTRAINT reading_tenant_id_system_fkey FOREIGN KEY (tenant_id, system) REFERENCES public.connection(tenant_id, system);

ALTER TABLE ONLY public.record
    ADD CONSTRAINT record_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(id);

ALTER TABLE ONLY public.setting
    ADD CONSTRAINT setting_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(id);

ALTER TABLE ONLY public.step
    ADD CONSTRAINT step_tenant_id_attempt_id_fkey FOREIGN KEY (tenant_id, attempt_id) REFERENCES public.attempt(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.stream
    ADD CONSTRAINT stream_tenant_id_system_fkey FOREIGN KEY (tenant_id, system) REFERENCES public.connection(tenant_id, system);

ALTER TABLE public.attempt ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.audit_log ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.branch_map ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.choice ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.connection ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.connection_slot ENABLE ROW LEVEL SECURITY;

CREATE POLICY dispatch ON public.connection TO bridge_dispatch USING (true);

CREATE POLICY dispatch ON public.erasure TO bridge_dispatch USING (true);

CREATE POLICY dispatch ON public.identity TO bridge_dispatch USING (true);

CREATE POLICY dispatch ON public.matter TO bridge_dispatch USING (true);

CREATE POLICY dispatch ON public.outbox TO bridge_dispatch USING (true);

CREATE POLICY dispatch ON public.problem TO bridge_dispatch USING (true);

CREATE POLICY dispatch ON public.stream TO bridge_dispatch USING (true);

CREATE POLICY dispatch ON public.tenant TO bridge_dispatch USING (true);

ALTER TABLE public.document ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.erasure ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.identity ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.matter ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.need ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.number_gap ENABLE ROW LEVEL SECURITY;

CREATE POLICY of_tenant ON public.attempt TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.audit_log TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.branch_map TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.choice TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.connection TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.connection_slot TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.document TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.erasure TO bridge_app USING ((id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.identity TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.matter TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.need TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.number_gap TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.outbox TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.payload TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.problem TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.reading TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.record TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.setting TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.step TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.stream TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.tenant TO bridge_app USING ((id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.transfer_log TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

ALTER TABLE public.outbox ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.payload ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.problem ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.reading ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.record ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.setting ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.step ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.stream ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.tenant ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.transfer_log ENABLE ROW LEVEL SECURITY;

CREATE POLICY while_erased ON public.audit_log AS RESTRICTIVE FOR DELETE TO bridge_app USING ((EXISTS ( SELECT
   FROM public.tenant e
  WHERE ((e.id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid) AND (e.state = 'erasing'::text)))));

CREATE POLICY while_erased ON public.document AS RESTRICTIVE FOR DELETE TO bridge_app USING ((EXISTS ( SELECT
   FROM public.tenant e
  WHERE ((e.id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid) AND (e.state = 'erasing'::text)))));

CREATE POLICY while_erased ON public.matter AS RESTRICTIVE FOR DELETE TO bridge_app USING ((EXISTS ( SELECT
   FROM public.tenant e
  WHERE ((e.id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid) AND (e.state = 'erasing'::text)))));

CREATE POLICY while_erased ON public.tenant AS RESTRICTIVE FOR DELETE TO bridge_app USING ((state = 'erasing'::text));

CREATE POLICY while_erased ON public.transfer_log AS RESTRICTIVE FOR DELETE TO bridge_app USING ((EXISTS ( SELECT
   FROM public.tenant e
  WHERE ((e.id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid) AND (e.state = 'erasing'::text)))));

REVOKE ALL ON FUNCTION public.bridge_begin_epoch(settle double precision, seen uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.bridge_begin_epoch(settle double precision, seen uuid) TO bridge_dispatch;

REVOKE ALL ON FUNCTION public.bridge_read_anew(moment timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.bridge_void_leases() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.make_partitions(ahead integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.make_partitions(ahead integer) TO bridge_dispatch;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.attempt TO bridge_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.audit_log TO bridge_app;

GRANT SELECT ON TABLE public.beat TO bridge_app;
GRANT SELECT,UPDATE ON TABLE public.beat TO bridge_dispatch;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.branch_map TO bridge_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.choice TO bridge_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.connection TO bridge_app;

GRANT SELECT(tenant_id) ON TABLE public.connection TO bridge_dispatch;

GRANT SELECT(system) ON TABLE public.connection TO bridge_dispatch;

GRANT SELECT(paused_until) ON TABLE public.connection TO bridge_dispatch;

GRANT SELECT(poll_token),UPDATE(poll_token) ON TABLE public.connection TO bridge_dispatch;

GRANT SELECT(poll_lease_until),UPDATE(poll_lease_until) ON TABLE public.connection TO bridge_dispatch;

GRANT SELECT(next_poll_at),UPDATE(next_poll_at) ON TABLE public.connection TO bridge_dispatch;

GRANT SELECT(asked_at),UPDATE(asked_at) ON TABLE public.connection TO bridge_dispatch;

GRANT SELECT(checked_at) ON TABLE public.connection TO bridge_dispatch;

GRANT SELECT(polls) ON TABLE public.connection TO bridge_dispatch;

GRANT SELECT(last_changes) ON TABLE public.connection TO bridge_dispatch;

GRANT SELECT(epoch_at),UPDATE(epoch_at) ON TABLE public.connection TO bridge_dispatch;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.connection_slot TO bridge_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.document TO bridge_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.erasure TO bridge_app;
GRANT SELECT ON TABLE public.erasure TO bridge_dispatch;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.identity TO bridge_app;
GRANT SELECT ON TABLE public.identity TO bridge_dispatch;

GRANT SELECT ON TABLE public.installation TO bridge_app;
GRANT SELECT,UPDATE ON TABLE public.installation TO bridge_dispatch;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.matter TO bridge_app;

GRANT SELECT(tenant_id) ON TABLE public.matter TO bridge_dispatch;

GRANT SELECT(id) ON TABLE public.matter TO bridge_dispatch;

GRANT SELECT(domain) ON TABLE public.matter TO bridge_dispatch;

GRANT UPDATE(token) ON TABLE public.matter TO bridge_dispatch;

GRANT SELECT(lease_until),UPDATE(lease_until) ON TABLE public.matter TO bridge_dispatch;

GRANT SELECT(generation),UPDATE(generation) ON TABLE public.matter TO bridge_dispatch;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.need TO bridge_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.number_gap TO bridge_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenant TO bridge_app;
GRANT SELECT ON TABLE public.tenant TO bridge_dispatch;

GRANT SELECT ON TABLE public.open_tenant TO bridge_app;
GRANT SELECT ON TABLE public.open_tenant TO bridge_dispatch;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.outbox TO bridge_app;

GRANT SELECT(tenant_id) ON TABLE public.outbox TO bridge_dispatch;

GRANT SELECT(id) ON TABLE public.outbox TO bridge_dispatch;

GRANT SELECT(domain) ON TABLE public.outbox TO bridge_dispatch;

GRANT SELECT(state),UPDATE(state) ON TABLE public.outbox TO bridge_dispatch;

GRANT SELECT(due_at),UPDATE(due_at) ON TABLE public.outbox TO bridge_dispatch;

GRANT SELECT(again) ON TABLE public.outbox TO bridge_dispatch;

GRANT SELECT(begun) ON TABLE public.outbox TO bridge_dispatch;

GRANT SELECT(generation),UPDATE(generation) ON TABLE public.outbox TO bridge_dispatch;

GRANT SELECT(lease_until),UPDATE(lease_until) ON TABLE public.outbox TO bridge_dispatch;

GRANT UPDATE(token) ON TABLE public.outbox TO bridge_dispatch;

GRANT SELECT(delivery) ON TABLE public.outbox TO bridge_dispatch;

GRANT SELECT(lost),UPDATE(lost) ON TABLE public.outbox TO bridge_dispatch;

GRANT SELECT(system) ON TABLE public.outbox TO bridge_dispatch;

GRANT SELECT(register) ON TABLE public.outbox TO bridge_dispatch;

GRANT UPDATE(changed_at) ON TABLE public.outbox TO bridge_dispatch;

GRANT SELECT(matter_id) ON TABLE public.outbox TO bridge_dispatch;

GRANT SELECT(rank) ON TABLE public.outbox TO bridge_dispatch;

GRANT SELECT(waits_matter),UPDATE(waits_matter) ON TABLE public.outbox TO bridge_dispatch;

GRANT SELECT(waits_key),UPDATE(waits_key) ON TABLE public.outbox TO bridge_dispatch;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.payload TO bridge_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.problem TO bridge_app;

GRANT SELECT(tenant_id) ON TABLE public.problem TO bridge_dispatch;

GRANT SELECT(id) ON TABLE public.problem TO bridge_dispatch;

GRANT SELECT(domain) ON TABLE public.problem TO bridge_dispatch;

GRANT SELECT(code) ON TABLE public.problem TO bridge_dispatch;

GRANT SELECT(opened_at) ON TABLE public.problem TO bridge_dispatch;

GRANT SELECT(closed_at) ON TABLE public.problem TO bridge_dispatch;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.reading TO bridge_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.record TO bridge_app;

GRANT SELECT ON TABLE public.schema_migrations TO bridge_app;
GRANT SELECT ON TABLE public.schema_migrations TO bridge_dispatch;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.setting TO bridge_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.step TO bridge_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.stream TO bridge_app;
GRANT SELECT ON TABLE public.stream TO bridge_dispatch;

GRANT UPDATE(watermark) ON TABLE public.stream TO bridge_dispatch;

GRANT UPDATE(complete_at) ON TABLE public.stream TO bridge_dispatch;

GRANT UPDATE(swept_at) ON TABLE public.stream TO bridge_dispatch;

GRANT SELECT,INSERT,DELETE ON TABLE public.transfer_log TO bridge_app;
