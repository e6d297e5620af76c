"""What registers that are kept on both sides have in common (domain/mirror.py)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain import mirror
from domain.errors import Stop, TryLater
from domain.merge import Difference, FieldRule, Merge
from domain.model import Link
from domain.product.description import MIRROR as PRODUCT
from domain.project.description import MIRROR as PROJECT
from tests.fakes import World
from tests.fakes_registers import put_erp
from tests.unit.domain.product_world import item


def link(**changes: object) -> Link:
    """A pair of products that stands."""
    given = {
        "id": "l",
        "domain": "product",
        "severa_register": "products",
        "severa_id": "p1",
        "severa_number": "A-1",
        "erp_register": "inventory",
        "erp_id": "71",
        "erp_number": "A-1",
        "base": {},
    }
    return Link(**{**given, **changes})  # type: ignore[arg-type]


def test_by_a_rule_that_decides_what_a_person_was_asked_is_merged_anew() -> None:
    base = {"name": ["Ek", "Ask"], "price": ["1", "1"]}
    asked = link(base=base, state={"differs": {"name": ["Ek", "Ask"]}})
    assert mirror.agreed(asked, "ask") == mirror.agreed(asked, "latest") == base
    assert mirror.agreed(asked, "severa") == mirror.agreed(asked, "visma_net") == {"price": ["1", "1"]}


def test_a_link_that_was_never_written_carried_nothing_before() -> None:
    new = link(id="", base={"name": ["Ek", "Ek"]}, state={"unagreed": ["price"]})
    assert list(mirror.carried_before(new)) == []
    assert set(mirror.carried_before(link(base=new.base, state=new.state))) == {"name", "price"}


def test_the_state_beside_a_new_base_names_what_it_lacks_and_forgets_what_was_sent() -> None:
    state = {"numbered": True, "unagreed": ["web"], "sent": {"": {"name": [["severa", "Ek"]]}, "child": {}}}
    rules = {"name": FieldRule(), "price": FieldRule()}
    assert mirror.settled(state, rules, {"name": ["Ek", "Ek"]}) == {
        "numbered": True,
        "sent": {"child": {}},
        "unagreed": ["price"],
    }


def test_a_question_stands_until_one_side_is_touched() -> None:
    state = {"differs": {"name": ["Ek", "Ask"]}, "numbered": True}
    asked = mirror.still_asked(
        state, {"price": ["1", "2"]}, {"name": "Ek", "price": "1"}, {"name": "Ask", "price": "2"}
    )
    assert asked == (Difference("name", "Ek", "Ask", ""), Difference("price", "1", "2", ""))
    assert mirror.still_asked(state, {}, {"name": "Ek"}, {"name": "Björk"}) == ()
    assert mirror.asking(state, ()) == {"numbered": True}
    assert mirror.asking(state, asked)["differs"] == {"name": ["Ek", "Ask"], "price": ["1", "2"]}


def test_a_pair_that_a_person_moved_is_asked_nothing() -> None:
    differing = Merge(differs=(Difference("name", "Ek", "Ask", ""),))
    assert mirror.met_by_link(link(), differing) == {}
    assert mirror.met_by_link(link(id=""), differing) == {"name": ["Ek", "Ask"]}


def test_the_heir_takes_the_place_of_the_half_that_is_lost() -> None:
    made = World()
    put_erp(made, "inventory", "A-1", {**item("A-1"), "inventoryId": "72"})
    delivery = made.delivery("product", severa=("products", "p1"))

    found = PRODUCT.gone(delivery, link(), "visma_net", None)
    assert found.code == "product.merged"
    assert found.values["relink"] == {"severa_id": "p1", "erp_id": "72"}
    assert PRODUCT.gone(delivery, link(), "severa", None).code == "product.gone", (
        "an item is no heir of a Severa record"
    )
    assert PRODUCT.gone(delivery, link(erp_id="72"), "visma_net", None).code == "product.gone", (
        "nor is it its own"
    )


def test_what_the_erp_answers_for_another_id_is_nobody_to_write_to() -> None:
    made = World()
    put_erp(made, "project", "B-2", {"internalID": 71, "projectID": "B-2", "description": "Renumbered"})
    delivery = made.delivery("project", severa=("projects", "p1"))
    made.books.records.clear()
    pair = link(domain="project", severa_register="projects", erp_register="project")
    assert mirror.in_erp(PROJECT, delivery, pair).body["projectID"] == "B-2", (
        "by its internal id, which it keeps"
    )

    became = replace(PROJECT, identify=lambda _body: "72")
    with pytest.raises(Stop, match=r"project\.gone"):
        mirror.in_erp(became, delivery, pair)
    unnamed = replace(PROJECT, identify=lambda _body: "")
    with pytest.raises(TryLater, match="without its id"):
        mirror.in_erp(unnamed, delivery, pair)
