"""What should happen to a project: pure decisions on the bodies of both sides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from domain import merge
from domain.errors import Stop
from domain.mapper import day, flag, moment, read, text
from domain.merge import Base
from domain.model import Json, Link, Record
from domain.project.table import BILLING_PERIOD, HOLD_ON_CREATE, STATUS_BY_STATE, TABLE, erp_day
from domain.setup.settings import TenantSettings
from domain.setup.statuses import tenant_roles
from domain.text import canonical, code_key

State = Literal["open", "closed", "lost"]

# Where these differ, Severa's value is written, whatever changed there (Severa owns projects).
_OWNED = tuple(one.name for one in TABLE if one.when == "owned")
_INACTIVE = frozenset({"Completed", "Cancelled"})
# Member of the base: the inactive status that a project had before it was opened for a late document.
REOPENED = "reopened"


def is_internal(project: Json, customer: Record | None) -> bool:
    """Internal projects, and those of the internal customer, stay in Severa (R-PRJ-4, R-CUS-2)."""
    if flag(read(project, "isInternal"), default=False):
        return True
    return customer is not None and flag(read(customer.body, "isInternal"), default=False)


def state_of(project: Json, sales_statuses: Iterable[Record]) -> State:
    """Open (or won), closed or lost. Whether a sales status means lost stands only in the register of statuses."""
    own = text(project, "salesStatus.salesStatusTypeGuid")
    sales = next((text(one.body, "salesState") for one in sales_statuses if one.id == own), "")
    if sales == "Lost":
        return "lost"
    return "closed" if flag(read(project, "isClosed"), default=False) else "open"


def start_of(project: Json, time_zone: str, today: datetime) -> date:
    """The start date, which the ERP requires; without one the day the project was created."""
    own = day(read(project, "startDate"))
    if own is not None:
        return own
    created = moment(read(project, "createdDateTime"))
    if created is None:
        return today.astimezone(ZoneInfo(time_zone)).date()
    return created.astimezone(ZoneInfo(time_zone)).date() if created.tzinfo else created.date()


def number_of(project: Json, length: int | None, padding: int = 0) -> str:
    """The project number as the ERP gets it: padded with zeros to ``padding`` digits (0 = off), never cut.

    Raises Stop ``project.number_missing`` or ``project.number_too_long``.
    """
    name = text(project, "name")
    if not text(project, "number"):
        raise Stop("project.number_missing", {"name": name})
    number = text(project, "number").zfill(padding)
    if length is not None and len(number) > length:
        raise Stop(
            "project.number_too_long",
            {"name": name, "number": number, "length": len(number), "limit": length},
        )
    return number


def in_transfer(
    project_id: str, invoices: Iterable[Record], statuses: Iterable[Record], settings: TenantSettings
) -> bool:
    """Whether an invoice of the project waits for its transfer (R-PRJ-3), by the roles that invoices go by. False when the
    statuses tell no such role."""
    try:
        transfer = tenant_roles([status.body for status in statuses], settings).transfer.guid
    except Stop:
        # A wrong set-up of the statuses is its own problem; no invoice is transferred until it is repaired.
        return False
    return any(
        text(invoice.body, "status.guid") == transfer
        and any(text(one, "guid") == project_id for one in read(invoice.body, "projects") or ())
        for invoice in invoices
    )


def new_project(project: Json, *, number: str, customer: str, template: str, start: date) -> dict[str, Any]:
    """Members of a new ERP project (R-PRJ-2)."""
    values = {
        "number": number,
        "name": text(project, "name"),
        "customer": customer,
        "start": start.isoformat(),
        "status": STATUS_BY_STATE["open"],
        "template": template,
        "hold": canonical(HOLD_ON_CREATE),
        "billing_period": BILLING_PERIOD,
    }
    return TABLE.created("visma_net", values)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a project should be in the ERP. ``start`` None: Severa has none, what stands there stays. ``asked``: the status that
    Severa's state alone asks for, '' where that is ``status``."""

    name: str
    customer: str
    start: date | None
    status: str
    task: str
    asked: str = ""

    def settled(self) -> dict[str, str]:
        """The values as the base keeps them: a project that was opened for a late document only is set back to what somebody
        made of it in the ERP, which says nothing of Severa's state."""
        own = self.values()
        return own | {"status": self.asked} if self.asked and is_inactive(self.status) else own

    def values(self) -> dict[str, str]:
        """The fields as they are compared; a missing start is ''."""
        start = self.start.isoformat() if self.start is not None else ""
        return {"name": self.name, "customer": self.customer, "start": start, "status": self.status}


def status_sent(wanted: Wanted, project: Json, done: Changes) -> dict[str, str]:
    """What is kept before a status is written, in case the delivery's end is lost: what the base would say, and over what."""
    reopened = done.base.get(REOPENED)
    return {
        "status": wanted.settled()["status"],
        "status_before": text(project, "status"),
        REOPENED: reopened[1] if reopened else "",
    }


def status_created(wanted: str) -> dict[str, str]:
    """The same before a project is made: one that stands as planned has not taken its status."""
    return {"status": wanted, "status_before": "Planned", REOPENED: ""}


def base_of(base: Mapping[str, Any], sent: Mapping[str, Sequence[Sequence[str]]], project: Json) -> Base:
    """The base as the end of the delivery would have left it whose status stood there last; as it is where none was sent.

    A status that stands as before the write tells that it never came. Any other is ours, or somebody's of the ERP who set it
    afterwards: that is agreed to, as with every status set there.
    """
    found: Base = {name: list(pair) for name, pair in base.items()}
    theirs = text(project, "status")
    columns = ([one[1] for one in sent.get(name) or ()] for name in ("status", "status_before", REOPENED))
    for status, before, reopened in reversed(list(zip(*columns, strict=True))):
        if theirs != before:
            found["status"] = [status, theirs]
            if reopened:
                found.setdefault(REOPENED, [reopened, reopened])
            break
    return found


@dataclass(frozen=True, slots=True)
class Changes:
    """Members to write, the names of what changes, whether an inactivation has to wait, and the base afterwards."""

    members: dict[str, Any] = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    held: bool = False
    base: Base = field(default_factory=dict)


def is_inactive(status: str) -> bool:
    """Whether no document can be posted on a project of this ERP status."""
    return status in _INACTIVE


def status_wanted(state: State, base: Mapping[str, Any], *, needed: bool) -> str:
    """The ERP status to have: Active while a late document needs it (R-PRJ-3, docs/never-twice.md rule 20); what it was before, if
    it was opened for one only; else what Severa's state asks for."""
    if needed:
        return STATUS_BY_STATE["open"]
    before = base.get(REOPENED)
    if before and state == "open":
        return str(before[1])
    return STATUS_BY_STATE[state]


def changes(
    wanted: Wanted,
    project: Json,
    base: Mapping[str, Any],
    *,
    transferring: bool,
    fallback_start: date,
    needed: bool = False,
) -> Changes:
    """Compares an ERP project with what it should be.

    Owned fields are written whenever they differ, unless the ERP had stored just this for just that before. The status is
    written only when Severa's state changed since: what somebody sets in the ERP (or the bridge for a late document)
    stays. While an invoice is in transfer the project is not made inactive (``held``).

    ``needed``: a late document waits for project and task to be Active, whoever made them inactive; what the project was
    before is kept in the base, to be set back when the last need is gone.
    """
    ours, theirs = wanted.values(), erp_values(project)
    named: list[str] = []
    members: dict[str, Any] = {}
    new: Base = {name: list(pair) for name, pair in base.items()}
    held = False
    for name in _OWNED:
        if not ours[name] or ours[name] == theirs[name]:
            new[name] = [wanted.settled()[name], theirs[name]]
            continue
        if _stays(name, ours, theirs, base.get(name), needed=needed):
            continue
        if name == "status" and ours[name] in _INACTIVE and transferring:
            held = True
            continue
        named.append(name)
        members |= TABLE.members("visma_net", {name: ours[name]}, project)
    if not held:
        _remember_reopened(new, theirs["status"], needed=needed)
    task = _task(wanted, project)
    if task is not None and (needed or base.get("task") != [wanted.task, wanted.task]):
        named.append("task")
        members["tasks"] = [task]
    else:
        new["task"] = [wanted.task, wanted.task]
    if members:
        # The document requires both on every write.
        members.setdefault("description", text(project, "description") or wanted.name)
        members.setdefault("startDate", erp_day(day(read(project, "startDate")) or fallback_start))
    return Changes(members, tuple(named), held, new)


def stored_base(done: Changes, wanted: Wanted, stored: Json) -> Base:
    """The base after the write: what was wanted, and what the ERP made of it."""
    ours, theirs = wanted.settled(), erp_values(stored)
    written = {name: [ours[name], theirs[name]] for name in done.fields if name in ours}
    if "task" in done.fields:
        written["task"] = [wanted.task, wanted.task]
    return {**done.base, **written}


def untaken(done: Changes, wanted: Wanted, before: Json, stored: Json) -> tuple[str, ...]:
    """Which of the written fields still stand as before: the yes to them was none."""
    ours = wanted.values()
    written = {name: ours[name] for name in done.fields if name in ours}
    lost = merge.untaken(written, erp_values(before), erp_values(stored))
    return (*lost, "task") if "task" in done.fields and _task(wanted, stored) is not None else lost


def erp_values(project: Json) -> dict[str, str]:
    """The fields of an ERP project that are compared."""
    values = TABLE.values("visma_net", project)
    return {name: values[name] for name in _OWNED}


def _stays(
    name: str, ours: Mapping[str, str], theirs: Mapping[str, str], before: Any, *, needed: bool
) -> bool:
    """Whether a field that differs was agreed to: written just so before, or a status that somebody set in the ERP."""
    if before is None or canonical(before[0]) != ours[name]:
        return False
    if name == "status":
        return not (needed and is_inactive(theirs[name]))
    return canonical(before[1]) == theirs[name]


def _remember_reopened(base: Base, status: str, *, needed: bool) -> None:
    """What the project is set back to after the last late document; forgotten once it is."""
    if needed and is_inactive(status):
        base.setdefault(REOPENED, [status, status])
    elif not needed:
        base.pop(REOPENED, None)


def _task(wanted: Wanted, project: Json) -> dict[str, Any] | None:
    """The task to add, or to make active, so that invoice lines can be posted on it; None if it is there."""
    for task in read(project, "tasks") or ():
        if code_key(text(task, "taskId")) == code_key(wanted.task):
            if text(task, "status") in ("Active", ""):
                return None
            return {"operation": "Update", "taskId": wanted.task, "status": "Active"}
    return {"operation": "Insert", "taskId": wanted.task, "description": wanted.name, "status": "Active"}


def numbers(link: Link, severa: Json, project: Json) -> tuple[str, str, bool]:
    """Numbers for the link, and whether exactly one side was renumbered: then the link keeps its old ones (R-CUS-8)."""
    ours, theirs = text(severa, "number"), text(project, "projectID")
    changed = (ours, theirs) != (link.severa_number, link.erp_number)
    if changed and ours.lstrip("0") != theirs.lstrip("0"):
        return link.severa_number, link.erp_number, True
    return ours, theirs, False


def describe(project: Json) -> dict[str, Any]:
    """Name and number of a Severa project for log lines and problems."""
    values = TABLE.values("severa", project)
    return {"name": values["name"], "number": values["number"]}
