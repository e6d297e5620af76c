-- get --
select severa_place, severa_organisation, severa_number, severa_name, erp_place, erp_tenant, erp_number, erp_name from identity where tenant_id = %(tenant_id)s

-- holders --
-- Which other tenants have a Severa organisation or an ERP company with this id (dispatch: over all tenants, without a secret),
-- and where. Whether that is the same system is for the caller to say: one host has several names.
select t.name, h.severa_place, h.erp_place, coalesce(h.same_severa, false) as same_severa, h.same_erp
from (select i.tenant_id, i.severa_place, i.erp_place, i.severa_organisation = %(severa_organisation)s as same_severa,
             i.erp_tenant = %(erp_tenant)s as same_erp
      from identity i where i.tenant_id <> %(tenant_id)s) as h join tenant t on t.id = h.tenant_id
where h.same_severa or h.same_erp
order by t.made_at

-- keep --
-- The pair itself never changes once it is known; what is called how, and at which address it is reached, does.
insert into identity (tenant_id, severa_place, severa_organisation, severa_number, severa_name, erp_place, erp_tenant, erp_number, erp_name)
values (%(tenant_id)s, %(severa_place)s, %(severa_organisation)s, %(severa_number)s, %(severa_name)s, %(erp_place)s, %(erp_tenant)s, %(erp_number)s, %(erp_name)s)
on conflict (tenant_id) do update set
    severa_organisation = coalesce(identity.severa_organisation, excluded.severa_organisation),
    severa_place = excluded.severa_place, erp_place = excluded.erp_place, severa_number = excluded.severa_number, severa_name = excluded.severa_name,
    erp_number = case when excluded.erp_number <> '' then excluded.erp_number else identity.erp_number end,
    erp_name = case when excluded.erp_name <> '' then excluded.erp_name else identity.erp_name end,
    changed_at = bridge_now()
where identity.erp_tenant = excluded.erp_tenant
  and (identity.severa_organisation is null or identity.severa_organisation is not distinct from excluded.severa_organisation)
returning tenant_id
