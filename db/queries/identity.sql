-- get --
select severa_organisation, severa_number, severa_name, erp_tenant, erp_number, erp_name from identity where tenant_id = %(tenant_id)s

-- holders --
-- Which other tenants have this Severa organisation or this ERP company (dispatch: over all tenants, without a secret).
select t.name, i.severa_organisation = %(severa_organisation)s as same_severa, i.erp_tenant = %(erp_tenant)s as same_erp
from identity i join tenant t on t.id = i.tenant_id
where (i.severa_organisation = %(severa_organisation)s or i.erp_tenant = %(erp_tenant)s) and i.tenant_id <> %(tenant_id)s
order by t.made_at limit 1

-- keep --
-- The pair itself never changes once it is known; what is called how does.
insert into identity (tenant_id, severa_organisation, severa_number, severa_name, erp_tenant, erp_number, erp_name)
values (%(tenant_id)s, %(severa_organisation)s, %(severa_number)s, %(severa_name)s, %(erp_tenant)s, %(erp_number)s, %(erp_name)s)
on conflict (tenant_id) do update set
    severa_organisation = coalesce(identity.severa_organisation, excluded.severa_organisation),
    severa_number = excluded.severa_number, severa_name = excluded.severa_name,
    erp_number = case when excluded.erp_number <> '' then excluded.erp_number else identity.erp_number end,
    erp_name = case when excluded.erp_name <> '' then excluded.erp_name else identity.erp_name end,
    changed_at = bridge_now()
where identity.erp_tenant = excluded.erp_tenant
  and (identity.severa_organisation is null or identity.severa_organisation is not distinct from excluded.severa_organisation)
returning tenant_id
