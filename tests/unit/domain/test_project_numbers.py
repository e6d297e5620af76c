"""Project numbers padded to the ERP's key (R-PRJ-6)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.setup.settings import TenantSettings
from tests.fakes import World
from tests.fakes_registers import put_erp, put_severa
from tests.unit.domain.project_world import changed, later, project, settled, stopped, there, world

pytestmark = pytest.mark.req("R-PRJ-1", "R-PRJ-2")


def padded(made: World, digits: int) -> World:
    made.tenant = replace(
        made.tenant, settings=TenantSettings.model_validate({"project_number_padding": digits})
    )
    return made


@pytest.mark.req("R-PRJ-2", "R-PRJ-6")
def test_a_number_is_padded_by_setting_and_found_again_under_both_forms() -> None:
    made = padded(world(), 6)
    put_severa(made, "projects", project())

    effects = settled(made)

    assert list(made.erp.records["project"]) == ["004711"]
    assert effects.link is not None
    assert (effects.link.severa_number, effects.link.erp_number) == ("4711", "004711")
    assert [line.code for line in effects.log] == ["project.created"]
    made.calls.clear()
    assert later(made).log == ()
    assert changed(made) == []

    other = padded(world(), 6)
    put_severa(other, "projects", project())
    put_erp(other, "project", "4711", there())
    assert [line.code for line in settled(other).log] == ["project.linked"]


@pytest.mark.req("R-PRJ-6")
def test_a_padded_number_longer_than_the_key_is_a_problem_too() -> None:
    made = padded(world(), 7)
    put_severa(made, "projects", project())

    assert stopped(made).code == "project.number_too_long"
    assert changed(made) == []


@pytest.mark.req("R-PRJ-6")
def test_a_number_shorter_than_the_key_warns_and_is_sent_as_it_is() -> None:
    made = world()
    put_severa(made, "projects", project())

    (warning, _) = settled(made).log

    assert (warning.code, warning.level) == ("project.number_short", "warning")
    assert (warning.values["length"], warning.values["limit"]) == (4, 6)
    assert list(made.erp.records["project"]) == ["4711"]
