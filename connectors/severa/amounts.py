"""Members that are numbers wherever the vendor's document has them; a contract test holds the names against it."""

from __future__ import annotations

AMOUNTS: frozenset[str] = frozenset(
    {
        "amount",
        "currencyRate",
        "dailyHours",
        "flextimeLimitPerDay",
        "includesHours",
        "invoiceQuantity",
        "maxFlextimeBalanceLimit",
        "minFlextimeBalanceLimit",
        "originalWorkHoursEstimate",
        "overdueInterest",
        "percentage",
        "plannedInvoiceQuantity",
        "purchaseVatRate",
        "quantity",
        "rate",
        "size",
        "vatRate",
        "workHourValueAddedTax",
        "workHoursEstimate",
        "workHoursQuantity",
    }
)
"""Money, quantities and rates: garbage in one of them must not be read as zero."""
