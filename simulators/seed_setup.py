"""The set-up that every firm shares: the country's VAT, the ERP's chart of accounts and keys, Severa's invoice statuses."""

from __future__ import annotations

from decimal import Decimal

from simulators.seed_kinds import (
    Account,
    Country,
    CreditTerms,
    Currency,
    CustomerClass,
    InvoiceStatus,
    ItemClass,
    NumberSeries,
    SegmentedKey,
    VatCategory,
    VatRule,
    VatZone,
)

D = Decimal

# --- Facts of the country and of the ERP's set-up, the same for every firm ------------------------------------------

VAT_RATES: tuple[Decimal, ...] = (D(25), D(12), D(6), D(0))

VAT_CATEGORIES = (
    VatCategory("25", "Moms 25 %", D(25)),
    VatCategory("12", "Moms 12 %", D(12)),
    VatCategory("06", "Moms 6 %", D(6)),
    VatCategory("00", "Momsfritt", D(0)),
)
VAT_ZONES = (
    VatZone("01", "Sverige", "25"),
    VatZone("02", "EU, omvänd betalningsskyldighet", "25"),
    VatZone("03", "Export", "25"),
)
VAT_RULES = (
    VatRule("25", "01", "U25", "Utgående moms 25 %", D(25)),
    VatRule("12", "01", "U12", "Utgående moms 12 %", D(12)),
    VatRule("06", "01", "U06", "Utgående moms 6 %", D(6)),
    VatRule("00", "01", "U00", "Momsfri försäljning", D(0)),
    VatRule("25", "02", "EU0", "EU, omvänd betalningsskyldighet", D(0), reverse=True),
    VatRule("12", "02", "EU0", "EU, omvänd betalningsskyldighet", D(0), reverse=True),
    VatRule("06", "02", "EU0", "EU, omvänd betalningsskyldighet", D(0), reverse=True),
    VatRule("00", "02", "U00", "Momsfri försäljning", D(0)),
    VatRule("25", "03", "EXP", "Export", D(0)),
    VatRule("12", "03", "EXP", "Export", D(0)),
    VatRule("06", "03", "EXP", "Export", D(0)),
    VatRule("00", "03", "EXP", "Export", D(0)),
)

CREDIT_TERMS = tuple(CreditTerms(str(days), f"{days} dagar netto", days) for days in (10, 14, 20, 30, 60))

CURRENCIES = (
    Currency("SEK", "Svensk krona", "kr", D("1")),
    Currency("EUR", "Euro", "€", D("11.25")),
    Currency("NOK", "Norsk krona", "kr", D("0.97")),
    Currency("USD", "Amerikansk dollar", "$", D("10.40")),
)

COUNTRIES = (
    Country("SE", "SWE", "Sverige", "Sweden", in_eu=True, currency="SEK"),
    Country("NO", "NOR", "Norge", "Norway", in_eu=False, currency="NOK"),
    Country("FI", "FIN", "Finland", "Finland", in_eu=True, currency="EUR"),
    Country("DK", "DNK", "Danmark", "Denmark", in_eu=True, currency="DKK"),
    Country("DE", "DEU", "Tyskland", "Germany", in_eu=True, currency="EUR"),
    Country("GB", "GBR", "Storbritannien", "United Kingdom", in_eu=False, currency="GBP"),
    Country("US", "USA", "USA", "United States", in_eu=False, currency="USD"),
)

ACCOUNTS = (
    Account("1510", "Kundfordringar", "Asset"),
    Account("1930", "Företagskonto", "Asset"),
    Account("2440", "Leverantörsskulder", "Liability"),
    Account("2611", "Utgående moms 25 %", "Liability"),
    Account("2621", "Utgående moms 12 %", "Liability"),
    Account("2631", "Utgående moms 6 %", "Liability"),
    Account("2641", "Ingående moms", "Asset"),
    Account("3001", "Försäljning varor 25 %", "Income"),
    Account("3041", "Försäljning tjänster 25 %", "Income"),
    Account("3105", "Försäljning utanför EU", "Income"),
    Account("3308", "Försäljning tjänster EU", "Income"),
    Account("3520", "Fakturerade resekostnader", "Income"),
    Account("3740", "Öres- och kronutjämning", "Income"),
    Account("4010", "Inköp varor", "Expense"),
    Account("4600", "Legoarbeten och underentreprenader", "Expense"),
    Account("5410", "Förbrukningsinventarier", "Expense"),
    Account("5800", "Resekostnader", "Expense"),
    Account("6351", "Konstaterade kundförluster", "Expense"),
    Account("6540", "IT-tjänster", "Expense"),
    Account("7331", "Skattefria bilersättningar", "Expense"),
)

ITEM_CLASSES = (
    ItemClass("PRODUCT", "Produkter", "NonStockItem"),
    ItemClass("LABOR", "Arbetstid", "LaborItem", unit="TIM"),
    ItemClass("EXPENSE", "Utlägg", "ExpenseItem"),
    ItemClass("SERVICE", "Tjänster", "ServiceItem"),
)
CUSTOMER_CLASSES = (
    CustomerClass("1", "Kunder Sverige", "01"),
    CustomerClass("2", "Kunder EU", "02", currency="EUR"),
    CustomerClass("3", "Kunder utanför EU", "03"),
)
UNITS = ("ST", "TIM", "KM", "DAG")
UNIT_NAMES = {"ST": "st", "TIM": "tim", "KM": "km", "DAG": "dag"}
"""ERP unit → the free text that people write in Severa."""

PROJECT_TEMPLATE = "Z"
PROJECT_TASK = "10"

NUMBER_SERIES = (
    NumberSeries("ARINVOICE", "Kundfakturor", 100000, 199999),
    NumberSeries("ARCREDIT", "Kundkreditnotor", 200000, 299999),
    NumberSeries("ARPAYMENT", "Kundinbetalningar", 300000, 399999),
    NumberSeries("APBILL", "Leverantörsfakturor", 400000, 499999),
    NumberSeries("BATCH", "Verifikationer", 500000, 599999),
    NumberSeries("CUSTOMER", "Kunder", 10000, 99999),
    NumberSeries("SUPPLIER", "Leverantörer", 50000, 59999),
)
SEGMENTED_KEYS = (
    SegmentedKey("BIZACCT", "Affärskonto", 5, auto_number=True, series="CUSTOMER"),
    SegmentedKey("CUSTOMER", "Kund", 5, auto_number=True, series="CUSTOMER"),
    SegmentedKey("INVENTORY", "Artikel", 20),
    SegmentedKey("PROJECT", "Projekt", 4),
    SegmentedKey("PROTASK", "Projektuppgift", 2),
    SegmentedKey("ACCOUNT", "Konto", 4),
)

# --- Invoice statuses: the three examples of the vendor's guide (R-STA-2) -------------------------------------------

_TAIL = (
    InvoiceStatus(
        "transferred", "I Visma.net ERP, skicka till kund", read_only=True, numbered=True, sent=True
    ),
    InvoiceStatus("sent", "Skickad", read_only=True, numbered=True, sent=True, waiting=True),
    InvoiceStatus("partly_paid", "Delbetald", read_only=True, numbered=True, sent=True, waiting=True),
    InvoiceStatus("paid", "Betalad", read_only=True, numbered=True, sent=True, paid=True),
)
_NO_APPROVAL = (
    InvoiceStatus("failed", "Misslyckade fakturor"),
    InvoiceStatus("draft", "Utkast", default=True),
    InvoiceStatus("transfer", "Skicka till Visma.net ERP", read_only=True, default_for_credit_notes=True),
    *_TAIL,
)
INVOICE_STATUSES: dict[str, tuple[InvoiceStatus, ...]] = {
    "no-approval": _NO_APPROVAL,
    "approval": (
        InvoiceStatus("failed", "Misslyckade fakturor"),
        InvoiceStatus("draft", "Utkast", default=True),
        InvoiceStatus("approval", "Väntar på godkännande"),
        InvoiceStatus(
            "transfer", "Godkänd, klar för Visma.net ERP", read_only=True, default_for_credit_notes=True
        ),
        *_TAIL,
    ),
    # The guide's third table is the second one again: AutoInvoice works with the same statuses.
    "autoinvoice": _NO_APPROVAL,
}
