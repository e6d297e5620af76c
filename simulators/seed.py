"""The facts both simulators share: a believable Swedish consulting firm, Nordkonsult AB, as plain frozen data.

Nothing here knows about either vendor's JSON: each simulator reads these rows and builds its own records.
`NORDKONSULT` is the demo firm; `scaled(n)` makes as many other firms as a rehearsal needs.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import NAMESPACE_URL, uuid5

from simulators.seed_kinds import (
    Account,
    Address,
    Branch,
    Contact,
    Country,
    CreditTerms,
    Currency,
    Customer,
    CustomerClass,
    Firm,
    InvoiceStatus,
    Item,
    ItemClass,
    NumberSeries,
    Project,
    SegmentedKey,
    User,
    VatCategory,
    VatRule,
    VatZone,
)
from simulators.seed_setup import (
    ACCOUNTS,
    COUNTRIES,
    CREDIT_TERMS,
    CURRENCIES,
    CUSTOMER_CLASSES,
    INVOICE_STATUSES,
    ITEM_CLASSES,
    NUMBER_SERIES,
    PROJECT_TASK,
    PROJECT_TEMPLATE,
    SEGMENTED_KEYS,
    UNIT_NAMES,
    UNITS,
    VAT_CATEGORIES,
    VAT_RATES,
    VAT_RULES,
    VAT_ZONES,
)

__all__ = [
    "ACCOUNTS",
    "COUNTRIES",
    "CREDIT_TERMS",
    "CURRENCIES",
    "CUSTOMER_CLASSES",
    "INVOICE_STATUSES",
    "ITEM_CLASSES",
    "NORDKONSULT",
    "NUMBER_SERIES",
    "PROJECT_TASK",
    "PROJECT_TEMPLATE",
    "SEGMENTED_KEYS",
    "UNITS",
    "UNIT_NAMES",
    "VAT_CATEGORIES",
    "VAT_RATES",
    "VAT_RULES",
    "VAT_ZONES",
    "Account",
    "Address",
    "Branch",
    "Contact",
    "Country",
    "CreditTerms",
    "Currency",
    "Customer",
    "CustomerClass",
    "Firm",
    "InvoiceStatus",
    "Item",
    "ItemClass",
    "NumberSeries",
    "Project",
    "SegmentedKey",
    "User",
    "VatCategory",
    "VatRule",
    "VatZone",
    "scaled",
]

D = Decimal

# --- Nordkonsult AB -------------------------------------------------------------------------------------------------

_CUSTOMERS = (
    Customer(
        "internal",
        "Nordkonsult AB (internt)",
        None,
        "556677-8899",
        "SE556677889901",
        Address("Sveavägen 44", "111 34", "Stockholm"),
        "ekonomi@nordkonsult.example",
        internal=True,
        in_erp=False,
    ),
    Customer(
        "malarbygg",
        "Mälarbygg Entreprenad AB",
        10001,
        "556012-3456",
        "SE556012345601",
        Address("Hamngatan 12", "722 11", "Västerås"),
        "faktura@malarbygg.example",
        website="https://malarbygg.example",
        notes="Referens krävs på varje faktura",
        contacts=(
            Contact(
                "Karin",
                "Lindqvist",
                "Inköpschef",
                "karin.lindqvist@malarbygg.example",
                mobile="+46 70 123 45 67",
                phone="+46 21 12 34 56",
                salutation="Ms",
            ),
        ),
    ),
    Customer(
        "skargard",
        "Skärgårdsrederiet AB",
        10002,
        "556023-4567",
        "SE556023456701",
        Address("Strandvägen 7", "114 56", "Stockholm"),
        "ekonomi@skargardsrederiet.example",
        payment_term=20,
        billing_address=Address("Box 1201", "111 82", "Stockholm"),
        contacts=(
            Contact(
                "Johan",
                "Öberg",
                "Driftchef",
                "johan.oberg@skargardsrederiet.example",
                mobile="+46 73 555 01 02",
            ),
        ),
    ),
    Customer(
        "vasterkraft",
        "Västerkraft Energi AB",
        10003,
        "556034-5678",
        "SE556034567801",
        Address("Lindholmsallén 3", "417 55", "Göteborg"),
        "leverantor@vasterkraft.example",
        payment_term=60,
    ),
    Customer(
        "fjordnett",
        "Fjordnett AS",
        10004,
        "987 654 321",
        "NO987654321MVA",
        Address("Bryggen 15", "5003", "Bergen", "NO"),
        "faktura@fjordnett.example",
        currency="NOK",
        payment_term=14,
        customer_class="3",
        vat_percent=D(0),
    ),
    Customer(
        "pohjanmaa",
        "Pohjanmaan Konepaja Oy",
        10005,
        "2345678-3",
        "FI23456783",
        Address("Teollisuuskatu 4", "65100", "Vaasa", "FI"),
        "laskut@konepaja.example",
        currency="EUR",
        payment_term=14,
        customer_class="2",
        vat_percent=D(0),
        contacts=(
            Contact("Matti", "Meri", "Ostopäällikkö", "matti.meri@konepaja.example", phone="+358 6 123 4567"),
        ),
    ),
    Customer(
        "bageri",
        "Söders Surdegsbageri AB",
        None,
        "559101-2233",
        "SE559101223301",
        Address("Götgatan 88", "118 62", "Stockholm"),
        "hej@surdeg.example",
        payment_term=10,
        in_erp=False,
    ),
    Customer(
        "kommun",
        "Lillköpings kommun",
        None,
        "212000-1234",
        "SE212000123401",
        Address("Stora torget 1", "531 30", "Lillköping"),
        "faktura@lillkoping.example",
        in_erp=False,
    ),
    Customer(
        "bokhandel",
        "Nordiska Bokhandeln AB",
        10006,
        "556045-6789",
        "SE556045678901",
        Address("Stora Nygatan 21", "211 37", "Malmö"),
        "order@bokhandeln.example",
        in_severa=False,
    ),
    Customer(
        "konkurs",
        "Gamla Snickeriet i Eslöv AB",
        10007,
        "556056-7890",
        "SE556056789001",
        Address("Verkstadsgatan 2", "241 31", "Eslöv"),
        "info@snickeriet.example",
        in_severa=False,
        active_in_erp=False,
    ),
)

_ITEMS = (
    Item("work", "KONS", "Konsult", D("0"), "TIM", "LABOR", "LaborItem"),
    Item("work", "SENIOR", "Seniorkonsult", D("0"), "TIM", "LABOR", "LaborItem"),
    Item("work", "PL", "Projektledning", D("0"), "TIM", "LABOR", "LaborItem"),
    Item("work", "UTB", "Utbildning", D("0"), "TIM", "LABOR", "LaborItem"),
    Item("work", "RESTID", "Restid", D("0"), "TIM", "LABOR", "LaborItem", in_erp=False),
    Item(
        "product",
        "LIC",
        "Licens, årsvis",
        D("12000"),
        "ST",
        "PRODUCT",
        "NonStockItem",
        "Materials",
        sales_account="3001",
    ),
    Item("product", "SUPPORT", "Supportavtal", D("4500"), "ST", "SERVICE", "ServiceItem", "FixedFees"),
    Item("product", "UE", "Underkonsult", D("1100"), "TIM", "SERVICE", "ServiceItem", "Subcontracting"),
    Item(
        "product",
        "BOK",
        "Kursbok",
        D("340"),
        "ST",
        "PRODUCT",
        "NonStockItem",
        "Materials",
        vat_category="06",
        vat_percent=D(6),
        sales_account="3001",
    ),
    Item("product", "MOTE", "Möteslokal", D("2500"), "ST", "SERVICE", "ServiceItem", in_severa=False),
    Item(
        "travel",
        "MIL",
        "Milersättning",
        D("25"),
        "KM",
        "EXPENSE",
        "ExpenseItem",
        "Mileage",
        sales_account="3520",
    ),
    Item(
        "travel",
        "TRAKT",
        "Traktamente",
        D("290"),
        "DAG",
        "EXPENSE",
        "ExpenseItem",
        "DailyAllowance",
        sales_account="3520",
    ),
    Item(
        "travel",
        "HOTELL",
        "Hotell",
        D("1400"),
        "ST",
        "EXPENSE",
        "ExpenseItem",
        "OtherTravelExpense",
        vat_category="12",
        vat_percent=D(12),
        sales_account="3520",
    ),
)

_PROJECTS = (
    Project(
        1001,
        "Projekteringsstöd",
        "malarbygg",
        date(2025, 1, 7),
        "101",
        order_number="PO-77120",
        your_reference="Karin Lindqvist",
        in_erp=True,
    ),
    Project(1002, "Bokningssystem", "skargard", date(2025, 2, 3), "102"),
    Project(1003, "Nätanalys", "fjordnett", date(2025, 3, 10), "102"),
    Project(1004, "ERP-införande", "pohjanmaa", date(2025, 3, 17), "101"),
    Project(1005, "Intern utveckling", "internal", date(2025, 1, 2), "103", internal=True),
    Project(1006, "Förstudie vindkraft", "vasterkraft", date(2024, 9, 2), "101", closed=True),
    Project(1007, "Webbutik", "bageri", date(2025, 5, 5), "103", state="InProgress"),
)

_USERS = (
    User("101", "Aino", "Virtanen", "aino.virtanen@nordkonsult.example", "Projektledare"),
    User("102", "Erik", "Sandström", "erik.sandstrom@nordkonsult.example", "Seniorkonsult"),
    User("103", "Leila", "Haddad", "leila.haddad@nordkonsult.example", "Konsult"),
    User("104", "Birgitta", "Ek", "birgitta.ek@nordkonsult.example", "Ekonomichef"),
)

NORDKONSULT = Firm(
    name="Nordkonsult AB",
    organisation_number="556677-8899",
    vat_number="SE556677889901",
    severa_client_id="Nordkonsult_demo.apps.vismasevera.com",
    severa_client_secret="demo-severa-secret",
    erp_client_id="isv_nordkonsult",
    erp_client_secret="demo-erp-secret",
    erp_tenant_id="6f9d3b52-0c1e-4c55-9b1a-7d3c8e5f2a10",
    erp_company_id=1700001,
    address=Address("Sveavägen 44", "111 34", "Stockholm"),
    branches=(Branch("1", "Nordkonsult AB", "1"),),
    customers=_CUSTOMERS,
    items=_ITEMS,
    projects=_PROJECTS,
    users=_USERS,
)


def scaled(n: int) -> Firm:
    """Give firm number n (1 to 99,999): `Firm n AB` with names, ids and credentials of its own.

    The registers are Nordkonsult's, with the number in every customer's name so that a record of one firm that turns
    up at another is seen at once. The same n gives the same firm in every process.
    """
    if not 1 <= n <= 99_999:
        raise ValueError(f"a firm has a number from 1 to 99999, not {n}")
    digits = _with_check_digit(f"5590{n:05d}")
    organisation_number = f"{digits[:6]}-{digits[6:]}"
    vat_number = f"SE{digits}01"
    name = f"Firm {n} AB"
    customers = tuple(
        replace(
            customer,
            name=f"{name} (internt)",
            organisation_number=organisation_number,
            vat_number=vat_number,
        )
        if customer.internal
        else replace(customer, name=f"{customer.name} {n}")
        for customer in NORDKONSULT.customers
    )
    return replace(
        NORDKONSULT,
        name=name,
        organisation_number=organisation_number,
        vat_number=vat_number,
        severa_client_id=f"Firm{n}_demo.apps.vismasevera.com",
        severa_client_secret=f"demo-severa-secret-{n}",
        erp_client_id=f"isv_firm{n}",
        erp_client_secret=f"demo-erp-secret-{n}",
        erp_tenant_id=str(uuid5(NAMESPACE_URL, f"https://firm{n}.example/tenant")),
        erp_company_id=1_700_001 + n,
        branches=(Branch("1", name, "1"),),
        customers=customers,
    )


def _with_check_digit(nine: str) -> str:
    # The Swedish organisation number's check digit (modulus 10), so that a checking reader accepts these firms.
    total = 0
    for position, digit in enumerate(nine):
        doubled = int(digit) * (2 if position % 2 == 0 else 1)
        total += doubled // 10 + doubled % 10
    return f"{nine}{-total % 10}"
