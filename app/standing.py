"""Which database is this? The judgement over what the database says of itself and what processes remember of it, and its words.

Pure: the relay acts on it (``app/keeper.py``), ``db status``, ``db adopt`` and ``doctor`` only say it.
"""

from __future__ import annotations

from enum import StrEnum

from db.installation import Beat, Facts, Reason


class Verdict(StrEnum):
    """What was found. Each is entered by one rule of ``judge``, in this order."""

    OFF = "off"
    """Writes are off already, for the stored reason."""
    EMPTY = "empty"
    """No row at all: the database is being restored."""
    MOVED = "moved"
    """A dump in another server, or a server that was upgraded."""
    RESTORED = "restored"
    """A dump brought back into the same server, whole or data only, or a database made as a copy of another."""
    SAME = "same"
    """The very database, on the server start that was last found to be so."""
    STARTED = "started"
    """The server was started anew and the remembered beat stands: the same history."""
    FIRST = "first"
    """The server was started anew and this history has not beaten yet: nothing was sent from it."""
    REWOUND = "rewound"
    """Beats that are remembered are missing, or the write-ahead log is on another timeline."""
    COPIED = "copied"
    """Nobody here remembers its last beats: a copy, or the memories are lost."""


STOPS: dict[Verdict, Reason] = {
    Verdict.MOVED: "moved",
    Verdict.RESTORED: "restored",
    Verdict.COPIED: "copied",
}
"""Verdicts after which a person must say which database counts."""


def judge(facts: Facts | None, remembered: Beat | None, *, another_here: bool = False) -> Verdict:
    """What the database is. ``remembered``: the newest beat of its history; ``another_here``: see ``Memory``."""
    if facts is None:
        return Verdict.EMPTY
    if facts.writes != "on":
        return Verdict.OFF
    if not facts.same_server:
        return Verdict.MOVED
    if not (facts.same_database and facts.same_row):
        return Verdict.RESTORED
    if facts.same_start:
        return Verdict.SAME if facts.same_timeline else Verdict.REWOUND
    return _after_a_start(facts, remembered, another_here=another_here)


def _after_a_start(facts: Facts, remembered: Beat | None, *, another_here: bool) -> Verdict:
    if remembered is None:
        # A process that died within its first second had no time to remember its first beat.
        first = facts.number <= 1 and not (facts.served and another_here)
        return Verdict.FIRST if first and facts.same_timeline else Verdict.COPIED
    if facts.position(remembered) is not None:
        return Verdict.STARTED if facts.same_timeline else Verdict.REWOUND
    # A memory from long before proves nothing: it could be the past of this database, or of the one it was copied from.
    return Verdict.REWOUND if remembered.number + len(facts.recent) > facts.number else Verdict.COPIED


FOUND: dict[str, str] = {
    "same": "This is the database that the bridge last wrote to.",
    "started": "PostgreSQL was started anew, and this is the database that the bridge last wrote to.",
    "first": "Nothing was ever sent from this database.",
    "empty": "The database is being restored, or its restore was not finished: the row that names it is missing.",
    "moved": "This database was brought from another server (a dump, or a server that was upgraded).",
    "restored": "This database was restored from a dump, or made as a copy of another one in the same server.",
    "rewound": "This database was put back to an earlier state.",
    "copied": "This database is a copy, or nobody here remembers its last second: neither the state file nor the queue.",
    "off": "Writes were switched off in this database.",
}
"""One sentence each: what was found."""

OFF = "Nothing is transferred until 'severa-bridge db adopt' says that this database counts and no other is at work."
QUIET = "Nothing is transferred before {until}: until then, what was sent and is not known here may still be carried out."
STEPPED = "PostgreSQL's clock has stepped: nothing is taken up until every lease and wait is surely over. It ends by itself."
ADOPTING = (
    "Adopting makes this database the one that counts: whatever another process still holds is void, "
    "nothing is sent for {seconds:.0f} seconds, both systems of every tenant are read anew, then the transfers go on."
)


def found(verdict: Verdict, facts: Facts | None) -> str:
    """What was found, in one sentence; for writes that are off the reason that was stored."""
    stored = facts.reason if facts is not None and verdict is Verdict.OFF else None
    return FOUND[stored or verdict]


def writing(verdict: Verdict, facts: Facts | None) -> bool:
    """Whether anything may be claimed, or will be as soon as the relay has looked."""
    if facts is None or verdict not in {Verdict.SAME, Verdict.STARTED, Verdict.FIRST}:
        return False
    return not facts.stepped and (facts.quiet_until is None or facts.quiet_until <= facts.now)


def sentence(verdict: Verdict, facts: Facts | None) -> str:
    """Whether writes are on, and why not."""
    if verdict in STOPS or verdict in {Verdict.OFF, Verdict.EMPTY}:
        return f"Writes are off. {found(verdict, facts)} {OFF}"
    if verdict is Verdict.REWOUND:
        return f"Writes are off for a moment. {found(verdict, facts)} The relay reads both systems anew and goes on by itself."
    if facts is not None and facts.stepped:
        return f"Writes pause. {STEPPED}"
    if facts is not None and facts.quiet_until is not None and facts.quiet_until > facts.now:
        return f"Writes pause. {QUIET.format(until=facts.quiet_until.strftime('%Y-%m-%d %H:%M:%S UTC'))}"
    return f"Writes are on. {found(verdict, facts)}"
