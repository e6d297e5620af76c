"""A new document that the ERP does not show at once, or not under the number it told: none is made twice (R-INV-13)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from domain.errors import NotFound, TryLater
from domain.invoice.steps import settle
from domain.model import Json, Stored
from tests.fakes_ledger import GUID, Firm


def creates(firm: Firm) -> int:
    return len([call for call in firm.calls if call.method == "create"])


@dataclass
class Curtain:
    """While it is down the ERP shows no customer invoice, neither singly nor in a list."""

    down: bool = True


@pytest.fixture
def firm() -> Firm:
    made = Firm()
    made.invoice()
    return made


@pytest.fixture
def curtain(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> Curtain:
    made = Curtain()
    get, rows = firm.erp.get, firm.erp.list

    def hiding_get(register: str, key: str) -> Stored:
        if made.down and register == "customerinvoice":
            raise NotFound(system="visma_net", status=404, operation=f"GET {register}")
        return get(register, key)

    def hiding_rows(register: str, **filters: Any) -> Iterator[Json]:
        return iter(()) if made.down and register.startswith("customer") else rows(register, **filters)

    monkeypatch.setattr(firm.erp, "get", hiding_get)
    monkeypatch.setattr(firm.erp, "list", hiding_rows)
    return made


@pytest.mark.req("R-INV-13")
def test_a_document_that_does_not_show_yet_is_waited_for_and_not_made_again(
    firm: Firm, curtain: Curtain
) -> None:
    delivery = firm.transfer()
    with pytest.raises(TryLater) as later:
        settle(delivery)
    assert later.value.costs_attempt is False
    with pytest.raises(TryLater):
        settle(delivery.again())
    assert creates(firm) == 1
    curtain.down = False
    settle(delivery.again())
    assert creates(firm) == 1
    assert firm.erp.released == [f"severa:{GUID}"]
    assert firm.in_severa_now()["number"] == 101


@pytest.mark.req("R-INV-13")
def test_a_document_under_another_spelling_of_its_number_is_found_by_its_marker(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = firm.erp.create
    monkeypatch.setattr(
        firm.erp, "create", lambda register, body, **guard: f"x{create(register, body, **guard)}"
    )
    settle(firm.transfer())
    assert creates(firm) == 1
    assert firm.erp.released == [f"severa:{GUID}"]
    assert firm.in_severa_now()["number"] == 101


@pytest.mark.req("R-INV-4")
def test_a_held_document_that_was_removed_by_somebody_is_made_again_once_it_must_have_shown(
    firm: Firm, curtain: Curtain
) -> None:
    delivery = firm.transfer()
    with pytest.raises(TryLater):
        settle(delivery)
    del firm.erp.records["customerinvoice"]["101"]
    curtain.down = False
    with pytest.raises(TryLater):
        settle(delivery.again())
    firm.clock.forward(firm.settle_seconds)
    delivery = delivery.again()
    with pytest.raises(TryLater):
        settle(delivery)
    firm.clock.forward(firm.limits.absence_seconds)
    settle(delivery.again())
    assert creates(firm) == 2
    assert firm.in_severa_now()["number"] == 102


@pytest.mark.req("R-INV-13")
def test_a_number_that_the_location_spells_with_zeros_is_claimed_as_the_document_says_it(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    create, get = firm.erp.create, firm.erp.get
    monkeypatch.setattr(
        firm.erp, "create", lambda register, body, **guard: f"000{create(register, body, **guard)}"
    )
    monkeypatch.setattr(firm.erp, "get", lambda register, key: get(register, key.lstrip("0")))
    settle(firm.transfer())
    assert (creates(firm), firm.erp.released) == (1, [f"severa:{GUID}"])
    assert firm.in_severa_now()["number"] == 101
