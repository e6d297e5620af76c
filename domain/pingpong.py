"""The guard against two systems that answer each other for ever.

A field that was written twice in each direction within 24 hours is not written again: a person looks. The history of
writes stands in the link's state under ``writes``: field → [[direction, time], …], and is forgotten after a day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from domain.merge import Merge

WINDOW = timedelta(hours=24)
TIMES = 2
TO_SEVERA, TO_ERP = "severa", "visma_net"

Writes = dict[str, list[list[str]]]


def recent(state: Mapping[str, Any], now: datetime) -> Writes:
    """The writes of the last 24 hours."""
    found: Writes = {}
    for name, writes in (state.get("writes") or {}).items():
        kept = [list(one) for one in writes if now - datetime.fromisoformat(one[1]) < WINDOW]
        if kept:
            found[name] = kept
    return found


def halted(state: Mapping[str, Any], now: datetime, prefix: str = "") -> set[str]:
    """The fields that may not be written: twice in each direction already. ``prefix`` names one of several records."""
    found = set()
    for name, writes in recent(state, now).items():
        directions = [direction for direction, _ in writes]
        if min(directions.count(TO_SEVERA), directions.count(TO_ERP)) >= TIMES and name.startswith(prefix):
            found.add(name.removeprefix(prefix))
    return found


def without(merged: Merge, halted_fields: set[str]) -> tuple[Merge, tuple[str, ...]]:
    """The merge without the halted fields that it would write, and their names."""
    named = tuple(name for name in (*merged.to_erp, *merged.to_severa) if name in halted_fields)
    if not named:
        return merged, ()
    return (
        replace(
            merged,
            to_erp={name: value for name, value in merged.to_erp.items() if name not in named},
            to_severa={name: value for name, value in merged.to_severa.items() if name not in named},
            overruled=tuple(one for one in merged.overruled if one.field not in named),
        ),
        named,
    )


def noted(
    state: Mapping[str, Any],
    now: datetime,
    *,
    to_erp: Iterable[str] = (),
    to_severa: Iterable[str] = (),
    prefix: str = "",
) -> dict[str, Any]:
    """The state with these writes added and what is older than a day left out."""
    writes = recent(state, now)
    for direction, names in ((TO_ERP, to_erp), (TO_SEVERA, to_severa)):
        for name in names:
            writes.setdefault(prefix + name, []).append([direction, now.isoformat()])
    rest = {key: value for key, value in state.items() if key != "writes"}
    return {**rest, "writes": writes} if writes else rest
