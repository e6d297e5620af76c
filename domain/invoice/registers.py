"""The mapping of invoices and credit notes to ERP documents, and Severa's invoices as the poller reads them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from domain.fields import Field
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

HEADER = (
    Field(
        "customer",
        "billingCustomer",
        "customer.number",
        "→",
        "link",
        "severa",
        "customerNumber",
        "else customer",
    ),
    Field(
        "address",
        "receiverAddress",
        "invoiceAddress",
        "→",
        "address",
        "severa",
        "billingAddress",
        "if it differs",
    ),
    Field("person", "receiverContactGuid", "contact.id", "→", "link", "severa", "contact", "if it is linked"),
    Field("contact", "receiverContactName", "invoiceContact", "→", "contact", "severa", note="if it differs"),
    Field("number", "number", "referenceNumber", "←", "integer", "visma_net", note="string kept in the link"),
    Field(
        "reference",
        "referenceNumber",
        "paymentReference",
        "←",
        "text",
        "visma_net",
        note="empty → Severa's stays",
    ),
    Field("date", "date", "documentDate", "→", "date", "severa"),
    Field("due date", "dueDate", "documentDueDate", "→", "date", "severa", note="not on credit notes"),
    Field(
        "period", "entryDate", "financialPeriod", "→", "period", "severa", note="if not the document date's"
    ),
    Field("your reference", "yourReference", "externalReference", "→", "text", "severa"),
    Field("order number", "orderNumber", "customerRefNumber", "→", "text", "severa"),
    Field(
        "terms",
        "paymentTerm",
        "creditTerms.id",
        "→",
        "terms",
        "severa",
        "creditTermsId",
        "not on credit notes",
    ),
    Field(
        "text",
        "freeText1.plainText",
        "invoiceText",
        "→",
        "lines",
        "severa",
        note="and references, notes, freeText2",
    ),
    Field("currency", "currency.code", "currencyId", "→", "text", "severa"),
    Field("rate", "currencyRate", "exchangeRate", "→", "decimal", "severa", note="only in foreign currency"),
    Field(
        "branch",
        "invoiceNumberBusinessUnitGuid",
        "branchNumber.number",
        "→",
        "branch",
        "severa",
        "branchNumber",
        "by the mapping of units, else by senderVatNumber",
    ),
    Field("project", "projects", "project.id", "→", "link", "severa", "project", "one per document"),
    Field("hold", "", "hold", "→", "true", "rule", note="taken off after the proof (R-INV-4)"),
    Field("not printed", "", "dontPrint", "→", "true", "rule", note="R-INV-3"),
    Field("not e-mailed", "", "dontEmail", "→", "true", "rule", note="R-INV-3"),
    Field("not by AutoInvoice", "", "sendToAutoInvoice", "→", "false", "rule", note="R-INV-3"),
    Field(
        "marker",
        "guid",
        "note",
        "→",
        "marker",
        "rule",
        note="first line severa:<guid> <installation>.<nonce> (R-INV-13)",
    ),
    Field(
        "files", "files", "attachments", "→", "files", "severa", note="if chosen, after the number (R-INV-8)"
    ),
)

LINES = (
    Field("item", "code", "inventoryNumber", "→", "link", "severa"),
    Field("description", "description", "description", "→", "cut", "severa"),
    Field(
        "quantity", "quantity", "quantity", "→", "decimal", "severa", note="× −1 on a negative credit note"
    ),
    Field("price", "unitPrice", "unitPriceInCurrency", "→", "money", "severa", note="always sent, also 0"),
    Field("no discount", "", "manualDiscount", "→", "true", "rule", note="with discountPercent 0"),
    Field("unit", "measurementUnit", "uom", "→", "unit", "severa", note="unknown → the item's sales unit"),
    Field(
        "branch",
        "",
        "branchNumber.number",
        "→",
        "branch",
        "severa",
        "branchNumber",
        "of the row's project, within the selling company",
    ),
    Field("task", "", "projectTask.id", "→", "setting", "rule", "taskId"),
    Field(
        "VAT category",
        "vatRate",
        "vatCode.id",
        "→",
        "setting",
        "rule",
        "vatCodeId",
        "only of rows that take a fallback item, where the tenant has one for their rate",
    ),
)


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
