"""A migration that writes rows which are there already, or builds an index over them, has the time of a large company's tables."""

from __future__ import annotations

import re

import pytest

from db.migrate import Migration, migrations

# What 0.1.0 had released is never edited.
RELEASED = "0004"
# Of tables that grow with a company's years.
WRITES = re.compile(
    r"^\s*(update|delete from|create (?:unique )?index \w+ on) "
    r"(record|matter|attempt|step|payload|transfer_log|problem|outbox)\b",
    re.MULTILINE,
)
FUNCTIONS = re.compile(r"\$\$.*?\$\$", re.DOTALL)
TIME = re.compile(r"^set local statement_timeout = '\d+min';", re.MULTILINE)


def writes_of(migration: Migration) -> re.Match[str] | None:
    """The first statement that takes its time; what a function will do later is not done now."""
    return WRITES.search(FUNCTIONS.sub(lambda body: " " * len(body.group()), migration.text))


@pytest.mark.parametrize(
    "migration", [one for one in migrations() if one.version > RELEASED], ids=lambda one: one.version
)
def test_what_writes_a_large_table_has_more_than_the_usual_statement_timeout(migration: Migration) -> None:
    writes = writes_of(migration)
    if writes is None:
        return
    time = TIME.search(migration.text)
    assert time is not None, f"{migration.version} writes with the limit of a small table: {writes.group()}"
    assert time.start() < writes.start()


def test_the_migrations_that_carry_a_company_over_are_seen_by_this_test() -> None:
    writing = {one.version for one in migrations() if writes_of(one)}
    assert {"0007", "0009", "0010"} <= writing
