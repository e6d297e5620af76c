"""Where is my document: by its marker, by its number, among the customer's newest.

The marker is the note's first line, ``severa:<guid> <installation>.<nonce>``: one nonce per POST, known before it left
(docs/never-twice.md rule 6). Only a document that bears it is ever taken; what merely looks alike stops a create and is
shown to a person (rule 7, R-INV-13).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from domain import mirror
from domain.customer.description import MIRROR
from domain.errors import NotFound
from domain.invoice.document import Draft
from domain.invoice.model import REGISTER, DocumentType, ErpDocument, SeveraInvoice, document_type
from domain.invoice.phases import Key
from domain.invoice.registers import DOCUMENTS
from domain.invoice.work import Work
from domain.mapper import moment, text
from domain.model import Document, Json, Record
from domain.moves import ERP_TIME_SLACK, absent, created_after, there
from domain.ports import Delivery

# Open question: whether Visma.net copies the note on Copy, Correct and Reverse. Taken as it may: a document with the marker of an
# invoice and no nonce of its own POST is told apart by number, and nothing is done to it (rules 6 to 8).
# Open question: whether lists show notes. Look-ups read each candidate singly; the audit of what a poll lists relies on it.
MARKED = "severa:"


@dataclass(frozen=True, slots=True)
class Marker:
    """``installation`` and ``nonce`` are '' on documents of 0.1.0."""

    guid: str
    installation: str = ""
    nonce: str = ""

    def __str__(self) -> str:
        line = f"{MARKED}{self.guid}"
        return f"{line} {self.installation}.{self.nonce}" if self.nonce else line


def marker_of(note: str) -> Marker | None:
    """The marker in a note's first line, None if it has none; whatever else stands there says nothing."""
    words = note.split("\n", 1)[0].split()
    if not words or not words[0].startswith(MARKED):
        return None
    installation, _, nonce = words[1].rpartition(".") if len(words) > 1 else ("", "", "")
    return Marker(words[0].removeprefix(MARKED), installation, nonce if installation else "")


def marked(sent: Draft, invoice: SeveraInvoice, installation: str, nonce: str) -> Draft:
    """The draft with the whole marker in its note, as the POST of this nonce sends it."""
    rest = str(sent.header.get("note", "")).removeprefix(invoice.marker)
    line = str(Marker(invoice.guid, installation, nonce))
    return replace(sent, header={**sent.header, "note": f"{line}{rest}"})


# ---------------------------------------------------------------- single reads


def read_document(
    delivery: Delivery, kind: DocumentType, number: str
) -> tuple[ErpDocument, str | None] | None:
    """An ERP document as it is now, with its ETag; None if there is none: a whole reading has not shown it either, or the ERP
    has said so twice, ``limits.absence_seconds`` apart (docs/never-twice.md rule 11). Raises TryLater until then.
    """
    answer = _shown(delivery, kind, number)
    if answer is None:
        missed_document(delivery, (kind, number))
    return answer


def missed_document(delivery: Delivery, key: Key) -> None:
    """The ERP did not show this document. Raises TryLater until that counts."""
    name = f"{key[0]}/{key[1]}"
    record = delivery.books.record("visma_net", DOCUMENTS, name)
    gone = record is not None and record.gone
    absent(delivery, name, f"the ERP does not show the document {key[1]}", gone=gone)


def _shown(delivery: Delivery, kind: DocumentType, number: str) -> tuple[ErpDocument, str | None] | None:
    try:
        stored = delivery.erp.get(REGISTER[kind], number)
    except NotFound:
        return None
    there(delivery, f"{kind}/{number}")
    return ErpDocument.of(stored.body, kind), stored.etag


def read_present(work: Work, key: Key) -> ErpDocument | None:
    """The invoice's document as it is now: kept with its ETag, for what is written to it next. Raises TryLater as
    ``read_document`` does."""
    return _kept(work, read_document(work.delivery, *key))


def read_made(work: Work, key: Key) -> ErpDocument | None:
    """The same for one that may be too new to show, or that the ERP may call by another number: None says that it was not
    shown, and nothing more. Whoever concludes from it asks ``missed_document``."""
    return _kept(work, _shown(work.delivery, *key))


def _kept(work: Work, answer: tuple[ErpDocument, str | None] | None) -> ErpDocument | None:
    work.document, work.etag = answer if answer is not None else (None, None)
    if work.document is not None:
        work.see(work.document)
    return work.document


# ---------------------------------------------------------------- looking for one


@dataclass(slots=True)
class Found:
    """What a look-up brought, each read singly. marked: with this invoice's marker, whatever nonce; alike: without it, equal
    to what was sent, and not known to the bridge before the first attempt."""

    marked: list[ErpDocument] = field(default_factory=list)
    alike: list[ErpDocument] = field(default_factory=list)

    def of(self, nonces: Iterable[str]) -> list[ErpDocument]:
        """The marked ones that bear one of these nonces."""
        wanted = set(nonces)
        return [one for one in self.marked if (found := marker_of(one.note)) and found.nonce in wanted]


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for. ``request``: what the create step recorded (type, date, currency, total, order); ``since``: when
    the first attempt may have been; ``customers``: ERP numbers that an attempt may have used."""

    request: Json
    customers: tuple[str, ...]
    since: datetime


def look_up(work: Work, sought: Sought) -> Found:
    """Every document that may be the invoice's: by the index of markers, then among the documents of each customer number,
    invoices and credit notes alike; a row whose note the list hides is read singly."""
    found = Found()
    seen: set[str] = set()
    for record in work.delivery.books.find_marker(work.invoice.marker):
        key = record_key(record)
        if key is not None:
            _weigh(work, sought, found, seen, key)
    for customer in sorted({one for one in sought.customers if one}):
        for row in _rows(work.delivery, customer, sought.since):
            kind, number = document_type(row.get("documentType")), text(row, "referenceNumber")
            if kind is not None and _worth_reading(ErpDocument.of(row, kind), work.invoice, sought):
                _weigh(work, sought, found, seen, (kind, number))
    return found


def record_key(record: Record) -> Key | None:
    """Type and number of a polled document; None for one of another kind."""
    kind = document_type(record.body.get("documentType"))
    number = record.number or text(record.body, "referenceNumber")
    return (kind, number) if kind is not None and number else None


def _rows(delivery: Delivery, customer: str, since: datetime) -> Iterator[Json]:
    for row in delivery.erp.list(DOCUMENTS, customer=customer, createdDateTime=since - ERP_TIME_SLACK):
        if created_after(row.get("createdDateTime"), since, ERP_TIME_SLACK):
            yield row


def _worth_reading(row: ErpDocument, invoice: SeveraInvoice, sought: Sought) -> bool:
    if not row.note:
        return True
    marker = marker_of(row.note)
    if marker is not None:
        return marker.guid == invoice.guid
    return row.totals.total == _total(sought)


def _weigh(work: Work, sought: Sought, found: Found, seen: set[str], key: Key) -> None:
    """One candidate, after a single read, into what was found."""
    name = f"{key[0]}/{key[1]}"
    owner = work.delivery.books.document_owner(*key)
    if name in seen or name in work.others or owner not in (None, work.guid) or _gone(work, key):
        return
    seen.add(name)
    answer = read_document(work.delivery, *key)
    if answer is None or answer[0].status == "Voided":
        return
    document = answer[0]
    marker = marker_of(document.note)
    if marker is not None and marker.guid == work.guid:
        found.marked.append(document)
    elif marker is None and _is_alike(document, sought) and not _knew(work, document, sought.since):
        found.alike.append(document)


def _gone(work: Work, key: Key) -> bool:
    """Removed or retired by the bridge: the ERP may still show it for a while."""
    return any(
        (one.type, one.number) == key and one.state in ("removed", "retired")
        for one in work.delivery.documents
    )


def _knew(work: Work, document: ErpDocument, moment: datetime) -> bool:
    return work.delivery.books.knew_before("visma_net", DOCUMENTS, document.id, moment)


def _total(sought: Sought) -> Decimal:
    return Decimal(str(sought.request.get("total", "0")))


def _is_alike(document: ErpDocument, sought: Sought) -> bool:
    """Equal to what was sent: type, date, currency, total and order number (the customer is the search's own)."""
    request = sought.request
    return (
        document.type == request.get("type")
        and str(document.date) == request.get("date")
        and document.currency == request.get("currency")
        and document.totals.total == _total(sought)
        and text(document.body, "customerRefNumber") == request.get("order", "")
    )


# ---------------------------------------------------------------- what to look for


def customer_numbers(work: Work) -> tuple[str, ...]:
    """ERP numbers that the invoice's customer has or had, if it is linked."""
    link = work.delivery.books.link("customer", severa_id=work.invoice.customer.guid)
    if link is None:
        return (work.customer,)
    record = work.delivery.books.record("visma_net", link.erp_register, link.erp_id)
    return (work.customer, record.number if record is not None else "", link.erp_number)


def renumbered(work: Work) -> str:
    """The number that the ERP knows the customer by now, read by its internal id (R-CUS-8); '' when it was read before in this
    attempt, or when that id is nobody's or another customer's by now: a merge is decided by a person, not by an invoice."""
    link = work.delivery.books.link("customer", severa_id=work.invoice.customer.guid)
    if link is None or work.customer:
        return ""
    try:
        found = mirror.by_internal_id(MIRROR, work.delivery, link).body
    except NotFound:
        return ""
    if text(found, "internalId") == link.erp_id:
        work.customer = text(found, "number")
    return work.customer


def since_when(work: Work, sent_at: datetime | None) -> datetime:
    """The earliest time at which the invoice's document may have been made."""
    first = min(work.delivery.first_attempt_at, sent_at or work.delivery.first_attempt_at)
    return min(first, _born(work)) if may_be_forgotten(work) else first


def may_be_forgotten(work: Work) -> bool:
    """Whether a document may have been made in a history that this database does not know (rule 10): it was found restored,
    and the invoice is not surely newer than that."""
    rewound = work.delivery.rewound_at
    return rewound is not None and _born(work) - timedelta(minutes=10) <= rewound


def _born(work: Work) -> datetime:
    """When the invoice came to be, as Severa says it; long ago where it does not."""
    rewound = work.delivery.rewound_at or work.delivery.first_attempt_at
    made = moment(work.invoice.body.get("createdDateTime"))
    if made is not None:
        return made if made.tzinfo else made.replace(tzinfo=rewound.tzinfo)
    return min(rewound, work.delivery.first_attempt_at) - timedelta(days=400)


def nonces_without_number(documents: Iterable[Document]) -> set[str]:
    """Nonces of ours under which no document is known yet; '' where 0.1.0 asked for one."""
    return {one.nonce for one in documents if not one.number}
