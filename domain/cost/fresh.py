"""The document as it stands in the ERP at this moment, read singly before anything is written (docs/never-twice.md rule 14)."""

from __future__ import annotations

from domain.cost.document import read_document
from domain.cost.plan import named
from domain.cost.registers import JOURNALS, SUPPLIER_INVOICES, journal_id, line_key, module_of
from domain.errors import NotFound, Stop
from domain.mapper import read, text
from domain.model import Json, Record
from domain.ports import Delivery

LINES = "journalTransactionLines"


class ReadFirst(Exception):
    """Something is to be written, and the document was not read by this delivery yet."""


def read_again(delivery: Delivery, record: Record) -> Json | None:
    """The document's body by a read of its own; None for one that a reading did not show either: it asks for nothing any more.
    Raises Stop ``cost.document_gone`` when the ERP does not know what was polled a while ago."""
    try:
        if record.register == SUPPLIER_INVOICES:
            # With the type in the key: a number alone finds invoices only.
            return delivery.erp.get(SUPPLIER_INVOICES, record.id).body
        return _journal(delivery, record)
    except NotFound as error:
        if record.gone:
            return None
        raise Stop("cost.document_gone", named(read_document(record.register, record.body, {}))) from error


def _journal(delivery: Delivery, record: Record) -> Json:
    """By its number; where that is another module's batch (the path has no module), by the list of its module and period.
    Raises NotFound when that list, read to its end, does not show it."""
    try:
        found = delivery.erp.get(JOURNALS, record.number).body
        if journal_id(found) == record.id:
            return _with_files(found, record.body)
    except NotFound:
        pass
    period = text(record.body, "financialPeriod") or text(record.body, "postPeriod")
    if not period:
        raise NotFound(system="visma_net", status=404)
    for found in delivery.erp.list(JOURNALS, module=module_of(record.body), periodId=period):
        if journal_id(found) == record.id:
            return found
    raise NotFound(system="visma_net", status=404)


def _with_files(found: Json, polled: Json) -> Json:
    """A single read of a journal cannot be asked for its attachments, as the list is: where it shows none, those of the poll
    count."""
    seen = {line_key(line, place): line for place, line in enumerate(read(polled, LINES) or (), 1)}
    lines = [
        _one(line, seen.get(line_key(line, place), {}))
        for place, line in enumerate(read(found, LINES) or (), 1)
    ]
    return {**_one(found, polled), LINES: lines}


def _one(found: Json, polled: Json) -> Json:
    return {**found, "attachments": read(found, "attachments") or read(polled, "attachments") or []}
