"""What befalls databases and machines in a play: an older dump is put back, clocks are wrong or step.

Drawn from streams of their own, so that a seed that is spared is the play that it would be without them.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from simulation import bridge as contact
from simulation.play import Play

RESTORED, CLOCKS = 0.2, 0.2
"""In so many of all plays."""
LEFT = 5_400.0
"""So long (seconds) the fair end is left alone before it is asked whether all is at rest: longer than a step of PostgreSQL's
clock, or the quiet time of a new epoch, holds everything up."""
STEPS = (-3_600.0, -1_200.0, -300.0, -6.0, 6.0, 300.0, 1_200.0, 3_600.0)


def befall(play: Play, seed: int, active: float) -> Callable[[], None]:
    """Plans what befalls this seed; what is called when nothing goes wrong any more."""
    dump = Random(f"putback/{seed}")
    clocks = Random(f"clockwork/{seed}")
    ends: list[Callable[[], None]] = []
    if dump.random() < RESTORED:
        ends.append(Dump(play, dump).plan(active))
    if clocks.random() < CLOCKS:
        _clocks(play, clocks, active)
        ends.append(lambda: None)

    def end() -> None:
        for one in ends:
            one()
        if ends:
            play.run(LEFT)

    return end


class Dump:
    """A dump is taken and put back later: beneath running processes, or with all of them stopped."""

    def __init__(self, play: Play, rng: Random) -> None:
        self.play = play
        self.rng = rng
        self.restored = False

    def plan(self, active: float) -> Callable[[], None]:
        """When; what is called at the fair end: an operator who was asked to adopt does so, at the latest then."""
        rng, play = self.rng, self.play
        # Mostly while invoices are on their way.
        taken = rng.uniform(0, rng.choice((400, 900, active * 0.8)))
        back = taken + rng.uniform(5, active - taken)
        running, counted = rng.random() < 0.5, rng.random() < 0.7
        play.at(taken, self._take)
        play.at(back, lambda: self._put_back(running=running, counted=counted))
        for _ in range(rng.choice((0, 1, 3))):
            play.at(back + rng.uniform(10, 1_200), self.adopt)
        return self.adopt

    def _take(self) -> None:
        self.play.kernel.say("dumps the database", "operator")
        self.play.theatre.store.keep("old")

    def _put_back(self, *, running: bool, counted: bool) -> None:
        """``counted``: the numbers that are given in order go back too, as a dump has them; else only rows came back (S24)."""
        play = self.play
        how = "beneath running processes" if running else "with all processes stopped"
        play.kernel.say(f"restores the dump {how}{'' if counted else ', data alone'}", "operator")
        names = list(play.processes)
        if not running:
            for name in names:
                play.kill(name, restart=None)
        play.theatre.store.put_back("old", sequences=counted)
        self.restored = True
        if not running:
            for name in names:
                play.start(name, after=self.rng.uniform(5, 120))

    def adopt(self) -> None:
        """The operator looks, and adopts the database if the bridge says that it must be."""
        play = self.play
        if not self.restored:
            return
        with play.theatre.office.bridge(play._stop()) as bridge:
            if contact.writes_off(bridge):
                play.kernel.say("adopts the database, as the bridge asks", "operator")
                contact.adopt(bridge)


def _clocks(play: Play, rng: Random, active: float) -> None:
    """Each machine's clock since its start, the vendors' and the wall clocks are apart; some step, PostgreSQL's too."""
    vendors = play.theatre.vendors
    for process in play.processes.values():
        process.boot_ahead = rng.uniform(0, 1e6)
        process.wall_ahead = rng.uniform(-1_200, 1_200)
    vendors.severa_ahead, vendors.erp_ahead = rng.uniform(-300, 300), rng.uniform(-300, 300)

    def database(seconds: float) -> None:
        play.database.ahead += seconds

    def severa(seconds: float) -> None:
        vendors.severa_ahead += seconds

    def erp(seconds: float) -> None:
        vendors.erp_ahead += seconds

    def wall(name: str) -> Callable[[float], None]:
        def step(seconds: float) -> None:
            play.processes[name].wall_ahead += seconds

        return step

    for _ in range(rng.choice((1, 1, 2, 3))):
        names = ["PostgreSQL", "Severa", "the ERP", *play.processes]
        whose = rng.choice(["PostgreSQL", *names])
        step = {"PostgreSQL": database, "Severa": severa, "the ERP": erp}.get(whose) or wall(whose)
        _plan(play, rng.uniform(30, active), whose, step, rng.choice(STEPS))


def _plan(play: Play, at: float, whose: str, step: Callable[[float], Any], seconds: float) -> None:
    def stepped() -> None:
        step(seconds)
        play.kernel.say(f"{whose}'s clock steps by {seconds:.0f} s", "clock")

    play.at(at, stepped)


__all__ = ["befall"]
