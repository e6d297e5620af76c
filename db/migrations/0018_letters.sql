-- Whether two letters differ only in case does not depend on the locale that somebody chose for the database: under "C", lower()
-- knows A to Z only, and an item KONS-Å was not found as kons-å. PostgreSQL's own Unicode table where it is there (17 and later),
-- else ICU's, else what the locale knows.
do $$
declare
    found text := coalesce(
        (select collname from pg_collation where collname = 'pg_c_utf8' and collnamespace = 'pg_catalog'::regnamespace),
        (select collname from pg_collation where collname = 'und-x-icu' and collnamespace = 'pg_catalog'::regnamespace),
        'default');
begin
    execute format(
        'create function bridge_lower(text) returns text language sql immutable parallel safe as %L',
        format('select lower($1 collate pg_catalog.%I)', found));
end $$;

set local statement_timeout = '15min';
drop index record_number;
create index record_number on record (tenant_id, system, register, bridge_lower(number)) where number <> '';
drop index matter_erp_number;
create index matter_erp_number on matter (tenant_id, domain, bridge_lower(erp_number)) where erp_number <> '';
