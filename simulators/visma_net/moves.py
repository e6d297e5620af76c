"""What people do in the ERP's own windows, as Python calls: enter, edit, pay, void, close a period, attach.

``People`` is the façade for tests in the same process; ``people.py`` offers the same moves over HTTP. Members
are those of the update documents, without the wrapping; amounts may be texts, dates are ISO dates.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from simulators.visma_net import blocks
from simulators.visma_net.answers import not_found
from simulators.visma_net.documents import JournalBatch, JournalLine, Payment, SupplierDocument
from simulators.visma_net.entering import SHAPE, enter
from simulators.visma_net.ledger import new_batch
from simulators.visma_net.payables import (
    enter_supplier_document,
    project_and_task,
    release_supplier_document,
    render_supplier,
    void_supplier_document,
)
from simulators.visma_net.payments import find, new_payment, void
from simulators.visma_net.reading import read_update
from simulators.visma_net.rendering import render_document
from simulators.visma_net.seeding import company_of, firm_of, supplier_body
from simulators.visma_net.settling import finish_release, marker, release_payment, remove, work_off_queue
from simulators.visma_net.state import Company, Simulation
from simulators.visma_net.switches import Switches
from simulators.visma_net.windows import (
    DOCUMENTS,
    ROWS,
    TABLES,
    document_of,
    dump,
    edit_document,
    objects,
    owner_of,
    put_entry,
    row_of,
)


class People:
    """The people of every company. Refused moves raise ``RefusalError`` with the ERP's message."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation

    def company(self, tenant_id: str) -> Company:
        """The company that people are in. Refuses an unknown one."""
        company = self.simulation.companies.get(tenant_id.lower())
        if company is None:
            raise not_found(f"The company {tenant_id}")
        return company

    def add_company(
        self,
        firm: int | str = "nordkonsult",
        *,
        tenant_id: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
    ) -> Company:
        """``firm`` is ``nordkonsult``, ``empty`` (its set-up without customers, items and projects) or a
        number. Ids and secret are the firm's own unless given."""
        source = firm_of("nordkonsult" if firm == "empty" else firm)
        own = Simulation(self.simulation.switches, self.simulation.clock)
        company = company_of(own, source, registers=firm != "empty")
        company.tenant_id = (tenant_id or source.erp_tenant_id).lower()
        return self.simulation.add(
            company, client_id or source.erp_client_id, client_secret or source.erp_client_secret
        )

    def switch(self, tenant_id: str, **changes: Any) -> Switches:
        """Switches for one company alone."""
        return self.company(tenant_id).override(**changes)

    # --- registers ---

    def dump(self, tenant_id: str, register: str) -> list[dict[str, Any]]:
        """Everything that stands in a register, as people see it."""
        company = self.company(tenant_id)
        with company.lock:
            return list(dump(company, register.lower()))

    def add(self, tenant_id: str, register: str, sent: dict[str, Any]) -> dict[str, Any]:
        """Enter a record. A document is released at once with ``"released": true``."""
        company, register = self.company(tenant_id), register.lower()
        with company.lock:
            if register in ROWS:
                shape, new, _change, render = ROWS[register]
                return render(company, new(company, read_update(sent, shape, company.zone, bare=True)))
            if register in DOCUMENTS:
                kind = DOCUMENTS[register]
                members = read_update(sent, SHAPE[kind], company.zone, bare=True)
                document = enter(company, kind, {"dontPrint": True, "dontEmail": True, **members})
                if sent.get("released"):
                    finish_release(company, document)
                return render_document(company, document)
            if register in TABLES:
                return put_entry(company, register, str(sent["id"]), sent)
            if register == "units":
                company.units.add(str(sent["id"]))
                return {"id": sent["id"]}
            if register == "vatrules":
                company.vat_rules[str(sent["category"]), str(sent["zone"])] = str(sent["vat"])
                return dict(sent)
            if register == "supplier":
                body = supplier_body(company, str(sent["name"]), sent.get("corporateId", ""))
                number = str(sent.get("number") or company.take_number("SUPPLIER"))
                return render_supplier(company, company.new_row("supplier", number, body))
            if register == "account":
                body = {"type": "Expense", "active": True, "description": "", **sent}
                company.new_row("account", str(sent["number"]), body)
                return dict(sent)
        raise not_found(f"The register {register}")

    def edit(self, tenant_id: str, register: str, key: str, sent: dict[str, Any]) -> dict[str, Any]:
        """Edit a record by number (customer, item, project, document) or id. ``{"key": ...}`` renames a
        register row; ``{"status": "Voided"}`` on a document voids it."""
        company, register = self.company(tenant_id), register.lower()
        with company.lock:
            if register in ROWS:
                shape, _new, put, render = ROWS[register]
                row = row_of(company, register, key)
                if "key" in sent:
                    company.register(register).rename(row, str(sent["key"]))
                    company.touch(row)
                members = read_update(sent, shape, company.zone, bare=True)
                if members:
                    put(company, row, members)
                return render(company, row)
            if register in DOCUMENTS:
                return render_document(
                    company, edit_document(company, document_of(company, register, key), sent)
                )
            if register in ("supplier", "account"):
                row = row_of(company, register, key)
                row.body = {**row.body, **sent}
                company.touch(row)
                return dict(row.body)
            if register in TABLES:
                return put_entry(company, register, key, sent)
        raise not_found(f"The register {register}")

    def remove(self, tenant_id: str, register: str, key: str) -> None:
        """Takes a record out for good, as no call of the API can."""
        company, register = self.company(tenant_id), register.lower()
        with company.lock:
            if register in company.registers:
                company.register(register).remove(row_of(company, register, key))
            elif register in DOCUMENTS:
                remove(company, document_of(company, register, key))
            elif register in TABLES:
                getattr(company, TABLES[register][0]).pop(key, None)
            elif register == "units":
                company.units.discard(key)
            elif register == "vatrules":
                category, _, zone = key.partition(",")
                company.vat_rules.pop((category, zone), None)
            else:
                raise not_found(f"The register {register}")

    def touch_all(self, tenant_id: str, register: str) -> int:
        """An internal job rewrites every row: new times of last change, nothing else (docs/vendors/visma-net-erp.md E34)."""
        company = self.company(tenant_id)
        with company.lock:
            rows: Iterable[Any] = objects(company, register.lower())
            touched = 0
            for row in rows:
                company.touch(row)
                touched += 1
            return touched

    # --- money ---

    def pay(
        self,
        tenant_id: str,
        lines: list[dict[str, Any]],
        *,
        date: str | None = None,
        type: str = "Payment",
        amount: str | None = None,
        released: bool = True,
    ) -> Payment:
        """Register, apply and release a payment. ``lines``: type (Invoice, CreditNote), number, amount,
        write_off; the customer is that of the first line. Amounts in the documents' currency."""
        company = self.company(tenant_id)
        with company.lock:
            parts = [
                {
                    "documentType": line.get("type", "Invoice"),
                    "refNbr": str(line["number"]),
                    "amountPaid": Decimal(str(line.get("amount", 0))),
                    "balanceWriteOff": Decimal(str(line.get("write_off", 0))),
                }
                for line in lines
            ]
            kind = "customercreditnote" if parts[0]["documentType"] == "CreditNote" else "customerinvoice"
            first = document_of(company, kind, str(parts[0]["refNbr"]))
            total = sum((Decimal(str(part["amountPaid"])) for part in parts), Decimal(0))
            when = (
                datetime.fromisoformat(date)
                if date
                else datetime.combine(company.today(), datetime.min.time())
            )
            payment = new_payment(
                company,
                {
                    "type": type,
                    "customer": first.customer.key,
                    "applicationDate": when,
                    "paymentAmount": Decimal(str(amount)) if amount is not None else total,
                    "cashAccount": "1930",
                    "paymentRef": f"BG {first.payment_reference or first.number}",
                    "currency": first.currency,
                    "paymentLines": parts,
                },
            )
            if released:
                release_payment(company, payment)
            return payment

    def void_payment(self, tenant_id: str, number: str) -> Payment:
        """Voids a payment; the voiding one."""
        company = self.company(tenant_id)
        with company.lock:
            return void(company, find(company, number, None))

    def finish_releases(self, tenant_id: str) -> int:
        """Work off the queue of releases that answered Queued; says how many."""
        company = self.company(tenant_id)
        with company.lock:
            return work_off_queue(company, everything=True)

    # --- costs ---

    def supplier_invoice(self, tenant_id: str, sent: dict[str, Any]) -> SupplierDocument:
        """Members: see ``payables.enter_supplier_document``; released unless ``"released": false``."""
        company = self.company(tenant_id)
        with company.lock:
            return enter_supplier_document(company, sent)

    def supplier_document(self, tenant_id: str, kind: str, number: str) -> SupplierDocument:
        """A supplier document by kind and number."""
        document = self.company(tenant_id).supplier_documents.get((kind, number))
        if document is None:
            raise not_found(f"{kind} {number}")
        return document

    def release_supplier_invoice(self, tenant_id: str, number: str, kind: str = "Invoice") -> None:
        """Releases a supplier document."""
        company = self.company(tenant_id)
        with company.lock:
            release_supplier_document(company, self.supplier_document(tenant_id, kind, number))

    def void_supplier_invoice(self, tenant_id: str, number: str, kind: str = "Invoice") -> None:
        """Voids a released supplier document."""
        company = self.company(tenant_id)
        with company.lock:
            void_supplier_document(company, self.supplier_document(tenant_id, kind, number))

    def journal(self, tenant_id: str, sent: dict[str, Any]) -> JournalBatch:
        """A batch: ``module`` (GL), ``date``, ``description``, ``status`` (Posted), ``lines`` of account,
        debit, credit, project, task, description, reference, customer_supplier."""
        company = self.company(tenant_id)
        with company.lock:
            lines = []
            for number, line in enumerate(sent.get("lines", []), 1):
                project, task = project_and_task(company, line)
                lines.append(
                    JournalLine(
                        number=number,
                        account=str(line["account"]),
                        debit=Decimal(str(line.get("debit", 0))),
                        credit=Decimal(str(line.get("credit", 0))),
                        description=line.get("description", ""),
                        reference=line.get("reference", ""),
                        project=project,
                        task=task,
                        customer_supplier=line.get("customer_supplier", ""),
                    )
                )
            when = date.fromisoformat(sent["date"]) if sent.get("date") else company.today()
            return new_batch(
                company,
                sent.get("module", "GL"),
                when,
                lines,
                description=sent.get("description", ""),
                status=sent.get("status", "Posted"),
                period=sent.get("period", ""),
            )

    # --- the rest ---

    def period(self, tenant_id: str, period: str, **flags: bool) -> None:
        """Close or open a month, e.g. ``closed_receivables=True``."""
        self.edit(tenant_id, "periods", period, dict(flags))

    def attach(
        self, tenant_id: str, owner: str, number: str, name: str, content: bytes, *, line: int | None = None
    ) -> str:
        """Attach a file to a document (``customerinvoice``, ``customercreditnote``, ``supplierinvoice``,
        ``journal``), answers its id. A supplier document or batch other than Invoice or GL: ``type/number``."""
        company = self.company(tenant_id)
        with company.lock:
            thing = owner_of(company, owner.lower(), number)
            target: Any = thing
            if line is not None:
                target = next((one for one in thing.lines if one.number == line), None)
                if target is None:
                    raise not_found("The line")
            file = blocks.attach(company, target, name, content, "application/pdf")
            company.touch(thing)
            return file.id

    def marked(self, tenant_id: str, prefix: str = "") -> dict[str, dict[str, Any]]:
        """Per first word of the note: the documents that carry it now, and how often one was released."""
        company = self.company(tenant_id)
        with company.lock:
            found: dict[str, dict[str, Any]] = {}
            for document in (*company.invoices.values(), *company.credit_notes.values()):
                mark = marker(document.note)
                if mark and mark.startswith(prefix):
                    entry = found.setdefault(
                        mark, {"documents": [], "releases": company.releases.get(mark, 0)}
                    )
                    entry["documents"].append(
                        {"type": document.kind, "number": document.number, "status": document.status}
                    )
            return found

    def removed(self, tenant_id: str) -> list[dict[str, Any]]:
        """The documents that were deleted: numbers that are gaps now."""
        return list(self.company(tenant_id).removed)

    def sent_by_erp(self, tenant_id: str) -> list[dict[str, Any]]:
        """Documents the ERP itself would have printed, mailed or sent by AutoInvoice (R-PRO-5)."""
        return list(self.company(tenant_id).sent_by_erp)


def content_of(sent: dict[str, Any]) -> bytes:
    """The bytes of a file given as ``base64`` or as ``text``."""
    if "base64" in sent:
        return base64.b64decode(sent["base64"])
    return str(sent.get("text", "")).encode()
