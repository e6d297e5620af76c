"""An application of the interactive kind: a person signs in once, everything later uses the stored connection."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from road import Road

from app import signing_in
from db import tenants
from domain.errors import InputError

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
