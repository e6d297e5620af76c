-- A document that the bridge removed and that the ERP shows all the same (a 204 that was none, a removal that was undone): how
-- often it was removed, and from when on no reading may show it any more. Quick.
-- What was removed before has neither: it must have shown at once, and is removed three times more.
alter table document add column removals integer not null default 0, add column gone_by timestamptz;
-- Each page of documents asks for the removed ones among them.
create index document_removed on document (tenant_id, type, number) where state = 'removed';
