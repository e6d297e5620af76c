"""The brake: a reading that changed more of a register than people do is held, its domains are paused, and a person asked.

What is held is held as a whole (docs/never-twice.md rule 16): every row of the register that nobody was told of, whichever reading
brought it, and the records that a whole reading did not show. A person lets through what they were shown, not what has
come since; once a register is held its later readings join it.

Registers of documents are never held for their changes: a month's invoices may well change at once. That many of them are
missing is no everyday thing there either: then only the absence is held, nothing is paused, and a person is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from db import log, pending, readings, streams, tenants
from db.log import About
from db.tenant import TenantDb
from domain import polling
from domain.errors import InputError
from domain.model import System
from domain.polling import BRAKED, Count, Reading
from domain.registers import Register

BRAKE = "poll.brake"
ABSENT = "poll.absent"
QUESTIONS = (BRAKE, ABSENT)
RESUMED = "resumed"


@dataclass(frozen=True, slots=True)
class Held:
    """One held register as a person is shown it: the reading, and what would be let through.

    ``changed`` of ``known`` records and ``missing`` ones; ``waiting`` rows in all, new ones too.
    """

    system: System
    reading: Reading
    known: int
    changed: int
    missing: int
    waiting: int
    # whether domains are paused for it
    pauses: bool = False

    @property
    def register(self) -> str:
        """The name of the register that is held."""
        return self.reading.register

    @property
    def subject(self) -> str:
        """What its problems are about."""
        return subject(self.system, self.register)

    def values(self) -> dict[str, str | int]:
        """What the question says, and what *resume* compares."""
        return {
            "register": self.register,
            "reading": self.reading.id,
            "changed": self.changed + self.missing,
            "known": self.known,
            "missing": self.missing,
            "waiting": self.waiting,
        }


def subject(system: str, register: str) -> str:
    """The subject of a register's question."""
    return f"brake:{system}/{register}"


def hold(db: TenantDb, register: Register, reading: Reading, domains: Sequence[str]) -> Held:
    """Holds a reading: its domains are paused and a person is asked. ``reading``: ended, not announced.

    A register that is held already stays with the reading that a person was shown, unless this one read everything.
    """
    before = [
        one
        for one in readings.of_connection(db, register.system)
        if one.register == register.name and one.state == "held" and one.id != reading.id
    ]
    if polling.joins(reading, held=bool(before)):
        readings.announced(db, reading, 0, state="dead")
        reading = before[0]
    else:
        readings.supersede(db, register.system, register.name)
        readings.announced(db, reading, 0, state="held")
    found = counted(db, register.system, reading)
    asked = {one["domain"] for one in _questions(db) if one["subject"] == found.subject}
    wanted = sorted(asked | set(domains))
    _ask(db, found, wanted)
    paused = [domain for domain in wanted if domain in BRAKED]
    tenants.pause_domains(db, paused)
    return replace(found, pauses=bool(paused))


def release(db: TenantDb, register: Register, reading: Reading) -> bool:
    """Whether a register's held absence answered itself by what a later reading showed; then its question is closed."""
    about = [one for one in _questions(db) if one["subject"] == subject(register.system, register.name)]
    paused = any(one["code"] == BRAKE for one in about)
    if not polling.may_answer(reading, asked=bool(about), paused=paused):
        return False
    if pending.missing(db, register.system, reading):
        return False
    readings.supersede(db, register.system, register.name)
    for one in about:
        log.close_problems(db, About(one["domain"], subject=one["subject"]), "settled")
    return True


def _questions(db: TenantDb) -> Sequence[Mapping[str, Any]]:
    return log.of_cause(db, QUESTIONS)


def _ask(db: TenantDb, found: Held, domains: Sequence[str]) -> None:
    for domain in domains:
        about = About(domain, subject=found.subject, system=found.system, register=found.register)
        code = BRAKE if domain in BRAKED else ABSENT
        log.open_problem(db, about, code, {"domain": domain, **found.values()})


def counted(db: TenantDb, system: System, reading: Reading) -> Held:
    """What letting this reading through would announce now; an open reading's rows are judged at its own end."""
    open_one = readings.open_one(db, system, reading.register)
    before = open_one.began_at if open_one and open_one.id != reading.id else None
    rows = pending.unannounced(db, system, reading.register, before)
    missing = pending.missing(db, system, reading) if reading.shows_absence else 0
    return Held(system, reading, rows.known, rows.changed, missing, rows.waiting)


def count(db: TenantDb, register: Register, reading: Reading) -> tuple[Count, int]:
    """What the brake is asked about at the end of a reading, and how many rows wait to be announced."""
    found = counted(db, register.system, reading)
    earlier = readings.given_up(db, register.system, reading)
    return Count(found.known, found.changed + earlier, found.missing, reading.rows), found.waiting


def held(db: TenantDb) -> list[Held]:
    """What stands held at a tenant, counted now."""
    return [counted(db, one.system, one.reading) for one in readings.held(db)]


def moved(db: TenantDb, domain: str | None) -> list[Held]:
    """What is held and is not any more what its question says; the question now says what is. Empty: nothing moved."""
    now = held(db)
    asked = _asked(db, domain)
    found = []
    for one in now:
        questions = asked.get(one.subject, [])
        if any(_shown(question) != one.values() for question in questions):
            _ask(db, one, [question["domain"] for question in questions])
            found.append(one)
    return found


def resume(db: TenantDb, domain: str | None, shown: Sequence[Held] | None = None) -> list[Held]:
    """Lets through what the brake has stopped, in one domain or (None) all; what that was, counted.

    Its domains go on and its questions close with it. ``shown``: what the person was shown; None = what the questions say.
    Raises InputError when that is not what is held now: then nothing has been done.
    """
    # Readings first, then their questions, then the tenant: in the order in which a poll locks them.
    now = held(db)
    asked = _asked(db, domain)
    let = []
    for one in now:
        questions = asked.get(one.subject, [])
        if not questions:
            continue
        agreed = (
            all(_shown(question) == one.values() for question in questions)
            if shown is None
            else one.values() in [each.values() for each in shown]
        )
        if not agreed:
            raise InputError(
                f"What is held in {one.register} has changed since it was shown: {one.changed + one.missing} of "
                f"{one.known} records now ({one.missing} missing). Look at the problem again."
            )
        for question in questions:
            log.close_problems(db, About(question["domain"], subject=one.subject), RESUMED)
        if not [left for left in _questions(db) if left["subject"] == one.subject]:
            readings.resume(db, one.reading)
            if one.reading.shows_absence and one.reading.completed_at is not None:
                streams.swept(db, one.system, one.register, one.reading.completed_at)
        let.append(one)
    # A question of 0.1.0 has no reading: whoever resumes has answered it.
    for questions in asked.values():
        for question in questions:
            log.close_problems(db, About(question["domain"], subject=question["subject"]), RESUMED)
    tenants.resume_domains(db, sorted({q["domain"] for each in asked.values() for q in each}))
    return let


def _asked(db: TenantDb, domain: str | None) -> dict[str, list[Mapping[str, Any]]]:
    """Subject → its open questions, of one domain or of all."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for question in _questions(db):
        if domain is None or question["domain"] == domain:
            found.setdefault(question["subject"], []).append(question)
    return found


def _shown(question: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in question["values"].items() if key != "domain"}
