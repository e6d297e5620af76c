"""What no call of the bridge can do: write hours or travel expenses in Severa, or remove what is no document on hold."""

from __future__ import annotations

import pytest

from connectors.severa.client import SeveraClient
from connectors.severa.registers import NEEDED_SCOPES, OPTIONAL_SCOPES
from connectors.severa.registers import REGISTERS as SEVERA
from connectors.visma_net.paths import register_of
from connectors.visma_net.registers import REGISTERS as ERP
from connectors.visma_net.writing import Writer
from domain.ports import SeveraApi

ENTERED_BY_PEOPLE = ("workhours", "travelexpenses", "travels", "activities", "salescases", "projects")


@pytest.mark.req("R-PRO-1")
@pytest.mark.parametrize("what", ENTERED_BY_PEOPLE)
def test_what_people_enter_in_severa_is_only_read(what: str) -> None:
    """Hours, expenses, sales cases and projects; what is below a project (fees, files) is another register."""
    of_it = [register for register in SEVERA.values() if register.name.rpartition("/")[2] == what]
    assert not any(register.create_path or register.patches for register in of_it)


@pytest.mark.req("R-PRO-1")
def test_no_right_to_hours_is_asked_for() -> None:
    used = {register.scope for register in SEVERA.values()} | NEEDED_SCOPES | OPTIONAL_SCOPES
    assert not {scope for scope in used if scope.startswith("hours:") or scope == "travels:write"}


@pytest.mark.req("R-CUS-7")
def test_nothing_is_ever_deleted_in_severa() -> None:
    for api in (SeveraApi, SeveraClient):
        assert not [name for name in vars(api) if "delete" in name or "remove" in name]
    assert not any(scope.endswith(":delete") for scope in NEEDED_SCOPES | OPTIONAL_SCOPES)


@pytest.mark.req("R-CUS-7")
@pytest.mark.parametrize("register", sorted(ERP))
def test_nothing_but_a_document_is_ever_deleted_in_the_erp(register: str) -> None:
    if register in ("customerinvoice", "customerCreditNote"):
        assert register_of(register).removing
        return
    with pytest.raises(ValueError, match="nothing is deleted"):
        Writer(None, None).delete(register, "1", None)  # type: ignore[arg-type]  # refused before any of them is used
