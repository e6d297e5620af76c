"""The registers and tables of a company as people see them: find, show and edit any of them by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, fields, is_dataclass
from decimal import Decimal
from typing import Any

from simulators.visma_net.answers import RefusalError, not_found
from simulators.visma_net.contacts import change_contact, new_contact, render_contact
from simulators.visma_net.customers import change_customer, new_customer, render_customer
from simulators.visma_net.documents import Document, JournalBatch, Payment, SupplierDocument
from simulators.visma_net.entering import SHAPE, change
from simulators.visma_net.inventory import change_item, new_item, render_item
from simulators.visma_net.ledger import render_batch
from simulators.visma_net.payables import render_supplier, render_supplier_document
from simulators.visma_net.projects import change_project, new_project, render_project
from simulators.visma_net.reading import read_update
from simulators.visma_net.rendering import render_document, render_payment
from simulators.visma_net.settling import finish_release
from simulators.visma_net.state import Company, Dimension, Period, Row, Series, Vat

ROWS = {
    "customer": ("CustomerUpdateDto", new_customer, change_customer, render_customer),
    "contact": ("ContactUpdateDto", new_contact, change_contact, render_contact),
    "inventory": ("InventoryUpdateDto", new_item, change_item, render_item),
    "project": ("ProjectUpdateDto", new_project, change_project, render_project),
}
DOCUMENTS = {"customerinvoice": "Invoice", "customercreditnote": "CreditNote"}
TABLES: dict[str, tuple[str, type | None]] = {
    # Name in the path -> attribute of the company, and the class of its entries (None: plain dicts).
    "periods": ("periods", Period),
    "series": ("series", Series),
    "dimensions": ("dimensions", Dimension),
    "vats": ("vats", Vat),
    "creditterms": ("credit_terms", None),
    "currencies": ("currencies", None),
    "customerclasses": ("customer_classes", None),
    "itemclasses": ("item_classes", None),
    "vatcategories": ("vat_categories", None),
    "vatzones": ("vat_zones", None),
    "branches": ("branches", None),
    "paymentmethods": ("payment_methods", None),
}


def row_of(company: Company, register: str, key: str) -> Row:
    """A row by key, else by internal id. Refuses an unknown one."""
    row = company.register(register).get(key)
    if row is None and key.isdigit():
        row = company.register(register).find(int(key))
    if row is None:
        raise not_found(f"{register} {key}")
    return row


def document_of(company: Company, register: str, number: str) -> Document:
    """An invoice or credit note by number. Refuses an unknown one."""
    found = (company.invoices if register == "customerinvoice" else company.credit_notes).get(number)
    if found is None:
        raise not_found(f"{register} {number}")
    return found


def edit_document(company: Company, document: Document, sent: dict[str, Any]) -> Document:
    """What a person changes in a document: status, members, or its release."""
    status = sent.get("status")
    if status == "Released":
        finish_release(company, document)
    elif status is not None:
        document.status = status
        if status == "Voided":
            document.balance = Decimal(0)
        company.touch(document)
    members = read_update(sent, SHAPE[document.kind], company.zone, bare=True)
    if members:
        change(company, document, members)
    return document


def owner_of(company: Company, owner: str, number: str) -> Any:
    """What a file is attached to: a customer or supplier document, or a journal batch."""
    if owner in DOCUMENTS:
        return document_of(company, owner, number)
    kind, _, rest = number.rpartition("/")
    if owner == "supplierinvoice":
        found: Any = company.supplier_documents.get((kind or "Invoice", rest))
    else:
        found = company.batches.get((kind or "GL", rest))
    if found is None:
        raise not_found(f"{owner} {number}")
    return found


def objects(company: Company, register: str) -> Iterable[Any]:
    """Everything of a register, as the simulator keeps it."""
    match register:
        case "customerinvoice":
            return company.invoices.values()
        case "customercreditnote":
            return company.credit_notes.values()
        case "payments":
            return company.payments.values()
        case "supplierinvoices":
            return company.supplier_documents.values()
        case "journals":
            return company.batches.values()
    if register not in company.registers:
        raise not_found(f"The register {register}")
    return company.register(register)


def dump(company: Company, register: str) -> Iterable[dict[str, Any]]:
    """Everything of a register, as it is shown to people."""
    if register in ROWS:
        render = ROWS[register][3]
        return (render(company, row) for row in company.register(register))
    if register in TABLES:
        table: dict[str, Any] = getattr(company, TABLES[register][0])
        return ({"id": key, **_entry(entry)} for key, entry in table.items())
    if register == "vatrules":
        return (
            {"category": category, "zone": zone, "vat": vat}
            for (category, zone), vat in company.vat_rules.items()
        )
    if register == "units":
        return ({"id": unit} for unit in sorted(company.units))
    return (_shape(company, one) for one in objects(company, register))


def _shape(company: Company, one: Any) -> dict[str, Any]:
    match one:
        case Document():
            return render_document(company, one)
        case Payment():
            return render_payment(company, one)
        case SupplierDocument():
            return render_supplier_document(company, one, files=True)
        case JournalBatch():
            return render_batch(company, one)
    if one.body.get("supplierClass"):
        return render_supplier(company, one)
    return {"internalId": one.internal_id, "key": one.key}


def _entry(entry: Any) -> dict[str, Any]:
    return asdict(entry) if is_dataclass(entry) and not isinstance(entry, type) else dict(entry)


def put_entry(company: Company, register: str, key: str, sent: dict[str, Any]) -> dict[str, Any]:
    """Puts values over an entry of a table, or makes it. Refuses members that it does not have."""
    attribute, kind = TABLES[register]
    table: dict[str, Any] = getattr(company, attribute)
    if kind is None:
        table[key] = {**table.get(key, {}), **{name: value for name, value in sent.items() if name != "id"}}
        return {"id": key, **table[key]}
    known = {one.name for one in fields(kind)}
    unknown = set(sent) - known
    if unknown:
        raise RefusalError(400, {"message": f"unknown members {sorted(unknown)}; known: {sorted(known)}"})
    if key in table:
        for name, value in sent.items():
            setattr(table[key], name, value)
    else:
        table[key] = kind(**{"id": key, **sent})
    return {"id": key, **_entry(table[key])}
