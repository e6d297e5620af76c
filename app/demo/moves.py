"""What people do on that day, and what only these acts expect. All over HTTP on the simulators, nothing through the bridge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app import service
from app.demo.expecting import amount, joined, kept, when
from app.demo.people import customer_name
from app.demo.proof import money
from app.demo.stage import Stage
from app.demo.watch import Expect, Facts

SLOW_SECONDS = 2.0
NEW_CUSTOMER = "Havsbris Hotell AB"
SUBCONTRACTOR = "Molnbolaget Drift AB"
COST = Decimal("8400.00")
COST_FILE = "Faktura Molnbolaget 2207.pdf"
_NOUNS = {
    "customer": "Customers",
    "product": "products, work types and travel expenses",
    "project": "projects",
}


def _row(code: str, text: str, quantity: str, price: str, vat: int, **more: Any) -> Mapping[str, Any]:
    """A row of an invoice as a person types it; amounts as texts keep every digit."""
    return {
        "code": code,
        "description": text,
        "quantity": quantity,
        "unitPrice": price,
        "vatRate": vat,
        **more,
    }


def _invoice(stage: Stage, word: str, project: int | str, rows: list[Mapping[str, Any]]) -> None:
    """Makes an invoice, approves it (status transfer) and remembers it."""
    made = stage.severa.add("invoices", project=str(project), rows=rows, status="transfer")
    stage.kept[word] = made["guid"]


# ---------------------------------------------------------------- go-live


def go_live(stage: Stage) -> list[str]:
    """Reads both systems to the end and switches the tenant on."""
    rows: Counter[str] = Counter()

    def progress(system: str, _register: str, count: int) -> None:
        rows[system] += count

    service.go_live(stage.bridge, stage.tenant, progress)
    return [
        f"{rows['severa']} records read in Severa, {rows['visma_net']} in Visma.net ERP (set-up registers included)."
    ]


def _linked(_stage: Stage, facts: Facts) -> str | None:
    told = []
    for domain, noun in _NOUNS.items():
        count: Counter[str] = Counter(line["code"] for line in facts.log if line["domain"] == domain)
        linked = count[f"{domain}.linked"]
        in_erp = sum(
            n for code, n in count.items() if code in (f"{domain}.created_in_erp", f"{domain}.created")
        )
        in_severa = count[f"{domain}.created_in_severa"]
        if not linked + in_erp + in_severa:
            return None
        parts = [
            f"{number} {word}"
            for number, word in (
                (linked, "linked"),
                (in_erp, "created in the ERP"),
                (in_severa, "created in Severa"),
            )
            if number
        ]
        told.append(f"{noun}: {joined(parts)}")
    return "; ".join(told) + "."


REGISTERS_LINKED = Expect("customers, products and projects linked or created", _linked)


def _stays(stage: Stage, _facts: Facts) -> bool:
    in_erp = {customer["name"] for customer in stage.erp.look("customer")}
    in_severa = {customer["name"] for customer in stage.severa.look("customers")}
    return customer_name("internal") not in in_erp and customer_name("konkurs") not in in_severa


INTERNAL_STAYS = when(
    "internal and inactive customers stay where they are",
    _stays,
    "Severa's internal customer stayed in Severa, the ERP's inactive one in the ERP.",
)


# ---------------------------------------------------------------- invoices


def approve_three_invoices(stage: Stage) -> list[str]:
    """Mixed VAT, fractions of hours, kilometres and a hotel."""
    _invoice(
        stage,
        "aino",
        1001,
        [
            _row("KONS", "Projekteringsstöd, etapp 2", "37.75", "1185.50", 25, unit="tim"),
            _row("MIL", "Resor till Västerås", "412", "9.25", 25, rowType="TravelExpenses", unit="km"),
        ],
    )
    _invoice(
        stage,
        "erik",
        1002,
        [
            _row("SENIOR", "Arkitektur bokningssystem", "16.5", "1450.00", 25, unit="tim"),
            _row("HOTELL", "Hotell Mariehamn", "2", "1249.11", 12, rowType="TravelExpenses"),
            _row("BOK", "Kursbok till besättningen", "12", "321.70", 6),
        ],
    )
    _invoice(
        stage,
        "leila",
        1007,
        [
            _row("KONS", "Webbutik, betalflöde", "21.25", "1095.00", 25, unit="tim"),
            _row("LIC", "Licens, årsvis", "1", "12000.00", 25),
        ],
    )
    return []


def win_a_customer(stage: Stage) -> list[str]:
    """Customer, project and invoice at once; the ERP takes its time with the customer."""
    stage.erp.answer_slowly("POST", "/v1/customer$", SLOW_SECONDS)
    customer = stage.severa.add(
        "customers",
        name=NEW_CUSTOMER,
        vatNumber="SE559202334401",
        email="faktura@havsbris.example",
        paymentTerm=30,
        address={
            "addressline": "Strandpromenaden 3",
            "postalCode": "261 31",
            "city": "Landskrona",
            "country": "SE",
        },
    )
    project = stage.severa.add("projects", name="Gästapp", customer=customer["guid"])
    stage.kept["customer"], stage.kept["project"] = customer["guid"], project["guid"]
    rows = [_row("PL", "Projektstart", "12", "1320.00", 25, unit="tim")]
    _invoice(stage, "havsbris", project["guid"], rows)
    return []


def _numbered(stage: Stage, _facts: Facts) -> str | None:
    customer = stage.severa.look_at("customers", stage.kept["customer"])
    project = stage.severa.look_at("projects", stage.kept["project"])
    in_erp = {
        one["projectId"] if "projectId" in one else one["projectID"] for one in stage.erp.look("project")
    }
    if not customer["number"] or str(project["number"]) not in in_erp:
        return None
    return f"{NEW_CUSTOMER} got customer number {customer['number']} from the ERP; project {project['number']} is there too."


NEW_CUSTOMER_NUMBERED = Expect("customer numbered, project created", _numbered)


def _waited(stage: Stage, facts: Facts) -> str | None:
    proof = kept(stage, facts, "havsbris")
    if proof is None or not proof.proven:
        return None
    waited = any(
        attempt["outcome"] == "waiting"
        for traced in service.trace(stage.bridge, stage.tenant, "invoice", proof.guid)
        for attempt in traced.attempts
    )
    if not waited:
        return "Customer and project were there before the bridge came to the invoice."
    return "The invoice waited for both and went on by itself."


NEW_INVOICE_WAITED = Expect("the invoice waited and went on by itself", _waited)


def approve_with_wrong_vat(stage: Stage) -> list[str]:
    """25 % instead of 6 % on the books."""
    rows = [
        _row("UTB", "Utbildning, heldag", "8", "1250.00", 25, unit="tim"),
        _row("BOK", "Kursböcker", "20", "318.00", 25),
    ]
    _invoice(stage, "books", 1001, rows)
    return []


def repair_vat(stage: Stage) -> list[str]:
    """The row is corrected, then the status set again."""
    invoice = stage.severa.look_at("invoices", stage.kept["books"])
    row = next(row for row in invoice["rows"] if "BOK" in (row["code"] or ()))
    stage.severa.change("invoicerows", row["guid"], vatRate=6)
    stage.severa.set_status(invoice["guid"], "transfer")
    return []


def invoice_in_euro(stage: Stage) -> list[str]:
    """Reverse charge, rate as in Severa."""
    rows = [
        _row("SENIOR", "ERP implementation, phase 1", "22.5", "128.40", 0, unit="tim"),
        _row("HOTELL", "Hotel Vaasa", "3", "117.33", 0, rowType="TravelExpenses"),
    ]
    _invoice(stage, "vaasa", 1004, rows)
    return []


def _euro(stage: Stage, facts: Facts) -> str | None:
    proof = kept(stage, facts, "vaasa")
    if proof is None or not proof.proven:
        return None
    document = next(one for one in facts.documents if one["referenceNumber"] == proof.erp_number)
    return (
        f"In the books: {amount(money(document['amountInCurrency']), 'EUR')} at {document['exchangeRate']} = "
        f"{amount(money(document['amount']), 'SEK')}, VAT {money(document['vatTotal']):.2f}."
    )


EURO_IN_THE_BOOKS = Expect("booked in euro, without VAT", _euro)


# ---------------------------------------------------------------- money


def send_and_pay(stage: Stage) -> list[str]:
    """Everything but Leila's invoice is sent; three payments."""
    for word in ("aino", "erik", "havsbris", "books", "vaasa"):
        stage.severa.set_status(stage.kept[word], "sent")
    told = []
    for word, share in (("aino", Decimal("0.4")), ("erik", Decimal(1)), ("leila", Decimal(1))):
        invoice = stage.severa.look_at("invoices", stage.kept[word])
        total = money(invoice["totalIncludingTax"]["amount"])
        paid = (total * share).quantize(Decimal("0.01"))
        stage.erp.pay(str(invoice["number"]), paid)
        told.append(
            f"Payment in the ERP: {amount(paid, 'SEK')} of {amount(total, 'SEK')} on {invoice['number']}"
        )
    return told


def send_the_last(stage: Stage) -> list[str]:
    """The last invoice is sent to its customer."""
    stage.severa.set_status(stage.kept["leila"], "sent")
    return []


def credit(stage: Stage) -> list[str]:
    """The whole invoice, in the default status of credit notes, which is the transfer status."""
    note = stage.severa.add("invoices", credit_of=stage.kept["havsbris"])
    stage.kept["credit"] = note["guid"]
    return []


def _applied(stage: Stage, facts: Facts) -> str | None:
    note, invoice = kept(stage, facts, "credit"), kept(stage, facts, "havsbris")
    if note is None or invoice is None or invoice.role != "paid" or invoice.open_balance != 0:
        return None
    return f"Credit note {note.erp_number} is applied to {invoice.erp_number}, which is settled with it ({invoice.payment_date})."


CREDIT_APPLIED = Expect("the credit note applied to its invoice", _applied)


def send_the_credit_note(stage: Stage) -> list[str]:
    """The credit note is sent to its customer."""
    stage.severa.set_status(stage.kept["credit"], "sent")
    return []


# ---------------------------------------------------------------- customers


def _customer(stage: Stage, key: str) -> dict[str, Any]:
    name = customer_name(key)
    return next(one for one in stage.severa.look("customers") if one["name"] == name)


def _erp_customer(stage: Stage, key: str) -> dict[str, Any]:
    name = customer_name(key)
    return next(one for one in stage.erp.look("customer") if one["name"] == name)


def edit_different_fields(stage: Stage) -> list[str]:
    """E-mail in Severa, website in the ERP."""
    stage.severa.change("customers", _customer(stage, "malarbygg")["guid"], email="ekonomi@malarbygg.example")
    stage.erp.edit(
        "customer",
        _erp_customer(stage, "malarbygg")["number"],
        mainContact={"web": "https://www.malarbygg.example"},
    )
    return []


def _both_arrived(stage: Stage, _facts: Facts) -> bool:
    ours, theirs = _customer(stage, "malarbygg"), _erp_customer(stage, "malarbygg")["mainContact"]
    return (
        (ours["email"], ours["website"])
        == (theirs["email"], theirs["web"])
        == (
            "ekonomi@malarbygg.example",
            "https://www.malarbygg.example",
        )
    )


BOTH_EDITS_ARRIVED = when(
    "both edits in both systems", _both_arrived, "Both edits stand in both systems: nothing was lost."
)


def edit_same_field(stage: Stage) -> list[str]:
    """The e-mail address, differently."""
    ours = _customer(stage, "skargard")
    stage.kept["skargard"] = ours["guid"]
    stage.severa.change("customers", ours["guid"], email="reskontra@skargardsrederiet.example")
    stage.erp.edit(
        "customer",
        _erp_customer(stage, "skargard")["number"],
        mainContact={"email": "faktura@skargardsrederiet.example"},
    )
    return []


def decide_conflict(stage: Stage) -> list[str]:
    """A person enters in Severa the e-mail address that the ERP has."""
    stage.severa.change("customers", stage.kept["skargard"], email="faktura@skargardsrederiet.example")
    return []


def _decided(stage: Stage, _facts: Facts) -> bool:
    shown = {_customer(stage, "skargard")["email"], _erp_customer(stage, "skargard")["mainContact"]["email"]}
    return shown == {"faktura@skargardsrederiet.example"}


CONFLICT_DECIDED = when("one e-mail address in both systems", _decided, "One address stands in both systems.")


# ---------------------------------------------------------------- costs


def supplier_invoice(stage: Stage) -> list[str]:
    """Posted on project 1001, with a file."""
    supplier = stage.erp.add("supplier", name=SUBCONTRACTOR)
    made = stage.erp.add(
        "supplierinvoices",
        supplier=supplier["number"],
        reference="2207",
        lines=[
            {
                "account": "4600",
                "amount": f"{COST:f}",
                "project": "1001",
                "description": "Driftsättning, underkonsult",
                "attachments": [{"name": COST_FILE, "text": "%PDF-1.4\n% en faktura\n%%EOF\n"}],
            }
        ],
    )
    stage.kept["cost"] = made["referenceNumber"]
    return [f"Document {made['referenceNumber']} of {SUBCONTRACTOR}: {amount(COST, 'SEK')} without VAT"]


def _cost(stage: Stage, _facts: Facts) -> str | None:
    for fee in stage.severa.look("projectfees"):
        if stage.kept["cost"] in (fee["description"] or "") and SUBCONTRACTOR in fee["description"]:
            cost, price = money(fee["unitCost"]["amount"]), money(fee["unitPrice"]["amount"])
            if cost == COST and price == COST * Decimal("1.5") and fee["isBillable"]:
                return (
                    f"Project 1001 has a billable fee: cost {amount(cost, 'SEK')}, price {amount(price, 'SEK')}, "
                    f"“{fee['description']}”."
                )
    return None


COST_BROUGHT = Expect("a billable fee of 150 % on the project", _cost)


def _file(stage: Stage, _facts: Facts) -> str | None:
    names = [str(file.get("name") or file.get("fileName")) for file in stage.severa.look("projectfiles")]
    return f"“{COST_FILE}” hangs on the project." if COST_FILE in names else None


COST_FILE_BROUGHT = Expect("the file on the project", _file)
