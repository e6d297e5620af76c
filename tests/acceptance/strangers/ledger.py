"""The strange ERP's VAT, classes and arithmetic: amounts per line, VAT per rate, everything to the cent."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Row = dict[str, Any]
CENT = Decimal("0.01")

VAT: Mapping[str, tuple[int, str]] = {"25": (25, "U25"), "12": (12, "U12"), "6": (6, "U06"), "0": (0, "U00")}
"""VAT category → rate in percent, VAT id."""

CLASSES: Mapping[str, tuple[str, str]] = {
    "PRODUCT": ("NonStockItem", "25"),
    "LABOR": ("LaborItem", "25"),
    "EXPENSE": ("ExpenseItem", "25"),
    "SERVICE": ("ServiceItem", "25"),
}
"""Item class → type of its items, VAT category."""

ARTICLES: Mapping[str, tuple[str, str, str]] = {
    "KONS": ("Konsult", "LABOR", "25"),
    "BOK": ("Kursbok", "PRODUCT", "6"),
    "MAT": ("Kursmat", "PRODUCT", "12"),
    "KM": ("Bilersättning", "EXPENSE", "25"),
    "FRI": ("Momsfritt", "PRODUCT", "0"),
}
"""Items that are there from the start: name, class, VAT category."""

TERMS = (10, 15, 30, 60)


def cents(amount: Decimal) -> Decimal:
    """Half away from zero to two decimals."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def calculated(lines: list[Row]) -> Row:
    """Totals of a document from its lines; amounts go into the lines as well."""
    bases: dict[str, Decimal] = {}
    for line in lines:
        amount = cents(line["quantity"] * line["unitPriceInCurrency"] * (1 - line["discountPercent"] / 100))
        line["amount"] = line["amountInCurrency"] = amount
        line["unitPrice"] = line["unitPriceInCurrency"]
        category = line["vatCode"]["id"]
        bases[category] = bases.get(category, Decimal(0)) + amount
    taxes = [
        {
            "taxId": VAT[category][1], "recordId": index, "vatId": {"number": VAT[category][1], "description": f"{VAT[category][0]} %"},
            "vatRate": Decimal(VAT[category][0]), "taxableAmount": base, "vatAmount": cents(base * VAT[category][0] / 100),
        }
        for index, (category, base) in enumerate(bases.items(), 1)
    ]  # fmt: skip
    net = sum(bases.values(), Decimal(0))
    vat = sum((tax["vatAmount"] for tax in taxes), Decimal(0))
    total = net + vat
    both: Row = {"detailTotal": net, "vatTaxableTotal": net - bases.get("0", Decimal(0)), "vatExemptTotal": bases.get("0", Decimal(0)), "vatTotal": vat, "discountTotal": Decimal(0), "amount": total, "balance": total}  # fmt: skip
    doubled = {f"{name}InCurrency": value for name, value in both.items()}
    return {**both, **doubled, "taxDetails": taxes, "roundingDiff": Decimal(0)}
