"""A customer in doubt is decided in the ERP: no decision is taken that nothing carries out (rule 9)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from factories import announce, claimed, make_tenant

from app import doubting
from app.doubting import Choice
from db import claim, log
from db.log import About
from db.pool import Database
from domain.errors import InputError


def in_doubt(db: Database, domain: str, code: str) -> tuple[Any, UUID]:
    """A bridge with one matter in doubt."""
    tenant = make_tenant(db, "one")
    matter = announce(db, tenant, 1, domain)
    row = claimed(db, tenant)
    with db.tenant(tenant) as connection:
        log.open_problem(
            connection,
            About(domain, matter),
            code,
            {"name": "Ada AB", "customer": "Ada AB", "numbers": ["1", "2"]},
        )
        claim.fail(connection, row, "in_doubt")
        claim.give_back(connection, row)
    return SimpleNamespace(db=db), tenant


def decide(bridge: Any, choice: Choice) -> str:
    [shown] = doubting.doubts(bridge, "one")
    return doubting.decide(bridge, "one", str(shown["id"]), choice, shown["seen"])


def decisions(db: Database, tenant: UUID) -> list[Any]:
    with db.tenant(tenant) as connection:
        return [row["decision"] for row in connection.execute("select decision from matter").fetchall()]


@pytest.mark.parametrize("choice", [Choice("make"), Choice("this", "Invoice/1")], ids=["make", "this"])
def test_a_customer_is_not_decided_here_and_the_sentence_says_where(db: Database, choice: Choice) -> None:
    bridge, tenant = in_doubt(db, "customer", "customer.in_doubt")
    with pytest.raises(InputError, match="Only an invoice can be decided here"):
        decide(bridge, choice)
    assert decisions(db, tenant) == [None]
    assert len(doubting.doubts(bridge, "one")) == 1


def test_a_customer_is_looked_at_again(db: Database) -> None:
    bridge, tenant = in_doubt(db, "customer", "customer.in_doubt")
    assert decide(bridge, Choice("wait")).startswith("It is looked for again now")
    assert decisions(db, tenant) == [None]


def test_an_invoice_is_decided(db: Database) -> None:
    bridge, tenant = in_doubt(db, "invoice", "invoice.in_doubt")
    decide(bridge, Choice("make"))
    assert [one["kind"] for one in decisions(db, tenant)] == ["make"]
