"""Cases of what flows one way: invoices with their rows, settings and the document that the ERP shows for the proof.

An invoice's amounts are made of its rows, so that most documents prove; what is off is drawn: a row's VAT, a rounding, a sign,
a member of the document.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from golden.shapes import Document, Draw, Json

RATES = {"1": Decimal(25), "2": Decimal(12), "3": Decimal(6), "0": Decimal(0), "4": Decimal("25.5")}
ZONES = ("DOMESTIC", "EU", "EXPORT")
_DIGITS = {"JPY": 0, "KWD": 3}
_UNITS = ("h", "H", "st", "tim", "", "PCS")


def _rounded(value: Decimal, currency: str) -> Decimal:
    unit = Decimal(1).scaleb(-_DIGITS.get(currency, 2))
    return value.quantize(unit, rounding=ROUND_HALF_UP)


# ---------------------------------------------------------------- reference rows


def references(draw: Draw, severa: Document, erp: Document) -> dict[str, list[Json]]:
    """The reference registers that invoices and payments are judged by, in the documents' shapes."""
    vats = [
        erp.body(
            draw,
            "VatInformationDto",
            {
                "vatId": f"{zone[0]}{category}",
                "description": f"Moms {rate}",
                "type": draw.pick(("Vat", "ReverseVat")) if zone == "EU" else "Vat",
                "reverseVat": zone == "EU" and draw.chance(0.3),
                "schedules": [
                    {
                        "startDate": "2020-01-01T00:00:00",
                        "vatRate": rate if zone == "DOMESTIC" else 0,
                        "groupType": "Output",
                    },
                    {
                        "startDate": "2026-07-01T00:00:00",
                        "vatRate": rate if zone == "DOMESTIC" else 0,
                        "groupType": draw.pick(("Output", "Input", "")),
                    },
                ],
                "categories": [{"vatCategoryId": category}],
                "zones": [{"id": zone}],
            },
        )
        for zone in ZONES
        for category, rate in RATES.items()
    ]
    categories = [
        erp.body(
            draw,
            "VatCategoryDto",
            {"vatCategoryId": one, "vatCategoryLines": [{"vatId": f"D{one}", "vatRates": []}]},
        )
        for one in RATES
    ]
    periods = [
        erp.body(
            draw,
            "FinancialPeriodDto",
            {
                "year": 2026,
                "period": f"2026{month:02}" if month % 2 else f"{month:02}-2026",
                "startDate": f"2026-{month:02}-01T00:00:00",
                "endDate": f"2026-{month + 1:02}-01T00:00:00" if month < 12 else "2027-01-01T00:00:00",
                "closedInCustomerLedger": month in (1, 5),
            },
        )
        for month in range(1, 13)
    ]
    # Auditors' own: begins and ends on the last day of the year.
    adjustment = {
        "year": 2026,
        "period": "202613",
        "startDate": "2026-12-31T00:00:00",
        "endDate": "2026-12-31T00:00:00",
    }
    periods.append(erp.body(draw, "FinancialPeriodDto", adjustment | {"closedInCustomerLedger": True}))
    names = (
        ("failed", {}),
        ("transfer", {"isReadOnly": True}),
        ("transferred", {"hasInvoiceNumber": True, "isReadOnly": True}),
    )
    flags = {"hasInvoiceNumber": True, "isSent": True, "isWaitingPayment": True}
    more = (
        ("sent", flags),
        ("reminded", flags),
        ("partly", flags),
        ("paid", flags | {"isPaid": True, "isWaitingPayment": False}),
    )
    statuses = [
        severa.body(
            draw,
            "InvoiceStatusModel",
            {"guid": f"status-{name}", "name": name, "isActive": True, "sortOrder": n, **own},
            more=0,
        )
        for n, (name, own) in enumerate((("draft", {"isDefault": True}), *names, *more))
    ]
    # The first of the line is what failed ones go to.
    statuses = [one for one in statuses if one["guid"] != "status-draft"]
    return {"vat": vats, "vatCategory": categories, "financialPeriod": periods, "invoicestatuses": statuses}


def item(draw: Draw, erp: Document, number: str, category: str) -> Json:
    return erp.body(
        draw,
        "InventoryDto",
        {
            "inventoryId": 1,
            "inventoryNumber": number,
            "vatCode.id": category,
            "salesUnit": draw.maybe(draw.pick(("TIM", "ST", "h"))),
            "baseUnit": draw.maybe(draw.pick(("TIM", "PCS"))),
            "accountInformation.salesAccount.number": draw.pick(("3010", "3011")),
            "postingClass.id": draw.pick(("SV25", "SV12")),
        },
        more=0.01,
    )


# ---------------------------------------------------------------- invoices


def row(draw: Draw, severa: Document, n: int, currency: str) -> tuple[Json, Decimal, Decimal]:
    """A row, its net and its VAT rate."""
    rate = draw.pick(
        (Decimal(25), Decimal(25), Decimal("25.00"), Decimal(12), Decimal(6), 0, Decimal("25.5"))
    )
    quantity = draw.pick(
        (1, Decimal("7.5"), Decimal("0.25"), Decimal("7.3333333333"), -1, 10, Decimal("2.50"))
    )
    price = draw.price()
    other = currency != "SEK" and draw.chance(0.3)
    money: dict[str, Any] = {"amount": price, "currencyCode": currency}
    if other:
        own = [{"amount": price, "currencyCode": currency}] if draw.chance(0.8) else []
        money = {
            "amount": price * 11,
            "currencyCode": "SEK",
            "multiCurrencyInfo": [*own, {"amount": Decimal("9.99"), "currencyCode": "NOK"}],
        }
    text_row = draw.chance(0.07)
    if text_row:
        price, quantity = Decimal(0), draw.pick((0, 1))
    body = severa.body(
        draw,
        "InvoiceRowOutputModel",
        {
            "guid": f"row-{n}",
            "rowType": draw.pick(severa.words("InvoiceRowOutputModel", "rowType")),
            "code": draw.pick(
                (["KONS"], ["KONS"], [" RES.KM "], ["KONS", "Åter-01"], [], None, [None, "LIC-2026"])
            ),
            "description": draw.maybe(draw.long()),
            "quantity": draw.maybe(quantity, 0.02),
            "unitPrice": None if text_row else money,
            "measurementUnit": draw.maybe(draw.pick(_UNITS)),
            "vatRate": draw.maybe(rate, 0.05),
            "sortOrder": draw.pick((n, n, n, 10 - n, None)),
        },
        more=0.02,
    )
    known = Decimal(body.get("quantity") or 0)
    return body, _rounded(known * price, currency), Decimal(body.get("vatRate") or 0)


def _vat(parts: list[tuple[Decimal, Decimal]], currency: str, *, on_lines: bool) -> Decimal:
    if on_lines:
        return sum((_rounded(net * rate / 100, currency) for net, rate in parts), Decimal(0))
    rates = sorted({rate for _, rate in parts})
    nets = {one: sum((net for net, rate in parts if rate == one), Decimal(0)) for one in rates}
    return sum((_rounded(net * rate / 100, currency) for rate, net in nets.items()), Decimal(0))


def invoice(draw: Draw, severa: Document, erp: Document) -> Json:
    currency = draw.pick(("SEK", "SEK", "SEK", "EUR", "NOK", "JPY", "KWD"))
    credit = draw.chance(0.35)
    made = [row(draw, severa, n, currency) for n in range(1, draw.number(1, 5) + 1)]
    turned = credit and draw.chance(0.6)
    rows = [one for one, _, _ in made]
    if turned:
        for one in rows:
            if one.get("quantity"):
                one["quantity"] = -one["quantity"]
    sign = -1 if turned else 1
    parts = [(net * sign, rate) for _, net, rate in made]
    net = sum((one for one, _ in parts), Decimal(0))
    tax = _vat(parts, currency, on_lines=draw.chance(0.3))
    total = net + tax
    if draw.chance(0.3):
        total = total.quantize(Decimal(1), rounding=ROUND_HALF_UP)
    if draw.chance(0.06):
        total += draw.pick((Decimal("0.01"), Decimal("1.00"), Decimal("-0.02")))
    if draw.chance(0.03):
        total = net = tax = Decimal(0)
    dates = {name: draw.maybe(draw.severa_date(), 0.05) for name in ("date", "dueDate")}
    street = draw.pick(("Storgatan 1", "Fakturavägen 3\nBox 12\n3 tr\nPort B", "Lindholmsallén 3\r\nPl 2"))
    body = severa.body(
        draw,
        "InvoiceOutputModel",
        {
            "guid": draw.guid(),
            "number": draw.maybe(draw.number(1, 99999), 0.6),
            "referenceNumber": draw.maybe("1000053", 0.7),
            "status.guid": draw.pick(("status-transfer", "status-sent", "status-paid", "status-other")),
            "status.name": "Överförs",
            "customer": {
                "guid": draw.short_guid("customer", 5),
                "name": draw.name(),
                "number": draw.number(1, 999),
            },
            "billingCustomer": draw.maybe(
                {"guid": draw.short_guid("customer", 5), "name": draw.name(), "number": 7}, 0.5
            ),
            "projects": [
                {"guid": draw.short_guid("project", 5), "name": draw.name(), "number": draw.number(1, 99)}
                for _ in range(draw.pick((0, 1, 1, 1, 2)))
            ],
            **dates,
            "entryDate": draw.maybe(draw.severa_date(), 0.6),
            "paymentDate": draw.maybe(draw.severa_date(), 0.8),
            "paymentTerm": draw.maybe(draw.pick((10, 30, 45))),
            "currency.code": draw.maybe(currency, 0.04),
            "currencyRate": draw.maybe(
                draw.pick((1, Decimal("11.2345"), Decimal("0.0872"), Decimal("1.00")))
            ),
            "totalIncludingTax": {"amount": total, "currencyCode": currency},
            "totalExcludingTax": {"amount": net, "currencyCode": currency},
            "totalTax": draw.maybe({"amount": tax, "currencyCode": currency}, 0.02),
            "isCreditNote": draw.pick((credit, "true")) if credit else draw.pick((False, None)),
            "reimburseInvoice": draw.maybe({"guid": draw.guid(), "number": 4}, 0.7),
            "creditNoteInvoice": draw.maybe({"guid": draw.guid(), "number": 5}, 0.9),
            "yourReference": draw.maybe(draw.name()),
            "ourReference": draw.maybe(draw.name()),
            "orderNumber": draw.maybe(draw.pick(("PO 17", "é-9", ""))),
            "notes": draw.maybe(draw.long(), 0.5),
            "freeText1.plainText": draw.maybe(draw.long(), 0.6),
            "freeText2.plainText": draw.maybe(draw.long(), 0.8),
            "senderContactName": draw.maybe(draw.name()),
            "senderVatNumber": draw.maybe(draw.vat_number()),
            "invoiceNumberBusinessUnitGuid": draw.maybe(draw.short_guid("unit", 3)),
            "receiverCustomerName": draw.maybe(draw.name()),
            "receiverContactGuid": draw.maybe(draw.guid()),
            "receiverContactName": draw.maybe(draw.name()),
            "receiverContactEmail": draw.maybe(draw.pick(("faktura@example.com", "Faktura@Example.com"))),
            "receiverAddress": draw.maybe(
                {
                    "addressline": draw.spelt(street),
                    "postalCode": draw.pick(("903 26", "90326")),
                    "city": draw.pick(("Umeå", "UMEÅ", "Oslo")),
                    "country": draw.pick(("Sverige", "Norge", "Utlandet")),
                }
            ),
            "createdDateTime": draw.moment(zone=True),
            "lastUpdatedDateTime": draw.maybe(draw.moment(zone=True)),
        },
        more=0.02,
    )
    contact = {"name": draw.name(), "attention": draw.maybe(draw.name(), 0), "email": "faktura@example.com"}
    home = {"addressLine1": "Storgatan 1", "postalCode": "903 26", "city": "Umeå", "country": {"id": "SE"}}
    customer = erp.body(
        draw,
        "CustomerDto",
        {
            "number": "10003",
            "name": draw.name(),
            "creditTerms.id": draw.pick(("30", "30N", "10")),
            "vatZone.id": draw.pick(("DOMESTIC", "DOMESTIC", "EU", "EXPORT")),
            "mainAddress": home,
            "invoiceAddress": draw.maybe(home, 0.5),
            "invoiceContact": draw.maybe(contact, 0.3),
            "mainContact": draw.maybe(contact, 0.3),
        },
        more=0.01,
    )
    numbers = {one["guid"]: draw.pick(("KONS", "LIC-2026", "RES.KM")) for one in rows}
    return {
        "invoice": body,
        "rows": rows,
        "customer": None if draw.chance(0.05) else customer,
        "project": draw.pick(("", "2001", "2001")),
        "items": {guid: item(draw, erp, number, draw.pick(tuple(RATES))) for guid, number in numbers.items()},
        "choices": {
            "branch": draw.pick(("1", "1", "")),
            "terms": draw.pick(("30", "")),
            "period": draw.pick(("", "202603")),
            "foreign": currency != "SEK",
            "country": draw.pick((None, "SE", "NO")),
            "task": "10",
            "language": draw.pick(("sv", "en")),
            "units": draw.pick(({}, {"h": "TIM", " Tim ": "TIM"})),
            "credited": draw.pick(("", "4711")) if credit else "",
            "contact": draw.pick(("", "501")),
            "note": draw.pick(("", "Projekt 2001, 2002")),
        },
        "base": draw.pick(("SEK", "SEK", "EUR", "")),
        "tolerance": draw.pick((Decimal("0.01"), Decimal(0), Decimal("1.00"))),
        "document": document(draw, erp, body, rows, numbers, parts, currency, credit=credit),
    }


def document(
    draw: Draw,
    erp: Document,
    body: Json,
    rows: list[Json],
    numbers: dict[str, str],
    parts: list[tuple[Decimal, Decimal]],
    currency: str,
    *,
    credit: bool,
) -> Json:
    """The held document as the ERP shows it for the proof: what the invoice says, positive, with up to three things off."""
    calm = draw.chance(0.55)

    def off(*values: Any) -> Any:
        """The first of these, or any where this document is not as it should be."""
        return values[0] if calm else draw.pick(values)

    turn = -1 if credit and sum((net for net, _ in parts), Decimal(0)) < 0 else 1
    amounts = [(net * turn, rate) for net, rate in parts]
    net = sum((one for one, _ in amounts), Decimal(0))
    rates = sorted({rate for _, rate in amounts})
    taxes = {
        rate: _rounded(sum((one for one, r in amounts if r == rate), Decimal(0)) * rate / 100, currency)
        for rate in rates
    }
    vat = sum(taxes.values(), Decimal(0))
    told = Decimal((body.get("totalIncludingTax") or {}).get("amount") or 0) * turn
    rounding = told - net - vat if abs(told - net - vat) < 1 and draw.chance(0.8) else Decimal(0)
    lines = []
    for n, (one, (amount, _)) in enumerate(zip(rows, amounts, strict=True), 1):
        price = Decimal((one.get("unitPrice") or {}).get("amount") or 0)
        quantity = Decimal(one.get("quantity") or 0) * turn
        if draw.chance(0.06):
            quantity = quantity.quantize(Decimal("0.01")) if draw.chance(0.7) else quantity + 1
        if draw.chance(0.05):
            price = price.quantize(Decimal("0.0001")) if draw.chance(0.5) else price * 2
        number = numbers[one["guid"]]
        lines.append(
            {
                "lineNumber": n,
                "inventoryNumber": off(number, number, number.lower(), "KONS"),
                "description": (one.get("description") or "").strip()[: off(255, 255, 100)],
                "quantity": quantity,
                "unitPriceInCurrency": price,
                "amountInCurrency": draw.maybe(amount, 0.05),
                "uom": off("TIM", "TIM", "ST"),
                "projectTask": {"id": off("10", "10", "10", "20")},
                "branchNumber": off({"number": "1"}, {"number": "1"}, None, {"number": "2"}),
                "discountPercent": off(0, 0, 0, 0, 0, Decimal("0.00"), 5),
            }
        )
    shown = draw.pick((1, 1, 1, -1)) if credit else 1
    # Some show a credit note's tax as negative although its amounts are positive.
    tax_turn = draw.pick((1, 1, 1, -1)) if credit else 1
    total = _rounded(net + vat + rounding, currency)
    told_total = off(total, total, total, 0, None, total + Decimal("0.01"))
    members: dict[str, Any] = {
        "documentType": "CreditNote" if credit else "Invoice",
        "referenceNumber": "100017",
        "status": off("Hold", "Balanced", "Open", None),
        "hold": True,
        "customer.number": off("10003", "10003", "10003", "10004"),
        "currencyId": off(currency, currency, currency, "EUR"),
        "documentDate": f"{body.get('date') or '2026-01-01'}T00:00:00",
        "documentDueDate": draw.maybe(f"{body.get('dueDate') or '2026-02-01'}T00:00:00"),
        "externalReference": draw.maybe(draw.spelt((body.get("yourReference") or "").strip())),
        "customerRefNumber": draw.maybe((body.get("orderNumber") or "").strip()),
        "financialPeriod": off("202603", "202603", "202604"),
        "creditTerms.id": off("30", "30N"),
        "branchNumber.number": off("1", "1", "2"),
        "project.id": off("2001", "2001", "X"),
        "exchangeRate": draw.maybe(off(body.get("currencyRate") or 1, Decimal("11.23"))),
        "note": off(f"severa:{body['guid']}", f"severa:{body['guid']}\nProjekt 2001, 2002", "annat"),
        "dontPrint": off(True, True, True, None, False),
        "dontEmail": off(True, True, True, True, False),
        "sendToAutoInvoice": off(False, False, False, None, True),
        "detailTotalInCurrency": net * shown,
        "discountTotalInCurrency": off(0, 0, 0, None),
        "vatTotalInCurrency": off(vat, vat, vat, vat + Decimal("0.01")) * shown,
        "roundingDiff": rounding * off(1, 1, -1) * shown,
        "amountInCurrency": None if told_total is None else told_total * shown,
        "balanceInCurrency": off(total, 0, _rounded(total / 2, currency)) * shown,
        "amount": draw.maybe(
            _rounded(total * off(Decimal(body.get("currencyRate") or 1), 11), "SEK") * shown, 0.4
        ),
        "taxDetails": [
            {
                "vatId": {"number": f"D{n}"},
                "vatRate": rate,
                "taxableAmount": sum((one for one, r in amounts if r == rate), Decimal(0)) * shown,
                "vatAmount": amount * shown * tax_turn,
            }
            for n, (rate, amount) in enumerate(taxes.items())
        ],
        "invoiceAddress": draw.maybe(
            {"addressLine1": "Storgatan 1", "postalCode": "90326", "city": "Umeå", "country": {"id": "SE"}}
        ),
        "invoiceContact": draw.maybe({"attention": draw.name(), "email": "faktura@example.com"}),
        "lines" if credit else "invoiceLines": lines[: off(99, 99, 99, 99, 99, 1)],
        "paymentReference": draw.maybe("1000178", 0.5),
    }
    return erp.body(draw, "CustomerCreditNoteDto" if credit else "CustomerInvoiceDto", members, more=0.01)
