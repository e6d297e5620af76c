"""``severa-bridge demo``: a small company's day, narrated, on both simulators; it ends with a proof of every invoice.

Which acts there are stands in ``day.py``; where they are played in ``stage.py``; the proof is ``proof.py``.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from app.demo.day import DAY, Act
from app.demo.proof import strangers
from app.demo.screen import Screen
from app.demo.stage import Stage, open_stage
from app.demo.watch import BrokenError, Facts, Met, StoppedError, follow, look
from app.running import stopping
from db import log
from domain import clock
from domain.errors import InputError

__all__ = ["play"]

PROVEN, UNPROVEN, STOPPED = 0, 1, 130


def play(*, once: bool, acts: Sequence[Act] = DAY) -> int:
    """Plays the day; 0 when every invoice is proven and every act came out as told, 1 when not, 130 when stopped.

    Without ``once`` the bridge keeps running after the summary until Ctrl-C. Raises InputError with what to do.
    """
    screen = Screen()
    stop = threading.Event()
    began = clock.monotonic()
    with stopping(stop):
        screen.narrate(
            "A small company's day: Visma Severa, Visma.net ERP and the bridge between them. Starting …"
        )
        try:
            with open_stage(stop) as stage:
                missed = [met for act in _played(stage, screen, acts) for met in act]
                facts = look(stage)
                wrong = [*_missing(missed), *_unproven(stage, facts)]
                with stage.bridge.db.tenant(stage.tenant_id) as db:
                    gaps = log.gaps(db)
                screen.summary(facts, gaps, wrong, clock.monotonic() - began)
                if not once:
                    _stay(stage, screen)
                return UNPROVEN if wrong else PROVEN
        except (StoppedError, InputError) as error:
            # a reading that was stopped in its middle says so as an error of its own
            if isinstance(error, InputError) and not stop.is_set():
                raise
            screen.narrate("Stopped.")
            return STOPPED
        except BrokenError:
            screen.narrate("A part of the bridge has died; its log says why.")
            return UNPROVEN


def _played(stage: Stage, screen: Screen, acts: Sequence[Act]) -> list[list[Met]]:
    """Every act, one after the other; what they met and what not."""
    return [_play(stage, screen, number, act) for number, act in enumerate(acts, 1)]


def _play(stage: Stage, screen: Screen, number: int, act: Act) -> list[Met]:
    screen.act(number, act.title)
    all_met: list[Met] = []
    for beat in act.beats:
        screen.narrate(beat.narration)
        for line in beat.move(stage):
            screen.note(line)
        with screen.following() as show:
            facts, met = follow(stage, beat.expect, show)
        screen.came_of_it(facts, met)
        all_met += met
    return all_met


def _missing(met: Sequence[Met]) -> list[str]:
    return [f"It did not come about: {one.wanted}." for one in met if one.sentence is None]


def _unproven(stage: Stage, facts: Facts) -> list[str]:
    """What the proof of both systems found, and what the gap list leaves out."""
    wrong = [
        f"The invoice to {proof.customer} ({proof.guid}) {'; '.join(proof.wrong)}."
        for proof in facts.proofs
        if not proof.proven
    ]
    wrong += [
        f"ERP document {number} belongs to no Severa invoice."
        for number in strangers(facts.invoices, stage.erp.marked())
    ]
    with stage.bridge.db.tenant(stage.tenant_id) as db:
        listed = {(gap["document_type"], gap["number"]) for gap in log.gaps(db)}
    removed = {(one["type"], one["number"]) for one in stage.erp.removed()}
    wrong += [
        f"{kind} {number} was removed but is not in the gap list."
        for kind, number in sorted(removed - listed)
    ]
    wrong += [
        f"{kind} {number} is in the gap list but was not removed."
        for kind, number in sorted(listed - removed)
    ]
    return wrong


def _stay(stage: Stage, screen: Screen) -> None:
    """The bridge runs on until Ctrl-C. Raises BrokenError when it dies."""
    screen.narrate("\nThe bridge keeps running; Ctrl-C stops it. Look around:")
    for line in stage.tell():
        screen.command(line)
    while not stage.bridge.stop.wait(0.5):
        if not stage.healthy():
            raise BrokenError
    if not stage.healthy():
        raise BrokenError
    screen.narrate("Stopped.")
