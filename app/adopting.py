"""Whether writes are on, and a person's word that this database counts: what ``db status``, ``db adopt`` and ``doctor`` do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app import standing
from app.bootstrap import Bridge
from app.keeper import examined
from app.memory import memory
from app.standing import Verdict
from app.tenancy import who
from app.words import iso
from db import installation, streams, tenants
from db.installation import Facts
from domain.errors import InputError


@dataclass(frozen=True, slots=True)
class Status:
    """How the database stands; ``remembered``: whether somebody would know it again after PostgreSQL's next start."""

    facts: Facts | None
    verdict: Verdict
    remembered: bool
    trouble: dict[str, str]

    @property
    def on(self) -> bool:
        """Whether anything may be claimed."""
        return standing.writing(self.verdict, self.facts)

    @property
    def sentence(self) -> str:
        """Whether writes are on and why not, for people."""
        return standing.sentence(self.verdict, self.facts)

    @property
    def memory_sentence(self) -> str:
        """Whether the last beat is remembered, and what fails."""
        failing = "; ".join(f"the {name} fails ({said})" for name, said in self.trouble.items())
        if self.remembered:
            return f"the last beat is remembered{f', but {failing}' if failing else ''}"
        after = "after PostgreSQL's next start nothing is transferred until 'severa-bridge db adopt'"
        return f"nobody remembers the last beat of this database: {after}{f'; {failing}' if failing else ''}"

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        facts = self.facts
        reason = facts.reason if facts else None
        return {
            "writes": "on" if self.on else "off",
            "found": reason if self.verdict is Verdict.OFF and reason else str(self.verdict),
            "sentence": self.sentence,
            "epoch": facts.epoch if facts else None,
            "quiet_until": iso(facts.quiet_until) if facts else None,
            "clock_stepped": facts.stepped if facts else None,
            "remembered": self.remembered,
            "trouble": self.trouble,
        }


def look(bridge: Bridge) -> Status:
    """Facts, memories and judgement; changes nothing."""
    kept = memory(bridge.settings)
    try:
        facts, verdict = examined(lambda: _facts(bridge), kept)
        beat = kept.recall(facts.history) if facts is not None else None
        trouble = kept.check()
    finally:
        kept.close()
    settings = bridge.settings
    if settings.embedded_database and settings.state.resolve().is_relative_to(settings.data.resolve()):
        trouble["state file"] = (
            f"{settings.state} lies in the data directory and would be put back together with it"
        )
    # One that has not beaten yet needs no memory.
    young = facts is not None and facts.number <= 1
    remembered = young or (facts is not None and beat is not None and facts.position(beat) is not None)
    return Status(facts, verdict, remembered, trouble)


def _facts(bridge: Bridge) -> Facts | None:
    with bridge.db.dispatch() as db:
        return installation.look(db)


def adopt(bridge: Bridge, found: Status) -> int:
    """Begins a new epoch of the database as it was found; its number. Raises InputError when it has changed since."""
    if found.facts is None:
        raise InputError(
            f"{standing.FOUND['empty']} Finish the restore, run 'severa-bridge db migrate', then adopt."
        )
    with bridge.db.dispatch() as db:
        epoch = installation.begin_epoch(db, found.facts.history, bridge.settings.settle_seconds)
        if epoch is None:
            raise InputError(
                "The database was adopted by somebody else meanwhile: 'severa-bridge db status' shows it."
            )
        streams.ask_all(db)
        everyone = tenants.all_tenants(db)
    for tenant in everyone:
        with bridge.db.tenant(tenant.id) as db:
            details = {"found": found.plain()["found"], "epoch": epoch}
            tenants.audit(db, who(), "database.adopted", details)
    return epoch
