"""Rows about what was transferred and what was not: problems, transfer log, the road of a record."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from app.cli.rows.row import Row, Values


class ProblemRow(Row):
    """A problem, in the tenant's language."""

    id: int = Field(description="Its number, for `retry`.")
    domain: str
    code: str = Field(description="The cause; docs/problems.md lists them.")
    system: str
    register_: str = Field(alias="register")
    record_id: str
    number: str
    name: str
    wrong: str = Field(description="What is wrong.")
    do: str = Field(description="What to do.")
    where: str = Field(description="Where to do it.")
    closes_by_itself: bool = Field(description="Once the source is repaired.")
    actions: list[str] = Field(
        description="What a person can do about it: `retry`, `relink`, `sign_in` and the like."
    )
    values: Values = Field(description="What fills the sentences.")
    opened_at: str
    last_seen_at: str
    times: int = Field(description="How often it was met.")
    closed_at: str | None
    closed_how: str | None


class ProblemCount(Row):
    """Problems of one cause."""

    domain: str
    code: str
    n: int
    open: int
    first_at: str
    last_at: str


class LogRow(Row):
    """A line of the transfer log, in the tenant's language."""

    at: str
    domain: str
    direction: str
    register_: str = Field(alias="register")
    record_id: str
    number: str
    name: str
    level: str = Field(description="`info`, `warning` or `error`.")
    outcome: str
    code: str = Field(description="The cause; docs/problems.md lists them.")
    sentence: str = Field(description="What happened.")
    values: Values = Field(description="What fills the sentence.")
    duration_ms: int


class LogCount(Row):
    """Lines of one cause and level."""

    domain: str
    code: str
    level: str
    n: int
    first_at: str
    last_at: str


class Retried(Row):
    """What `retry` did."""

    tenant: str
    problem: str
    tried_again: int = Field(description="Records that are tried again.")


class TracedRecord(Row):
    """The record that was found."""

    system: str
    register_: str = Field(alias="register")
    id: str
    number: str
    name: str
    version: int
    settled_version: int
    remote_time: str | None


class LinkRow(Row):
    """The pair."""

    severa_id: str | None
    severa_number: str | None
    erp_id: str | None
    erp_number: str | None


class WorkRow(Row):
    """Unfinished work."""

    id: int
    domain: str
    matter_id: str
    severa_id: str | None
    erp_id: str | None
    state: str = Field(description="`ready`, `waiting`, `out`, `started`, `failed` or `in_doubt`.")
    due_at: str
    attempts: int
    lost: int = Field(description="Workers that were never heard of again.")
    waits_matter: str | None
    waits_key: str | None
    waits_for: str | None = Field(description="Domain of the matter, or the key, that is waited for.")
    cause: str
    rank: int
    changed_at: str


class StepRow(Row):
    """A step of an attempt."""

    name: str
    sent_at: str | None
    done_at: str | None
    request: Any
    result: Any


class CallRow(Row):
    """A call to a vendor; bodies are masked."""

    at: str
    system: str
    method: str
    path: str
    status: int | None
    seconds: float
    request: str | None
    response: str | None
    error: str | None


class AttemptRow(Row):
    """One try of a delivery."""

    started_at: str
    ended_at: str | None
    domain: str
    outcome: str | None = Field(description="null: under way, or its worker is lost.")
    error: str | None
    worker: str
    steps: list[StepRow]
    calls: list[CallRow]


class TraceRow(Row):
    """The road of one record."""

    record: TracedRecord
    link: LinkRow | None
    work: list[WorkRow]
    attempts: list[AttemptRow]
    log: list[LogRow]
