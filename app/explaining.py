"""Problems and the transfer log in the tenant's language, and the second try of a problem's record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.asking import EVERYTHING, MOST, Asked
from app.bootstrap import Bridge
from app.tenancy import find_tenant, staying_tenant, who
from app.words import iso
from db import log, outbox, streams, tenants
from db.outbox import Rank
from domain import catalogue
from domain.errors import InputError
from domain.saying import Vocabulary
from domain.words import WORDS


def problems(
    bridge: Bridge, name: str, *, closed_too: bool = False, asked: Asked = EVERYTHING, limit: int = MOST
) -> list[dict[str, Any]]:
    """Open problems, oldest first, explained in the tenant's language: what is wrong, what to do, where. Raises InputError."""
    tenant = find_tenant(bridge, name)
    wanted = asked.of(tenant)
    with bridge.db.tenant(tenant.id) as db:
        found = log.problems_found(db, wanted, limit, closed_too=closed_too)
    return [explained(row, tenant.language) for row in found]


def problem_counts(
    bridge: Bridge, name: str, *, closed_too: bool = False, asked: Asked = EVERYTHING
) -> list[dict[str, Any]]:
    """The same counted by cause, the most first."""
    tenant = find_tenant(bridge, name)
    wanted = asked.of(tenant)
    with bridge.db.tenant(tenant.id) as db:
        found = log.problem_counts(db, wanted, closed_too=closed_too)
    return [_counted(row) for row in found]


def explained(row: Mapping[str, Any], language: str) -> dict[str, Any]:
    """One problem's row with its words."""
    values = {
        **row["values"],
        "number": row["values"].get("number") or row["number"],
        "name": row["values"].get("name") or row["name"],
        "problem": row["id"],
        "system": row["values"].get("system") or row["system"],
    }
    words = _words_of(row)
    cause = catalogue.causes().get(row["code"])
    return {
        "id": row["id"],
        "domain": row["domain"],
        "code": row["code"],
        "system": row["system"],
        "register": row["register"],
        "record_id": row["record_id"],
        "number": row["number"],
        "name": row["name"],
        "wrong": cause.wrong.fill(language, values, words) if cause else row["code"],
        "do": cause.do.fill(language, values, words) if cause else "",
        "where": cause.where.fill(language, values, words) if cause else "",
        "closes_by_itself": cause.closes_by_itself if cause else False,
        "actions": list(cause.actions) if cause else [],
        "values": row["values"],
        "opened_at": iso(row["opened_at"]),
        "last_seen_at": iso(row["last_seen_at"]),
        "times": row["times"],
        "closed_at": iso(row["closed_at"]),
        "closed_how": row["closed_how"],
    }


def _words_of(row: Mapping[str, Any]) -> Vocabulary | None:
    """The words of the row's domain: what the set-up's causes say of its records is named as the domain names it."""
    known = WORDS.get(row["domain"])
    return known.vocabulary if known is not None else None


def transfer_log(bridge: Bridge, name: str, *, limit: int, asked: Asked = EVERYTHING) -> list[dict[str, Any]]:
    """The transfer log, newest first, each line a sentence in the tenant's language (R-LOG-1). Raises InputError."""
    tenant = find_tenant(bridge, name)
    wanted = asked.of(tenant)
    with bridge.db.tenant(tenant.id) as db:
        rows = log.read(db, wanted, limit)
    return [log_line(row, tenant.language) for row in rows]


def log_counts(bridge: Bridge, name: str, *, asked: Asked = EVERYTHING) -> list[dict[str, Any]]:
    """The same counted by cause and level, the most first."""
    tenant = find_tenant(bridge, name)
    wanted = asked.of(tenant)
    with bridge.db.tenant(tenant.id) as db:
        rows = log.read_counts(db, wanted)
    return [_counted(row) for row in rows]


def _counted(row: Mapping[str, Any]) -> dict[str, Any]:
    times = {"first_at": iso(row["first_at"]), "last_at": iso(row["last_at"])}
    return {**{key: row[key] for key in ("domain", "code", "level", "n", "open") if key in row}, **times}


def log_line(row: Mapping[str, Any], language: str) -> dict[str, Any]:
    """One line of the transfer log with its sentence in this language."""
    sentence = catalogue.sentences().get(row["code"])
    values = {"number": row["number"], "name": row["name"], **row["values"]}
    return {
        "at": iso(row["at"]),
        "domain": row["domain"],
        "direction": row["direction"],
        "register": row["register"],
        "record_id": row["record_id"],
        "number": row["number"],
        "name": row["name"],
        "level": row["level"],
        "outcome": row["outcome"],
        "code": row["code"],
        "sentence": sentence.fill(language, values, _words_of(row)) if sentence else row["code"],
        "values": row["values"],
        "duration_ms": row["duration_ms"],
    }


def retry(bridge: Bridge, name: str, problem: str) -> int:
    """Tries a problem's record again at once; ``problem`` is its number, or a code for all of that cause. How many."""
    tenant = staying_tenant(bridge, name)
    with bridge.db.tenant(tenant.id) as db:
        wanted = [row for row in log.open_problems(db) if str(row["id"]) == problem or row["code"] == problem]
        if not wanted:
            raise InputError(
                f"There is no open problem '{problem}' for tenant '{name}': 'severa-bridge problems {name}' shows those there are."
            )
        asked = 0
        for row in wanted:
            if row["domain"] == "connection":
                streams.ask(db)
                asked += 1
            elif row["matter_id"] is None:
                continue
            else:
                if not outbox.retry(db, row["domain"], row["matter_id"]):
                    outbox.announce(
                        db, row["domain"], [row["matter_id"]],
                        cause="person", system=row["system"], register=row["register"], rank=Rank.PERSON,
                    )  # fmt: skip
                asked += 1
            tenants.audit(db, who(), "problem.retried", {"problem": row["id"], "code": row["code"]})
    return asked
