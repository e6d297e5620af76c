"""Files of the Severa invoice, and its PDF, onto the booked ERP document (R-INV-8).

They go in a delivery of their own once the number is written: a file that fails, or a vendor that does not answer, holds
up neither the invoice nor its payment. What is still to be done stands in the link's state, so that any later occasion
goes on with it. A delivery holds the invoice, so it gives it back after ``TURN`` seconds and goes on in another: a payment
that falls due while files are sent waits for one turn at most (docs/never-twice.md S38).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from domain.errors import Refused
from domain.file_names import apart, file_key
from domain.invoice.documents import read_document
from domain.invoice.model import REGISTER, DocumentType
from domain.invoice.phases import Rest, key_of
from domain.invoice.registers import INVOICES
from domain.invoice.work import Work
from domain.mapper import flag, read, text
from domain.model import Announce, Json, Link, Permission
from domain.moves import create_once
from domain.words import WORDS

FILES = "invoices/files"
FILE = "files"
PDF = "invoices/pdf"

# Member of the link's state: due | done; absent where attachments were off when the number was written.
STATE = "attachments"
DUE, DONE = "due", "done"

# Seconds after which no further file is begun in one delivery.
TURN = 60.0

# Name of the invoice's PDF in the ERP, with the number that it is booked under.
# The name of a printed copy, by the document's type.
_PDF_NAMES: Mapping[DocumentType, str] = {"Invoice": "pdf_invoice", "CreditNote": "pdf_credit_note"}


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file to send: ``key`` names it in the steps, ``name`` in the ERP."""

    key: str
    name: str
    register: str
    guid: str


def plan_for_later(work: Work) -> None:
    """Notes on the link that files are due and asks for their delivery; nothing where the tenant sends none."""
    link = work.trail.link
    if link is None or work.delivery.tenant.settings.attachments == "off":
        return
    state = dict(link.state or {})
    if state.get(STATE) == DONE:
        return
    work.trail.link = replace(link, state=state | {STATE: DUE})
    work.trail.announce.append(Announce("invoice", "severa", INVOICES, work.guid))


def due(link: Link | None) -> bool:
    """Whether an invoice is booked and numbered, and only its files are left."""
    return link is not None and bool(link.erp_number) and link.state.get(STATE) == DUE


def attach(work: Work, link: Link) -> Rest:
    """Sends every file that the document does not have yet, each at most once, for one turn.

    Raises TryLater (also while nobody can tell whether a file arrived) and Stop ``invoice.attachment_failed`` when some
    could not be sent: they are tried again when the problem is, or when the invoice changes.
    """
    if work.delivery.tenant.settings.attachments == "off":
        # Switched off since: nothing is owed any more.
        work.trail.link = work.link_update(link, **{STATE: DONE})
        return Rest()
    key = key_of({"type": link.erp_id.split("/", 1)[0], "number": link.erp_number})
    there = _names(work, *key) if key is not None else None
    if key is None or there is None:
        raise work.stop("invoice.document_gone", {"number": link.erp_number})
    began = work.delivery.now()
    sent: list[str] = []
    failed: list[str] = []
    left = False
    for one in _wanted(work, *key):
        if file_key(one.name) in there and work.delivery.step(_step(one)) is None:
            # Sent in an earlier delivery.
            continue
        if (work.delivery.now() - began).total_seconds() >= TURN:
            left = True
            break
        try:
            _send(work, one, key)
        except Refused as error:
            failed.append(f"{one.name}: {error.message}")
        else:
            sent.append(one.name)
    if sent:
        work.trail.say("invoice.attached", number=link.erp_number, files=sent)
    return _ended(work, link, sent, failed, left=left)


def _ended(work: Work, link: Link, sent: list[str], failed: list[str], *, left: bool) -> Rest:
    if failed:
        values = {"number": link.erp_number, "files": "; ".join(failed), "attached": len(sent)}
        raise work.stop("invoice.attachment_failed", values)
    if left:
        work.trail.announce.append(Announce("invoice", "severa", INVOICES, work.guid))
    else:
        work.trail.link = work.link_update(link, **{STATE: DONE})
    return Rest()


def _names(work: Work, kind: DocumentType, number: str) -> set[str] | None:
    """Names of the files that the document has; None if there is no such document."""
    answer = read_document(work.delivery, kind, number)
    if answer is None:
        return None
    return {file_key(text(one, "name")) for one in read(answer[0].body, "attachments") or []}


def _wanted(work: Work, kind: DocumentType, number: str) -> list[Attachment]:
    """The files to send: not the internal ones; the PDF last. Two files of one name would become revisions of one file in
    the ERP, so the later one's name gets a number."""
    found = [
        Attachment(
            text(body, "fileGuid") or text(body, "guid"), text(body, "name"), FILE, text(body, "fileGuid")
        )
        for body in work.delivery.severa.list(FILES, parent=work.guid)
        if not flag(read(body, "isInternal"), default=False)
    ]
    if work.delivery.tenant.settings.attachments == "files-and-pdf":
        name = WORDS["invoice"].text(_PDF_NAMES[kind], work.delivery.tenant.language, number=number)
        found.append(Attachment("pdf", name, PDF, work.guid))
    return list(_apart(found))


def _apart(files: Sequence[Attachment]) -> Iterable[Attachment]:
    for one, name in zip(files, apart(one.name for one in files), strict=True):
        yield replace(one, name=name)


def _step(one: Attachment) -> str:
    return f"attach {one.key}"


def _send(work: Work, one: Attachment, key: tuple[DocumentType, str]) -> None:
    """One file, at most once: after an unknown outcome the document's own list tells whether it arrived."""
    kind, number = key
    delivery = work.delivery
    content: list[bytes] = []

    def send(permission: Permission) -> Json:
        delivery.erp.attach(REGISTER[kind], number, one.name, content[0], not_after=permission.not_after)
        return {"name": one.name, "size": len(content[0])}

    def arrived(_request: Json) -> Json | None:
        return {"name": one.name} if file_key(one.name) in (_names(work, kind, number) or set()) else None

    known = delivery.step(_step(one))
    if known is None or not known.done:
        # Fetched before the step begins: nothing is in doubt while Severa is asked.
        content.append(delivery.severa.download(one.register, one.guid))
    create_once(delivery, _step(one), {"name": one.name, "document": f"{kind}/{number}"}, send, arrived)
