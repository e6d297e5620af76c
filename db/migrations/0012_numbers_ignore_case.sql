-- Codes and numbers are looked up without case, as the ERP's own keys are ("hours" is its HOURS). The old indexes would not
-- serve such a look-up any more.

drop index record_number;
create index record_number on record (tenant_id, system, register, lower(number)) where number <> '';
drop index matter_erp_number;
create index matter_erp_number on matter (tenant_id, domain, lower(erp_number)) where erp_number <> '';
