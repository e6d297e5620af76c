-- What the migrations make, all together. Made by `make schema`; a test compares it with them.

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

CREATE TABLE public.attempt (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    delivery uuid NOT NULL,
    outbox_id bigint NOT NULL,
    domain text NOT NULL,
    subject text NOT NULL,
    worker text NOT NULL,
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    ended_at timestamp with time zone,
    outcome text,
    error text,
    calls integer DEFAULT 0 NOT NULL
);

CREATE TABLE public.audit_log (
    tenant_id uuid NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    id bigint NOT NULL,
    who text NOT NULL,
    action text NOT NULL,
    details jsonb DEFAULT '{}'::jsonb NOT NULL
)
PARTITION BY RANGE (at);

CREATE TABLE public.audit_log_default (
    tenant_id uuid CONSTRAINT audit_log_tenant_id_not_null NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() CONSTRAINT audit_log_at_not_null NOT NULL,
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
    next_poll_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    asked_at timestamp with time zone,
    checked_at timestamp with time zone,
    polls bigint DEFAULT 0 NOT NULL,
    last_changes bigint DEFAULT 0 NOT NULL,
    last_error text,
    CONSTRAINT connection_system_check CHECK ((system = ANY (ARRAY['severa'::text, 'visma_net'::text])))
);

CREATE TABLE public.connection_slot (
    tenant_id uuid NOT NULL,
    system text NOT NULL,
    slot integer NOT NULL,
    holder uuid,
    lease_until timestamp with time zone
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
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT identity_erp_tenant_check CHECK ((erp_tenant <> ''::text)),
    CONSTRAINT identity_severa_organisation_check CHECK ((severa_organisation <> ''::text))
);

CREATE TABLE public.installation (
    single boolean DEFAULT true NOT NULL,
    system_identifier text NOT NULL,
    timeline integer NOT NULL,
    writes text DEFAULT 'on'::text NOT NULL,
    key_id text,
    made_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    adopted_at timestamp with time zone,
    CONSTRAINT installation_single_check CHECK (single),
    CONSTRAINT installation_writes_check CHECK ((writes = ANY (ARRAY['on'::text, 'canary'::text, 'off'::text])))
);

CREATE TABLE public.link (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    domain text NOT NULL,
    severa_register text NOT NULL,
    severa_id text NOT NULL,
    severa_number text DEFAULT ''::text NOT NULL,
    erp_register text NOT NULL,
    erp_id text NOT NULL,
    erp_number text DEFAULT ''::text NOT NULL,
    base jsonb DEFAULT '{}'::jsonb NOT NULL,
    state jsonb DEFAULT '{}'::jsonb NOT NULL,
    document_type text,
    document_number text,
    made_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT link_check CHECK (((document_type IS NULL) = (document_number IS NULL)))
);

CREATE TABLE public.number_gap (
    tenant_id uuid NOT NULL,
    document_type text NOT NULL,
    number text NOT NULL,
    severa_id text NOT NULL,
    reason text NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE public.outbox (
    tenant_id uuid NOT NULL,
    id bigint NOT NULL,
    domain text NOT NULL,
    subject text NOT NULL,
    state text DEFAULT 'ready'::text NOT NULL,
    due_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
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
    waits_for text,
    made_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT outbox_check CHECK (((state = ANY (ARRAY['out'::text, 'started'::text])) = (lease_until IS NOT NULL))),
    CONSTRAINT outbox_check1 CHECK (((state = 'started'::text) = (token IS NOT NULL))),
    CONSTRAINT outbox_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'ready'::text, 'out'::text, 'started'::text, 'failed'::text, 'in_doubt'::text]))),
    CONSTRAINT outbox_waits_for CHECK (
CASE state
    WHEN 'waiting'::text THEN (waits_for IS NOT NULL)
    WHEN 'failed'::text THEN true
    ELSE (waits_for IS NULL)
END)
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
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
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
    at timestamp with time zone DEFAULT clock_timestamp() CONSTRAINT payload_at_not_null NOT NULL,
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
    opened_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    last_seen_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    times integer DEFAULT 1 NOT NULL,
    closed_at timestamp with time zone,
    closed_how text,
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
    requested_at timestamp with time zone NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    settled_version bigint DEFAULT 0 NOT NULL,
    in_scope boolean NOT NULL,
    seen_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    gone_at timestamp with time zone,
    organisation text DEFAULT ''::text NOT NULL,
    owner text DEFAULT ''::text NOT NULL
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
    made_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE public.step (
    tenant_id uuid NOT NULL,
    attempt_id uuid NOT NULL,
    name text NOT NULL,
    delivery uuid NOT NULL,
    sent_at timestamp with time zone,
    done_at timestamp with time zone,
    request jsonb DEFAULT '{}'::jsonb NOT NULL,
    result jsonb DEFAULT '{}'::jsonb NOT NULL
);

CREATE TABLE public.stream (
    tenant_id uuid NOT NULL,
    system text NOT NULL,
    register text NOT NULL,
    watermark timestamp with time zone,
    complete_at timestamp with time zone,
    swept_at timestamp with time zone,
    changes bigint DEFAULT 0 NOT NULL
);

CREATE TABLE public.tenant (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name text NOT NULL,
    language text NOT NULL,
    time_zone text NOT NULL,
    state text DEFAULT 'new'::text NOT NULL,
    paused_domains text[] DEFAULT '{}'::text[] NOT NULL,
    made_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    live_at timestamp with time zone,
    CONSTRAINT tenant_language_check CHECK ((language = ANY (ARRAY['sv'::text, 'en'::text]))),
    CONSTRAINT tenant_name_check CHECK ((name ~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$'::text)),
    CONSTRAINT tenant_state_check CHECK ((state = ANY (ARRAY['new'::text, 'reading'::text, 'live'::text, 'paused'::text])))
);

CREATE TABLE public.transfer_log (
    tenant_id uuid NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
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
    CONSTRAINT transfer_log_level_check CHECK ((level = ANY (ARRAY['info'::text, 'warning'::text, 'error'::text])))
)
PARTITION BY RANGE (at);

CREATE TABLE public.transfer_log_default (
    tenant_id uuid CONSTRAINT transfer_log_tenant_id_not_null NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() CONSTRAINT transfer_log_at_not_null NOT NULL,
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

ALTER TABLE ONLY public.branch_map
    ADD CONSTRAINT branch_map_pkey PRIMARY KEY (tenant_id, business_unit_id);

ALTER TABLE ONLY public.choice
    ADD CONSTRAINT choice_pkey PRIMARY KEY (tenant_id, domain, system, record_id);

ALTER TABLE ONLY public.connection
    ADD CONSTRAINT connection_pkey PRIMARY KEY (tenant_id, system);

ALTER TABLE ONLY public.connection_slot
    ADD CONSTRAINT connection_slot_pkey PRIMARY KEY (tenant_id, system, slot);

ALTER TABLE ONLY public.identity
    ADD CONSTRAINT identity_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY public.installation
    ADD CONSTRAINT installation_pkey PRIMARY KEY (single);

ALTER TABLE ONLY public.link
    ADD CONSTRAINT link_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.link
    ADD CONSTRAINT link_tenant_id_document_type_document_number_key UNIQUE (tenant_id, document_type, document_number);

ALTER TABLE ONLY public.link
    ADD CONSTRAINT link_tenant_id_domain_erp_register_erp_id_key UNIQUE (tenant_id, domain, erp_register, erp_id);

ALTER TABLE ONLY public.link
    ADD CONSTRAINT link_tenant_id_domain_severa_register_severa_id_key UNIQUE (tenant_id, domain, severa_register, severa_id);

ALTER TABLE ONLY public.number_gap
    ADD CONSTRAINT number_gap_pkey PRIMARY KEY (tenant_id, document_type, number);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_tenant_id_domain_subject_key UNIQUE (tenant_id, domain, subject);

ALTER TABLE ONLY public.payload
    ADD CONSTRAINT payload_pkey PRIMARY KEY (tenant_id, at, id);

ALTER TABLE ONLY public.payload_default
    ADD CONSTRAINT payload_default_pkey PRIMARY KEY (tenant_id, at, id);

ALTER TABLE ONLY public.problem
    ADD CONSTRAINT problem_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.record
    ADD CONSTRAINT record_pkey PRIMARY KEY (tenant_id, system, register, id);

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.setting
    ADD CONSTRAINT setting_pkey PRIMARY KEY (tenant_id, version);

ALTER TABLE ONLY public.step
    ADD CONSTRAINT step_pkey PRIMARY KEY (tenant_id, attempt_id, name);

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

CREATE INDEX attempt_subject ON public.attempt USING btree (tenant_id, subject, started_at);

CREATE INDEX connection_due ON public.connection USING btree (next_poll_at);

CREATE UNIQUE INDEX identity_erp ON public.identity USING btree (erp_place, erp_tenant);

CREATE UNIQUE INDEX identity_severa ON public.identity USING btree (severa_place, severa_organisation);

CREATE INDEX link_erp_number ON public.link USING btree (tenant_id, domain, lower(erp_number));

CREATE INDEX outbox_due ON public.outbox USING btree (tenant_id, domain, begun DESC, due_at) WHERE (state = ANY (ARRAY['ready'::text, 'waiting'::text]));

CREATE INDEX outbox_leased ON public.outbox USING btree (lease_until) WHERE (state = ANY (ARRAY['out'::text, 'started'::text]));

CREATE INDEX outbox_waiting ON public.outbox USING btree (tenant_id, waits_for) WHERE (waits_for IS NOT NULL);

CREATE INDEX payload_attempt ON ONLY public.payload USING btree (tenant_id, attempt_id);

CREATE INDEX payload_default_tenant_id_attempt_id_idx ON public.payload_default USING btree (tenant_id, attempt_id);

CREATE UNIQUE INDEX problem_open ON public.problem USING btree (tenant_id, domain, subject, code) WHERE (closed_at IS NULL);

CREATE INDEX record_marker ON public.record USING btree (tenant_id, marker) WHERE (marker IS NOT NULL);

CREATE INDEX record_name ON public.record USING btree (tenant_id, system, register, name_key) WHERE (name_key <> ''::text);

CREATE INDEX record_number ON public.record USING btree (tenant_id, system, register, lower(number)) WHERE (number <> ''::text);

CREATE INDEX record_organisation ON public.record USING btree (tenant_id, system, register, organisation) WHERE (organisation <> ''::text);

CREATE INDEX record_owner ON public.record USING btree (tenant_id, system, register, owner) WHERE (owner <> ''::text);

CREATE INDEX record_unsettled ON public.record USING btree (tenant_id) WHERE (in_scope AND (version > settled_version));

CREATE INDEX step_delivery ON public.step USING btree (tenant_id, delivery);

CREATE INDEX transfer_log_record ON ONLY public.transfer_log USING btree (tenant_id, register, record_id, at);

CREATE INDEX transfer_log_default_tenant_id_register_record_id_at_idx ON public.transfer_log_default USING btree (tenant_id, register, record_id, at);

ALTER INDEX public.audit_log_pkey ATTACH PARTITION public.audit_log_default_pkey;

ALTER INDEX public.payload_pkey ATTACH PARTITION public.payload_default_pkey;

ALTER INDEX public.payload_attempt ATTACH PARTITION public.payload_default_tenant_id_attempt_id_idx;

ALTER INDEX public.transfer_log_pkey ATTACH PARTITION public.transfer_log_default_pkey;

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

ALTER TABLE ONLY public.identity
    ADD CONSTRAINT identity_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(id);

ALTER TABLE ONLY public.link
    ADD CONSTRAINT link_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(id);

ALTER TABLE ONLY public.number_gap
    ADD CONSTRAINT number_gap_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(id);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(id);

ALTER TABLE ONLY public.problem
    ADD CONSTRAINT problem_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(id);

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

CREATE POLICY dispatch ON public.identity TO bridge_dispatch USING (true);

CREATE POLICY dispatch ON public.outbox TO bridge_dispatch USING (true);

CREATE POLICY dispatch ON public.problem TO bridge_dispatch USING (true);

CREATE POLICY dispatch ON public.stream TO bridge_dispatch USING (true);

CREATE POLICY dispatch ON public.tenant TO bridge_dispatch USING (true);

ALTER TABLE public.identity ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.link ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.number_gap ENABLE ROW LEVEL SECURITY;

CREATE POLICY of_tenant ON public.attempt TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.audit_log TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.branch_map TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.choice TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.connection TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.connection_slot TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.identity TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.link TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.number_gap TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.outbox TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.payload TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.problem TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.record TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.setting TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.step TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.stream TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.tenant TO bridge_app USING ((id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

CREATE POLICY of_tenant ON public.transfer_log TO bridge_app USING ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid));

ALTER TABLE public.outbox ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.payload ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.problem ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.record ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.setting ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.step ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.stream ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.tenant ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.transfer_log ENABLE ROW LEVEL SECURITY;

REVOKE ALL ON FUNCTION public.make_partitions(ahead integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.make_partitions(ahead integer) TO bridge_dispatch;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.attempt TO bridge_app;

GRANT SELECT,INSERT ON TABLE public.audit_log TO bridge_app;

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

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.connection_slot TO bridge_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.identity TO bridge_app;
GRANT SELECT ON TABLE public.identity TO bridge_dispatch;

GRANT SELECT ON TABLE public.installation TO bridge_app;
GRANT SELECT,UPDATE ON TABLE public.installation TO bridge_dispatch;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.link TO bridge_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.number_gap TO bridge_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.outbox TO bridge_app;

GRANT SELECT(tenant_id) ON TABLE public.outbox TO bridge_dispatch;

GRANT SELECT(id) ON TABLE public.outbox TO bridge_dispatch;

GRANT SELECT(domain) ON TABLE public.outbox TO bridge_dispatch;

GRANT SELECT(subject) ON TABLE public.outbox TO bridge_dispatch;

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

GRANT SELECT(waits_for),UPDATE(waits_for) ON TABLE public.outbox TO bridge_dispatch;

GRANT UPDATE(changed_at) ON TABLE public.outbox TO bridge_dispatch;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.payload TO bridge_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.problem TO bridge_app;

GRANT SELECT(tenant_id) ON TABLE public.problem TO bridge_dispatch;

GRANT SELECT(id) ON TABLE public.problem TO bridge_dispatch;

GRANT SELECT(domain) ON TABLE public.problem TO bridge_dispatch;

GRANT SELECT(code) ON TABLE public.problem TO bridge_dispatch;

GRANT SELECT(opened_at) ON TABLE public.problem TO bridge_dispatch;

GRANT SELECT(closed_at) ON TABLE public.problem TO bridge_dispatch;

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

GRANT SELECT,INSERT,UPDATE ON TABLE public.tenant TO bridge_app;
GRANT SELECT ON TABLE public.tenant TO bridge_dispatch;

GRANT SELECT,INSERT ON TABLE public.transfer_log TO bridge_app;
