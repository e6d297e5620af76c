-- Whom a record belongs to and which organisation it is: addresses and contacts settle with their customer, and a customer
-- is matched by organisation number, without reading whole registers.
-- Rows that are stored already get both when their register is next read whole (the daily sweep, or `tenant go-live`).

alter table record
    add column organisation text not null default '',
    add column owner        text not null default '';
create index record_organisation on record (tenant_id, system, register, organisation) where organisation <> '';
create index record_owner on record (tenant_id, system, register, owner) where owner <> '';
