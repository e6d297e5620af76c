"""The branch of an invoice's header and of each of its lines (R-INV-10, R-SET-6).

The header's is the selling company's: Severa's unit that owns the invoice's number series belongs to a company, and that
company's unit is mapped to a branch. A line's is that of its project's unit, if that unit is of the same company.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from domain.errors import Stop
from domain.invoice.model import Party, SeveraInvoice
from domain.mapper import flag, read, text
from domain.model import Json
from domain.ports import Books
from domain.text import organisation_number, same_organisation

UNITS = "businessunits"


@dataclass(frozen=True, slots=True)
class Selling:
    """The selling company: its branch ('' = left to the ERP) and its guid in Severa ('' = Severa does not tell)."""

    branch: str
    company: str


def selling(books: Books, invoice: SeveraInvoice) -> Selling:
    """The selling company of an invoice.

    By the mapping of units to branches, else by the sender's VAT number. Raises Stop ``invoice.company_differs`` when the
    number series, the sender and the projects are not of one company, ``invoice.branch_unknown`` when the ERP has several
    branches and none of them fits.
    """
    guid = text(invoice.body, "invoiceNumberBusinessUnitGuid")
    record = books.record("severa", UNITS, guid) if guid else None
    unit = record.body if record is not None else None
    company = text(unit, "companyGuid")
    head_guid = text(unit, "companyBusinessUnitGuid") or guid
    head = books.record("severa", UNITS, head_guid) if head_guid else None
    _agree(books, invoice, company, head.body if head is not None else unit)
    mapped = (books.branch(head_guid) if head_guid else None) or (books.branch(guid) if guid else None)
    return Selling(mapped or _by_vat_number(books, invoice), company)


def _agree(books: Books, invoice: SeveraInvoice, company: str, head: Json | None) -> None:
    sender, own = text(invoice.body, "senderVatNumber"), text(head, "vatNumber")
    told = organisation_number(sender) and organisation_number(own)
    if told and not same_organisation(sender, own):
        raise _differs(invoice, text(head, "name"), sender)
    companies = {company: text(head, "name")} if company else {}
    for project in invoice.projects:
        unit = _unit_of(books, project)
        theirs = text(unit, "companyGuid")
        if theirs:
            companies.setdefault(theirs, text(unit, "companyName") or text(unit, "name"))
        if len(companies) > 1:
            raise _differs(
                invoice, next(iter(companies.values())), f"{project.number} {project.name}".strip()
            )


def _differs(invoice: SeveraInvoice, company: str, other: str) -> Stop:
    return Stop(
        "invoice.company_differs",
        {"customer": invoice.customer.name, "company": company, "other": other},
    )


def _unit_of(books: Books, project: Party) -> Json | None:
    """The business unit of a project as the project names it."""
    record = books.record("severa", "projects", project.guid)
    found = read(record.body, "businessUnit") if record is not None else None
    return found if isinstance(found, dict) else None


def _by_vat_number(books: Books, invoice: SeveraInvoice) -> str:
    """'' to leave it to the ERP: nothing to tell the branches apart by."""
    branches = [r.body for r in books.all("visma_net", "branch") if flag(read(r.body, "isActive"))]
    if len(branches) == 1:
        return text(branches[0], "number")
    sender = text(invoice.body, "senderVatNumber")
    numbered = [one for one in branches if _company_numbers(one)]
    if not organisation_number(sender) or not numbered:
        return ""
    ours = [one for one in numbered if any(same_organisation(sender, own) for own in _company_numbers(one))]
    if not ours:
        raise Stop(
            "invoice.branch_unknown",
            {
                "customer": invoice.customer.name,
                "vat_number": sender,
                "date": str(invoice.date or ""),
            },
        )
    main = [one for one in ours if flag(read(one, "isMainBranch"), default=False)]
    return text((main or ours)[0], "number")


def _company_numbers(body: Json) -> tuple[str, ...]:
    numbers = (text(body, name) for name in ("vatRegistrationId", "corporateId"))
    return tuple(one for one in numbers if organisation_number(one))


def line_branches(
    books: Books, invoice: SeveraInvoice, seller: Selling, project_of: Mapping[str, str]
) -> dict[str, str]:
    """Row guid → branch, for rows whose project's unit is mapped within the selling company; the others have the header's.

    ``project_of``: row guid → project guid.
    """
    by_project: dict[str, str] = {}
    for project in invoice.projects:
        unit = _unit_of(books, project)
        guid, theirs = text(unit, "guid"), text(unit, "companyGuid")
        if guid and (not seller.company or theirs in ("", seller.company)):
            by_project[project.guid] = books.branch(guid) or ""
    return {row: branch for row, project in project_of.items() if (branch := by_project.get(project, ""))}
