-- Names are compared by one form (domain/text.py name_key), in which letters are composed; keys that were stored before are
-- composed now, or a name typed with a decomposed letter is not found. PostgreSQL's NFC is Python's; the case of what is
-- stored was folded already.
set local statement_timeout = '15min';
update record set name_key = normalize(name_key, NFC) where name_key is not NFC normalized;

-- Numbers and codes that differ only in case are one to the ERP.
drop index record_number;
create index record_number on record (tenant_id, system, register, lower(number)) where number <> '';
drop index matter_erp_number;
create index matter_erp_number on matter (tenant_id, domain, lower(erp_number)) where erp_number <> '';
