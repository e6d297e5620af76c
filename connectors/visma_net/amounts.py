"""Members that are numbers wherever the vendor's document has them; a contract test holds the names against it."""

from __future__ import annotations

# fmt: off
AMOUNTS: frozenset[str] = frozenset(
    {
        "amount", "amountInCurrency", "amountPaid", "appliedToDocuments", "appliedToOrder",
        "appliedToOrders", "assets", "available", "availableBalance", "availableBalanceInCurrency",
        "availableForShipment", "averageCost", "balance", "balanceInCurrency", "balanceWriteOff",
        "baseItemVolume", "baseItemWeight", "begBalance", "cashDiscountBalance", "cashDiscountInCurrency",
        "cashDiscountTaken", "controlTotal", "controlTotalInCurrency", "cost", "costInCurrency",
        "creditAmount", "creditAmountInCurrency", "creditLimit", "creditTotal", "creditTotalInCurrency",
        "crossRate", "currBegBalance", "currCreditAmount", "currDebitAmount", "currEndingBalance",
        "currentCost", "curyRetainageAmt", "curyRetainageTotal", "curyRetainageUnreleasedAmt",
        "debitAmount", "debitAmountInCurrency", "debitTotal", "debitTotalInCurrency", "deductableAmount",
        "deductedCharges", "deductibleVatRate", "defaultPrice", "detailTotal", "detailTotalInCurrency",
        "discountAmount", "discountAmountInCurrency", "discountPercent", "discountTotal",
        "discountTotalInCurrency", "discountUnitCost", "discountUnitCostInCurrency", "endingBalance", "eoq",
        "exchangeRate", "expenses", "financeCharges", "income", "lastCost", "lastSupplierPrice",
        "liability", "lotSize", "manualAmount", "manualAmountInCurrency", "maxAmount", "maxCost",
        "maxOrderQty", "maxTaxableAmt", "minCost", "minOrderQty", "minTaxableAmt", "orderTotal",
        "paymentAmount", "paymentAmountInCurrency", "pendingCost", "percent", "priceAdjustmentMultiplier",
        "quantity", "quantityOnHand", "recommendedPrice", "retainagePct", "roundingDiff",
        "roundingDiffInCurrency", "taxableAmount", "totalDiscountPeriod", "totalDiscountYear", "totalLoan",
        "totalOrder", "totalSalePeriod", "totalSaleYear", "transferredToInvoice", "unitCost",
        "unitCostInCurrency", "unitPrice", "unitPriceInCurrency", "unitRate", "vatAmount", "vatExemptTotal",
        "vatExemptTotalInCurrency", "vatRate", "vatTaxableTotal", "vatTaxableTotalInCurrency", "vatTotal",
        "vatTotalInCurrency", "withholdingTax", "withholdingTaxInCurrency", "writeOffAmount",
    }
)
# fmt: on
"""Money, quantities and rates: garbage in one of them must not be read as zero. ``cashDiscount`` is left out: it is an amount
in one model and text in another."""
