"""The mapping of projects, and the registers as the poller reads them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from domain.fields import Field
from domain.mapper import day, flag, latest_time, read, text
from domain.model import Json
from domain.registers import Concern, Register
from domain.text import canonical, code_key

PROJECTS = "projects"
SALES_CASES = "salescases"
SALES_STATUSES = "salesstatustypes"
ERP_PROJECT = "project"
PROJECT_KEY = "PROJECT"
DIMENSIONS = "dimension"

BILLING_PERIOD = "OnDemand"

# Open question: the vendor's guide maps "Parkerad" (hold) to always true, but a project on hold cannot be chosen on a
# document. False on create, never sent later: a named deviation from the guide.
HOLD_ON_CREATE = False

# The ERP status that a state in Severa asks for (R-PRJ-3).
STATUS_BY_STATE: Mapping[str, str] = MappingProxyType(
    {"open": "Active", "closed": "Completed", "lost": "Cancelled"}
)

FIELDS = (
    Field("number", "number", "projectID", "→", "number", "severa", note="not longer than the PROJECT key"),
    Field("name", "name", "description", "→", owner="severa"),
    Field("customer", "customer.guid", "customer.number", "→", "link", "severa", erp_write="customer"),
    Field("start", "startDate", "startDate", "→", "date", "severa", note="missing: the date it was created"),
    Field("billing_period", "", "billingPeriod", "→", "constant", "severa", note="always OnDemand"),
    Field(
        "template", "", "template.number", "→", "setting", "severa", erp_write="template", note="on create"
    ),
    Field("hold", "", "hold", "→", "constant", "severa", note="false on create"),
    Field("status", "isClosed", "status", "→", "project status", "severa", note="with the sales state"),
    Field(
        "task", "", "tasks.taskId", "→", "setting", "severa", note="added if the template does not bring it"
    ),
)


def severa_projection(body: Json) -> Mapping[str, str]:
    """The mapped fields of a sales case or project as canonical strings."""
    return {
        "number": text(body, "number"),
        "name": text(body, "name"),
        "customer": text(body, "customer.guid"),
        "start": _day(body, "startDate"),
        "closed": canonical(flag(read(body, "isClosed"), default=False)),
        "internal": canonical(flag(read(body, "isInternal"), default=False)),
        "sales_status": text(body, "salesStatus.salesStatusTypeGuid"),
    }


def erp_projection(body: Json) -> Mapping[str, str]:
    """The mapped fields of an ERP project as canonical strings."""
    return {
        "number": text(body, "projectID"),
        "name": text(body, "description"),
        "customer": text(body, "customer.number"),
        "start": _day(body, "startDate"),
        "status": text(body, "status"),
    }


def erp_id(body: Json) -> str:
    """The internal id of an ERP project; the document spells it internalID."""
    return text(body, "internalID") or text(body, "internalId")


def _day(body: Json, path: str) -> str:
    found = day(read(body, path))
    return found.isoformat() if found is not None else ""


def _severa_register(name: str, *, passing: bool = False) -> Register:
    return Register(
        system="severa",
        name=name,
        identify=lambda body: text(body, "guid"),
        number=lambda body: text(body, "number"),
        title=lambda body: text(body, "name"),
        projection=severa_projection,
        # One subject whichever list shows it: two rows for one project would race each other.
        concerns=lambda body: (Concern("project", PROJECTS, text(body, "guid")),),
        remote_time=latest_time,
        passing=passing,
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
        projection=erp_projection,
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
