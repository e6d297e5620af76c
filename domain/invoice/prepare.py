"""What an invoice becomes, decided from the books and the few reads that they cannot replace: lists, original, country.

Nothing is written here. The same answer comes out before a document is made and when a made one is judged again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.errors import NotFound, Stop, Waiting
from domain.invoice import billed, branches, look_up, plan, reread
from domain.invoice.attempt import Attempt, Planned
from domain.invoice.document import Choices, address_differs, applicable, draft
from domain.invoice.model import ErpDocument, Party, SeveraInvoice
from domain.mapper import flag, read, text
from domain.ports import Books, Delivery, Json, LogLine
from domain.text import name_key

COUNTRIES = "localization/countries"
CONTACTS = "contact"

# Words before the other projects in the document's note.
_OTHER_PROJECTS: Mapping[str, str] = {"sv": "Övriga projekt", "en": "Other projects"}


@dataclass(slots=True)
class _Preparation:
    attempt: Attempt
    creating: bool
    books: Books
    said: list[LogLine] = field(default_factory=list)
    items: tuple[billed.BilledItem, ...] | None = None

    @property
    def invoice(self) -> SeveraInvoice:
        return self.attempt.invoice

    @property
    def delivery(self) -> Delivery:
        return self.attempt.delivery

    def behind(self) -> tuple[billed.BilledItem, ...]:
        """The items behind the rows, read once."""
        if self.items is None:
            self.items = billed.billed_items(self.delivery.severa, self.books, self.invoice)
        return self.items

    def warn(self, code: str, **values: Any) -> None:
        self.said.append(LogLine(code, values, "warning"))


def prepare(attempt: Attempt, *, creating: bool) -> Planned:
    """What is to be sent (R-INV-2). ``creating``: there is no document yet, so what would go wrong in it stops first.

    Raises Waiting (a record that is not there yet), TryLater, Stop ``invoice.*``: one that stands in the ERP's reference
    registers only after they were read again.
    """
    delivery, asked = attempt.delivery, attempt.invoice
    fresh = reread.RereadBooks(delivery.books, delivery.severa, delivery.erp, delivery.now())
    # Lists show no accounts of items: where a row groups several codes, their items are read singly.
    if any(len(row.codes) > 1 for row in asked.rows):
        return _prepared(_Preparation(attempt, creating, fresh))
    try:
        return _prepared(_Preparation(attempt, creating, delivery.books))
    except Stop as stop:
        if stop.code not in reread.CAUSES:
            raise
        attempt.invoice = asked
        return _prepared(_Preparation(attempt, creating, fresh))


def _prepared(todo: _Preparation) -> Planned:
    attempt, creating, books = todo.attempt, todo.creating, todo.books
    delivery, settings = attempt.delivery, attempt.delivery.tenant.settings
    attempt.invoice = plan.in_its_currency(books, attempt.invoice)
    if creating and attempt.invoice.number:
        raise Stop("invoice.has_number", {"number": attempt.invoice.number})
    mixed = plan.mixed_rows(books, attempt.invoice)
    if mixed:
        attempt.invoice = billed.rebuilt(attempt.invoice, mixed, todo.behind())
    invoice = attempt.invoice
    project = _project(todo)
    need = plan.needs(books, invoice, settings.fallback_items, project)
    if creating:
        plan.check_prediction(books, invoice, need, delivery.limits.total_tolerance)
    credited, original = _credited(todo, need)
    seller = branches.selling(books, invoice)
    project_of = billed.project_of(invoice, todo.behind() if len(invoice.projects) > 1 else ())
    terms = plan.credit_terms(books, invoice, need.customer_body, settings.credit_terms)
    others = billed.others(invoice, project) if project is not None else ""
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
        note=f"{_OTHER_PROJECTS.get(delivery.tenant.language, _OTHER_PROJECTS['en'])}: {others}"
        if others
        else "",
    )
    sent = draft(invoice, need, choices)
    return Planned(need, choices, sent, project, (*todo.said, *sent.warnings))


# ---------------------------------------------------------------- project and original


def _project(todo: _Preparation) -> Party | None:
    """The one project of the document: the invoice's, or the largest of several by the tenant's rule. Raises Stop."""
    invoice = todo.invoice
    if len(invoice.projects) <= 1:
        return next(iter(invoice.projects), None)
    if todo.delivery.tenant.settings.several_projects != "largest":
        raise plan.several_projects(invoice)
    found = billed.largest_project(invoice, todo.behind())
    if found is None:
        raise plan.several_projects(invoice)
    values = {"project": found.number, "others": billed.others(invoice, found)}
    todo.said.append(LogLine("invoice.several_projects_one", values))
    return found


def _credited(todo: _Preparation, need: plan.Needs) -> tuple[str, ErpDocument | None]:
    """Number of the credited invoice, and its document if the note is applied to it (R-INV-7).

    A note whose original is not booked yet waits for it; one whose original is in error points at it.
    """
    invoice, delivery = todo.invoice, todo.delivery
    if not invoice.is_credit_note or invoice.credited is None:
        return "", None
    link = todo.books.link("invoice", severa_id=invoice.credited.guid)
    booked = link is not None and bool(link.erp_number)
    number = link.erp_number if link is not None and booked else invoice.credited.number
    if not number:
        waiting = Waiting("invoice", severa_id=invoice.credited.guid)
        if todo.books.has_problem("invoice", severa_id=invoice.credited.guid):
            raise Stop("invoice.original_in_error", {"customer": invoice.customer.name}, waits_for=waiting)
        raise waiting
    if link is None or not booked or not todo.creating or not delivery.tenant.settings.apply_credit_notes:
        return number, None
    answer = look_up.read_document(delivery, "Invoice", link.erp_number)
    if answer is not None and applicable(invoice, answer[0], need.customer):
        return number, answer[0]
    return number, None


# ---------------------------------------------------------------- receiver


def _contact(todo: _Preparation, need: plan.Needs) -> str:
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


def _country(todo: _Preparation, need: plan.Needs) -> str | None:
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


def _resolved(todo: _Preparation, name: str) -> str:
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
