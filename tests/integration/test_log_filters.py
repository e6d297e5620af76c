"""Problems and the transfer log are filtered and counted by the database, before their limit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from services import Database as Made

from db import log
from db.log import About, Wanted
from db.pool import Database

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass
class Books:
    """A tenant's log and problems; ``owner`` moves what was written to another day, which the bridge's login may not."""

    db: Database
    tenant: UUID
    owner: str

    def write(
        self, code: str, at: datetime = NOON, *, level: str = "info", outcome: str = "done", **about: Any
    ) -> About:
        """One line of the log and one problem of the same."""
        values = about.pop("values", {})
        told = About(**{"domain": "invoice", "subject": about["record_id"]} | about)
        with self.db.tenant(self.tenant) as db:
            log.write(
                db, about=told, direction="", level=level, outcome=outcome, code=code, values=values, duration_ms=1, attempt_id=None
            )  # fmt: skip
            log.open_problem(db, told, code, values)
        with psycopg.connect(self.owner, autocommit=True) as db:
            named = {"at": at, "id": told.record_id}
            db.execute("update transfer_log set at = %(at)s where record_id = %(id)s", named)
            db.execute("update problem set opened_at = %(at)s where record_id = %(id)s", named)
        return told

    def found(self, limit: int = 100, **wanted: Any) -> tuple[list[str], list[str]]:
        """Record ids of the lines and of the problems that are found."""
        with self.db.tenant(self.tenant) as db:
            lines = log.read(db, Wanted(**wanted), limit)
            problems = log.problems_found(db, Wanted(**wanted), limit)
        return [row["record_id"] for row in lines], [row["record_id"] for row in problems]


@pytest.fixture
def books(db: Database, tenant: UUID, database: Made) -> Books:
    made = Books(db, tenant, database.owner_url)
    made.write("invoice.no_rows", record_id="a", number="1001", name="Å Bygg AB", values={"customer": "Å Bygg AB"})  # fmt: skip
    made.write("invoice.no_rows", NOON + timedelta(days=1), record_id="b", number="1002", values={"customer": "Örebro Åkeri"})  # fmt: skip
    made.write("customer.conflict", NOON + timedelta(days=2), record_id="c", domain="customer", name="Å Bygg AB", values={"name": "Å Bygg AB", "fields": []})  # fmt: skip
    return made


@pytest.mark.req("R-LOG-1")
@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ({}, ["a", "b", "c"]),
        ({"domain": "customer"}, ["c"]),
        ({"cause": "invoice.no_rows"}, ["a", "b"]),
        ({"record": "1001"}, ["a"]),
        ({"record": "å bygg ab"}, ["a", "c"]),
        ({"record": "100"}, []),
        ({"record": "B"}, ["b"]),
        ({"search": "bygg"}, ["a", "c"]),
        ({"search": "ÖREBRO å"}, ["b"]),
        ({"search": "%"}, []),
        ({"search": "nothing says this", "codes": ("customer.conflict",)}, ["c"]),
        ({"since": NOON + timedelta(hours=1)}, ["b", "c"]),
        ({"since": NOON, "until": NOON + timedelta(days=1)}, ["a"]),
        ({"since": NOON + timedelta(days=1), "domain": "invoice", "search": "örebro"}, ["b"]),
    ],
    ids=str,
)
def test_each_filter_finds_its_own_and_nothing_else(
    books: Books, wanted: dict[str, Any], ids: list[str]
) -> None:
    newest_first = list(reversed(ids))
    assert books.found(**wanted) == (newest_first, ids)


@pytest.mark.req("R-LOG-1")
def test_what_a_limit_would_cut_off_is_found_all_the_same(books: Books) -> None:
    assert books.found(1) == (["c"], ["a"])
    assert books.found(1, cause="invoice.no_rows") == (["b"], ["a"])
    assert books.found(1, record="1002") == (["b"], ["b"])


@pytest.mark.req("R-LOG-1")
def test_level_and_outcome_are_the_lines_own(books: Books) -> None:
    books.write("invoice.no_rows", level="error", outcome="failed", record_id="d", values={"customer": "D"})
    assert books.found(level="error")[0] == ["d"]
    assert books.found(outcome="failed")[0] == ["d"]
    assert books.found(outcome="done", level="error")[0] == []


@pytest.mark.req("R-LOG-1")
def test_counts_are_of_what_is_asked_for_and_have_no_limit(books: Books) -> None:
    closed = books.write(
        "customer.conflict", record_id="e", domain="customer", values={"name": "E", "fields": []}
    )
    with books.db.tenant(books.tenant) as db:
        log.close_problems(db, closed, "settled")
        lines = log.read_counts(db, Wanted())
        open_ones = log.problem_counts(db, Wanted())
        every = log.problem_counts(db, Wanted(), closed_too=True)
        [one] = log.read_counts(db, Wanted(record="1002"))
    assert [(row["code"], row["n"]) for row in lines] == [("customer.conflict", 2), ("invoice.no_rows", 2)]
    assert [(row["code"], row["n"], row["open"]) for row in open_ones] == [
        ("invoice.no_rows", 2, 2),
        ("customer.conflict", 1, 1),
    ]
    assert [(row["code"], row["n"], row["open"]) for row in every] == [
        ("customer.conflict", 2, 1),
        ("invoice.no_rows", 2, 2),
    ]
    day = NOON + timedelta(days=1)
    assert (one["n"], one["first_at"], one["last_at"]) == (1, day, day)
