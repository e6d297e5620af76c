"""Cases of the registers that both systems keep: products, customers with their addresses.

A case is a record as both systems show it when they meet, and what people change afterwards (``then``: paths with new values
per side). What is drawn first is what both mean; each side then has it in its own spelling, and now and then something else.
"""

from __future__ import annotations

from typing import Any

from golden.shapes import MISSING, Document, Draw, Json, wrapped

RULES = ("severa", "visma_net", "latest", "ask", "ask")
PRODUCT_MODELS = {
    "products": "ProductOutputModel",
    "worktypes": "WorkTypeOutputModel",
    "travelexpensetypes": "TravelExpenseTypeOutputModel",
}
_PRICES = {"products": "unitPrice", "travelexpensetypes": "unitCost"}
_ITEM_TYPES = {
    "products": ("NonStockItem", "ServiceItem"),
    "worktypes": ("LaborItem",),
    "travelexpensetypes": ("ExpenseItem",),
}
ITEM_STATUSES = ("Active", "NoPurchases", "NoSales", "NoRequest", "Inactive", "MarkedForDeletion", "Unknown")
CODES = ("KONS", "kons", "Åter-01", "LIC-2026", "TRA 10", "UE", "0010", "RES.KM", "é-1", "A" * 31)
COUNTRIES = (
    ("SE", "SWE", "Sverige", "Sweden"),
    ("NO", "NOR", "Norge", "Norway"),
    ("FI", "FIN", "Finland", "Finland"),
    ("DE", "DEU", "Tyskland", "Germany"),
    ("AX", "ALA", "Åland", "Åland Islands"),
    ("US", "USA", "USA", "United States"),
)
CITIES = ("Umeå", "UMEÅ", "Göteborg", "Malmö", "Västra Frölunda", "København", "Oslo", "")
STREETS = ("Storgatan 1", "Lindholmsallén 3\nBox 12", "c/o Ek\nVägen 2\n3 tr", "A\n\nB\r\nC\nD", "Torget", "")


def changed(draw: Draw, redrawn: Json, before: Json, most: int) -> dict[str, Any]:
    """Up to ``most`` members, each as another drawing has it: member → value, null where it went away."""
    names = sorted({*redrawn, *before} - {"guid", "internalId", "inventoryId", "contactId", "internalID"})
    chosen = [draw.pick(names) for _ in range(draw.number(0, most))]
    return {name: redrawn.get(name) for name in chosen}


def as_read(draw: Draw, body: Json) -> Json:
    return wrapped(body) if draw.chance(0.04) else body  # type: ignore[no-any-return]


# ---------------------------------------------------------------- products


def product(draw: Draw, severa: Document, erp: Document) -> Json:
    register = draw.pick(tuple(PRODUCT_MODELS))
    truth = {
        "name": draw.name(),
        "code": draw.pick(CODES),
        "price": draw.amount(),
        "currency": draw.currency(),
    }
    guid, number = draw.guid(), draw.number(1000, 9999)

    def ours() -> Json:
        price = _PRICES.get(register)
        money = {
            "amount": draw.maybe(either(draw, truth["price"], draw.amount())),
            "currencyCode": truth["currency"],
        }
        members: dict[str, Any] = {
            "guid": guid,
            "name": draw.maybe(draw.spelt(truth["name"])),
            "code": draw.maybe(draw.spelt(truth["code"])),
            "isActive": draw.maybe(draw.flag()),
            "createdDateTime": draw.moment(zone=True),
            "lastUpdatedDateTime": draw.maybe(draw.moment(zone=True)),
        }
        if price:
            members[price] = draw.maybe(
                {name: value for name, value in money.items() if value is not MISSING}
            )
        if register == "travelexpensetypes":
            members["expenseClass"] = draw.pick(severa.words("TravelExpenseTypeOutputModel", "expenseClass"))
        return severa.body(draw, PRODUCT_MODELS[register], members)

    def theirs() -> Json:
        kinds = (
            _ITEM_TYPES[register] if draw.chance(0.9) else ("ChargeItem", "FinishedGoodItem", "Subassembly")
        )
        return erp.body(
            draw,
            "InventoryDto",
            {
                "inventoryId": number,
                "inventoryNumber": draw.maybe(draw.spelt(truth["code"]), 0.03),
                "description": draw.maybe(draw.spelt(truth["name"])),
                "defaultPrice": draw.maybe(either(draw, truth["price"], draw.amount())),
                "status": draw.maybe(draw.pick(ITEM_STATUSES)),
                "type": draw.pick(kinds),
                "itemClass.id": draw.pick(("PRODUCT", "LABOR", "EXPENSE", "product", "")),
                "lastModifiedDateTime": draw.moment(zone=False),
            },
        )

    first, other = ours(), as_read(draw, theirs())
    return {
        "register": register,
        "severa": first,
        "erp": other,
        "then": {"severa": changed(draw, ours(), first, 3), "erp": changed(draw, theirs(), other, 3)},
        "choice": draw.pick((None, "PRODUCT", "labor", "EXPENSE")),
        "currency": draw.pick(("", "SEK", "SEK", "EUR")),
        "rule": draw.pick(RULES),
        "latest": draw.pick((None, "severa", "visma_net")),
    }


def either(draw: Draw, one: Any, other: Any) -> Any:
    return one if draw.chance(0.7) else other


# ---------------------------------------------------------------- customers


def country_rows(draw: Draw, severa: Document) -> list[Json]:
    """Severa's countries, fewer than there are."""
    return [
        severa.body(
            draw,
            "CountryModel",
            {
                "guid": f"country-{code2}",
                "name": name,
                "englishName": english,
                "code2": code2,
                "code3": code3,
            },
        )
        for code2, code3, name, english in COUNTRIES[:-1]
    ]


def term_rows(draw: Draw, erp: Document) -> list[Json]:
    """The ERP's credit terms in words of several kinds; two have 30 days."""
    kinds = ("N", "FixedNumberOfDays", "Fixed Number Of Days", "E", "", "net")
    instalments = ("S", "Single", "Simple", "Multiple", "")
    return [
        erp.body(
            draw,
            "CreditTermDto",
            {
                "termsId": str(days) if copy == 0 else f"{days}N",
                "description": f"{days} dagar",
                "dueDateType": kinds[0] if draw.chance(0.5) else draw.pick(kinds),
                "dueDay1": draw.maybe(days, 0.05),
                "instalmentType": draw.pick(instalments) if draw.chance(0.4) else "S",
                "numberOfInstalments": draw.pick((0, 0, 1, 3, None)),
            },
            more=0.05,
        )
        for days, copy in ((0, 0), (10, 0), (15, 0), (30, 0), (30, 1), (45, 0), (60, 0))
    ]


def address(
    draw: Draw, severa: Document, guid: str, *, customer: str, street: str, city: str, country: Any
) -> Json:
    return severa.body(
        draw,
        "AddressModel",
        {
            "guid": guid,
            "addressline": draw.maybe(draw.spelt(street)),
            "postalCode": draw.maybe(draw.pick(("903 26", "90326", "SE-417 55", " 41755", ""))),
            "city": draw.maybe(draw.spelt(city)),
            "country": draw.maybe(country),
            "countryRegion.name": draw.maybe(draw.pick(("Västerbotten", "Skåne", ""))),
            "isVisitAddress": draw.flag(),
            "isBillingAddress": draw.flag(),
            "isPostalAddress": draw.flag(),
            "customer.guid": draw.maybe(customer, 0.02),
            "createdDateTime": draw.moment(zone=True),
        },
    )


def customer(draw: Draw, severa: Document, erp: Document) -> Json:
    guid = draw.guid()
    truth = {
        "name": draw.name(),
        "number": str(draw.number(1, 40000)),
        "vat": draw.vat_number(),
        "term": draw.pick((0, 10, 15, 30, 30, 30, 45, 60, 90)),
        "email": draw.pick(("info@malarbygg.example", "Åsa@Fjäll.example", "")),
        "web": draw.pick(("https://www.example.com", "www.Example.com", "")),
        "notes": draw.long(),
        "street": draw.pick(STREETS),
        "city": draw.pick(CITIES),
        "country": draw.pick(COUNTRIES),
    }
    guids = [draw.guid() for _ in range(draw.number(0, 3))]

    def country() -> Any:
        code2, _, name, english = either(draw, truth["country"], draw.pick(COUNTRIES))
        guid = f"country-{code2}" if draw.chance(0.8) else "country-XX"
        return {"guid": guid, "name": draw.pick((name, english, name.lower(), "Utlandet"))}

    def ours() -> Json:
        name = country()["name"]
        headquarter = {
            "guid": draw.pick((*guids, draw.guid())),
            "addressline": draw.maybe(draw.spelt(truth["street"])),
            "postalCode": draw.pick(("903 26", "90326", "")),
            "city": draw.maybe(draw.spelt(truth["city"])),
            "country": draw.pick((name, name, None, truth["country"][0])),
        }
        return severa.body(
            draw,
            "CustomerModel",
            {
                "guid": guid,
                "name": draw.maybe(draw.spelt(truth["name"]), 0.04),
                "number": draw.maybe(int(truth["number"])),
                "vatNumber": draw.maybe(either(draw, truth["vat"], draw.vat_number())),
                "currency.code": draw.currency(),
                "paymentTerm": draw.maybe(either(draw, truth["term"], 20)),
                "email": draw.maybe(draw.spelt(truth["email"])),
                "website": draw.maybe(draw.spelt(truth["web"])),
                "notes": draw.maybe(draw.spelt(truth["notes"])),
                "isActive": draw.flag(),
                "isInternal": draw.maybe(draw.chance(0.1)),
                "headquarterAddress": draw.maybe(
                    {k: v for k, v in headquarter.items() if v is not MISSING}, 0.25
                ),
                "createdDateTime": draw.moment(zone=True),
                "lastUpdatedDateTime": draw.maybe(draw.moment(zone=True)),
            },
        )

    def block() -> dict[str, Any]:
        street = [*truth["street"].split("\n"), "", "", ""][:3]
        code = either(draw, truth["country"][0], draw.pick(("SE", "no", "XX", "")))
        lines = {f"addressLine{n}": draw.maybe(draw.spelt(line)) for n, line in enumerate(street, 1)}
        rest = {
            "postalCode": draw.maybe(draw.pick(("903 26", "90326", "41755", ""))),
            "city": draw.maybe(draw.spelt(truth["city"])),
            "country": draw.maybe({"id": code}),
            "county": draw.maybe({"id": draw.pick(("AC", "Skåne", "")), "name": "Skåne"}, 0.5),
        }
        return {name: value for name, value in (lines | rest).items() if value is not MISSING}

    def theirs() -> Json:
        contact = {
            "name": draw.name(),
            "attention": draw.maybe(draw.spelt(truth["notes"].replace("\n", " ")[:255])),
        }
        contact |= {
            "email": draw.maybe(draw.spelt(truth["email"])),
            "web": draw.maybe(draw.spelt(truth["web"])),
        }
        number = truth["number"].zfill(6) if draw.chance(0.3) else truth["number"]
        return erp.body(
            draw,
            "CustomerDto",
            {
                "internalId": 1037,
                "number": draw.pick((number, number, number, "K-" + number, "")),
                "name": draw.maybe(draw.spelt(truth["name"]), 0.04),
                "status": draw.maybe(
                    draw.pick(("Active", "OnHold", "CreditHold", "OneTime", "Inactive", "Strange"))
                ),
                "vatRegistrationId": draw.maybe(either(draw, truth["vat"], draw.vat_number())),
                "corporateId": draw.maybe(draw.vat_number()),
                "currencyId": draw.currency(),
                "creditTerms.id": draw.maybe(
                    draw.pick((str(truth["term"]), f"{truth['term']}N", "E", "30")), 0.2
                ),
                "customerClass.id": draw.pick(("1", "EU", "eu", "")),
                "mainContact": {name: value for name, value in contact.items() if value is not MISSING},
                "mainAddress": block(),
                "invoiceAddress": draw.maybe(block(), 0.3),
                "deliveryAddress": draw.maybe(block(), 0.3),
                "vatZone.id": draw.pick(("DOMESTIC", "EU", "EXPORT")),
                "lastModifiedDateTime": draw.moment(zone=False),
                "createdDateTime": draw.moment(zone=False),
            },
        )

    def places() -> list[Json]:
        return [
            address(
                draw,
                severa,
                one,
                customer=guid,
                street=either(draw, truth["street"], draw.pick(STREETS)),
                city=either(draw, truth["city"], draw.pick(CITIES)),
                country=country(),
            )
            for one in guids
        ]

    first, other = ours(), as_read(draw, theirs())
    return {
        "severa": first,
        "erp": other,
        "places": places(),
        "then": {
            "severa": changed(draw, ours(), first, 3),
            "erp": changed(draw, theirs(), other, 3),
            "places": places() if draw.chance(0.4) else None,
        },
        "terms": term_rows(draw, erp) if draw.chance(0.3) else None,
        "settings": {
            "notes": draw.pick(("off", "to_erp", "both")),
            "conflict_customer": draw.pick(RULES),
            "credit_terms": draw.pick(({}, {}, {"30": "30N"}, {"20": "30"})),
        },
        "choice": draw.pick((None, "1", "EU", "eu")),
        "listed": draw.chance(0.3),
        "latest": draw.pick((None, "severa", "visma_net")),
    }
