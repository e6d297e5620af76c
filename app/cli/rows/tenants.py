"""Rows about tenants: what they are, what was done to them, what is left of them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from app.cli.rows.row import Row, Values


class CurrentAsOf(Row):
    """Up to when each system was read to its end."""

    severa: str | None = Field(None, description="Severa; null: never read to the end.")
    visma_net: str | None = Field(None, description="Visma.net ERP likewise.")


class TenantRow(Row):
    """A tenant."""

    id: str = Field(description="Its id, as in the log lines' `tenant_id`.")
    name: str = Field(description="Its name, as in the log lines' `tenant`.")
    state: str = Field(description="`new`, `reading`, `live`, `paused`, `leaving` or `erasing`.")
    paused_domains: list[str] = Field(description="Domains that are paused.")
    language: str = Field(description="`sv` or `en`.")
    time_zone: str = Field(description="Zone in which its days begin.")
    problems: int = Field(description="Open problems.")
    unfinished: int = Field(description="Rows of work that are not at their end and wait for no person.")
    current_as_of: CurrentAsOf


class SettingRow(Row):
    """One setting as it is used."""

    key: str
    value: Any = Field(description="As `tenant set` takes it.")
    stored: bool = Field(description="False: nothing is stored, the default is used.")


class SettingVersionRow(Row):
    """One version of the settings; the newest is used."""

    version: int
    made_at: str
    made_by: str = Field(description="Who was at the keyboard.")
    changed: Values = Field(
        description="Settings that are used otherwise than in the version before (of the first: than by default)."
    )


class TenantShown(Row):
    """A tenant, its settings and their versions."""

    tenant: TenantRow
    settings: list[SettingRow]
    versions: list[SettingVersionRow] = Field(description="Newest first.")


class TenantAdded(Row):
    """What `tenant add` did."""

    tenant: str
    added: bool = Field(description="False: the tenant was there and was changed.")


class SignedIn(Row):
    """A person has signed in."""

    tenant: str
    signed_in: bool


class ReadRegister(Row):
    """A register that was read to its end."""

    system: str
    register_: str = Field(alias="register")
    rows: int


class WentLive(Row):
    """What `tenant go-live` did."""

    tenant: str
    live: bool
    was_live: bool = Field(description="True: it was live already, nothing was read.")
    read: list[ReadRegister]


class SettingChanged(Row):
    """What `tenant set` did."""

    tenant: str
    key: str
    value: Any
    looked_at_again: int = Field(description="Records that are looked at again because of it.")
    warnings: list[str] = Field(description="What is not known yet of the value.")


class HeldRow(Row):
    """What the brake had stopped in one register."""

    system: str
    register_: str = Field(alias="register")
    known: int
    changed: int
    missing: int
    waiting: int = Field(description="Rows to be announced.")


class Paused(Row):
    """What `tenant pause` or `tenant resume` did."""

    tenant: str
    domain: str | None = Field(description="null: the whole tenant.")
    paused: bool
    held: list[HeldRow] = Field(description="What the brake had stopped and `resume` let through.")


class BranchRow(Row):
    """A business unit that is mapped."""

    business_unit: str = Field(description="Severa's guid.")
    name: str
    branch: str = Field(description="Number of the branch in Visma.net ERP.")


class BranchMapped(Row):
    """What `tenant branch` with both arguments did."""

    name: str
    branch: str = Field(description="Empty: not mapped any more.")


class ErasedRow(Row):
    """What is left of an erased tenant."""

    id: str
    name: str
    who: str
    began_at: str
    ended_at: str | None = Field(description="null: not at its end.")
    exported_to: str = Field(description="Empty: nowhere.")
    counts: dict[str, int] = Field(description="Rows per table.")
    unfinished: dict[str, int] = Field(description="Matters that were left, by kind.")


class UnfinishedRow(Row):
    """A matter that the vendors would show unfinished."""

    what: str = Field(description="`in_doubt`, `held` or `begun`.")
    domain: str
    severa_id: str | None
    erp_id: str | None
    number: str
    name: str
    documents: str
    at_work: bool = Field(description="A delivery is under way and may still end it.")


class NotErased(Row):
    """What keeps a tenant from being erased; exit code 2."""

    tenant: str
    unfinished: list[UnfinishedRow]
