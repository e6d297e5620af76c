"""A changed setting is a change: what was seen already is looked at again where its answer differs (rule 19)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from road import Road, hours

from app import service


@pytest.mark.schedule("S19")
def test_an_earlier_start_date_brings_what_was_left_alone(new_firm: Callable[..., Road]) -> None:
    road = new_firm(invoices_from="2026-12-01")
    customer = road.add_customer("Startdatum AB", vatNumber="SE556111444209")
    project = road.add_project(customer, "Före start")
    guid = road.approve(project, [hours("2", "1000")], date="2026-11-20")
    road.settle()
    assert road.role(guid) == "transfer"
    assert road.states("invoice") == []
    looked_at = service.set_setting(road.installation.bridge, road.name, "invoices_from", "2026-11-01")
    assert looked_at == 1
    road.settle()
    assert road.role(guid) == "transferred"


@pytest.mark.schedule("S19")
def test_a_status_that_is_ignored_no_more_is_looked_at(new_firm: Callable[..., Road]) -> None:
    road = new_firm()
    customer = road.add_customer("Oförändrat AB", vatNumber="SE556111444308")
    project = road.add_project(customer, "Redan bokat")
    guid = road.approve(project, [hours("2", "1000")])
    road.settle()
    assert road.role(guid) == "transferred"
    road.forget_calls()
    assert service.set_setting(road.installation.bridge, road.name, "project_task", "10") == 0
    road.settle()
    assert road.writes() == {}
