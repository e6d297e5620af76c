"""Looking on: what both systems show and what the bridge still has to do, until a beat has come to rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from app import service
from app.demo.proof import Json, Proof, prove
from app.demo.stage import Stage
from db import outbox, streams, tenants
from domain import clock

LOOK_SECONDS = 0.25
LOG_LINES = 500
_BUSY = ("ready", "waiting", "out", "started")


class StoppedError(Exception):
    """A person pressed Ctrl-C."""


class BrokenError(Exception):
    """A part of the bridge has died; its log says why."""


@dataclass(frozen=True)
class Facts:
    """One look at both systems (over the simulators' own dumps) and at the bridge.

    ``work``: per Severa id, the unfinished rows of its outbox. ``log``: newest first, ``problems``: open ones, both in the
    tenant's language.
    """

    invoices: Sequence[Json]
    documents: Sequence[Json]
    proofs: Sequence[Proof]
    work: Mapping[str, Sequence[Mapping[str, Any]]]
    busy: int
    problems: Sequence[Mapping[str, Any]]
    log: Sequence[Mapping[str, Any]]

    @cached_property
    def by_guid(self) -> Mapping[str, Proof]:
        """Severa guid → its proof."""
        return {proof.guid: proof for proof in self.proofs}

    def problem_of(self, guid: str) -> Mapping[str, Any] | None:
        """A record's open problem, None if it has none."""
        return next((one for one in self.problems if one["record_id"] == guid), None)

    def said(self, code: str) -> list[Mapping[str, Any]]:
        """Log lines of a code, newest first."""
        return [line for line in self.log if line["code"] == code]


@dataclass(frozen=True)
class Expect:
    """What a beat must bring about: ``told`` gives the sentence once it is true, None until then; ``wanted`` says it as a wish."""

    wanted: str
    told: Callable[[Stage, Facts], str | None]


@dataclass(frozen=True)
class Met:
    """What became of an expectation: ``sentence`` is None if it never came true."""

    wanted: str
    sentence: str | None


def look(stage: Stage) -> Facts:
    """One look; a few reads over HTTP and one transaction per question."""
    invoices = stage.severa.look("invoices")
    documents = stage.erp.documents()
    proofs = prove(invoices, documents, stage.erp.marked(), stage.erp.sent(), stage.severa.role)
    with stage.bridge.db.tenant(stage.tenant_id) as db:
        rows = outbox.rows(db)
    work: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        work.setdefault(row["severa_id"] or row["erp_id"] or "", []).append(row)
    return Facts(
        invoices,
        documents,
        proofs,
        work,
        sum(row["state"] in _BUSY for row in rows),
        service.problems(stage.bridge, stage.tenant),
        service.transfer_log(stage.bridge, stage.tenant, limit=LOG_LINES),
    )


def follow(stage: Stage, expects: Sequence[Expect], show: Callable[[Facts], None]) -> tuple[Facts, list[Met]]:
    """Asks for a poll and looks on until all is true and the bridge has nothing left to do, or patience ends.

    Raises StoppedError on Ctrl-C and BrokenError when the bridge of this process has died.
    """
    deadline = clock.monotonic() + stage.patience
    asked = _ask(stage)
    while True:
        if stage.bridge.stop.is_set() and stage.healthy():
            raise StoppedError
        if not stage.healthy():
            raise BrokenError
        polled = _polled(stage, asked)
        facts = look(stage)
        show(facts)
        met = [Met(one.wanted, one.told(stage, facts)) for one in expects]
        at_rest = polled and not facts.busy
        if (at_rest and all(one.sentence is not None for one in met)) or clock.monotonic() > deadline:
            return facts, met
        if at_rest:
            # What one system was told has to be read from the other.
            asked = _ask(stage)
        stage.bridge.stop.wait(LOOK_SECONDS)


def _ask(stage: Stage) -> datetime:
    """'Run now'; the time from which a poll counts."""
    with stage.bridge.db.tenant(stage.tenant_id) as db:
        asked = streams.now(db)
        streams.ask(db)
    return asked


def _polled(stage: Stage, since: datetime) -> bool:
    """Whether both systems were read to the end by polls that began since then."""
    with stage.bridge.db.tenant(stage.tenant_id) as db:
        found = tenants.connections(db)
    return bool(found) and all(one.checked_at is not None and one.checked_at >= since for one in found)
