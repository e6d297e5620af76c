"""A tenant's settings and its file (the TOML that ``severa-bridge tenant add`` reads). The keys are a contract."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from domain.errors import InputError

SLUG = re.compile(r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$")


def _http_url(value: str) -> str:
    if not re.match(r"^https?://[^\s/]+", value):
        raise ValueError("must be an address that begins with http:// or https://")
    return value.rstrip("/")


Url = Annotated[str, AfterValidator(_http_url)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TenantSettings(_Strict):
    """R-SET-7, as far as it is settable yet. All optional in the file."""

    poll_interval_seconds: int = Field(300, ge=1, description="How often both systems are asked for changes; not below BRIDGE_MIN_POLL_SECONDS.")
    invoices_from: date | None = Field(None, description="Invoices with an earlier invoice date are left alone.")
    customer_class: str = Field("1", description="Customer class of customers that the bridge creates in Visma.net ERP.")
    item_class_product: str = Field("PRODUCT", description="Item class of products created in Visma.net ERP.")
    item_class_work_type: str = Field("LABOR", description="Item class of work types created in Visma.net ERP.")
    item_class_travel_expense: str = Field("EXPENSE", description="Item class of travel expense types created in Visma.net ERP.")
    project_template: str = Field("Z", description="Project template in Visma.net ERP.")
    project_task: str = Field("10", description="Task that every invoice line is posted on.")
    attachments: Literal["off", "files", "files-and-pdf"] = Field("off", description="Send invoice attachments to Visma.net ERP.")
    costs: Literal["off", "cost", "cost-and-fee"] = Field("off", description="Bring supplier invoices and other transactions to Severa as project costs.")
    cost_multiplier_percent: Decimal = Field(Decimal(100), gt=0, description="Price of a billable fee in percent of its cost.")
    costs_from: date | None = Field(None, description="Costs with an earlier document date are left alone.")


class SeveraConnection(_Strict):
    """Where and as whom the bridge signs in to Severa."""

    base_url: Url
    client_id: str = Field(min_length=1)
    client_secret: SecretStr = Field(min_length=1)


class VismaNetConnection(_Strict):
    """Where and as whom the bridge signs in to Visma.net ERP; /v1 and /v2 below base_url, /token and /authorize below auth_url."""

    base_url: Url
    auth_url: Url
    kind: Literal["service", "interactive"] = "service"
    client_id: str = Field(min_length=1)
    client_secret: SecretStr = Field(min_length=1)
    tenant_id: str = Field(min_length=1)


class TenantFile(_Strict):
    """One tenant: name, language, time zone, both connections, settings."""

    name: str
    language: Literal["sv", "en"] = "sv"
    time_zone: str = "Europe/Stockholm"
    severa: SeveraConnection
    visma_net: VismaNetConnection
    settings: TenantSettings = TenantSettings()

    @field_validator("name")
    @classmethod
    def _slug(cls, value: str) -> str:
        if not SLUG.match(value):
            raise ValueError("must be a short name of a-z, 0-9 and dashes")
        return value

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"is no time zone ('{value}'); an example is Europe/Stockholm")
        ZoneInfo(value)
        return value


def read_tenant_file(values: dict[str, Any]) -> TenantFile:
    """The file's content, checked. Raises InputError with one sentence that names the key and what to do."""
    try:
        return TenantFile.model_validate(values)
    except ValidationError as error:
        raise InputError(_sentence(error)) from error


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    match first["type"]:
        case "extra_forbidden":
            return f"Unknown key '{key}' in the tenant file: remove it or correct its spelling."
        case "missing":
            return f"The tenant file lacks '{key}': add it."
        case _:
            reason = first["msg"].removeprefix("Value error, ")
            return f"'{key}' in the tenant file cannot be used: {reason[:1].lower()}{reason[1:]}."
