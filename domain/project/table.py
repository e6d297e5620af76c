"""The mapping of projects: Severa owns them, what differs in the ERP is put back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

from domain.conversion import DATE, YES, Conversion
from domain.model import Json
from domain.table import Field, Table

BILLING_PERIOD = "OnDemand"

# Open question: the vendor's guide maps "Parkerad" (hold) to always true, but a project on hold cannot be chosen on a
# document. False on create, never sent later: a named deviation from the guide.
HOLD_ON_CREATE = False

# The ERP status that a state in Severa asks for (R-PRJ-3).
STATUS_BY_STATE: Mapping[str, str] = MappingProxyType(
    {"open": "Active", "closed": "Completed", "lost": "Cancelled"}
)


def erp_day(value: date) -> str:
    """A date as the ERP writes it, midnight without zone so that no day shifts."""
    return f"{value.isoformat()}T00:00:00"


def _midnight(value: str, _overwritten: Json) -> Any:
    return erp_day(date.fromisoformat(value))


TABLE = Table(
    (
        Field("number", "number", "projectID", Conversion("number"), "→", "severa", "key", on_create="always",
              note="not longer than the PROJECT key"),
        Field("name", "name", "description", flows="→", owner="severa", when="owned", on_create="always"),
        Field("customer", "customer.guid", "customer.number", Conversion("link"), "→", "severa", "owned", on_create="always",
              erp_write="customer"),
        Field("start", "startDate", "startDate", DATE.but(to_erp=_midnight), "→", "severa", "owned", on_create="always",
              note="missing: the date it was created"),
        Field("status", "isClosed", "status", Conversion("project status"), "→", "severa", "owned", on_create="always",
              severa_read=lambda _body: None, note="with the sales state; written when that changes, what somebody sets stays"),
        Field("hold", "", "hold", YES.but(name="constant"), "→", "severa", "given", on_create="always", note="false on create"),
        Field("template", "", "template.number", Conversion("setting"), "→", "severa", "given", on_create="always",
              erp_write="template", note="on create"),
        Field("billing_period", "", "billingPeriod", Conversion("constant"), "→", "severa", "given", on_create="always",
              note="always OnDemand"),
        Field("task", "", "tasks.taskId", Conversion("setting"), "→", "severa", "given", on_create="never",
              note="added if the template does not bring it"),
        Field("closed", "isClosed", "", YES, "→", when="seen", note="its state, with the next two"),
        Field("internal", "isInternal", "", YES, "→", when="seen", note="stays in Severa (R-PRJ-4)"),
        Field("sales_status", "salesStatus.salesStatusTypeGuid", "", flows="→", when="seen", note="lost, or not"),
    )
)  # fmt: skip
"""``hold``, ``template``, ``billing_period`` and ``task`` are read from nobody: what they get is decided in ``plan.py``."""
