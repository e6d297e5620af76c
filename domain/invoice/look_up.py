"""Finding the ERP document of an invoice when nobody can tell whether it was made (R-INV-13).

First the note's marker, which is exact; then, for a document that shows no note at all, what was sent with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from domain.errors import NotFound
from domain.invoice.fields import DOCUMENTS
from domain.invoice.model import REGISTER, DocumentType, ErpDocument, SeveraInvoice, document_type
from domain.invoice.plan import linked_elsewhere
from domain.mapper import text
from domain.moves import ERP_TIME_SLACK, created_after
from domain.ports import Delivery, Json

_TYPES: tuple[DocumentType, ...] = ("Invoice", "CreditNote")


def read_document(
    delivery: Delivery, kind: DocumentType, number: str
) -> tuple[ErpDocument, str | None] | None:
    """An ERP document as it is now, with its ETag; None if there is none."""
    try:
        stored = delivery.erp.get(REGISTER[kind], number)
    except NotFound:
        return None
    return ErpDocument.of(stored.body, kind), stored.etag


def known_documents(
    delivery: Delivery, invoice: SeveraInvoice, gone: Iterable[str] = ()
) -> list[ErpDocument]:
    """The documents with the invoice's marker in the polled index, each read singly: what was removed since is left out.

    Costs no call when the index has none. ``gone``: ids of documents that this delivery removed itself.
    """
    found: list[ErpDocument] = []
    removed = set(gone)
    for record in delivery.books.find_marker(invoice.marker):
        kind = document_type(record.body.get("documentType"))
        if kind is None or record.id in removed:
            continue
        answer = read_document(delivery, kind, record.number or text(record.body, "referenceNumber"))
        if answer is not None and _is_ours(answer[0], invoice):
            found.append(answer[0])
    return found


def look_up(
    delivery: Delivery,
    invoice: SeveraInvoice,
    request: Json,
    customers: Iterable[str],
    gone: Iterable[str] = (),
) -> list[ErpDocument]:
    """Every document of the invoice that the ERP has: by the index, then among the documents of each customer number
    that an attempt used, made since the first attempt; invoices and credit notes, each read singly where the list
    shows no note.

    ``request``: what the create step recorded (date, currency, total, order), for a document without any note.
    """
    removed = set(gone)
    found = {one.id: one for one in known_documents(delivery, invoice, removed)}
    alike: dict[str, ErpDocument] = {}
    for customer in sorted({one for one in customers if one}):
        for row in _candidates(delivery, customer):
            kind = document_type(row.get("documentType"))
            number = text(row, "referenceNumber")
            record_id = f"{kind}/{number}"
            if kind is None or record_id in removed or record_id in found or record_id in alike:
                continue
            if linked_elsewhere(delivery.books, record_id, invoice.guid):
                continue
            if text(row, "note") and not _is_ours(ErpDocument.of(row, kind), invoice):
                continue
            answer = read_document(delivery, kind, number)
            if answer is None:
                continue
            document = answer[0]
            if _is_ours(document, invoice):
                found[document.id] = document
            elif not document.note and _is_alike(document, invoice, request):
                alike[document.id] = document
    # What only looks alike counts only when nothing carries the marker.
    return list((found or alike).values())


def _candidates(delivery: Delivery, customer: str) -> Iterable[Json]:
    since = delivery.first_attempt_at - ERP_TIME_SLACK
    for row in delivery.erp.list(DOCUMENTS, customer=customer, createdDateTime=since):
        if created_after(row.get("createdDateTime"), delivery.first_attempt_at, ERP_TIME_SLACK):
            yield row


def _is_ours(document: ErpDocument, invoice: SeveraInvoice) -> bool:
    return document.marker == invoice.marker and document.status != "Voided"


def _is_alike(document: ErpDocument, invoice: SeveraInvoice, request: Json) -> bool:
    """Equal to what was sent: type, date, currency, total and order number (the customer is the search's own)."""
    return (
        document.type == request.get("type", invoice.document_type)
        and document.status != "Voided"
        and str(document.date) == request.get("date")
        and document.currency == request.get("currency")
        and document.totals.total == Decimal(str(request.get("total", "0")))
        and text(document.body, "customerRefNumber") == request.get("order", "")
    )
