"""The months of a small consulting firm in three acts; each act ends when both sides show what they should."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from acceptance.strangers.company import Company
from acceptance.strangers.serving import Fault

Row = dict[str, Any]
SAME_ITEMS = 24
"""Items that both sides have from the start: more than one page of either server."""


def opening(company: Company) -> None:
    """What both companies have before the bridge is there."""
    severa, erp, kept = company.severa, company.erp, company.things
    for code, register, name in (
        ("KONS", "worktypes", "Konsult"),
        ("BOK", "products", "Kursbok"),
        ("MAT", "products", "Kursmat"),
        ("FRI", "products", "Momsfritt"),
        ("KM", "travelexpensetypes", "Bilersättning"),
    ):
        row = severa.product(register, code, name)
        item = erp.table("inventory")[code]
        price = row.get("unitPrice") or row.get("unitCost")
        item["defaultPrice"] = price["amount"] if price else Decimal(0)
    for index in range(SAME_ITEMS):
        code = f"P{index:03d}"
        severa.product("products", code, f"Vara {index}", unitPrice=severa.money(Decimal(100)))
        erp._create("inventory", {"inventoryNumber": code, "itemClass": "PRODUCT", "description": f"Vara {index}", "defaultPrice": Decimal(100)})  # fmt: skip
    kept["new_product"] = severa.product("products", "NYA", "Ny vara i Severa")
    erp._create("inventory", {"inventoryNumber": "EXT", "itemClass": "SERVICE", "description": "Ny tjänst i ERP", "defaultPrice": Decimal(75)})  # fmt: skip
    alfa = erp.customer("Alfa AB", vatRegistrationId="SE556011223301")
    kept["alfa"] = severa.customer(
        "Alfa AB", vatNumber="SE556011223301", number=int("".join(c for c in alfa["number"] if c.isdigit()))
    )
    kept["beta"] = severa.customer(
        "Beta AB", vatNumber="SE556033445501", number=602, email="info@beta.example"
    )
    kept["gamma"] = erp.customer("Gamma AB", vatRegistrationId="SE556055667701")
    kept["project"] = severa.project(1001, "Införande", kept["alfa"])
    kept["project_beta"] = severa.project(1002, "Utbildning", kept["beta"])
    kept["case"] = severa.project(1003, "Offert", kept["alfa"], state="InProgress")
    erp.writes.clear()


def invoices(company: Company) -> None:
    """Act one: five invoices, two of them with a wrong VAT, and servers that fail in the middle."""
    severa, erp, kept = company.severa, company.erp, company.things
    kept["rates"] = severa.invoice(kept["project"], [("KONS", "Hours", "12.5", "1250", 25), ("BOK", "ProjectFees", "3", "249.5", 6), ("MAT", "ProjectFees", "2", "99.99", 12), ("FRI", "ProjectFees", "1", "500", 0)])  # fmt: skip
    kept["dropped"] = severa.invoice(kept["project_beta"], [("KONS", "Hours", "8", "1000", 25)])
    kept["plain"] = severa.invoice(
        kept["project"], [("KONS", "Hours", "3", "1111.11", 25)], orderNumber="PO 7"
    )
    kept["wrong"] = severa.invoice(kept["project"], [("BOK", "ProjectFees", "4", "200", 25)])
    kept["hidden"] = severa.invoice(kept["project"], [("KM", "TravelExpenses", "40", "2.5", 25)])
    erp.vat_of_item["KM"] = "12"
    with erp.lock:
        erp.faults += [
            Fault("POST", "/v2/customerinvoice", "drop_after"),
            Fault("POST", "/v2/customerinvoice", "status", status=503),
            Fault("POST", "/action/release", "status", status=500),
            Fault("GET", "/v1/customerdocument", "status", status=502),
        ]
    with severa.lock:
        severa.faults += [
            Fault("PATCH", kept["plain"]["guid"], "drop_after"),
            Fault("GET", "/invoicerows", "status", status=500),
        ]


def invoiced(company: Company) -> bool:
    """Whether act one is over: booked and numbered (or told why not), or failed."""
    last = "Att föra över" if company.personality.severa.number_write == "refused" else "Överförd"
    return (
        all(_status(company, name) == "Misslyckad" for name in ("wrong", "hidden"))
        and all(_status(company, name) == last for name in ("rates", "dropped", "plain"))
        and all(
            [row["status"] for row in company.erp.marked(company.things[name]["guid"])] == ["Open"]
            for name in ("rates", "dropped", "plain")
        )
    )


def paid(company: Company) -> bool:
    """Whether act two is over."""
    if company.personality.severa.number_write != "taken":
        return all(company.erp.marked(company.things[name]["guid"]) for name in ("hidden", "credit"))
    wanted = {
        "rates": "Delvis betald",
        "dropped": "Betald",
        "plain": "Delvis betald",
        "hidden": "Överförd",
        "credit": "Överförd",
    }
    return all(_status(company, name) == status for name, status in wanted.items())


def _status(company: Company, name: str) -> str:
    return str(company.things[name]["status"]["name"])


def payments(company: Company) -> None:
    """Act two: sent by AutoInvoice, paid in parts and in full, one credited; the mistakes are put right."""
    severa, erp, kept = company.severa, company.erp, company.things
    for name in ("rates", "dropped", "plain"):
        severa.move(kept[name], "Skickad")
    kept["paid_part"] = erp.pay(document_of(company, "rates")["referenceNumber"], "5000")
    whole = document_of(company, "dropped")
    kept["paid_whole"] = erp.pay(whole["referenceNumber"], str(whole["balance"]))
    erp.vat_of_item.clear()
    severa.move(kept["hidden"], "Att föra över")
    kept["credit"] = severa.invoice(
        kept["project"], [("KONS", "Hours", "1", "1111.11", 25)], credits=kept["plain"]
    )


def reversals(company: Company) -> None:
    """Act three: a payment bounces, another is completed, both registers are edited."""
    severa, erp, kept = company.severa, company.erp, company.things
    erp.take_back(document_of(company, "dropped")["referenceNumber"], kept["paid_whole"])
    rates = document_of(company, "rates")
    erp.pay(rates["referenceNumber"], str(rates["balance"]), on="2026-11-24")
    severa.change(kept["beta"], email="faktura@beta.example")
    erp.change(kept["gamma"], name="Gamma Nordic AB")
    erp.change(erp.table("inventory")["BOK"], description="Kursbok, andra upplagan")
    severa.change(kept["new_product"], unitPrice=severa.money(Decimal("310.5")))
    severa.change(kept["project_beta"], isClosed=True, closedDate="2026-11-24")


def document_of(company: Company, name: str) -> Row:
    """The one document of an invoice that the play knows by name."""
    found = company.erp.marked(company.things[name]["guid"])
    assert len(found) == 1, (company.name, name, [(row["referenceNumber"], row["status"]) for row in found])
    return found[0]
