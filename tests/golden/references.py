"""Rows of the reference registers, the world that cases are judged in, and texts for the normal forms."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from golden import bookings, parties, people
from golden.shapes import CURRENCIES, Document, Draw, Json

# Which registers of the world a kind's answers need.
NEEDED: Mapping[str, tuple[str, ...]] = {
    "customer": ("countries", "creditTerm", "currencies"),
    "project": ("salesstatustypes",),
    "invoice": ("vat", "vatCategory", "financialPeriod", "creditTerm"),
    "payment": ("invoicestatuses",),
}
ROWS_OF_EACH = 12


def world(draw: Draw, severa: Document, erp: Document) -> dict[str, list[Json]]:
    """The reference registers of one company."""
    draw.control = draw.noise = False
    return {
        **bookings.references(draw, severa, erp),
        "countries": parties.country_rows(draw, severa),
        "creditTerm": parties.term_rows(draw, erp),
        "salesstatustypes": people.sales_status_rows(draw, severa),
        "currencies": [
            severa.body(
                draw,
                "CurrencyOutputModel",
                {"guid": f"currency-{code}", "name": code, "code": code, "rate": Decimal(1)},
            )
            for code in CURRENCIES[:4]
        ],
    }


# Register → model, and what its rows are drawn with beside what nobody reads.
_ROWS: tuple[tuple[str, str, str, Mapping[str, Any]], ...] = (
    (
        "severa",
        "businessunits",
        "BusinessUnitModel",
        {"guid": "guid", "name": "name", "vatNumber": "vat", "companyGuid": "guid"},
    ),
    (
        "severa",
        "currencies",
        "CurrencyOutputModel",
        {"guid": "guid", "code": "currency", "rate": "amount", "name": "name"},
    ),
    (
        "severa",
        "localization/countries",
        "CountryModel",
        {"guid": "guid", "name": "name", "code2": "code", "isInEU": "flag"},
    ),
    (
        "severa",
        "communicationtypes",
        "CommunicationTypeModel",
        {"guid": "guid", "name": "name", "type": "words", "isActive": "flag"},
    ),
    (
        "severa",
        "salesstatustypes",
        "SalesStatusTypeOutputModel",
        {"guid": "guid", "name": "name", "salesState": "words"},
    ),
    (
        "severa",
        "invoicestatuses",
        "InvoiceStatusModel",
        {"guid": "guid", "name": "name", "isSent": "flag", "sortOrder": "amount"},
    ),
    (
        "visma_net",
        "creditTerm",
        "CreditTermDto",
        {"termsId": "code", "description": "name", "dueDay1": "amount", "dueDateType": "words"},
    ),
    ("visma_net", "vat", "VatInformationDto", {"vatId": "code", "description": "name", "reverseVat": "flag"}),
    (
        "visma_net",
        "vatCategory",
        "VatCategoryDto",
        {"vatCategoryId": "code", "description": "name", "active": "flag"},
    ),
    ("visma_net", "branch", "BranchDto", {"number": "code", "name": "name", "vatRegistrationId": "vat"}),
    (
        "visma_net",
        "financialPeriod",
        "FinancialPeriodDto",
        {"period": "code", "description": "name", "startDate": "date"},
    ),
    (
        "visma_net",
        "organization",
        "ExtendedOrganizationDto",
        {"organizationCd": "code", "name": "name", "baseCurrency": "currency"},
    ),
    ("visma_net", "dimension", "DtoDimension", {"id": "code", "length": "amount", "description": "name"}),
    ("visma_net", "customer/customerClass", "CustomerClassDto", {"id": "code", "description": "name"}),
    (
        "visma_net",
        "inventory/itemClass",
        "ItemClassDto",
        {"id": "code", "description": "name", "type": "words"},
    ),
    ("visma_net", "account", "AccountDto", {"accountCD": "code", "description": "name", "type": "words"}),
    ("visma_net", "ledger", "LedgerDto", {"number": "code", "description": "name", "balanceType": "words"}),
)


def rows(seed: str, severa: Document, erp: Document) -> list[Json]:
    """A few rows of every reference register."""
    found = []
    for system, register, model, members in _ROWS:
        document = severa if system == "severa" else erp
        for n in range(ROWS_OF_EACH):
            draw = Draw(f"{seed} {register} {n}")
            drawn = {
                path: draw.maybe(_value(draw, document, model, path, kind), 0.05)
                for path, kind in members.items()
            }
            body = document.body(draw, model, drawn, more=0.1)
            found.append({"system": system, "register": register, "body": body, "mood": draw.mood})
    return found


def _value(draw: Draw, document: Document, model: str, path: str, kind: str) -> Any:
    match kind:
        case "guid":
            return draw.guid()
        case "name":
            return draw.name()
        case "code":
            return draw.spelt(draw.pick(parties.CODES))
        case "currency":
            return draw.currency()
        case "amount":
            return draw.number(0, 60)
        case "flag":
            return draw.flag()
        case "vat":
            return draw.vat_number()
        case "date":
            return draw.erp_date()
        case _:
            return draw.pick(
                document.words(model, path) or ("Asset", "Expense", "Actual", "N", "NonStockItem")
            )


def form(draw: Draw, severa: Document, _erp: Document) -> Json:
    """Two texts, often the same one in two spellings, and a number."""
    one = draw.pick(
        (
            draw.name,
            draw.vat_number,
            draw.words,
            draw.long,
            lambda: draw.pick((None, "", "  ", "1", "Sverige", "finland", "se")),
        )
    )()
    other = draw.spelt(one) if isinstance(one, str) and draw.chance(0.6) else draw.vat_number()
    countries = parties.country_rows(draw, severa) if draw.chance(0.2) else []
    return {"one": one, "other": other, "number": draw.amount(), "countries": countries}
