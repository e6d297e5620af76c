"""A database that 0.1.0 left in the middle of its work, and what stood in both systems at that moment.

The database is `data/database_0_1_0.sql`. The ledgers are made anew: the simulators give the same ids for the same moves, and
what was made beyond their seed is entered here under the ids that the database knows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from offices import Json, hours
from psycopg.rows import dict_row
from services import Database

from db import migrate as migrating
from db.migrate import migrate, migrations
from simulators import severa, visma_net
from simulators.visma_net import settling

DATA = Path(__file__).parent / "data" / "database_0_1_0.sql"
OLD = "0004"
# What 0.1.0 wrote of itself after its migrations.
KNOWN = """insert into installation (system_identifier, timeline)
    select s.system_identifier::text, c.timeline_id from pg_control_system() s, pg_control_checkpoint() c on conflict do nothing"""

BOOKED = "bc1aebfa-f681-5fb1-9fe5-481c98679998"
"""Released as 100000, numbered."""
UNANSWERED = "1996c67a-e6fa-561e-b9d0-c6a98142ee84"
"""Its create was answered 503: nobody knows that it became 100001."""
EDITED = "43a934fc-1b71-537f-a10f-da361617f241"
"""Edited by a person while its release was answered 503: 100002 was removed, and 100003 sent to release by two rows."""
WAITS = "d6dedd07-e124-5928-b23c-2da937701843"
"""Its customer's create is unanswered."""
FAILED = "983b9d31-9960-5ae5-b7f3-a82fbc9e11a7"
"""Its rate of VAT is none that the ERP knows."""

Ask = Callable[..., list[dict[str, Any]]]


@contextmanager
def left(database: Database) -> Iterator[Ask]:
    """Makes an empty database that one; gives a way to ask it as its owner."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(migrating, "migrations", lambda: [m for m in migrations() if m.version <= OLD])
        patched.setattr(migrating, "know_installation", lambda db: db.execute(KNOWN))
        migrate(database.owner_url, database.app_url)
    with psycopg.connect(database.owner_url, autocommit=True, row_factory=dict_row) as db:
        db.execute(DATA.read_bytes())

        def ask(query: str, *values: Any) -> list[dict[str, Any]]:
            done = db.execute(query.encode(), values)
            return done.fetchall() if done.description else []

        # The dump names its rows; the next ones follow them.
        ask("select setval(pg_get_serial_sequence('outbox', 'id'), (select max(id) from outbox))")
        ask("select setval(pg_get_serial_sequence('problem', 'id'), (select max(id) from problem))")
        ask("select setval(pg_get_serial_sequence('transfer_log', 'id'), (select max(id) from transfer_log))")
        # Nobody has worked on it since.
        ask(
            "update outbox set lease_until = clock_timestamp() - interval '1 hour' where lease_until is not null"
        )
        yield ask


@dataclass
class World:
    """Both systems of the database's one firm as they stood when 0.1.0 was stopped.

    ``happened``: whether the calls without an answer (a create, a customer's create, releases) were carried out.
    """

    ask: Ask
    severa: severa.SeveraState
    erp: visma_net.Simulation
    firm: Any
    happened: bool

    def enter(self) -> None:
        """Puts everything beyond the seed into both simulators."""
        self._severa()
        self._erp()

    def _seen(self, system: str, register: str, key: str) -> Json:
        [row] = self.ask(
            "select body from record where system = %s and register = %s and id = %s",
            system, register, key,
        )  # fmt: skip
        body: Json = json.loads(bytes(row["body"]), parse_float=Decimal)
        return body

    # ---- Severa

    def _severa(self) -> None:
        org = self.severa.organisations[self.firm.severa_client_id]
        people = severa.People(org)
        given: list[str] = []
        org.new_guid = lambda: given.pop(0) if given else str(uuid4())

        def add(register: str, *guids: str, **members: Any) -> None:
            given[:] = guids
            assert people.add(register, members)["guid"] == guids[0]
            given.clear()

        add("products", "29da71a9-6c0a-5c81-b37a-67f01dd57edd", code="MOTE", name="Möteslokal", type="Materials", unitPrice={"amount": 2500, "currencyCode": "SEK"})  # fmt: skip
        for guid in (
            "f2c0dd49-6c24-5a68-b30d-ec332d22fbbb",
            "41b01799-a1c0-52fd-9f2d-71150c97a114",
            "1ee3e776-91eb-53b3-bf99-ea86639b2af1",
        ):
            seen = self._seen("severa", "customers", guid)
            address = seen["headquarterAddress"]
            add(
                "customers", guid, address["guid"],
                **{name: seen[name] for name in ("name", "number", "vatNumber", "email", "paymentTerm") if seen[name] is not None},
                address={**{name: address[name] for name in ("addressline", "postalCode", "city")}, "country": "SE"},
            )  # fmt: skip
        for guid in ("521f0d99-3546-57cf-a22b-af290daa75fa", "8bc4ad68-a86f-50f3-a0eb-2e9426be5387"):
            seen = self._seen("severa", "projects", guid)
            add("projects", guid, seen["rootPhase"]["guid"], name=seen["name"], number=seen["number"], customer=seen["customer"]["guid"], startDate=seen["startDate"])  # fmt: skip
        # What the customers created by the bridge were given.
        for number in (10008, 10009):
            [made] = [row for row in people.look("customers") if row["name"] == self._erp_name(number)]
            people.change("customers", made["guid"], {"number": number})
        rows = {
            BOOKED: hours("2", "1000"), UNANSWERED: hours("2", "1050"), EDITED: hours("4", "900"),
            FAILED: hours("2", "1000", vat=7), WAITS: hours("1"),
        }  # fmt: skip
        for guid, row in rows.items():
            seen = self._seen("severa", "invoices", guid)
            add(
                "invoices", guid, customer=seen["customer"]["guid"], projects=[one["guid"] for one in seen["projects"]],
                rows=[row], status=seen["status"]["guid"],
                **{name: seen[name] for name in ("date", "dueDate", "yourReference", "number", "referenceNumber") if seen[name] is not None},
            )  # fmt: skip

    def _erp_name(self, number: int) -> str:
        [row] = self.ask(
            "select base from link where domain = 'customer' and severa_number = %s", str(number)
        )
        name: str = row["base"]["name"][0]
        return name

    # ---- the ERP

    def _erp(self) -> None:
        company = self.erp.companies[self.firm.erp_tenant_id.lower()]
        people = visma_net.People(self.erp)

        def add(register: str, members: Json, key: int) -> None:
            """``key``: the internal id that the database knows; those of its parts lie beside it."""
            company._internal_id = key - (3 if register == "customer" else 1)
            people.add(company.tenant_id, register, members)
            row = max(company.register(register), key=lambda row: row.internal_id)
            assert row.internal_id == key

        for key in (1077, 1080, 1092):
            seen = self._seen("visma_net", "customer", str(key))
            add("customer", _entered(seen), key)
        if self.happened:
            add("customer", {"name": "Väntar AB", "customerClassId": "1", "mainAddress": KUNGSGATAN}, 1203)
        seen = self._seen("visma_net", "inventory", "1083")
        add("inventory", {"inventoryNumber": "RESTID", "description": "Restid", "itemClass": "LABOR", "type": "LaborItem"}, 1083)  # fmt: skip
        for key in (1081, 1084, 1086, 1088, 1093):
            seen = self._seen("visma_net", "project", str(key))
            add(
                "project",
                {
                    "projectID": seen["projectID"], "customer": seen["customer"]["number"], "template": "Z", "status": "Active",
                    "hold": False, "description": seen["description"], "startDate": seen["startDate"], "billingPeriod": "OnDemand",
                },
                key,
            )  # fmt: skip
        company._internal_id = 2000
        self._documents(people, company.tenant_id)

    def _documents(self, people: visma_net.People, tenant: str) -> None:
        """100000 to 100003, as the bridge sent them."""
        invoices = people.company(tenant).invoices

        def enter(number: str, guid: str, quantity: int, price: int, **members: Any) -> None:
            made = people.add(
                tenant,
                "customerinvoice",
                {
                    "customerNumber": "10010", "documentDate": "2026-11-20", "documentDueDate": "2026-12-20", "hold": True,
                    "note": f"severa:{guid}", "project": "1008", "currencyId": "SEK", "branchNumber": "1", "creditTermsId": "30", "sendToAutoInvoice": False,
                    "invoiceLines": [
                        {
                            "operation": "Insert", "inventoryNumber": "KONS", "description": "Konsultation", "uom": "TIM",
                            "quantity": quantity, "unitPriceInCurrency": price, "taskId": "10", "manualDiscount": True, "discountPercent": 0, "branchNumber": "1",
                        }
                    ],
                    **members,
                },
            )  # fmt: skip
            assert made["referenceNumber"] == number

        enter("100000", BOOKED, 2, 1000)
        settling.finish_release(people.company(tenant), invoices["100000"])
        if self.happened:
            enter("100001", UNANSWERED, 2, 1050)
        else:
            people.company(tenant).take_number("ARINVOICE")
        enter("100002", EDITED, 4, 900)
        people.remove(tenant, "customerinvoice", "100002")
        enter("100003", EDITED, 4, 900, externalReference="ny")
        people.edit(tenant, "customerinvoice", "100003", {"hold": False})
        if self.happened:
            settling.finish_release(people.company(tenant), invoices["100003"])


KUNGSGATAN = {"addressLine1": "Kungsgatan 1", "postalCode": "111 43", "city": "Stockholm", "countryId": "SE"}


def _entered(seen: Json) -> Json:
    """A customer as it was shown, in the members of an update."""
    address = seen["mainAddress"]
    return {
        "name": seen["name"],
        "vatRegistrationId": seen["vatRegistrationId"],
        "corporateId": seen["corporateId"],
        "customerClassId": seen["customerClass"]["id"],
        "creditTermsId": seen["creditTerms"]["id"],
        "mainAddress": {**{name: address[name] for name in ("addressLine1", "postalCode", "city")}, "countryId": address["country"]["id"]},
        "mainContact": {name: seen["mainContact"][name] for name in ("name", "email", "web", "phone1", "attention")},
    }  # fmt: skip
