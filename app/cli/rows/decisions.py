"""Rows about what people decide: doubts, reviews, gaps, links and classes."""

from __future__ import annotations

from pydantic import Field

from app.cli.rows.matters import ProblemRow
from app.cli.rows.row import Row, Values


class DoubtRow(Row):
    """A matter in doubt."""

    id: int = Field(description="Its problem's number, for `doubt decide`.")
    domain: str
    record_id: str | None
    number: str
    name: str
    wrong: str
    do: str
    candidates: list[Values] = Field(description="What was sent and what may be it, member by member.")
    seen: str = Field(description="For `doubt decide --seen`.")
    settles_at: str | None = Field(description="Before it, `--make` is refused.")
    decided: bool
    opened_at: str


class Decided(Row):
    """What `doubt decide` did."""

    tenant: str
    number: str
    decision: str = Field(description="`this`, `make` or `wait`.")
    document: str
    sentence: str = Field(description="What happens now.")


class ReviewRow(ProblemRow):
    """An invoice that waits for review."""

    seen: str = Field(description="For `review --release … --seen`.")


class Released(Row):
    """What `review --release` did; exit code 1 when something was missed."""

    let_go: int
    missed: list[str] = Field(description="Invoices that were named and did not go, a sentence each.")
    new: list[str] = Field(description="Invoices that wait and were not named, a sentence each.")


class GapRow(Row):
    """A number of Visma.net ERP whose document had to be removed."""

    document_type: str
    number: str
    at: str
    severa_id: str
    code: str
    reason: str = Field(description="In the tenant's language.")


class PairOfIds(Row):
    """Ids of a pair."""

    severa: str
    erp: str


class Relinked(Row):
    """What `relink` did."""

    severa: str = Field(description="Number and name.")
    erp: str = Field(description="Number and name.")
    before: PairOfIds | None = Field(description="What was linked before.")


class OfferedClass(Row):
    """A class of Visma.net ERP."""

    name: str
    description: str


class ClassesRow(Row):
    """The classes of one record."""

    record: str
    chosen: str | None = Field(description="null: the tenant's default.")
    offered: list[OfferedClass]


class ClassChosen(Row):
    """What `class` with a value did."""

    record: str
    chosen: str
