"""What is asked for invoices, costs and payments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from golden import mappings
from golden.plain import members, plain, told
from golden.shapes import Json

_NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
_HASH_DIGITS = 8


class Reference:
    """The books, of which only whole reference registers are asked."""

    def __init__(self, code: Any, world: Mapping[str, list[Json]]) -> None:
        self._code, self._world = code, world

    def all(self, system: str, register: str) -> list[Any]:
        rows = self._world.get(register, [])
        return [
            self._code.model.Record(system, register, str(n), "", "", row, 1, None, _NOW)
            for n, row in enumerate(rows)
        ]


def _row(code: Any, system: str, register: str, body: Json) -> Any:
    found = mappings.register(code, system, register)

    def row() -> Any:
        stored = code.records.row_of(found, body, None, UTC)
        return {
            "values": found.projection(body),
            "hash": stored.hash.hex()[:_HASH_DIGITS],
            "known as": [stored.id, stored.number, stored.name],
            "time": stored.remote_time,
            "concerns": [[one.domain, one.register, one.id, one.only_linked] for one in found.concerns(body)],
        }

    return told(row)


# ---------------------------------------------------------------- invoices


def invoice(code: Any, case: Json, world: Json, _golden: Json | None) -> Json:
    """Values, document sent, prediction, and the proof against what the ERP shows."""
    return {"row": _row(code, "severa", "invoices", case["invoice"]), **_of_invoice(code, case, world)}


def _of_invoice(code: Any, case: Json, world: Json) -> Json:
    model, plan = code.invoice_model, code.invoice_plan
    try:
        read = model.SeveraInvoice.of(case["invoice"], case["rows"])
        shown = model.ErpDocument.of(case["document"])
    except Exception as error:  # noqa: BLE001
        return {"refused": type(error).__name__}
    items = {guid: plan.Item(body["inventoryNumber"], body) for guid, body in case["items"].items()}
    need = plan.Needs("10003", case["customer"], case["project"], items)
    books = Reference(code, world)
    own = {
        "line_branches": {},
        "original": shown if case["choices"]["credited"] and shown.type == "Invoice" else None,
    }
    choices = code.choices.Choices(**case["choices"], **own)
    answer = {
        "values": told(lambda: _values(read)),
        "vat": told(lambda: _vat(code.totals.severa_vat(read))),
        "shown": told(lambda: _shown(shown)),
        "terms": told(lambda: plan.credit_terms(books, read, case["customer"], {45: "45"})),
        "period": told(lambda: plan.period(books, read)),
        "foreign": told(lambda: plan.is_foreign(read, case["base"])),
        "address differs": told(lambda: code.receiver.address_differs(read, case["customer"])),
        "predicted": told(lambda: _prediction(code, read, need, world)),
        "same booking": told(lambda: plan.same_booking(read, shown, "10003", case["tolerance"])),
    }
    try:
        sent = code.document.draft(read, need, choices)
    except Exception as error:  # noqa: BLE001
        return answer | {"sent": {"refused": f"{type(error).__name__} {getattr(error, 'code', '')}"}}
    return answer | {
        "sent": plain(sent.body()),
        "cut": [one.code for one in sent.warnings],
        "proof": told(lambda: _proof(code, case, read, sent, shown)),
        "suspect": told(lambda: code.prove.suspect(read, shown) or "–"),
    }


def _values(read: Any) -> Json:
    rows = [
        members(
            one,
            "guid",
            "row_type",
            "codes",
            "description",
            "quantity",
            "price",
            "currency",
            "unit",
            "vat_rate",
            "sort_order",
            "prices",
        )
        | {"net": plain(one.net(read.currency))}
        for one in read.rows
    ]
    names = (
        "guid",
        "number",
        "reference",
        "status",
        "updated",
        "date",
        "due_date",
        "entry_date",
        "payment_date",
        "payment_term",
    )
    amounts = (
        "currency",
        "rate",
        "total",
        "net",
        "tax",
        "rounding",
        "sign",
        "is_credit_note",
        "document_type",
        "marker",
    )
    parties = [
        members(one, "guid", "name", "number")
        for one in (read.customer, *read.projects, read.credited)
        if one is not None
    ]
    return members(read, *names, *amounts) | {"parties": parties, "rows": rows}


def _vat(amounts: Any) -> list[Json]:
    return [members(one, "rate", "net", "vat", "vat_id") for one in amounts]


def _shown(shown: Any) -> Json:
    names = (
        "type",
        "number",
        "status",
        "customer",
        "currency",
        "date",
        "due_date",
        "balance",
        "note",
        "payment_reference",
        "released",
        "id",
    )
    totals = {
        name: members(
            one, "amount", "detail", "discount", "vat", "rounding", "net", "sum", "total", "rounded_by"
        )
        for name, one in (("totals", shown.totals), ("company", shown.company))
    }
    lines = [
        members(
            one,
            "number",
            "inventory",
            "description",
            "quantity",
            "price",
            "amount",
            "unit",
            "task",
            "branch",
            "discount_percent",
        )
        for one in shown.lines
    ]
    taxes = [members(one, "vat_id", "rate", "taxable", "vat") for one in shown.taxes]
    return members(shown, *names) | totals | {"lines": lines, "taxes": taxes}


def _prediction(code: Any, read: Any, need: Any, world: Mapping[str, list[Json]]) -> Any:
    if read.date is None:
        return None
    table = code.totals.VatTable(world["vat"], world["vatCategory"])
    found = code.totals.predict(read, need.categories(), need.zone, table, read.date)
    if found is None:
        return None
    row = found.suspicious()
    return members(found, "net", "vat_document", "vat_line") | {
        "per rate": _vat(found.per_rate),
        "difference": found.difference(read),
        "total": found.total(read),
        "agrees": found.agrees(read, Decimal("0.01")),
        "suspicious": row.row.guid if row is not None else None,
    }


def _proof(code: Any, case: Json, read: Any, sent: Any, shown: Any) -> Json:
    found = code.prove.prove(read, sent, shown, case["tolerance"], foreign=case["choices"]["foreign"])
    return members(found, "ok", "difference", "severa_total", "erp_total") | {
        "erp vat": _vat(found.erp_vat),
        "findings": {
            one.field if one.line is None else f"{one.field} of line {one.line}": [
                one.severa,
                one.erp,
                one.essential,
            ]
            for one in found.findings
        },
    }


# ---------------------------------------------------------------- costs


def cost(code: Any, case: Json, _world: Json, _golden: Json | None) -> Json:
    """The document as it is read, and of each line the fee that is made of it."""
    row = _row(code, "visma_net", case["register"], case["body"])
    categories = {name: frozenset(ids) for name, ids in case["categories"].items()}
    try:
        read = code.cost_document.read_document(case["register"], case["body"], categories)
    except Exception as error:  # noqa: BLE001
        return {"row": row, "refused": type(error).__name__}
    names = ("id", "kind", "number", "partner", "dated", "ledger", "released", "voided")
    files = [[one.id, one.name] for one in read.files]
    return {
        "row": row,
        "document": members(read, *names) | {"files": files},
        "lines": {line.key: told(lambda line=line: _line(code, case, read, line)) for line in read.lines},
    }


def _line(code: Any, case: Json, read: Any, line: Any) -> Json:
    plan = code.cost_plan
    names = (
        "key",
        "account",
        "account_type",
        "project",
        "project_id",
        "amount",
        "net",
        "label",
        "parts",
        "description",
    )
    return members(line, *names) | {
        "files": [[one.id, one.name] for one in line.files],
        "marker": [read.marker(line.key), read.marker(line.key, void=True)],
        "fee": told(lambda: _fee(code, case, read, line)),
        "cost": told(lambda: plan.cost_of(line, read, case["currency"])),
    }


def _fee(code: Any, case: Json, read: Any, line: Any) -> Json:
    plan, base = code.cost_plan, case["currency"]
    settings = code.settings.TenantSettings.model_validate(case["settings"])
    amount = plan.cost_of(line, read, base)
    currency = plan.project_currency(case["project"], base)
    price = plan.price_of(
        amount, settings, base=base, currency=currency, rates=plan.rates_of(case["rates"], base)
    )
    if price is None:
        return {"price": None}
    own = {
        "cost": amount,
        "base": base,
        "price": price,
        "billable": case["billable"],
        "language": case["language"],
    }
    meant = plan.planned(line, read, case["project"], **own)
    void = plan.taken_back(meant)
    return {
        "sent": plan.fee_body(meant, read.marker(line.key)),
        "taken back": plan.fee_body(void, read.marker(line.key, void=True)),
        # What is kept of a line in its link: 0.1.0's rows are read by it.
        "kept": meant.as_json(),
        "kept again": code.brought.brought(meant.as_json()).as_json(),
        "found": plan.found_as(case["fee"], meant).as_json(),
        "proof": [_spelt(one, case["fee"]) for one in plan.differences(meant, case["fee"])],
    }


# ---------------------------------------------------------------- payments


def payment(code: Any, case: Json, world: Json, _golden: Json | None) -> Json:
    """How far a document is paid, and where its invoice goes."""
    plan, body = code.payment, dict(case["document"])
    rows = {
        "row": _row(code, "visma_net", "customerdocument", body),
        "payment rows": [_row(code, "visma_net", "customerPayment", one) for one in case["payments"]],
    }
    if case["applications"] is not None:
        body["applications"] = case["applications"]
    try:
        shown = code.invoice_model.ErpDocument.of(body)
        read = code.invoice_model.SeveraInvoice.of(case["invoice"])
    except Exception as error:  # noqa: BLE001
        return rows | {"refused": type(error).__name__}
    left_out = () if case["partly"] else ("status-partly", "status-reminded")
    roles = code.statuses.derive_roles(world["invoicestatuses"], ignored=left_out)

    def settlement() -> Json:
        found = plan.settlement(shown, case["payments"])
        return {"day": found.day, "written off": found.written_off}

    def moved(*, dated: bool) -> Any:
        paid_on = plan.settlement(shown, case["payments"]).day if dated else None
        wanted = plan.target(roles, read, plan.money_of(shown), paid_on)
        return members(wanted, "role", "date", "clear", "waits") | {
            "patch": list(plan.changes(roles, read, wanted).items())
        }

    return rows | {
        "money": told(lambda: plan.money_of(shown)),
        "settled": told(settlement),
        "moved": told(lambda: moved(dated=True)),
        "moved without a day": told(lambda: moved(dated=False)),
        "rounding": told(lambda: plan.rounding_balance(shown, case["difference"])),
    }


def _spelt(difference: Any, fee: Any) -> str:
    """A difference that is kept as values today, as 0.1.0 spelt it: its words are no part of the mapping."""
    if isinstance(difference, str):
        return difference
    field, sent = difference["field"], difference["severa"]
    match field:
        case "isBillable":
            return f"{field}: {sent.capitalize()} / {fee.get(field)}"
        case "quantity":
            return f"{field}: {sent} / {difference['erp'] or None}"
        case "project":
            return f"{field}: {sent} / {difference['erp'] or '–'}"
    stored = difference["erp"]
    shown = f"{Decimal(str(fee[field]['amount']))} {stored['currency']}".strip() if stored else "–"
    return f"{field}: {sent['amount']} {sent['currency']} / {shown}"
