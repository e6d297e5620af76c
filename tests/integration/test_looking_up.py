"""What the bridge remembers is found by what the vendors call it, however they spell it (R-PRD-2, R-INV-11)."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from db import matters, records, tenants
from db.books import ReferenceCache, TenantBooks
from db.pool import Database
from domain.model import Json, LinkUpdate
from domain.product.registers import REGISTERS
from domain.registers import Register

ZONE = ZoneInfo("Europe/Stockholm")
BROKEN = "ho\x00ur\x07s\ud800"


@pytest.fixture
def tenant(db: Database) -> UUID:
    tenant_id = uuid4()
    with db.tenant(tenant_id) as connection:
        tenants.add(connection, "nordkonsult", "sv", "Europe/Stockholm")
    return tenant_id


def register(system: str, name: str) -> Register:
    return next(one for one in REGISTERS if (one.system, one.name) == (system, name))


def store(db: Database, tenant: UUID, system: str, name: str, *bodies: Json) -> None:
    told = register(system, name)
    rows = [records.row_of(told, body, None, ZONE) for body in bodies]
    now = datetime.now(UTC)
    with db.tenant(tenant) as connection:
        for row in rows:
            records.put_own(connection, told, row, now)


@pytest.fixture
def books(db: Database, tenant: UUID) -> TenantBooks:
    store(db, tenant, "severa", "products", {"guid": "p-1", "code": "hours", "name": "Timmar"})
    store(
        db,
        tenant,
        "visma_net",
        "inventory",
        {"inventoryId": 7, "inventoryNumber": "HOURS", "description": "T"},
    )
    with db.tenant(tenant) as connection:
        [matter] = matters.meet(connection, "product", "severa", "products", [("p-1", "hours")]).values()
        matters.put(
            connection, matter,
            LinkUpdate("products", "p-1", "hours", "inventory", "7", "HOURS"),
        )  # fmt: skip
    return TenantBooks(db, tenant, ReferenceCache())


@pytest.mark.req("R-PRD-2")
@pytest.mark.parametrize("spelt", ["hours", "HOURS", "Hours"])
def test_codes_that_differ_only_in_case_are_the_same(books: TenantBooks, spelt: str) -> None:
    assert [one.id for one in books.find("severa", "products", number=spelt)] == ["p-1"]
    assert [one.id for one in books.find("visma_net", "inventory", number=spelt)] == ["7"]
    link = books.link_by_number("product", erp_number=spelt)
    assert link is not None
    assert link.severa_id == "p-1"


def test_of_two_spellings_the_one_asked_for_comes_first(
    db: Database, tenant: UUID, books: TenantBooks
) -> None:
    store(db, tenant, "severa", "products", {"guid": "p-0", "code": "HOURS", "name": "Timmar"})
    assert [one.id for one in books.find("severa", "products", number="hours")] == ["p-1", "p-0"]
    assert [one.id for one in books.find("severa", "products", number="HOURS")] == ["p-0", "p-1"]
    assert books.find("severa", "products", number="") == []


def test_what_no_column_takes_is_looked_up_as_it_was_stored(
    db: Database, tenant: UUID, books: TenantBooks
) -> None:
    store(db, tenant, "severa", "worktypes", {"guid": "w\x00-1", "code": BROKEN, "name": BROKEN})
    assert [one.id for one in books.find("severa", "worktypes", number=BROKEN)] == ["w-1"]
    assert [one.id for one in books.find("severa", "worktypes", name=BROKEN)] == ["w-1"]
    assert [one.id for one in books.find("severa", "worktypes", number=BROKEN, name=BROKEN)] == ["w-1"]
    assert books.record("severa", "worktypes", "w\x00-1") is not None
    link = books.link("product", severa_id="p\x00-1")
    assert link is not None
    assert link.erp_number == "HOURS"


def test_nothing_that_can_be_asked_for_is_a_defect(db: Database, tenant: UUID, books: TenantBooks) -> None:
    assert books.find("visma_net", "inventory", organisation=BROKEN) == []
    assert books.find("visma_net", "inventory", owner=BROKEN) == []
    assert books.link_by_number("product", erp_number=BROKEN) is None
    assert books.link("product", erp_id=BROKEN) is None
    assert books.find_marker(f"severa:{BROKEN}") == []
    assert books.has_problem("product", severa_id=BROKEN) is False
    assert books.choice("product", severa_id=BROKEN) is None
    assert books.branch(BROKEN) is None
    with db.tenant(tenant) as connection:
        assert records.search(connection, ["products"], BROKEN) == []
        # Several texts in one parameter as well.
        assert matters.of_ids(connection, ["product"], [BROKEN, "p\x00-1"])
