"""Words for schedules written by hand: what is said here reads as never-twice.md says it.

with stage(theatre) as play:
    play.pause("worker", before="DELETE erp .*customerinvoice", seconds=900)
    …
    play.end()
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from simulation import bridge as contact
from simulation.judge import Known, Verdict, judge
from simulation.play import Play, Theatre
from simulation.points import (
    Answer,
    Calm,
    Change,
    Crash,
    Deed,
    Do,
    Late,
    Lie,
    LoseAnswer,
    LoseRequest,
    Pause,
    Rule,
    Script,
    Then,
    Where,
)
from simulation.vendors import Firms, Json
from simulation.wire import HTML

CREATE = "POST erp /v2/customer(invoice|[Cc]reditNote)$"
HOLD_OFF = "PUT erp .*customerinvoice"
RELEASE = "POST erp .*action/release"
REMOVE = "DELETE erp .*customerinvoice"
READ_DOCUMENT = "GET erp .*/customerinvoice/[0-9]+$"
LIST_DOCUMENTS = "GET erp .*(customerdocument|customerinvoice)$"
READ_INVOICE = "GET severa .*/invoices/[0-9a-f-]+$"
WRITE_BACK = "PATCH severa .*/invoices/"
NEW_CUSTOMER = "POST erp /v1/customer$"


@dataclass
class Stage:
    """One play with a script instead of chance."""

    play: Play
    script: Script
    known: Known = field(default_factory=Known)

    @property
    def firm(self) -> Firms:
        """The firm in which everything happens."""
        return self.play.firms[0]

    # ---- what goes wrong

    def rule(
        self, deed: Deed, where: Where, what: str, *, actor: str = "", times: int | None = 1, skip: int = 0
    ) -> Rule:
        """One line of the schedule."""
        made = Rule(deed, where, what, actor, times, skip)
        self.script.rules.append(made)
        return made

    def pause(
        self,
        actor: str,
        *,
        seconds: float,
        before: str = "",
        between: str = "",
        after: str = "",
        times: int | None = 1,
        skip: int = 0,
    ) -> Rule:
        """The actor stands still ``before`` a call goes out, ``between`` its headers and its body, or ``after`` its answer."""
        where: Where = "headers" if before else "body" if between else "answered"
        deed: Deed = Then(Pause(seconds)) if after else Pause(seconds)
        return self.rule(deed, where, before or between or after, actor=actor, times=times, skip=skip)

    def crash(
        self, actor: str, *, before: str = "", after: str = "", restart: float = 20.0, skip: int = 0
    ) -> Rule:
        """The actor's process dies there."""
        deed: Deed = Crash(restart) if before else Then(Crash(restart))
        return self.rule(deed, "headers" if before else "answered", before or after, actor=actor, skip=skip)

    def lose_request(self, what: str, *, reset: bool = False, times: int | None = 1) -> Rule:
        """The call never arrives; the caller hears nothing, or that the connection broke."""
        return self.rule(LoseRequest(reset), "sent", what, times=times)

    def lose_answer(self, what: str, *, reset: bool = True, times: int | None = 1) -> Rule:
        """The vendor does it, the answer is lost."""
        return self.rule(LoseAnswer(reset), "sent", what, times=times)

    def late(self, what: str, *, seconds: float, answer: float = 0.0, times: int | None = 1) -> Rule:
        """The call arrives so much later."""
        return self.rule(Late(seconds, answer), "sent", what, times=times)

    def answer(
        self,
        what: str,
        status: int,
        body: bytes = b"",
        *,
        times: int | None = 1,
        skip: int = 0,
        **headers: str,
    ) -> Rule:
        """The vendor does nothing and answers this."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.rule(Answer(status, body, named), "sent", what, times=times, skip=skip)

    def lie(self, what: str, *, times: int | None = 1, skip: int = 0) -> Rule:
        """The vendor answers as if it had done it, and did nothing."""
        return self.rule(Lie(), "sent", what, times=times, skip=skip)

    def ignore(self, what: str, *, times: int | None = 1) -> Rule:
        """Severa does nothing with a PATCH, and answers with the record as it was."""
        return self.rule(Lie(as_before=True), "sent", what, times=times)

    def html(self, what: str, *, times: int | None = 1) -> Rule:
        """A maintenance page with status 200."""
        return self.answer(what, 200, HTML, times=times, Content_Type="text/html")

    def change(self, what: str, how: Callable[[bytes], bytes], *, times: int | None = 1) -> Rule:
        """The vendor's own answer, changed."""
        return self.rule(Change(how), "sent", what, times=times)

    def when(
        self, what: str, move: Callable[[], None], *, where: Where = "headers", actor: str = "", skip: int = 0
    ) -> Rule:
        """Something happens at that very moment."""
        return self.rule(Do(move), where, what, actor=actor, skip=skip)

    # ---- time and people

    def run(self, seconds: float) -> None:
        """Lets so much time pass."""
        self.play.run(seconds)

    def poll(self, *, seconds: float = 120.0) -> None:
        """Both systems are read once, and what follows from it has ``seconds`` to happen."""
        self.play.poll_soon()
        self.play.run(seconds)

    def sweep_soon(self) -> None:
        """The next poll reads every register whole, as once a day."""
        self.play.theatre.store.look(contact.SWEEP)

    def approve(self, *, price: str = "1000", **members: Any) -> str:
        """A person approves a new invoice; its guid."""
        guid = self.firm.draft(self.firm.project(), price=price, **members)
        self.firm.move(guid, "transfer")
        return guid

    def booked(self, **members: Any) -> str:
        """An invoice that was booked without trouble."""
        guid = self.approve(**members)
        self.poll()
        assert self.firm.role(guid) == "transferred"
        return guid

    def documents(self, guid: str) -> list[Json]:
        """The ERP's documents with the marker of an invoice."""
        return [one for one in self.firm.documents() if guid in str(one["note"])]

    def auto_invoice(self, *, every: float = 60.0, hours: float = 3.0) -> None:
        """AutoInvoice sends whatever is *transferred*, each time it is."""
        firm = self.firm

        def send() -> None:
            for invoice in firm.register("severa", "invoices"):
                if firm.roles[invoice["status"]["guid"]] == "transferred":
                    self.play.kernel.say(f"AutoInvoice sends {invoice['guid'][:8]}", "severa")
                    firm.move(invoice["guid"], "sent")

        for n in range(1, int(hours * 3600 / every)):
            self.play.at(n * every, send)

    def operator(self, what: Callable[[Any], Any]) -> None:
        """A command of the operator, at once."""
        with self.play.theatre.office.bridge(self.play._stop()) as bridge:
            what(bridge)

    def setting(self, key: str, value: str) -> None:
        """A person changes a setting of the tenant."""
        self.operator(lambda bridge: contact.set_setting(bridge, self.firm.name, key, value))

    def problems(self) -> list[dict[str, Any]]:
        """The open problems."""
        return self.play.problems(self.firm)

    # ---- databases of the past

    def keep(self) -> None:
        """The operator takes a dump."""
        self.play.kernel.say("dumps the database", "operator")
        self.play.theatre.store.keep("old")

    def restore(self, *, running: bool = False) -> None:
        """The operator puts the dump back; processes are stopped before and started after, or run on (``running``)."""
        self.play.kernel.say("restores the dump", "operator")
        names = list(self.play.processes)
        if not running:
            for name in names:
                self.play.kill(name, restart=None)
            self.play.run(1)
        self.play.theatre.store.put_back("old", sequences=False)
        if not running:
            for name in names:
                self.play.start(name)
        self.play.run(30)

    def adopt_if_asked(self) -> None:
        """The operator adopts the database, but only when the bridge says that it must be."""

        def adopt(bridge: Any) -> None:
            if contact.writes_off(bridge):
                self.play.kernel.say("adopts the database, as the bridge asks", "operator")
                contact.adopt(bridge)

        self.operator(adopt)

    # ---- the end

    def end(self, *, keep_script: bool = False) -> Verdict:
        """The fair end and the verdict; AssertionError when it is not clean."""
        self.play.fair()
        if keep_script:
            self.play.wire.director = self.script
        rested = self.play.rest()
        verdict = judge(self.play, self.known, rested=rested)
        assert verdict.clean, str(verdict)
        return verdict


@contextlib.contextmanager
def stage(theatre: Theatre, *, seed: int = 1, workers: int = 2, few: bool = True) -> Iterator[Stage]:
    """A play whose schedule is written by hand."""
    script = Script()
    play = Play(theatre, seed, director=script, workers=workers, few=few)
    with play.running():
        try:
            yield Stage(play, script)
        finally:
            # pytest shows it below a failure, and with -rP or -s always.
            sys.stdout.write(f"{play.words()}\n")


__all__ = [
    "CREATE",
    "HOLD_OFF",
    "LIST_DOCUMENTS",
    "NEW_CUSTOMER",
    "READ_DOCUMENT",
    "READ_INVOICE",
    "RELEASE",
    "REMOVE",
    "WRITE_BACK",
    "Calm",
    "Stage",
    "stage",
]
