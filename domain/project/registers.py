"""Projects and what belongs to them, as the poller reads them."""

from __future__ import annotations

from domain.mapper import latest_time, text
from domain.model import Json
from domain.project.table import TABLE
from domain.registers import Concern, Register
from domain.text import code_key

PROJECTS = "projects"
SALES_CASES = "salescases"
SALES_STATUSES = "salesstatustypes"
ERP_PROJECT = "project"
PROJECT_KEY = "PROJECT"
DIMENSIONS = "dimension"


def erp_id(body: Json) -> str:
    """The internal id of an ERP project; the document spells it internalID."""
    return text(body, "internalID") or text(body, "internalId")


def _severa_register(name: str, *, passing: bool = False) -> Register:
    return Register(
        system="severa",
        name=name,
        identify=lambda body: text(body, "guid"),
        number=lambda body: text(body, "number"),
        title=lambda body: text(body, "name"),
        projection=lambda body: TABLE.seen("severa", body),
        # One subject whichever list shows it: two rows for one project would race each other.
        concerns=lambda body: (Concern("project", PROJECTS, text(body, "guid")),),
        remote_time=latest_time,
        passing=passing,
        mapping_version=TABLE.version("severa"),
        shown_by=PROJECTS if name == SALES_CASES else None,
    )


def natural_key(body: Json) -> str:
    """What a project is held by while it is created, over both directions (docs/never-twice.md rule 2a): its number without
    the zeros it may be padded with; '' if it has none. ``body`` of either system."""
    number = code_key(text(body, "number") or text(body, "projectID"))
    return number.lstrip("0") or number


REGISTERS: tuple[Register, ...] = (
    # A sales case and a project are the same record; whether the list of projects shows cases in progress is open.
    _severa_register(PROJECTS),
    _severa_register(SALES_CASES, passing=True),
    Register(
        system="visma_net",
        name=ERP_PROJECT,
        identify=erp_id,
        number=lambda body: text(body, "projectID"),
        title=lambda body: text(body, "description"),
        projection=lambda body: TABLE.seen("visma_net", body),
        mapping_version=TABLE.version("visma_net"),
        concerns=lambda body: (Concern("project", ERP_PROJECT, erp_id(body), only_linked=True),),
        single=lambda body: text(body, "projectID"),
        remote_time=latest_time,
        # Projects flow to the ERP only: what is changed there is put right within the hour.
        slow=True,
    ),
    Register(
        system="severa",
        name=SALES_STATUSES,
        identify=lambda body: text(body, "guid"),
        number=lambda _body: "",
        title=lambda body: text(body, "name"),
        projection=lambda body: {"state": text(body, "salesState")},
        concerns=lambda _body: (),
        remote_time=latest_time,
        reference=True,
    ),
    Register(
        system="visma_net",
        name=DIMENSIONS,
        identify=lambda body: text(body, "id"),
        number=lambda body: text(body, "id"),
        title=lambda body: text(body, "description") or text(body, "id"),
        projection=lambda body: {"length": text(body, "length")},
        concerns=lambda _body: (),
        remote_time=lambda _body: None,
        reference=True,
    ),
)
