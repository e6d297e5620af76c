"""A tenant with costs: two linked projects, accounts and currencies; fees that Severa lists under their project."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from domain.model import Filter, Json
from domain.setup.settings import TenantSettings
from tests.fakes import FakeErp, FakeSevera, World

INVOICE = ("supplierInvoice", "Invoice/200771")
BATCH = ("journaltransaction", "ModuleGL/GL000954")


class CostSevera(FakeSevera):
    """Fees are made in one place and listed under their project."""

    def on_create(self, register: str, new: Json, parent: str | None) -> None:
        if register == "projectfees":
            self.children.setdefault(("projects/projectfees", new["project"]["guid"]), []).append(new)

    def fees(self) -> list[Json]:
        """Every fee, in the order made."""
        return list(self.records.get("projectfees", {}).values())

    def files_of(self, project: str) -> list[Json]:
        return self.children.get(("projects/files", project), [])


class CostErp(FakeErp):
    """Journals answer under their number alone, whatever module they are of; their list is asked by module and period."""

    def stored(self, register: str, key: str) -> Json:
        if register == "journaltransaction":
            for batch in self.records.get(register, {}).values():
                if batch["batchNumber"] == key:
                    return batch
        return super().stored(register, key)

    def _matching(self, register: str, filters: Mapping[str, Filter]) -> list[Json]:
        if register != "journaltransaction":
            return super()._matching(register, filters)
        return [
            batch
            for batch in super()._matching(register, {})
            if batch["module"] == f"Module{filters['module']}"
            and batch["financialPeriod"] == filters["periodId"]
        ]


def world(**settings: Any) -> World:
    """Projects P1042 (SEK) and P2000 (EUR) are linked; 7140 is an expense account, 1930 and 3000 are not."""
    made = World(
        severa=CostSevera,
        erp=CostErp,
        settings=TenantSettings.model_validate({"costs": "cost", **settings}),
    )
    books = made.books
    books.remember("visma_net", "organization", {"id": "1", "organizationCd": "1", "baseCurrency": "SEK"})
    for code, own, rate in (("SEK", True, "1"), ("EUR", False, "11.25"), ("NOK", False, "0")):
        body = {"guid": code, "code": code, "isOrganizationCurrency": own, "rate": Decimal(rate)}
        books.remember("severa", "currencies", body)
    for number, kind in (("7140", "Expense"), ("1930", "Asset"), ("3000", "Income"), ("2440", "Liability")):
        account = {"accountCD": number, "type": kind, "description": number}
        books.remember("visma_net", "account", account, id=number, number=number)
    for number, kind in (("1", "Actual"), ("2", "Budget")):
        ledger = {"number": number, "balanceType": kind}
        books.remember("visma_net", "ledger", ledger, id=number, number=number)
    add_project(made, "p1", 1042, 812, "SEK")
    add_project(made, "p2", 2000, 813, "EUR")
    return made


def add_project(made: World, guid: str, number: int, internal: int, currency: str, **more: Any) -> Json:
    """A Severa project linked to the ERP project ``P<number>``."""
    body = {
        "guid": guid,
        "number": number,
        "name": f"Project {number}",
        "isClosed": False,
        "rootPhase": {"guid": f"root-{guid}", "name": "Root"},
        "currency": {"code": currency},
        **more,
    }
    made.severa.store("projects", body)
    ours = made.books.remember("severa", "projects", body)
    theirs = {"internalID": internal, "projectID": f"P{number}", "description": body["name"]}
    made.books.connect("project", ours, made.books.remember("visma_net", "project", theirs))
    return body


def line(
    number: int = 1,
    cost: str | None = "800.00",
    project: str = "P1042",
    internal: int | None = None,
    **more: Any,
) -> Json:
    """A line of a supplier document; ``internal`` is the project's internal id, known for the two linked ones."""
    if internal is None:
        internal = {"P1042": 812, "P2000": 813}.get(project, 0)
    return {
        "lineNumber": number,
        "transactionDescription": f"Train {number}",
        "cost": None if cost is None else Decimal(cost),
        "costInCurrency": Decimal("99999"),
        "account": {"type": "Expense", "number": "7140"},
        "vatCode": {"id": "3"},
        "project": {"internalId": internal, "id": project},
        "attachments": [],
        **more,
    }


def invoice(*lines: Json, **more: Any) -> Json:
    """A released supplier document."""
    return {
        "documentType": "Invoice",
        "referenceNumber": "200771",
        "status": "Open",
        "date": "2026-03-04T00:00:00",
        "supplier": {"internalId": 512, "number": "50012", "name": "Rail Company AB"},
        "taxCalculationMode": "TaxSetting",
        "vatTotal": Decimal("200.00"),
        "taxDetailLines": [],
        "invoiceLines": list(lines) or [line()],
        "attachments": [],
        "lastModifiedDateTime": "2026-03-05T10:00:00.01",
        **more,
    }


def entry(number: int = 1, debit: str = "800.00", credit: str = "0", **more: Any) -> Json:
    """A line of a journal batch."""
    return {
        "lineNumber": number,
        "accountNumber": "7140",
        "transactionDescription": "Travel",
        "referenceNumber": "R-17",
        "customerSupplier": "50012",
        "debitAmount": Decimal(debit),
        "creditAmount": Decimal(credit),
        "project": {"internalId": 812, "id": "P1042"},
        "attachments": [],
        **more,
    }


def batch(*lines: Json, **more: Any) -> Json:
    """A posted journal batch."""
    return {
        "module": "ModuleGL",
        "batchNumber": "GL000954",
        "status": "Posted",
        "transactionDate": "2026-03-31T00:00:00",
        "financialPeriod": "202603",
        "ledger": "1",
        "description": "Reclass travel",
        "journalTransactionLines": list(lines) or [entry()],
        "attachments": [],
        **more,
    }


def put(made: World, body: Json) -> tuple[str, str]:
    """A document that stands in the ERP and was polled; its register and id."""
    if "batchNumber" in body:
        place = ("journaltransaction", f"{body['module']}/{body['batchNumber']}")
        number = body["batchNumber"]
    else:
        place = ("supplierInvoice", f"{body['documentType']}/{body['referenceNumber']}")
        number = body["referenceNumber"]
    made.erp.store(place[0], body, place[1])
    made.books.remember("visma_net", place[0], body, id=place[1], number=number)
    return place


def fees(made: World) -> list[Json]:
    """Every fee in Severa."""
    assert isinstance(made.severa, CostSevera)
    return made.severa.fees()


def files_of(made: World, project: str) -> list[Json]:
    """The files of a Severa project."""
    assert isinstance(made.severa, CostSevera)
    return made.severa.files_of(project)
