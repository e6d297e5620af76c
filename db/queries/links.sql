-- of_severa --
select * from link where tenant_id = %(tenant_id)s and domain = %(domain)s and severa_id = %(severa_id)s

-- of_erp --
select * from link where tenant_id = %(tenant_id)s and domain = %(domain)s and erp_id = %(erp_id)s

-- of_number --
-- The ERP's keys fold case: what is typed as p1042 on a document is P1042.
select * from link where tenant_id = %(tenant_id)s and domain = %(domain)s and lower(erp_number) = lower(%(erp_number)s)

-- get --
select * from link where tenant_id = %(tenant_id)s and id = %(id)s

-- lock --
-- Planning happens under this lock: one row carries both directions, so two planners cannot swap values.
select * from link where tenant_id = %(tenant_id)s and id = %(id)s for update

-- of_ids --
-- Which of these records are linked already (a page's rows, in one question).
select id, domain, severa_id, erp_id from link
where tenant_id = %(tenant_id)s and domain = any (%(domains)s) and (severa_id = any (%(ids)s) or erp_id = any (%(ids)s))

-- put --
insert into link (tenant_id, domain, severa_register, severa_id, severa_number, erp_register, erp_id, erp_number, base, state)
values (%(tenant_id)s, %(domain)s, %(severa_register)s, %(severa_id)s, %(severa_number)s, %(erp_register)s, %(erp_id)s, %(erp_number)s,
        coalesce(%(base)s::jsonb, '{}'), coalesce(%(state)s::jsonb, '{}'))
on conflict (tenant_id, domain, severa_register, severa_id) do update set
    severa_number = excluded.severa_number, erp_register = excluded.erp_register, erp_id = excluded.erp_id, erp_number = excluded.erp_number,
    base = coalesce(%(base)s::jsonb, link.base), state = coalesce(%(state)s::jsonb, link.state), changed_at = clock_timestamp()
returning id

-- change --
update link set severa_register = %(severa_register)s, severa_id = %(severa_id)s, severa_number = %(severa_number)s,
    erp_register = %(erp_register)s, erp_id = %(erp_id)s, erp_number = %(erp_number)s,
    base = coalesce(%(base)s::jsonb, base), state = coalesce(%(state)s::jsonb, state), changed_at = clock_timestamp()
where tenant_id = %(tenant_id)s and id = %(id)s

-- claim_document --
-- Unique per source and per document: only this number is ever released for this invoice (R-INV-13).
insert into link (tenant_id, domain, severa_register, severa_id, erp_register, erp_id, erp_number, document_type, document_number)
values (%(tenant_id)s, 'invoice', 'invoices', %(severa_id)s, %(erp_register)s, %(erp_id)s, %(document_number)s, %(document_type)s, %(document_number)s)
on conflict (tenant_id, domain, severa_register, severa_id) do update set
    document_type = excluded.document_type, document_number = excluded.document_number, erp_register = excluded.erp_register,
    erp_id = excluded.erp_id, erp_number = excluded.erp_number, changed_at = clock_timestamp()
where link.document_number is null
   or (link.document_type = excluded.document_type and link.document_number = excluded.document_number)
returning id

-- drop_document --
delete from link where tenant_id = %(tenant_id)s and domain = 'invoice' and severa_register = 'invoices' and severa_id = %(severa_id)s

-- choice --
select value from choice where tenant_id = %(tenant_id)s and domain = %(domain)s and system = %(system)s and record_id = %(record_id)s

-- put_choice --
insert into choice (tenant_id, domain, system, record_id, value)
values (%(tenant_id)s, %(domain)s, %(system)s, %(record_id)s, %(value)s)
on conflict (tenant_id, domain, system, record_id) do update set value = excluded.value
