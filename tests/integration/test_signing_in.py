"""An application of the interactive kind: a person signs in once, everything later uses the stored connection."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from factories import announce
from road import Road

from actors.connections import open_setting_problem
from app import service, signing_in
from db import tenants
from domain.errors import InputError, SettingUnusable
from domain.setup.settings import stored_settings

BACK = "https://app.local/back"


def interactive(road: Road) -> Road:
    """The firm's connection as the file of an interactive application would have stored it."""
    bridge = road.installation.bridge
    with bridge.db.tenant(road.tenant_id) as db:
        stored = tenants.connection(db, "visma_net")
        assert stored is not None
        tenants.put_connection(db, "visma_net", {**stored.config, "kind": "interactive"}, stored.secret)
    bridge.connections.forget(road.tenant_id)
    return road


def signed_in_at(url: str) -> str:
    """The browser's way: the simulated user signs in at once and is sent back."""
    answer = httpx.get(url, timeout=120)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


@pytest.mark.req("R-SET-2")
def test_after_one_sign_in_the_bridge_goes_on_by_itself(new_firm: Callable[..., Road]) -> None:
    road = interactive(new_firm(live=False))
    bridge = road.installation.bridge
    started = signing_in.begin(bridge, road.name, BACK)
    assert parse_qs(urlsplit(started.url).query)["code_challenge_method"] == ["S256"]
    signing_in.finish(bridge, road.name, started, signed_in_at(started.url))
    road.go_live()
    assert bridge.connections.erp(road.tenant_id).check()["name"] == road.firm.name


def put_off(road: Road) -> None:
    """Work, and both polls, that sit out the pause of a connection that could not sign in (by default 300 s)."""
    announce(road.installation.bridge.db, road.tenant_id)
    road.sql(
        "update outbox set due_at = bridge_now() + interval '300 seconds' where tenant_id = %s",
        road.tenant_id,
    )
    road.sql("update connection set next_poll_at = bridge_now() + interval '300 seconds', asked_at = null"
             " where tenant_id = %s", road.tenant_id)  # fmt: skip


def stands_still(road: Road) -> list[str]:
    rows = road.sql(
        "select domain as what from outbox where tenant_id = %s and due_at > bridge_now()"
        " union all select system from connection where tenant_id = %s and asked_at is null",
        road.tenant_id,
        road.tenant_id,
    )
    return sorted(row["what"] for row in rows)


@pytest.mark.req("R-SET-2")
def test_what_was_put_off_for_a_sign_in_goes_on_with_it(new_firm: Callable[..., Road]) -> None:
    road = interactive(new_firm(live=False))
    bridge = road.installation.bridge
    started = signing_in.begin(bridge, road.name, BACK)
    came_back = signed_in_at(started.url)
    put_off(road)
    assert stands_still(road) == ["invoice", "severa", "visma_net"]
    signing_in.finish(bridge, road.name, started, came_back)
    assert stands_still(road) == []


def test_what_was_put_off_for_a_setting_goes_on_when_it_is_repaired(new_firm: Callable[..., Road]) -> None:
    road = new_firm(live=False)
    bridge = road.installation.bridge
    road.sql(
        "update setting set values = values || '{\"project_number_padding\": 1000}' where tenant_id = %s",
        road.tenant_id,
    )
    with bridge.db.tenant(road.tenant_id) as db, pytest.raises(SettingUnusable) as caught:
        stored_settings(tenants.settings(db))
    with bridge.db.tenant(road.tenant_id) as db:
        open_setting_problem(db, caught.value)
    put_off(road)
    service.set_setting(bridge, road.name, "project_number_padding", "0")
    assert stands_still(road) == []


@pytest.mark.req("R-SET-2")
def test_an_address_of_another_sign_in_is_refused_and_nothing_is_stored(
    new_firm: Callable[..., Road],
) -> None:
    road = interactive(new_firm(live=False))
    bridge = road.installation.bridge
    started = signing_in.begin(bridge, road.name, BACK)
    other = signing_in.begin(bridge, road.name, BACK)
    with pytest.raises(InputError, match="does not belong to this sign-in"):
        signing_in.finish(bridge, road.name, started, signed_in_at(other.url))
    with bridge.db.tenant(road.tenant_id) as db:
        stored = tenants.connection(db, "visma_net")
    assert stored is not None
    assert stored.token is None


def test_a_service_application_needs_no_person(new_firm: Callable[..., Road]) -> None:
    road = new_firm(live=False)
    with pytest.raises(InputError, match="service application"):
        signing_in.begin(road.installation.bridge, road.name, BACK)
