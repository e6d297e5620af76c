"""Severa's invoices as the poller reads them, and the registers that they are booked by."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from domain.mapper import day, flag, known_factor, known_money, read, text
from domain.model import Json
from domain.money import CURRENCIES
from domain.registers import Concern, Register, dated_on_or_after, reference
from domain.text import canonical

INVOICES = "invoices"
ROWS = "invoices/invoicerows"
STATUSES = "invoicestatuses"
DOCUMENTS = "customerdocument"

# Open question: the input model of PATCH invoices is not published; these are the paths of the read model.
NUMBER_PATH = "/number"
REFERENCE_PATH = "/referenceNumber"
STATUS_PATH = "/status/guid"

# Open question: the direction of Severa's currencyRate and of the ERP's exchangeRate. Taken as company currency per
# unit of the invoice's currency in both; the company amount of the proof (R-INV-4) shows it if that is wrong.
SAME_RATE_DIRECTION = True

# Open question: how long the ERP's texts may be. The limits are cut to with '…' and a warning in the log.
INVOICE_TEXT_LIMIT = 1000
DESCRIPTION_LIMIT = 255


def projection(body: Json) -> Mapping[str, str]:
    """The mapped fields of a Severa invoice as canonical strings; the hash of these tells a change."""
    values = {
        name: text(body, path)
        for name, path in (
            ("number", "number"),
            ("reference", "referenceNumber"),
            ("status", "status.guid"),
            ("customer", "billingCustomer.guid"),
            ("projectCustomer", "customer.guid"),
            ("yourReference", "yourReference"),
            ("ourReference", "ourReference"),
            ("orderNumber", "orderNumber"),
            ("notes", "notes"),
            ("freeText1", "freeText1.plainText"),
            ("freeText2", "freeText2.plainText"),
            ("receiver", "receiverCustomerName"),
            ("receiverContact", "receiverContactName"),
            ("receiverPerson", "receiverContactGuid"),
            ("unit", "invoiceNumberBusinessUnitGuid"),
            ("receiverEmail", "receiverContactEmail"),
            ("sender", "senderContactName"),
            ("senderVatNumber", "senderVatNumber"),
            ("addressline", "receiverAddress.addressline"),
            ("postalCode", "receiverAddress.postalCode"),
            ("city", "receiverAddress.city"),
            ("country", "receiverAddress.country"),
            ("currency", "currency.code"),
            ("reimburseInvoice", "reimburseInvoice.guid"),
            ("creditNoteInvoice", "creditNoteInvoice.guid"),
        )
    }
    for name in ("date", "dueDate", "entryDate", "paymentDate"):
        found = day(read(body, name))
        values[name] = found.isoformat() if found else ""
    for name in ("totalIncludingTax", "totalExcludingTax", "totalTax"):
        values[name] = canonical(known_money(read(body, f"{name}.amount")))
    for name in ("currencyRate", "paymentTerm"):
        values[name] = canonical(known_factor(read(body, name)))
    values["isCreditNote"] = canonical(flag(read(body, "isCreditNote"), default=False))
    values["projects"] = " ".join(sorted(text(one, "guid") for one in read(body, "projects") or []))
    return values


def severa_time(body: Json) -> datetime | None:
    """The later of created and updated, aware; None if the row has neither."""
    times = [_time(text(body, name)) for name in ("lastUpdatedDateTime", "createdDateTime")]
    return max((one for one in times if one is not None), default=None)


def _time(value: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    # A time without zone cannot be compared with the others; the vendor's own have one.
    return found if found.tzinfo else None


def in_scope(body: Json, start: date | None) -> bool:
    """Whether an invoice is dated on or after the tenant's start date (R-SET-7); one without a date is."""
    return dated_on_or_after("date", body, start)


def _concerns(body: Json) -> tuple[Concern, ...]:
    guid = text(body, "guid")
    return Concern("invoice", INVOICES, guid), Concern("payment", INVOICES, guid, only_linked=True)


def _title(body: Json) -> str:
    return (
        text(body, "receiverCustomerName")
        or text(body, "billingCustomer.name")
        or text(body, "customer.name")
    )


REGISTERS: tuple[Register, ...] = (
    Register(
        system="severa",
        name=INVOICES,
        identify=lambda body: text(body, "guid"),
        number=lambda body: text(body, "number"),
        title=_title,
        projection=projection,
        concerns=_concerns,
        remote_time=severa_time,
        in_scope=in_scope,
        start_setting="invoices_from",
    ),
    reference("severa", STATUSES, "guid", "name"),
    reference("visma_net", CURRENCIES, "id", "description"),
    reference("visma_net", "vat", "vatId", "description"),
    reference("visma_net", "organization", "organizationCd", "name"),
    reference("visma_net", "branch", "number", "name"),
    reference("visma_net", "financialPeriod", "period", "description"),
)
