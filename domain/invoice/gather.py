"""What an invoice becomes, gathered from the books and the few reads that they cannot replace: lists, original, country.

Nothing is written here. The same answer comes out before a document is made and when a made one is judged again.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from domain.errors import NotFound, Stop, Waiting
from domain.invoice import billed, branches, plan, reread
from domain.invoice.choices import Choices
from domain.invoice.document import applicable, draft
from domain.invoice.documents import read_document
from domain.invoice.model import ErpDocument, Party, SeveraInvoice, document_type
from domain.invoice.receiver import address_differs
from domain.invoice.registers import INVOICES, ROWS
from domain.invoice.work import Planned, Work
from domain.mapper import flag, read, text
from domain.model import Json, Link, LogLine
from domain.money import shown
from domain.ports import Books, Delivery
from domain.reference import COUNTRIES
from domain.saying import decimal_text
from domain.setup.settings import TenantSettings
from domain.text import name_key
from domain.values import record as named_record
from domain.words import WORDS

CONTACTS = "contact"

# Words before the other projects in the document's note.


@dataclass(slots=True)
class _Gathering:
    work: Work
    creating: bool
    books: Books
    said: list[LogLine] = field(default_factory=list)
    items: tuple[billed.BilledItem, ...] | None = None

    @property
    def invoice(self) -> SeveraInvoice:
        return self.work.invoice

    @property
    def delivery(self) -> Delivery:
        return self.work.delivery

    def behind(self) -> tuple[billed.BilledItem, ...]:
        """The items behind the rows, read once."""
        if self.items is None:
            self.items = billed.billed_items(self.delivery.severa, self.books, self.invoice)
        return self.items

    def warn(self, code: str, **values: Any) -> None:
        self.said.append(LogLine(code, values, "warning"))


def gather(work: Work, *, creating: bool) -> Planned:
    """The rows read, and what is to be sent (R-INV-2); kept as what this attempt planned. ``creating``: there is no document
    yet, so what would go wrong in it stops first.

    Raises Waiting (a record that is not there yet), TryLater, Stop ``invoice.*``: one that stands in the ERP's reference
    registers only after they were read again.
    """
    rows = work.delivery.severa.list(ROWS, parent=work.guid)
    work.invoice = SeveraInvoice.of(work.invoice.body, rows)
    work.planned = _gathered(work, creating=creating)
    return work.planned


def _gathered(work: Work, *, creating: bool) -> Planned:
    delivery, asked = work.delivery, work.invoice
    delivery.books.at_once(lambda books: _foreseen(books, asked, delivery.tenant.settings))
    fresh = reread.RereadBooks(delivery.books, delivery.severa, delivery.erp, delivery.now())
    # Lists show no accounts of items: where a row groups several codes, their items are read singly (docs/vendors/visma-net-erp.md E37).
    if any(len(row.codes) > 1 for row in asked.rows):
        return _planned(_Gathering(work, creating, fresh))
    try:
        return _planned(_Gathering(work, creating, delivery.books))
    except Stop as stop:
        if stop.code not in reread.CAUSES:
            raise
        work.invoice = asked
        return _planned(_Gathering(work, creating, fresh))


def _foreseen(books: Books, invoice: SeveraInvoice, settings: TenantSettings) -> None:
    """What planning is about to ask, asked together: one transaction instead of some twenty. What is missing or wrong is said
    by the plan itself."""
    with suppress(Stop, Waiting):
        branches.line_branches(books, invoice, branches.selling(books, invoice), {})
    with suppress(Stop, Waiting):
        project = invoice.projects[0] if invoice.projects else None
        plan.period(books, invoice)
        plan.base_currency(books)
        plan.needs(books, plan.in_its_currency(books, invoice), settings, project)


def _planned(todo: _Gathering) -> Planned:
    work, creating, books = todo.work, todo.creating, todo.books
    delivery, settings = work.delivery, work.delivery.tenant.settings
    work.invoice = plan.in_its_currency(books, work.invoice)
    if creating and work.invoice.number and not work.remade:
        raise work.stop("invoice.has_number", {"number": work.invoice.number})
    mixed = plan.mixed_rows(books, work.invoice)
    if mixed:
        work.invoice = billed.rebuilt(work.invoice, mixed, todo.behind())
    invoice = work.invoice
    project = _project(todo)
    need = plan.needs(books, invoice, settings, project)
    need = replace(need, customer=_present_number(work, books) or need.customer)
    if creating:
        plan.check_prediction(books, invoice, need, delivery.limits.total_tolerance)
    credited, original = _credited(todo, need)
    seller = branches.selling(books, invoice)
    project_of = billed.project_of(invoice, todo.behind() if len(invoice.projects) > 1 else ())
    terms = plan.credit_terms(books, invoice, need.customer_body, settings.credit_terms)
    others = ", ".join(_named(one) for one in billed.others(invoice, project)) if project is not None else ""
    choices = Choices(
        branch=seller.branch,
        terms="" if invoice.is_credit_note else terms,
        period=plan.period(books, invoice),
        foreign=plan.is_foreign(invoice, plan.base_currency(books)),
        country=_country(todo, need),
        task=settings.project_task,
        units=settings.units,
        language=delivery.tenant.language,
        credited=credited,
        original=original,
        line_branches=branches.line_branches(books, invoice, seller, project_of),
        contact=_contact(todo, need),
        note=f"{WORDS['invoice'].text('other_projects', delivery.tenant.language)}: {others}"
        if others
        else "",
    )
    sent = draft(invoice, need, choices)
    return Planned(invoice, need, choices, sent, project, (*todo.said, *sent.warnings))


# ---------------------------------------------------------------- project and original


def _project(todo: _Gathering) -> Party | None:
    """The one project of the document: the invoice's, or the largest of several by the tenant's rule. Raises Stop."""
    invoice = todo.invoice
    if len(invoice.projects) <= 1:
        return next(iter(invoice.projects), None)
    if todo.delivery.tenant.settings.several_projects != "largest":
        raise plan.several_projects(invoice)
    found = billed.largest_project(invoice, todo.behind())
    if found is None:
        raise plan.several_projects(invoice)
    values = {
        "project": found.number,
        "others": [named_record(one.number, one.name) for one in billed.others(invoice, found)],
    }
    todo.said.append(LogLine("invoice.several_projects_one", values))
    return found


def _present_number(work: Work, books: Books) -> str:
    """The customer's number as it is now: a renumbered customer is known to the ERP by its new number only (R-CUS-8)."""
    if work.customer:
        return work.customer
    link = books.link("customer", severa_id=work.invoice.customer.guid)
    record = books.record("visma_net", link.erp_register, link.erp_id) if link is not None else None
    return record.number if record is not None else ""


def _credited(todo: _Gathering, need: plan.Needs) -> tuple[str, ErpDocument | None]:
    """Number of the credited invoice, and its document if the note is applied to it (R-INV-7).

    Only a *booked* original counts: what is claimed or on hold may still be removed, and its number with it (S42). A note
    whose original is not booked yet waits for it; one whose original is in error points at it.
    """
    invoice, delivery = todo.invoice, todo.delivery
    if not invoice.is_credit_note or invoice.credited is None:
        return "", None
    link = todo.books.link("invoice", severa_id=invoice.credited.guid)
    booked = link.booked if link is not None else None
    # A matter of ours with a document or a number of 0.1.0 that nobody has seen in the books yet.
    unsettled = link is not None and bool(link.document or link.erp_number)
    if booked is None and (unsettled or not invoice.credited.number):
        name = _called(todo.books, invoice.credited, delivery.tenant.language)
        waiting = Waiting("invoice", severa_id=invoice.credited.guid, name=name)
        if todo.books.has_problem("invoice", severa_id=invoice.credited.guid):
            values = {"customer": invoice.customer.name, "name": name}
            raise Stop(plan.ORIGINAL_IN_ERROR, values, waits_for=waiting)
        raise waiting
    if booked is None:
        # Transferred before the bridge was there.
        return invoice.credited.number, None
    kind = document_type(booked.type)
    if kind is None or not todo.creating or not delivery.tenant.settings.apply_credit_notes:
        return booked.number, None
    answer = read_document(delivery, kind, booked.number)
    if answer is not None and applicable(invoice, answer[0], need.customer):
        return booked.number, answer[0]
    return booked.number, None


def _named(project: Party) -> str:
    return f"{project.number} {project.name}".strip()


def _called(books: Books, credited: Party, language: str) -> str:
    """What people know an original by that has no number yet: its customer, day and total."""
    record = books.record("severa", INVOICES, credited.guid)
    if record is None:
        return credited.number or credited.name
    original = SeveraInvoice.of(record.body)
    said = (
        f"{original.number} {original.customer.name}".strip(),
        str(original.date or ""),
        f"{decimal_text(shown(original.total, original.currency), language)} {original.currency}".strip(),
    )
    return ", ".join(filter(None, said))


# ---------------------------------------------------------------- receiver


def _contact(todo: _Gathering, need: plan.Needs) -> str:
    """ERP id of the receiver's contact person if it is linked and still this customer's, else ''."""
    books, invoice = todo.books, todo.invoice
    person = text(invoice.body, "receiverContactGuid")
    link = books.link("customer", severa_id=invoice.customer.guid)
    # Contacts settle with their customer, in its link's state: Severa guid → {"id": ERP id, …}.
    linked = (link.state.get("contacts") or {}).get(person) if link is not None and person else None
    key = str(linked.get("id", "")) if isinstance(linked, dict) else ""
    record = books.record("visma_net", CONTACTS, key) if key.isdigit() else None
    if record is None or record.gone or not flag(read(record.body, "active")):
        return ""
    return key if text(record.body, "businessAccount") in ("", need.customer) else ""


def _country(todo: _Gathering, need: plan.Needs) -> str | None:
    """ERP country of the receiver's address, None if the address is the customer's own. Raises Stop.

    Another country than that of the customer's location is a warning: the location decides the VAT.
    """
    invoice, customer = todo.invoice, need.customer_body
    if not address_differs(invoice, customer):
        return None
    name = text(invoice.body, "receiverAddress.country")
    own = text(customer, "mainAddress.country.id")
    if not name:
        return own
    country = _own_country(customer, name) or _resolved(todo, name)
    if own and country != own:
        todo.warn("invoice.country_differs", country=name, location=own, customer=invoice.customer.name)
    return country


def _own_country(customer: Json | None, name: str) -> str:
    """Id of the customer's own country if that is what the name means, without a call."""
    for block in ("invoiceAddress", "mainAddress", "deliveryAddress"):
        names = {text(customer, f"{block}.country.{part}") for part in ("id", "name")}
        if name_key(name) in {name_key(one) for one in names if one}:
            return text(customer, f"{block}.country.id")
    return ""


def _resolved(todo: _Gathering, name: str) -> str:
    """ISO code of a country that Severa tells by its name in the organisation's language."""
    for record in todo.books.all("severa", COUNTRIES):
        if name_key(name) in {
            name_key(text(record.body, part)) for part in ("name", "englishName", "code2", "code3")
        }:
            return text(record.body, "code2")
    try:
        found = text(todo.delivery.severa.get(COUNTRIES, name), "code2")
    except NotFound:
        found = ""
    if not found:
        raise Stop("invoice.country_unknown", {"country": name, "customer": todo.invoice.customer.name})
    return found


# ---------------------------------------------------------------- a closed project (R-PRJ-3)

# The invoice never writes the project, it leaves a need (docs/never-twice.md rule 20): the project's own delivery sets it Active while
# any need stands and closes it after the last one; the need goes when this invoice comes to rest.

_PROJECT = "project"
# What is asked of the project, and the name of the step that says it was asked for after a refusal.
ACTIVE = "active"
ASKED_FOR = "project asked for"
# Statuses of a project that no document can be posted on any more.
INACTIVE = frozenset({"Completed", "Cancelled"})


def check_project(work: Work, project: Party | None) -> None:
    """Raises Waiting for a project that is inactive, Stop ``invoice.project_closed`` where the tenant does not reopen any.

    Asks the ERP only if the project was inactive when it was last seen: it may have been opened since.
    """
    link = _project_link(work, project)
    if link is None or _status_seen(work, link) not in INACTIVE:
        return
    status = _status_now(work, link)
    if status in INACTIVE:
        raise _asks_for(work, link, project, status)


def check_refused(work: Work, project: Party | None) -> None:
    """After a refusal that names project or task: raises Waiting if it was closed meanwhile; if it seems Active, once, because
    its task may not be. A second refusal is the invoice's own."""
    link = _project_link(work, project)
    if link is None:
        return
    status = _status_now(work, link)
    if status in INACTIVE:
        raise _asks_for(work, link, project, status)
    if status and work.delivery.step(ASKED_FOR) is None and work.delivery.tenant.settings.reopen_projects:
        work.delivery.done(ASKED_FOR, {"project": link.erp_number})
        raise _asks_for(work, link, project, status)


def _project_link(work: Work, project: Party | None) -> Link | None:
    return work.delivery.books.link("project", severa_id=project.guid) if project is not None else None


def _status_seen(work: Work, link: Link) -> str:
    """The status last seen, else the one that the project's own settling left."""
    record = work.delivery.books.record("visma_net", link.erp_register, link.erp_id)
    pair = link.base.get("status") or ("", "")
    return (text(record.body, "status") if record is not None else "") or str(pair[1])


def _status_now(work: Work, link: Link) -> str:
    try:
        body: Json = work.delivery.erp.get(_PROJECT, link.erp_number).body
    except NotFound:
        return ""
    work.trail.see("visma_net", _PROJECT, link.erp_id, body)
    return text(body, "status")


def _asks_for(work: Work, link: Link, project: Party | None, status: str) -> Exception:
    if not work.delivery.tenant.settings.reopen_projects:
        return work.stop("invoice.project_closed", {"project": link.erp_number, "status": status})
    name = f"{project.number} {project.name}".strip() if project is not None else link.erp_number
    return Waiting("project", severa_id=link.severa_id, name=name, need=ACTIVE)
