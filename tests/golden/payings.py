"""Cases of costs and payments: what the ERP shows, and what Severa has of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from golden.shapes import MISSING, Document, Draw, Json, wrapped

_SUPPLIER_KINDS = (
    "Invoice",
    "Invoice",
    "CreditAdj",
    "DebitAdj",
    "QuickCheck",
    "VoidQuickCheck",
    "Prepayment",
    "Check",
)
_PROJECTS = ("2001", "2001", "2002", "X", "x", "", None)


def _files(draw: Draw) -> list[Json]:
    return [
        {"id": draw.guid(), "name": draw.pick(("kvitto.pdf", "Faktura Å.pdf", ""))}
        for _ in range(draw.pick((0, 0, 1, 2)))
    ]


def _project(draw: Draw) -> Any:
    code = draw.pick(_PROJECTS)
    return MISSING if code is None else {"id": code, "internalId": draw.pick((77, 0, None))}


def _known(members: dict[str, Any]) -> Json:
    return {name: value for name, value in members.items() if value is not MISSING}


def supplier_invoice(draw: Draw, erp: Document) -> Json:
    gross = draw.chance(0.4)
    rates = [draw.pick((25, 12, 6, 0)) for _ in range(draw.number(0, 4))]
    lines, vats = [], dict.fromkeys(rates, Decimal(0))
    for n, rate in enumerate(rates, 1):
        net = draw.price()
        vat = (net * rate / 100).quantize(Decimal("0.01"))
        vats[rate] += vat
        lines.append(
            _known(
                {
                    "lineNumber": draw.maybe(n, 0.05),
                    "transactionDescription": draw.maybe(draw.words()),
                    "cost": draw.maybe(net + vat if gross else net, 0.04),
                    "costInCurrency": net,
                    "account": draw.maybe(
                        {
                            "number": draw.pick(("4010", "5800", "1510")),
                            "type": draw.pick(("Expense", "expense", "Asset", "")),
                        },
                        0.05,
                    ),
                    "project": _project(draw),
                    "vatCode": {"id": f"V{rate}"},
                    "attachments": draw.maybe(_files(draw)),
                }
            )
        )
    return erp.body(
        draw,
        "SupplierInvoiceDto",
        {
            "documentType": draw.pick(_SUPPLIER_KINDS),
            "referenceNumber": draw.maybe(f"{draw.number(1, 99999):06}", 0.03),
            "status": draw.pick(("Open", "Closed", "Printed", "Reserved", "Balanced", "Hold", "Voided")),
            "date": draw.maybe(draw.erp_date(), 0.05),
            "description": draw.maybe(draw.long(), 0.4),
            "supplier": {"number": str(draw.number(50000, 50009)), "name": draw.name()},
            "taxCalculationMode": "Gross" if gross else draw.pick(("Net", "TaxSetting")),
            "vatTotal": draw.maybe(sum(vats.values(), Decimal(0)) + draw.pick((0, 0, 0, 5)), 0.05),
            "taxDetailLines": [
                {
                    "taxId": draw.pick((f"V{rate}", f"T{rate}")),
                    "vatId": {"number": f"V{rate}"},
                    "vatRate": rate,
                    "vatAmount": vat,
                }
                for rate, vat in vats.items()
            ],
            "invoiceLines": draw.maybe(lines, 0.03),
            "attachments": draw.maybe(_files(draw)),
            "createdDateTime": draw.moment(zone=False),
            "lastModifiedDateTime": draw.moment(zone=False),
        },
        more=0.01,
    )


def journal(draw: Draw, erp: Document) -> Json:
    lines = [
        _known(
            {
                "lineNumber": draw.maybe(n, 0.05),
                "accountNumber": draw.pick(("4010", "5800", "1510")),
                "transactionDescription": draw.maybe(draw.words()),
                "referenceNumber": draw.maybe(draw.spelt("Verifikat 7")),
                "customerSupplier": draw.maybe(draw.name(), 0.5),
                "debitAmount": draw.maybe(draw.amount()),
                "creditAmount": draw.maybe(draw.pick((0, draw.price()))),
                "project": _project(draw),
                "attachments": draw.maybe(_files(draw)),
            }
        )
        for n in range(1, draw.number(0, 5) + 1)
    ]
    return erp.body(
        draw,
        "JournalTransactionDto",
        {
            "module": draw.pick(("GL", "ModuleGL", "CA", "AP", "ModuleAR", "IN")),
            "batchNumber": draw.maybe(f"{draw.number(1, 9999):05}", 0.03),
            "status": draw.pick(("Posted", "Unposted", "Balanced", "Voided", "Released", "Hold")),
            "transactionDate": draw.maybe(draw.erp_date(), 0.05),
            "ledger": draw.pick(("1", "BUDGET", "")),
            "description": draw.maybe(draw.words()),
            "journalTransactionLines": draw.maybe(lines, 0.03),
            "attachments": draw.maybe(_files(draw)),
            "lastModifiedDateTime": draw.moment(zone=False),
        },
        more=0.01,
    )


def cost(draw: Draw, severa: Document, erp: Document) -> Json:
    supplied = draw.chance(0.55)
    body = supplier_invoice(draw, erp) if supplied else journal(draw, erp)
    project = severa.body(
        draw,
        "ProjectOutputModel",
        {
            "guid": draw.guid(),
            "rootPhase.guid": draw.maybe(draw.guid()),
            "currency.code": draw.maybe(draw.pick(("SEK", "SEK", "EUR"))),
        },
        more=0.01,
    )
    price = {"amount": draw.amount(), "currencyCode": draw.pick(("SEK", "EUR"))}
    fee = severa.body(
        draw,
        "ProjectFeeOutputModel",
        {
            "guid": draw.guid(),
            "project": draw.maybe({"guid": project["guid"]}),
            "phase": draw.maybe({"guid": draw.guid()}, 0.5),
            "unitCost": draw.maybe({"amount": draw.price(), "currencyCode": "SEK"}),
            "unitPrice": draw.maybe(
                price
                | {"multiCurrencyInfo": draw.pick(([], [{"amount": draw.price(), "currencyCode": "SEK"}]))}
            ),
            "quantity": draw.pick((1, Decimal("1.0"), 2)),
            "isBillable": draw.flag(),
        },
        more=0.01,
    )
    return {
        "register": "supplierInvoice" if supplied else "journaltransaction",
        "body": wrapped(body) if draw.chance(0.04) else body,
        "categories": draw.pick(({}, {"V25": ["V25", "T25"], "V12": ["V12"], "V6": ["V6"], "V0": []})),
        "project": project,
        "fee": fee,
        "currency": draw.pick(("SEK", "SEK", "EUR")),
        "rates": [
            {"code": "SEK", "rate": 1, "isOrganizationCurrency": True},
            {
                "code": "EUR",
                "rate": draw.pick((Decimal("11.2345"), 0, None)),
                "isOrganizationCurrency": False,
            },
        ],
        "settings": {
            "costs": draw.pick(("cost", "cost-and-fee")),
            "cost_multiplier_percent": draw.pick(("100", "112.5")),
        },
        "billable": draw.chance(0.5),
        "language": draw.pick(("sv", "en")),
    }


def payment(draw: Draw, severa: Document, erp: Document) -> Json:
    amount = draw.pick((draw.price(), draw.price(), Decimal(0), draw.amount()))
    kind = draw.pick(("Invoice", "Invoice", "CreditNote", "Credit Note", "Payment"))
    numbers = tuple(f"{n:06}" for n in range(501, 504))
    paying = ("Payment", "PMT", "SMB", "SmallBalanceWO", "Void Payment", "RPM", "CreditMemo", "Refund")
    document = erp.body(
        draw,
        "CustomerDocumentDto",
        {
            "documentType": kind,
            "referenceNumber": "100017",
            "status": draw.pick(("Open", "Open", "Closed", "Closed", "Hold", "Voided", "Reserved")),
            "customer": {"number": "10003", "name": draw.name()},
            "currencyId": draw.currency(),
            "documentDate": draw.erp_date(),
            "amountInCurrency": draw.maybe(amount, 0.05),
            "balanceInCurrency": draw.pick((amount, 0, Decimal("0.40"), Decimal(amount) / 2)),
            "vatTotalInCurrency": draw.maybe(Decimal("25.00")),
            "createdDateTime": draw.moment(zone=False),
            "lastModifiedDateTime": draw.moment(zone=False),
        },
        more=0.02,
    )
    applied = [
        {
            "docType": draw.pick(paying),
            "refNbr": draw.pick(numbers),
            "amountPaid": draw.pick((draw.price(), draw.price(), -draw.price(), Decimal(5), Decimal(-5))),
            "cashDiscountTaken": draw.pick((0, 0, None, Decimal("1.50"))),
            "applicationDate": draw.maybe(draw.erp_date(), 0.05),
            "released": draw.pick((True, True, True, False, None)),
            "voided": draw.pick((False, False, False, True, None)),
        }
        for _ in range(draw.number(0, 4))
    ]
    payments = [
        erp.body(
            draw,
            "PaymentDto",
            {
                "type": draw.pick(("Payment", "Payment", "VoidPayment", "Void Payment", "Refund", "")),
                "refNbr": draw.pick(numbers),
                "status": draw.pick(("Open", "Closed", "Closed", "Balanced", "Voided")),
                "applicationDate": draw.maybe(draw.erp_date(), 0.05),
                "customer": {"number": "10003", "name": draw.name()},
                "paymentLines": [
                    {
                        "documentType": draw.pick(("Invoice", "Invoice", "CreditNote", "")),
                        "refNbr": draw.pick(("100017", "100017", "100018")),
                        "amountPaid": draw.maybe(draw.amount()),
                        "balanceWriteOff": draw.maybe(draw.pick((0, 0, Decimal("0.40"), Decimal("-3")))),
                    }
                    for _ in range(draw.number(0, 3))
                ],
                "lastModifiedDateTime": draw.moment(zone=False),
            },
            more=0.01,
        )
        for _ in range(draw.number(0, 3))
    ]
    invoice = severa.body(
        draw,
        "InvoiceOutputModel",
        {
            "guid": draw.guid(),
            "status.guid": f"status-{draw.pick(('failed', 'transfer', 'transferred', 'sent', 'reminded', 'partly', 'paid', 'gone'))}",
            "paymentDate": draw.maybe(draw.severa_date(), 0.5),
        },
        more=0,
    )
    return {
        "document": document,
        "applications": applied if draw.chance(0.6) else None,
        "payments": payments,
        "invoice": invoice,
        "partly": draw.chance(0.7),
        "difference": draw.pick((Decimal(0), Decimal("0.40"), Decimal("-0.5"))),
    }
