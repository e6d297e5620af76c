-- A tenant is a pair of companies for life: which Severa organisation and which ERP company it belongs to is kept, and neither
-- belongs to two tenants of an installation. Two tenants on one pair would book every invoice twice, and another firm's
-- credentials under a known name would write into a stranger's ledger.

create table identity (
    tenant_id           uuid primary key references tenant,
    -- host and port of either system: an id is one within its system, and a test environment may hold a copy
    severa_place        text        not null default '',
    erp_place           text        not null default '',
    -- Severa's guid of the organisation; null until it was read (tenants that were added before this table)
    severa_organisation text check (severa_organisation <> ''),
    severa_number       text        not null default '',
    severa_name         text        not null default '',
    -- Visma.net's tenant id of the company, in small letters
    erp_tenant          text        not null check (erp_tenant <> ''),
    -- '' until somebody has signed in (the interactive kind)
    erp_number          text        not null default '',
    erp_name            text        not null default '',
    changed_at          timestamptz not null default bridge_now()
);
create unique index identity_severa on identity (severa_place, severa_organisation);
create unique index identity_erp on identity (erp_place, erp_tenant);

alter table identity enable row level security;
create policy of_tenant on identity to bridge_app
    using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid)
    with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select, insert, update, delete on identity to bridge_app;

-- Who else has this organisation or company is a question over all tenants; names and numbers are no secrets.
create policy dispatch on identity to bridge_dispatch using (true);
grant select on identity to bridge_dispatch;

-- Of tenants that share a company already the oldest keeps it; the others are refused when they are added again.
insert into identity (tenant_id, erp_place, erp_tenant)
select distinct on (place, company) id, place, company
from (select t.id, t.made_at, lower(btrim(c.config ->> 'tenant_id')) as company,
             coalesce(lower(substring(c.config ->> 'base_url' from '^https?://([^/]+)')), '') as place
      from tenant t join connection c on c.tenant_id = t.id and c.system = 'visma_net') as known
where company <> ''
order by place, company, made_at;
