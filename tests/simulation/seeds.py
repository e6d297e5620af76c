"""What a seed makes of a play: who does what when, and what goes wrong.

A seed first chooses a temper (how much goes wrong, and of which kinds), then what people do. Everything is drawn from the
seed, nothing from the run, so that two runs of one seed are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random

from simulation import bridge as contact
from simulation.colleagues import meet
from simulation.fates import befall
from simulation.judge import Known, Verdict, judge
from simulation.play import Play, PlayError, Theatre
from simulation.points import (
    Answer,
    Change,
    Crash,
    Deed,
    Late,
    LoseAnswer,
    LoseRequest,
    Message,
    Pause,
    Point,
    Refuse,
)
from simulation.vendors import Firms
from simulation.wire import HTML

ACTIVE = 2_400.0
"""Seconds in which people act and things go wrong; then the play is ended fairly."""
LONG = (400.0, 1_500.0)
"""A pause longer than any lease and settle time."""


@dataclass(frozen=True, slots=True)
class Temper:
    """How likely what is, per point. ``kinds``: the faults of this play."""

    writes: float
    reads: float
    commits: float
    messages: float
    kinds: frozenset[str]


KINDS = (
    "crash", "pause", "lost request", "lost answer", "late", "wrong answer", "not found", "refused", "limited",
    "broker", "clocks",
)  # fmt: skip


class Chance:
    """Decides by the seed."""

    def __init__(self, rng: Random, temper: Temper) -> None:
        self._rng = rng
        self._temper = temper
        self.deeds = 0

    def at(self, point: Point) -> list[Deed]:
        deed = self._deed(point)
        if deed is None:
            return []
        self.deeds += 1
        return [deed]

    def _deed(self, point: Point) -> Deed | None:
        rng, temper = self._rng, self._temper
        if point.actor == "operator":
            return None
        if point.where == "message":
            return self._message() if "broker" in temper.kinds and rng.random() < temper.messages else None
        if point.where in ("begin", "commit", "committed"):
            if rng.random() >= temper.commits:
                return None
            # Nobody stands still with a transaction open: PostgreSQL ends it after ten seconds, as a crash does.
            return self._stop_or_pause(pauses=point.where != "commit")
        write = not point.what.startswith("GET") and not point.what.endswith("oken")
        likely = temper.writes if write else temper.reads
        if rng.random() >= likely:
            return None
        if point.where in ("headers", "body", "answered"):
            if point.where == "headers" and "refused" in temper.kinds and rng.random() < 0.2:
                return Refuse()
            return self._stop_or_pause()
        return self._fate(write=write)

    def _stop_or_pause(self, *, pauses: bool = True) -> Deed | None:
        kinds = [
            kind for kind in ("crash", "pause") if kind in self._temper.kinds and (pauses or kind == "crash")
        ]
        if not kinds:
            return None
        if self._rng.choice(kinds) == "crash":
            return Crash(self._rng.uniform(1, 60))
        return Pause(self._rng.uniform(*LONG) if self._rng.random() < 0.6 else self._rng.uniform(1, 120))

    def _fate(self, *, write: bool) -> Deed | None:
        rng = self._rng
        kinds = self._temper.kinds & {
            "lost request", "lost answer", "late", "wrong answer", "limited", *([] if write else ["not found"]),
        }  # fmt: skip
        if not kinds:
            return None
        match rng.choice(sorted(kinds)):
            case "lost request":
                return LoseRequest(reset=rng.random() < 0.5)
            case "lost answer":
                return LoseAnswer(reset=rng.random() < 0.5)
            case "late":
                return Late(rng.uniform(20, 230), answer=rng.choice((0.0, 0.0, 300.0)))
            case "limited":
                return Answer(429, b"Rate limit is exceeded.", {"Retry-After": str(rng.randint(1, 60))})
            case "not found":
                return Answer(404, b"")
            case _:
                return self._wrong(write=write)

    def _wrong(self, *, write: bool) -> Deed:
        done = self._rng.random() < 0.5
        choices: list[Deed] = [
            Answer(
                500, b'{"message":"An error has occurred."}', {"Content-Type": "application/json"}, done=done
            ),
            Answer(503, HTML, {"Content-Type": "text/html"}, done=done),
            Answer(cut=True),
        ]
        if not write:
            choices += [
                Answer(200, HTML, {"Content-Type": "text/html"}),
                Answer(200, b"", {}),
                Answer(200, b"null", {"Content-Type": "application/json"}),
                Change(lambda body: body[: len(body) // 2]),
            ]
        return self._rng.choice(choices)

    def _message(self) -> Deed:
        rng = self._rng
        return rng.choice(
            (
                Message(()),
                Message(None),
                Message((0.0, rng.uniform(0, 5))),
                Message((0.0, rng.uniform(30, 600))),
                Message((rng.uniform(10, 400),)),
            )
        )


@dataclass
class Outcome:
    """What a seed came to."""

    seed: int
    verdict: Verdict
    trace: list[str] = field(default_factory=list)
    calls: int = 0
    deeds: int = 0

    @property
    def clean(self) -> bool:
        return self.verdict.clean


def play_seed(theatre: Theatre, seed: int) -> Outcome:
    """Plays one seed to its end and judges it."""
    rng = Random(f"play/{seed}")
    chance = Chance(Random(f"chance/{seed}"), _temper(rng))
    play = Play(
        theatre,
        seed,
        director=chance,
        workers=rng.choice((2, 2, 3, 4)),
        few=rng.random() < 0.85,
        taking_part=rng.choice((1, 1, 1, 2)),
    )
    known = Known()
    verdict = Verdict()
    try:
        with play.running():
            People(play, known, rng).plan()
            if "clocks" in chance._temper.kinds:
                _clocks(play, rng)
            if "broker" in chance._temper.kinds and rng.random() < 0.3:
                play.at(rng.uniform(60, ACTIVE), lambda: _purge(play))
            # Whoever is not spared by these plays otherwise; whoever is, plays as without them.
            ends = meet(play, known, seed, ACTIVE), befall(play, seed, ACTIVE)
            play.run(ACTIVE)
            play.fair()
            for end in ends:
                end()
            rested = play.rest()
            verdict = judge(play, known, rested=rested)
    except (PlayError, AssertionError) as error:
        verdict.unexpected.append(f"the play itself: {error}")
    return Outcome(seed, verdict, [str(line) for line in play.kernel.trace], play.wire.calls, chance.deeds)


def _temper(rng: Random) -> Temper:
    kinds = frozenset(rng.sample(KINDS, rng.choice((1, 2, 2, 3, 4, 6, len(KINDS)))))
    wild = rng.choice((0.5, 1.0, 1.0, 2.0))
    return Temper(
        writes=0.12 * wild, reads=0.01 * wild, commits=0.006 * wild, messages=0.15 * wild, kinds=kinds
    )


def _clocks(play: Play, rng: Random) -> None:
    """Clocks that are wrong from the start, and one that steps."""
    for process in play.processes.values():
        process.wall_ahead = rng.choice((0.0, 0.0, rng.uniform(-1200, 1200)))

    def step() -> None:
        play.database.ahead += seconds
        play.kernel.say(f"PostgreSQL's clock steps by {seconds:.0f} s", "clock")

    seconds = rng.choice((1200.0, -30.0, 90.0))
    if rng.random() < 0.5:
        play.at(rng.uniform(30, ACTIVE), step)


def _purge(play: Play) -> None:
    play.kernel.say(f"{play.queue.purge()} messages are purged", "broker")


class People:
    """What people of both systems do in a play."""

    def __init__(self, play: Play, known: Known, rng: Random) -> None:
        self.play = play
        self.known = known
        self.rng = rng

    def plan(self) -> None:
        """Plans everybody's moves."""
        rng, play = self.rng, self.play
        for firm in play.cast:
            for n in range(rng.choice((1, 1, 2, 3))):
                self._invoice(firm, n)
            if rng.random() < 0.35:
                self._customer(firm)
            if rng.random() < 0.35:
                self._edits(firm)
            if rng.random() < 0.4:
                self._retries(firm)
            self._auto_invoice(firm)
        for _ in range(rng.randint(3, 6)):
            play.poll_soon(rng.uniform(5, ACTIVE))

    def _at(self, seconds: float, what: str, move: Callable[[], None]) -> None:
        self.play.at(seconds, move, what)

    def _invoice(self, firm: Firms, n: int) -> None:
        rng = self.rng
        guid = firm.draft(firm.project(rng.choice((1001, 1002))), price=str(rng.randint(1, 400) * 10))
        name = f"invoice {guid[:8]} of {firm.name}"
        at = rng.uniform(1, 300)
        self._at(at, f"approve {name}", partial(firm.move, guid, "transfer"))
        kind = rng.choice(("", "", "", "withdrawn", "repriced", "withdrawn and approved", "paid"))
        if kind == "repriced":
            price = str(rng.randint(1, 400) * 10)
            self._at(
                at + rng.uniform(0, 600),
                f"set the price of {name} to {price}",
                partial(self._reprice, firm, guid, price),
            )
        if kind.startswith("withdrawn"):
            back = at + rng.uniform(0, 900)
            self._at(back, f"take {name} back to draft", partial(self._withdraw, firm, guid))
            if kind.endswith("approved"):
                self._at(
                    back + rng.uniform(1, 900), f"approve {name} again", partial(self._approve, firm, guid)
                )
        if kind == "paid":
            for seconds in range(600, int(ACTIVE), 300):
                self._at(at + seconds, "", partial(self._pay, firm, guid))

    def _withdraw(self, firm: Firms, guid: str) -> None:
        # What is numbered is not taken back: Severa's people see that it is booked.
        if firm.role(guid) in ("transfer", "failed"):
            firm.move(guid, "draft")

    def _approve(self, firm: Firms, guid: str) -> None:
        if firm.role(guid) == "draft":
            firm.move(guid, "transfer")

    def _reprice(self, firm: Firms, guid: str, price: str) -> None:
        # An invoice in transfer is read-only: it is taken back, changed and approved again.
        role = firm.role(guid)
        if role == "transfer":
            firm.move(guid, "draft")
        if role in ("draft", "transfer", "failed"):
            firm.reprice(guid, price)
        if role == "transfer":
            firm.move(guid, "transfer")

    def _pay(self, firm: Firms, guid: str) -> None:
        for document in firm.documents():
            if guid in str(document["note"]) and document["status"] == "Open":
                self.play.kernel.say(f"pay document {document['referenceNumber']}", "people")
                firm.pay(document, date="2026-11-20")

    def _auto_invoice(self, firm: Firms) -> None:
        """Severa's AutoInvoice: whatever is *transferred* is sent, each time it is."""

        def send() -> None:
            for invoice in firm.register("severa", "invoices"):
                if firm.roles[invoice["status"]["guid"]] == "transferred":
                    self.play.kernel.say(f"AutoInvoice sends {invoice['guid'][:8]}", "severa")
                    firm.move(invoice["guid"], "sent")

        every = self.rng.uniform(60, 600)
        for n in range(1, int(ACTIVE / every)):
            self._at(n * every, "", send)

    def _customer(self, firm: Firms) -> None:
        name = f"Nykund {self.rng.randint(100, 999)} AB"
        if self.rng.random() < 0.7:
            address = {
                "addressline": "Kungsgatan 1",
                "postalCode": "111 43",
                "city": "Stockholm",
                "country": "SE",
            }
            self._at(
                self.rng.uniform(1, 900),
                f"add customer {name} in Severa",
                lambda: firm.severa("POST", "customers", {"name": name, "address": address}),
            )

    def _edits(self, firm: Firms) -> None:
        rng = self.rng
        customer = next(one for one in firm.register("severa", "customers") if one["number"] == 10002)
        for n in range(rng.choice((1, 1, 2, 3))):
            site = f"https://s{n}.example"
            if rng.random() < 0.5:
                self._at(
                    rng.uniform(1, 1500), f"website of {customer['name']} in Severa: {site}",
                    partial(firm.change, "customers", customer["guid"], website=site),
                )  # fmt: skip
            else:
                self._at(
                    rng.uniform(1, 1500), f"web of customer 10002 in the ERP: {site}",
                    partial(firm.erp, "PATCH", "customer/10002", {"mainContact": {"web": site}}),
                )  # fmt: skip

    def _retries(self, firm: Firms) -> None:
        """A person who tries again whatever is a problem."""

        def try_again() -> None:
            with self.play.theatre.office.bridge(self.play._stop()) as bridge:
                for problem in contact.problems(bridge, firm.name):
                    if problem["domain"] != "poll":
                        self.play.kernel.say(f"try {problem['code']} again", "people")
                        contact.retry(bridge, firm.name, problem)

        for _ in range(2):
            self._at(self.rng.uniform(600, ACTIVE), "", try_again)


__all__ = ["ACTIVE", "Chance", "Outcome", "play_seed"]
