"""A tenant's settings and its file (the TOML that ``severa-bridge tenant add`` reads). The keys are a contract."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails

from domain.errors import InputError, SettingUnusable
from domain.setup.addresses import Url
from domain.setup.kinds import DAYS, Code, Day, limits, numbers_are_no_truths, typed
from domain.text import cut

SLUG = re.compile(r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$")


ConflictRule = Literal["severa", "visma_net", "latest", "ask"]


# What Severa's document calls the rows of an invoice (InvoiceRowType).
ROW_TYPES = ("FlatRate", "Hours", "ProjectFees", "TravelExpenses")
_PERCENT = re.compile(r"^\d{1,2}(?:[.,]\d{1,4})?$|^100$")


def _fallback_items(values: dict[str, str], info: ValidationInfo) -> dict[str, str]:
    """Keys as rows are looked up by: the row type as Severa spells it, the percentage with a point and no trailing zeros.

    What can never match a row is refused when a person sets it (nobody would find out why otherwise); what was stored
    before that was checked stays, or the tenant would stand still.
    """
    found: dict[str, str] = {}
    for key, named in values.items():
        item = named.strip()
        try:
            known = _fallback_key(key)
            if found.get(known, item) != item:
                raise ValueError(f"'{known}' is given two items, {found[known]} and {item}")
        except ValueError:
            if info.context and info.field_name in info.context:
                raise
            known = key
        found.setdefault(known, item)
    return found


def _fallback_key(key: str) -> str:
    spelt = {word.casefold(): word for word in ROW_TYPES}
    word, slash, percent = (part.strip() for part in key.partition("/"))
    percent = percent.removesuffix("%").rstrip()
    if not slash or word.casefold() not in spelt:
        raise ValueError(
            f"'{key}' must be a row type, a slash and a VAT percentage, such as Hours/25; "
            f"the row types are {', '.join(ROW_TYPES)}"
        )
    if not _PERCENT.match(percent):
        raise ValueError(
            f"'{key}' must end with a VAT percentage from 0 to 100, such as {spelt[word.casefold()]}/25.5"
        )
    return f"{spelt[word.casefold()]}/{_normal(percent)}"


def _normal(percent: str) -> str:
    """As ``domain.text.rate_text`` writes the rate of a row."""
    return f"{Decimal(percent.replace(',', '.')).normalize():f}"


def _percentages(values: dict[str, str], info: ValidationInfo) -> dict[str, str]:
    """Keys as rows have their VAT; what can never match one is refused when a person sets it, as of ``_fallback_items``."""
    found: dict[str, str] = {}
    for key, category in values.items():
        percent = key.strip().removesuffix("%").rstrip()
        is_one = _PERCENT.match(percent) is not None
        known = _normal(percent) if is_one else key
        wrong = not is_one or found.get(known, category) != category
        if wrong and info.context and info.field_name in info.context:
            raise ValueError(
                f"'{key}' must be a VAT percentage from 0 to 100, such as 25 or 25.5, and stand once"
            )
        found.setdefault(known, category)
    return found


# The roles of invoice statuses (R-STA-1), in their order.
STATUS_ROLES = ("failed", "transfer", "transferred", "sent", "partly_paid", "paid")


def _status_roles(values: dict[str, str], info: ValidationInfo) -> dict[str, str]:
    """Roles by their names; a misspelt one would be passed over without a word."""
    unknown = [role for role in values if role not in STATUS_ROLES]
    if unknown and info.context and info.field_name in info.context:
        raise ValueError(f"'{unknown[0]}' is no role; the roles are {', '.join(STATUS_ROLES)}")
    return values


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileSettings(_Strict):
    """The [settings] of the tenant file. All optional; the keys are a contract."""

    poll_interval_seconds: int = Field(
        300,
        ge=1,
        le=604_800,
        description="How often both systems are asked for changes; not below BRIDGE_MIN_POLL_SECONDS.",
    )
    invoices_from: Day | None = Field(
        None, description="Invoices with an earlier invoice date are left alone."
    )
    customer_class: Code = Field(
        "1", description="Customer class of customers that the bridge creates in Visma.net ERP."
    )
    item_class_product: Code = Field(
        "PRODUCT", description="Item class of products created in Visma.net ERP."
    )
    item_class_work_type: Code = Field(
        "LABOR", description="Item class of work types created in Visma.net ERP."
    )
    item_class_travel_expense: Code = Field(
        "EXPENSE", description="Item class of travel expense types created in Visma.net ERP."
    )
    project_template: Code = Field("Z", description="Project template in Visma.net ERP.")
    project_task: Code = Field("10", description="Task that every invoice line is posted on.")
    attachments: Literal["off", "files", "files-and-pdf"] = Field(
        "off", description="Send invoice attachments to Visma.net ERP."
    )
    costs: Literal["off", "cost", "cost-and-fee"] = Field(
        "off", description="Bring supplier invoices and other transactions to Severa as project costs."
    )
    cost_multiplier_percent: Decimal = Field(
        Decimal(100), gt=0, le=10_000, description="Price of a billable fee in percent of its cost."
    )
    costs_from: Day | None = Field(None, description="Costs with an earlier document date are left alone.")

    @field_validator("*", mode="before")
    @classmethod
    def _no_truths(cls, value: Any, info: ValidationInfo) -> Any:
        return numbers_are_no_truths(value, cls.model_fields[info.field_name or ""])


Days = Annotated[int, Field(ge=0, le=3650)]


class TenantSettings(FileSettings):
    """Everything a tenant can choose (R-SET-7): the file's settings, and those set with ``severa-bridge tenant set``."""

    conflict_customer: ConflictRule = Field(
        "ask",
        description="Customers changed on both sides: severa wins, visma_net wins, latest wins, or ask.",
    )
    conflict_product: ConflictRule = Field(
        "ask", description="The same for products, work types and travel expense types."
    )
    customer_class_eu: Code | None = Field(
        None, description="Customer class of customers in other EU countries; unset: customer_class."
    )
    customer_class_other: Code | None = Field(
        None, description="Customer class of customers outside the EU; unset: customer_class."
    )
    credit_terms: dict[Days, Code] = Field(
        {},
        description="Days of payment term → credit terms in Visma.net ERP, where several have the same days.",
    )
    notes: Literal["off", "to_erp", "both", "to_note"] = Field(
        "off",
        description="Customer notes ↔ the main contact's attention; to_note: → the customer's own note in Visma.net ERP.",
    )
    units: dict[str, Code] = Field(
        {}, description="Unit in Severa → unit in Visma.net ERP; others take the item's sales unit."
    )
    fallback_items: Annotated[dict[str, Code], AfterValidator(_fallback_items)] = Field(
        {},
        description="Items for rows without a code: '<row type>/<VAT percent>' → item, e.g. Hours/25 → KONSULT. "
        f"Row types: {', '.join(ROW_TYPES)}.",
    )
    fallback_vat_categories: Annotated[dict[str, Code], AfterValidator(_percentages)] = Field(
        {},
        description="VAT percent → VAT category in Visma.net ERP of rows that take a fallback item, e.g. 6 → REDUCED; "
        "others have the item's own.",
    )
    several_projects: Literal["stop", "largest"] = Field(
        "stop",
        description="An invoice with several projects: stop with a problem, or take the one with the largest net amount.",
    )
    apply_credit_notes: bool = Field(True, description="Apply a credit note to the invoice it credits.")
    reopen_projects: bool = Field(
        True, description="Set a closed project Active for a late document and back again."
    )
    project_number_padding: int = Field(
        0, ge=0, le=30, description="Pad project numbers with zeros to this length; 0 = off."
    )
    hold_invoices: bool = Field(False, description="Invoices wait until a person releases them.")
    hold_credit_notes: bool = Field(False, description="Credit notes wait until a person releases them.")
    small_balance_limit: Decimal = Field(
        Decimal(10), ge=0, le=1_000_000, description="Write-offs up to this amount count as paid."
    )
    journal_modules: tuple[Code, ...] = Field(
        ("GL", "CA"), description="Modules whose journal lines become costs."
    )
    status_roles: Annotated[dict[str, Code], AfterValidator(_status_roles)] = Field(
        {}, description="Roles of invoice statuses set by hand: role → status guid."
    )
    ignored_statuses: tuple[Code, ...] = Field(
        (),
        description="Invoice statuses (guids) that the rules leave out, such as AutoInvoice's error status.",
    )


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
    settings: FileSettings = FileSettings()

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
        # What the file says is said now: it is checked as strictly as what a person types.
        return TenantFile.model_validate(values, context=set(FileSettings.model_fields))
    except ValidationError as error:
        raise InputError(_sentence(error)) from error


def stored_settings(values: Mapping[str, Any] | None) -> TenantSettings:
    """A tenant's settings as they are stored, by an earlier program perhaps. Raises SettingUnusable naming the first that has
    no place in today's bounds: the rest is not used without it, or half of what was chosen would be at work."""
    try:
        return TenantSettings.model_validate(values or {})
    except ValidationError as error:
        first = error.errors()[0]
        also = tuple(name for name in unusable(values or {}) if name != first["loc"][0])
        raise SettingUnusable(_place(first), cut(str(first["input"]), 60), _reason(first), also) from error


def unusable(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The stored settings that have no place in today's bounds, in the order in which they are told."""
    try:
        TenantSettings.model_validate(values)
    except ValidationError as error:
        return tuple(dict.fromkeys(str(one["loc"][0]) for one in error.errors()))
    return ()


def as_far_as_usable(values: Mapping[str, Any]) -> TenantSettings:
    """The same with the default for what cannot be used: what a repaired setting is compared with."""
    left = unusable(values)
    return TenantSettings.model_validate({name: value for name, value in values.items() if name not in left})


def changed_settings(values: dict[str, Any], key: str, text: str) -> dict[str, Any]:
    """The stored settings with one of them changed; ``text`` as ``kinds.typed`` reads it. Of several that cannot be used one is
    repaired at a time: the others stay as they are stored.

    Raises InputError: unknown key, a value that does not fit, or one is changed while others have to be repaired first.
    """
    if key not in TenantSettings.model_fields:
        raise InputError(f"There is no setting '{key}': docs/settings.md lists them.")
    try:
        value = typed(TenantSettings.model_fields[key], text)
    except ValueError as error:
        raise InputError(f"'{key}' cannot be '{cut(text, 60)}': {error}.") from error
    broken = unusable(values)
    left = {name: values[name] for name in broken if name != key and key in broken}
    sound = {name: one for name, one in values.items() if name not in left}
    try:
        return _checked({**sound, key: value}, key) | left
    except ValidationError as error:
        first = error.errors()[0]
        # Another one that was stored before it had bounds is named with its own value.
        given = text if first["loc"][0] == key else str(first["input"])
        raise InputError(f"'{_place(first)}' cannot be '{cut(given, 60)}': {_reason(first)}.") from error


def _checked(values: dict[str, Any], key: str) -> dict[str, Any]:
    # The key stands in the context: what a person sets now is checked more strictly than what is stored already.
    return TenantSettings.model_validate(values, context={key}).model_dump(mode="json")


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    key = _place(first)
    match first["type"]:
        case "extra_forbidden":
            return f"Unknown key '{key}' in the tenant file: remove it or correct its spelling."
        case "missing":
            return f"The tenant file lacks '{key}': add it."
        case _:
            return f"'{key}' in the tenant file cannot be used: {_reason(first)}."


def _place(error: ErrorDetails) -> str:
    return ".".join(str(part) for part in error["loc"] if part != "[key]")


def _reason(error: ErrorDetails) -> str:
    """What is wrong with a value, in one clause; of a number both bounds."""
    name = next((str(part) for part in error["loc"] if part in TenantSettings.model_fields), "")
    bounds = setting_bounds(name)
    if bounds and error["type"] in _OF_NUMBERS:
        return f"it must be {bounds}"
    reason = error["msg"].removeprefix("Value error, ")
    return f"{reason[:1].lower()}{reason[1:]}"


# Pydantic's own words for a number that is too small, too large, or none.
_OF_NUMBERS = frozenset(
    {
        *("greater_than", "greater_than_equal", "less_than", "less_than_equal"),
        *("int_type", "int_parsing", "int_parsing_size", "int_from_float", "finite_number"),
        *("decimal_type", "decimal_parsing", "decimal_max_digits"),
    }
)


def setting_bounds(name: str) -> str:
    """``a whole number from 1 to 604800``, '' for a setting that has no order."""
    if name == "credit_terms":
        return "a table from days (0 to 3650) to credit terms"
    field = TenantSettings.model_fields.get(name)
    if field is None:
        return ""
    return DAYS if Day in get_args(field.annotation) else limits(field)
