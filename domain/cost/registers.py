"""The mapping of costs, and the registers as the poller reads them (read only when the tenant wants costs)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from domain.mapper import day, latest_time, read, text
from domain.model import Json
from domain.registers import Concern, Register, dated_on_or_after, reference
from domain.setup.settings import TenantSettings

FEES = "projectfees"
PROJECT_FILES = "projects/files"
PROJECTS = "projects"
SALES_CASES = "salescases"
SUPPLIER_INVOICES = "supplierInvoice"
JOURNALS = "journaltransaction"
ACCOUNTS = "account"
LEDGERS = "ledger"
ORGANIZATION = "organization"

# Supplier documents that are costs, and the sign of their (positive) amounts. Prepayments, refunds and checks are
# payments, never costs (R-CST-1).
SIGNS: Mapping[str, int] = MappingProxyType(
    {"Invoice": 1, "CreditAdj": 1, "QuickCheck": 1, "DebitAdj": -1, "VoidQuickCheck": -1}
)
# Open question: "released" is no member of the document. These statuses are read as released.
RELEASED_DOCUMENTS = frozenset({"Open", "Printed", "Closed", "Reserved"})
RELEASED_BATCHES = frozenset({"Unposted", "Posted", "Completed", "Released"})
VOIDED = "Voided"
# Journals of these modules would count supplier and customer documents twice, whatever a tenant chooses (R-CST-1).
NEVER = frozenset({"AP", "AR"})
# Only the books themselves: budgets, reports and statistics are kept as journals too.
ACTUAL = "Actual"
EXPENSE = "Expense"
# The ERP fills lines without a project with this code.
NON_PROJECT = "X"

# Open question: the line's `cost` is taken as the amount after the line's discount, as the name "cost" in the list of
# lines suggests; the document does not say it.
COST_IS_AFTER_DISCOUNT = True


def module_of(body: Json) -> str:
    """The short name of a journal's module: GL, whether it is shown as GL or ModuleGL."""
    return text(body, "module").removeprefix("Module")


def supplier_id(body: Json) -> str:
    """``<type>/<number>``: numbers are unique per type only; '' without a number."""
    number = text(body, "referenceNumber")
    return f"{text(body, 'documentType')}/{number}" if number else ""


def journal_id(body: Json) -> str:
    """``<module>/<batch number>``: numbers are unique per module only; '' without a number."""
    number = text(body, "batchNumber")
    return f"{text(body, 'module')}/{number}" if number else ""


def has_project(line: Json) -> bool:
    """Whether a line names a project; the non-project code is none."""
    return text(line, "project.id").upper() not in ("", NON_PROJECT)


def attachment_ids(body: Json) -> str:
    """Which files hang on a document or a line, as one text."""
    return " ".join(sorted(text(file, "id") for file in read(body, "attachments") or ()))


def supplier_projection(body: Json) -> Mapping[str, str]:
    """The mapped fields of a supplier document as canonical strings; one per line."""
    values = {
        "id": supplier_id(body),
        "status": text(body, "status"),
        "date": _day(body, "date"),
        "supplier": text(body, "supplier.number"),
        "supplier_name": text(body, "supplier.name"),
        "vat_mode": text(body, "taxCalculationMode"),
        "files": attachment_ids(body),
    }
    paths = (
        *("transactionDescription", "cost", "account.number", "account.type", "project.id"),
        *("project.internalId", "vatCode.id"),
    )
    return values | _lines(read(body, "invoiceLines") or (), paths)


def journal_projection(body: Json) -> Mapping[str, str]:
    """The mapped fields of a journal batch as canonical strings; one per line."""
    values = {
        "id": journal_id(body),
        "status": text(body, "status"),
        "date": _day(body, "transactionDate"),
        "ledger": text(body, "ledger"),
        "files": attachment_ids(body),
    }
    paths = (
        *("transactionDescription", "referenceNumber", "customerSupplier", "accountNumber"),
        *("debitAmount", "creditAmount", "project.id", "project.internalId"),
    )
    return values | _lines(read(body, "journalTransactionLines") or (), paths)


def _lines(lines: list[Json] | tuple[Json, ...], paths: tuple[str, ...]) -> dict[str, str]:
    return {
        f"line {line_key(line, place)}": "\x1f".join(
            (*(text(line, path) for path in paths), attachment_ids(line))
        )
        for place, line in enumerate(lines, 1)
    }


def line_key(line: Json, place: int) -> str:
    """What a line is called within its document: its number, else its place (from 1)."""
    return text(line, "lineNumber") or f"p{place}"


def _day(body: Json, path: str) -> str:
    found = day(read(body, path))
    return found.isoformat() if found is not None else ""


def _supplier_concerns(body: Json) -> tuple[Concern, ...]:
    settled = text(body, "status") in RELEASED_DOCUMENTS or text(body, "status") == VOIDED
    lines = read(body, "invoiceLines")
    if text(body, "documentType") not in SIGNS or not settled:
        return ()
    # A list that leaves the lines out says nothing about projects: then the document is read singly.
    if lines is not None and not any(has_project(line) for line in lines):
        return ()
    return (Concern("cost", SUPPLIER_INVOICES, supplier_id(body)),)


def _journal_concerns(body: Json) -> tuple[Concern, ...]:
    settled = text(body, "status") in RELEASED_BATCHES or text(body, "status") == VOIDED
    lines = read(body, "journalTransactionLines") or ()
    if module_of(body) in NEVER or not settled or not any(has_project(line) for line in lines):
        return ()
    return (Concern("cost", JOURNALS, journal_id(body)),)


def wanted(settings: TenantSettings) -> bool:
    """Costs are off by default; their registers are not even read then."""
    return settings.costs != "off"


REGISTERS: tuple[Register, ...] = (
    Register(
        system="visma_net",
        name=SUPPLIER_INVOICES,
        identify=supplier_id,
        number=lambda body: text(body, "referenceNumber"),
        title=lambda body: text(body, "supplier.name"),
        projection=supplier_projection,
        concerns=_supplier_concerns,
        single=supplier_id,
        remote_time=latest_time,
        in_scope=lambda body, start: dated_on_or_after("date", body, start),
        start_setting="costs_from",
        wanted=wanted,
    ),
    Register(
        system="visma_net",
        name=JOURNALS,
        identify=journal_id,
        number=lambda body: text(body, "batchNumber"),
        title=lambda body: text(body, "description"),
        projection=journal_projection,
        concerns=_journal_concerns,
        remote_time=latest_time,
        in_scope=lambda body, start: dated_on_or_after("transactionDate", body, start),
        start_setting="costs_from",
        wanted=wanted,
    ),
    replace(reference("visma_net", ACCOUNTS, "accountCD", "description"), wanted=wanted),
    replace(reference("visma_net", LEDGERS, "number", "description"), wanted=wanted),
)
