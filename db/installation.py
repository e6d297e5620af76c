"""Is this still the database that the bridge last wrote to? A restored or cloned one must not create anything blindly.

A new timeline (a restore to a point in time, a promoted standby) has every register read anew before anything is
settled. A new system identifier (a clone, a dump loaded elsewhere) also switches writes off until a person adopts it:
the original may still be running.
"""

from __future__ import annotations

from dataclasses import dataclass

from db.pool import Connection
from db.sql import SQL


@dataclass(frozen=True, slots=True)
class Installation:
    """``moved``: another server than the one remembered; ``rewound``: the same server on another timeline."""

    writes: str
    moved: bool
    rewound: bool


def look(db: Connection) -> Installation:
    """How the database stands to what it remembers of itself. Needs a dispatch transaction."""
    row = db.execute(SQL["installation.look"]).fetchone()
    if row is None:
        return Installation("off", moved=True, rewound=False)
    return Installation(row["writes"], row["moved"], row["rewound"])


def note(db: Connection) -> Installation:
    """Looks, and acts on what changed: writes off after a move, everything read anew after a rewind."""
    found = look(db)
    if found.moved:
        db.execute(SQL["installation.stop"])
        return Installation("off", moved=True, rewound=found.rewound)
    if found.rewound:
        adopt(db)
    return found


def adopt(db: Connection) -> None:
    """This database is the one from now on; nothing is settled before every register has been read again."""
    db.execute(SQL["installation.adopt"])
    db.execute(SQL["installation.forget_marks"])
    db.execute(SQL["readings.forget"])
