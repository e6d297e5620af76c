"""What further people do in a play, and in the bridge itself: decide doubts, pause and resume, hold and release, type a
customer in both systems, void and pay again, copy and void documents.

Drawn from a stream of its own, as in ``fates``: a seed that is spared is the play that it would be without.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from random import Random
from typing import Any

from domain.errors import InputError
from simulation import bridge as contact
from simulation.judge import HELD, MARKER, Known
from simulation.play import Play
from simulation.vendors import Firms, Json

MEET = 0.25
"""In so many of all plays."""
ADDRESS = {"addressline": "Kungsgatan 2", "postalCode": "111 43", "city": "Stockholm", "country": "SE"}
KINDS = ("both systems", "paid again", "copied", "voided", "decided", "paused", "held")


def meet(play: Play, known: Known, seed: int, active: float) -> Callable[[], None]:
    """Plans what further people do; what is called when nothing goes wrong any more."""
    rng = Random(f"colleagues:{seed}")
    ends: list[Callable[[], None]] = []
    if rng.random() < MEET:
        for firm in play.cast:
            ends.append(Colleagues(play, known, rng, firm, active).plan())

    def end() -> None:
        for one in ends:
            one()

    return end


class Colleagues:
    """Further people of one firm."""

    def __init__(self, play: Play, known: Known, rng: Random, firm: Firms, active: float) -> None:
        self.play = play
        self.known = known
        self.rng = rng
        self.firm = firm
        self.active = active

    def plan(self) -> Callable[[], None]:
        """Plans; what is called at the fair end: nothing stays paused, and what is held is let go."""
        moves: dict[str, Callable[[], None]] = {
            "both systems": self._both_systems,
            "paid again": self._paid_again,
            "copied": self._copied,
            "voided": self._voided,
            "decided": self._decided,
            "paused": self._paused,
            "held": self._held,
        }
        self.kinds = self.rng.sample(KINDS, self.rng.choice((1, 2, 3)))
        for kind in self.kinds:
            moves[kind]()
        return self._end

    def _end(self) -> None:
        if "paused" in self.kinds:
            self._pause(paused=False, domain=None)
            self._pause(paused=False, domain="invoice")
        if "held" in self.kinds:
            self._hold(held=False)
            self._let_go()

    def _at(self, seconds: float, move: Callable[[], None]) -> None:
        self.play.at(min(seconds, self.active - 1), move)

    def _say(self, what: str) -> None:
        self.play.kernel.say(f"{what} ({self.firm.name})", "people")

    def _in_the_bridge(self, what: Callable[[Any], None]) -> None:
        """A command; what it refuses is not done."""
        with self.play.theatre.office.bridge(self.play._stop()) as bridge:
            try:
                what(bridge)
            except InputError as error:
                self._say(f"is told: {error.message[:80]}")

    # ---- in both systems

    def _both_systems(self) -> None:
        """One new customer, typed in Severa and in the ERP at about the same time."""
        rng, firm = self.rng, self.firm
        name, at = f"Tvåfaldig {rng.randint(100, 999)} AB", rng.uniform(1, 1_200)
        vat = rng.random() < 0.5
        ours: Json = {"name": name, "address": ADDRESS} | ({"vatNumber": "SE556677889901"} if vat else {})
        theirs: Json = {"name": name} | ({"corporateId": "556677-8899"} if vat else {})

        def typed(system: str, body: Json) -> None:
            # Who sees the customer there does not type it.
            standing = firm.register(
                *(("severa", "customers") if system == "Severa" else ("erp", "customer"))
            )
            if name in {str(one.get("name") or one["mainContact"]["name"]) for one in standing}:
                return
            self._say(f"types customer {name} in {system}")
            if system == "Severa":
                firm.severa("POST", "customers", body)
            else:
                firm.erp("POST", "customer", body)

        self._at(at, lambda: typed("Severa", ours))
        self._at(at + rng.choice((0.0, rng.uniform(0, 300))), lambda: typed("the ERP", theirs))

    def _paid_again(self) -> None:
        """Whatever stands paid is voided once, and paid on another day."""
        firm, done = self.firm, set[str]()

        def void() -> None:
            for payment in firm.register("erp", "payments"):
                number = str(payment["refNbr"])
                if number in done or payment.get("type", "Payment") != "Payment":
                    continue
                done.add(number)
                if payment["status"] not in ("Voided", "Hold"):
                    self._say(f"voids payment {number}")
                    firm.void(number)

        def pay() -> None:
            for document in self._ours():
                if document["status"] == "Open":
                    self._say(f"pays document {document['referenceNumber']} on the 27th")
                    done.add(firm.pay(document, date="2026-11-27"))

        for _ in range(2):
            at = self.rng.uniform(900, self.active)
            self._at(at, void)
            self._at(at + self.rng.choice((1.0, self.rng.uniform(1, 600))), pay)

    def _ours(self) -> list[Json]:
        """Documents of the bridge, as everybody sees them."""
        return [
            one
            for one in self.firm.documents()
            if MARKER.search(str(one.get("note") or ""))
            and (self.firm.name, str(one["referenceNumber"])) not in self.known.documents
        ]

    def _copied(self) -> None:
        """Somebody copies a document of ours, note included."""
        released, at = self.rng.random() < 0.5, self.rng.uniform(60, self.active)

        def copy() -> None:
            for document in self._ours()[:1]:
                row = {
                    "inventoryNumber": "KONS", "description": "Konsultation", "quantity": 1,
                    "unitPriceInCurrency": 500, "operation": "Insert",
                }  # fmt: skip
                made = self.firm.erp(
                    "POST",
                    "customerinvoice",
                    {
                        "customerNumber": str(document["customer"]["number"]),
                        "documentDate": "2026-11-20",
                        "hold": not released,
                        "released": released,
                        "note": str(document["note"]),
                        "invoiceLines": [row],
                    },
                )
                number = str(made["referenceNumber"])
                self.known.documents.add((self.firm.name, number))
                self._say(f"copies document {document['referenceNumber']} to {number} ({made['status']})")

        self._at(at, copy)

    def _voided(self) -> None:
        """Somebody voids a booked document of ours, or deletes one on hold."""

        def void() -> None:
            for document in self._ours()[:1]:
                number = str(document["referenceNumber"])
                guid = MARKER.search(str(document["note"]))
                if guid is None or document["status"] not in ("Open", *HELD):
                    continue
                self.known.removed.add(guid[1])
                if document["status"] == "Open":
                    self._say(f"voids document {number}")
                    self.firm.erp("PATCH", f"customerinvoice/{number}", {"status": "Voided"})
                else:
                    self._say(f"deletes document {number}")
                    self.firm.erp("DELETE", f"customerinvoice/{number}")

        self._at(self.rng.uniform(60, self.active), void)

    # ---- in the bridge

    def _decided(self) -> None:
        """Whoever is shown a doubt decides, at times on what was shown before."""
        shown: list[Json] = []

        def look(bridge: Any) -> None:
            shown[:] = contact.doubts(bridge, self.firm.name)

        def decide(bridge: Any, word: str) -> None:
            for doubt in shown:
                how = self._choice(doubt, word)
                with contextlib.suppress(InputError):
                    contact.decide(bridge, self.firm.name, doubt, how)
                    self._say(f"decides {how} of {str(doubt['record_id'])[:8]}")
                    self.known.again[doubt["record_id"]] += how == "make"

        for _ in range(3):
            at, word = self.rng.uniform(300, self.active), self.rng.choice(("wait", "make", "this"))
            self._at(at, lambda: self._in_the_bridge(look))
            later = at + self.rng.choice((1.0, self.rng.uniform(1, 900)))
            self._at(later, lambda word=word: self._in_the_bridge(lambda bridge: decide(bridge, word)))

    def _choice(self, doubt: Json, word: str) -> str:
        """A person who knows which document is the invoice's: *this* only of one that bears its marker."""
        if word != "this":
            return word
        numbers = {
            str(one["referenceNumber"]) for one in self._ours() if str(doubt["record_id"]) in str(one["note"])
        }
        mine = [one for one in doubt["candidates"] if str(one.get("number")) in numbers]
        return f"this:{mine[0]['type']}/{mine[0]['number']}" if mine else "wait"

    def _paused(self) -> None:
        domain, at = self.rng.choice((None, "invoice")), self.rng.uniform(1, 1_500)
        self._at(at, lambda: self._pause(paused=True, domain=domain))
        self._at(at + self.rng.uniform(10, 900), lambda: self._pause(paused=False, domain=domain))

    def _pause(self, *, paused: bool, domain: str | None) -> None:
        self._say(f"{'pauses' if paused else 'resumes'} {domain or 'all'}")
        self._in_the_bridge(
            lambda bridge: contact.pause(bridge, self.firm.name, paused=paused, domain=domain)
        )

    def _held(self) -> None:
        """Invoices wait for a person from some time on; who lets go what is held now and then."""
        self._at(self.rng.uniform(1, 600), lambda: self._hold(held=True))
        for _ in range(2):
            self._at(self.rng.uniform(300, self.active), self._let_go)
        if self.rng.random() < 0.5:
            self._at(self.rng.uniform(600, self.active), lambda: self._hold(held=False))

    def _hold(self, *, held: bool) -> None:
        self._say(f"sets hold_invoices {held}")
        self._in_the_bridge(
            lambda bridge: contact.set_setting(
                bridge, self.firm.name, "hold_invoices", "true" if held else "false"
            )
        )

    def _let_go(self) -> None:
        def let(bridge: Any) -> None:
            for row in contact.held(bridge, self.firm.name):
                self._say(f"lets invoice {str(row['record_id'])[:8]} go")
                contact.release(bridge, self.firm.name, str(row["id"]), str(row["seen"]))

        self._in_the_bridge(let)


__all__ = ["meet"]
