"""Rows about the installation, and about how `up --until-idle` ended."""

from __future__ import annotations

from pydantic import Field

from app.cli.rows.row import Row


class CheckRow(Row):
    """One thing that was looked at."""

    what: str
    fine: bool
    found: str


class StatusRow(Row):
    """How the database stands."""

    writes: str = Field(description="`on` or `off`.")
    found: str = Field(description="What was found, as one word.")
    sentence: str
    epoch: int | None
    quiet_until: str | None
    clock_stepped: bool | None
    remembered: bool = Field(description="Somebody knows it again after PostgreSQL's next start.")
    trouble: dict[str, str] = Field(description="What of the memories fails, and how.")


class Adopted(Row):
    """What `db adopt` found and did."""

    found: StatusRow
    adopted: StatusRow


class Migrated(Row):
    """What `db migrate` applied."""

    applied: list[str]


class NewKey(Row):
    """A fresh key."""

    key: str


class Rotated(Row):
    """What `secrets rotate` did."""

    connections: int


class TenantProblems(Row):
    """Open problems of a tenant."""

    tenant: str
    problems: int


class Ending(Row):
    """How `up --until-idle` ended."""

    ended: str = Field(description="`clean`, `with_problems`, `timed_out` or `stopped`.")
    problems: list[TenantProblems]
    waits_for: list[str] = Field(description="Of a time-out: what it waited for, a sentence each.")
