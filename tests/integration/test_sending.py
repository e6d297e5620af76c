"""What is about to be sent to a linked register is kept with its pair, until a new base tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from factories import LEASE, claimed, meet

from db import claim, matters, outbox, tenants
from db.pool import Database
from domain.errors import LeaseLost
from domain.model import Chosen, LinkUpdate


@pytest.mark.req("R-CON-1")
def test_what_is_about_to_be_sent_is_kept_under_the_permission_only(db: Database, tenant: UUID) -> None:
    matter = meet(db, tenant, "c1", domain="customer", register="customers")
    pair = LinkUpdate("customers", "c1", "1", "customer", "501", "501", base={"name": ["A", "A"]}, state={})
    with db.tenant(tenant) as connection:
        matters.put(connection, matter, pair)
        outbox.announce(
            connection, "customer", [matter], cause="changed", system="severa", register="customers"
        )
    row = claimed(db, tenant)
    sent = {"": {"name": [["visma_net", "B"]]}}

    def state_of() -> Mapping[str, Any]:
        with db.tenant(tenant) as connection:
            found = matters.get(connection, matter)
        assert found is not None
        assert found.link is not None
        return found.link.state

    with db.tenant(tenant) as connection:
        claim.sending(connection, row, sent, lease=LEASE)
    assert state_of()["sent"] == sent
    # Numbers were learnt, and nothing was agreed on yet.
    with db.tenant(tenant) as connection:
        matters.put(connection, matter, replace(pair, base=None, state={"numbered": True}))
    assert state_of() == {"numbered": True, "sent": sent}
    with db.tenant(tenant) as connection:
        matters.put(connection, matter, replace(pair, base={"name": ["B", "B"]}, state={"numbered": True}))
    assert state_of() == {"numbered": True}

    with db.tenant(tenant) as connection:
        tenants.set_state(connection, "paused")
    with pytest.raises(LeaseLost), db.tenant(tenant) as connection:
        claim.sending(connection, row, sent, lease=LEASE)
    assert state_of() == {"numbered": True}


@pytest.mark.req("R-CON-1")
def test_what_is_sent_before_there_is_a_pair_is_known_to_whoever_goes_on(db: Database, tenant: UUID) -> None:
    """Two deliveries that meet from either side: the one that goes on joins the other's matter, and what that had sent."""
    ours = meet(db, tenant, "c1", domain="customer", register="customers")
    theirs = meet(db, tenant, "501", domain="customer", system="visma_net", register="customer")
    with db.tenant(tenant) as connection:
        outbox.announce(
            connection, "customer", [theirs], cause="changed", system="visma_net", register="customer"
        )
    row = claimed(db, tenant)
    kept = {"met c1 501": {"name": [["visma_net", "B", "A"]]}}
    with db.tenant(tenant) as connection:
        claim.sending(connection, row, kept, lease=LEASE)
        claim.give_back(connection, row)
    with db.tenant(tenant) as connection:
        assert matters.join(connection, ours, theirs) is None
        found = matters.get(connection, ours)
    assert found is not None
    assert found.state["sent"] == kept


@pytest.mark.req("R-CUS-6")
def test_a_class_found_in_the_erp_does_not_overwrite_what_a_person_chose_meanwhile(
    db: Database, tenant: UUID
) -> None:
    def now() -> str | None:
        return matters.choice(connection, "customer", "severa", "c1")

    with db.tenant(tenant) as connection:
        matters.take_over_choice(connection, Chosen("customer", "c1", "3", None))
        assert now() == "3"
        matters.put_choice(connection, "customer", "severa", "c1", "2")
        for was in (None, "3"):
            matters.take_over_choice(connection, Chosen("customer", "c1", "4", was))
            assert now() == "2"
        matters.take_over_choice(connection, Chosen("customer", "c1", "4", "2"))
        assert now() == "4"
