"""What people do in both systems while a run is under fire, by a seed: approve, withdraw, edit, approve again, send, pay,
void, enter customers and correct them.

They look before they move, as people do, and remember only what they want: that is what the ledger judges by.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

from faults.ledger import BOOKED, Asked, Edit, Firm, Ledger, judged
from stage import Stage

from simulators import seed

Json = dict[str, Any]

VAT_RATES = (("KONS", "Hours", 25), ("BOK", "ProjectFees", 6), ("HOTELL", "TravelExpenses", 12))


@dataclass
class Paper:
    """One invoice as its people see it. ``payments``: number in the ERP and amount, of those that stand."""

    firm: seed.Firm
    guid: str
    booked: bool = True
    payments: list[tuple[str, Decimal]] = field(default_factory=list)


@dataclass
class Correction:
    """The website of a customer, entered in one system; the other must show the last one."""

    firm: seed.Firm
    name: str
    system: str
    value: str


class People:
    """Everybody who works in either system. ``invoices``: how many they make, at most."""

    def __init__(self, stage: Stage, random: Random, *, invoices: int) -> None:
        self.stage = stage
        self.random = random
        self.most = invoices
        self.papers: list[Paper] = []
        self.corrections: dict[tuple[str, str], Correction] = {}
        self.newcomers: dict[str, list[str]] = {}
        self.did: Counter[str] = Counter()
        self._projects = {firm.name: stage.open_project(firm) for firm in stage.firms}
        self._roles = {org["client_id"]: org["roles"] for org in stage.severa_sim("GET", "/orgs")}
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._turn = itertools.count()

    # ---- one move at a time

    def move(self) -> None:
        """The next thing that somebody does."""
        moves: Mapping[Callable[[], bool], int] = {
            self.withdraw: 3,
            self.send: 5,
            self.pay: 5,
            self.void: 2,
            self.correct: 2,
            self.win_a_customer: 1,
            self.approve: 12,
        }
        [chosen] = self.random.choices(list(moves), list(moves.values()))
        if chosen():
            self.did[chosen.__name__.replace("_", " ")] += 1

    def go_on(self) -> None:
        """What was put off until now: an invoice that was withdrawn is approved again."""
        while self._later and self._later[0][0] <= time.monotonic():
            heapq.heappop(self._later)[2]()

    def finish(self) -> None:
        """Nobody leaves anything half done."""
        while self._later:
            heapq.heappop(self._later)[2]()

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._later, (time.monotonic() + seconds, next(self._turn), act))

    # ---- invoices

    def approve(self) -> bool:
        """An invoice is made and set to transfer, at once or after somebody has looked at the draft."""
        firm = self.random.choice(self.stage.firms)
        return self._approve(firm, self._projects[firm.name])

    def _approve(self, firm: seed.Firm, project: Mapping[str, Any]) -> bool:
        if len(self.papers) >= self.most:
            return False
        at_once = self.random.random() < 0.8
        made = self.stage.severa_sim(
            "POST",
            self.stage.org(firm, "/invoices"),
            {
                "customer": project["customer"]["guid"],
                "projects": [project["guid"]],
                "date": "2026-11-20",
                "dueDate": "2026-12-20",
                "status": "transfer" if at_once else "draft",
                "rows": [self._row() for _ in range(self.random.randint(1, 4))],
            },
        )
        paper = Paper(firm, made["guid"])
        self.papers.append(paper)
        if not at_once:
            self._after(self.random.uniform(1, 6), lambda: self._set(paper, "transfer"))
        return True

    def _row(self) -> Json:
        code, kind, rate = self.random.choice(VAT_RATES)
        return {
            "code": code,
            "description": f"Rad {next(self._turn)}",
            "quantity": str(Decimal(self.random.randint(1, 80)) / 4),
            "unitPrice": str(Decimal(self.random.randint(100, 200_000)) / 100),
            "vatRate": rate,
            "rowType": kind,
            "unit": "h" if kind == "Hours" else "st",
        }

    def withdraw(self) -> bool:
        """One that waits to be booked goes back to draft; mostly it is corrected and approved once more."""
        paper = self._one_in("transfer")
        if paper is None:
            return False
        self._set(paper, "draft")
        paper.booked = self.random.random() < 0.75
        if paper.booked:
            self._after(self.random.uniform(0.2, 8), lambda: self._correct_and_approve(paper))
        return True

    def _correct_and_approve(self, paper: Paper) -> None:
        seen = self._look(paper)
        if self.role(seen, paper.firm) == "draft" and not seen.get("number"):
            row = self.random.choice(seen["rows"])
            quantity = str(Decimal(self.random.randint(1, 80)) / 4)
            self.stage.severa_sim(
                "PATCH", self.stage.org(paper.firm, f"/invoicerows/{row['guid']}"), {"quantity": quantity}
            )
        if self.role(seen, paper.firm) in ("draft", "failed"):
            self._set(paper, "transfer")

    def try_again(self) -> None:
        """Finance sets what stands among the failed ones to transfer once more, as the problem tells them."""
        for firm in self.stage.firms:
            shown = {
                one["guid"]: one for one in self.stage.severa_sim("GET", self.stage.org(firm, "/invoices"))
            }
            for paper in self.papers:
                if paper.firm is firm and paper.booked and self.role(shown[paper.guid], firm) == "failed":
                    self._set(paper, "transfer")
                    self.did["tried again"] += 1

    def send(self) -> bool:
        """An invoice goes to its customer."""
        paper = self._one_in("transferred")
        if paper is not None:
            self._set(paper, "sent")
        return paper is not None

    # ---- money

    def pay(self) -> bool:
        """The bank brings the rest of what is owed, or a part of it."""
        paper = self._one_in(*BOOKED)
        if paper is None:
            return False
        seen = self._look(paper)
        paid = sum((amount for _, amount in paper.payments), Decimal(0))
        left = Decimal(str(seen["totalIncludingTax"]["amount"])) - paid
        if left <= 1:
            return False
        whole = self.random.random() < 0.7
        amount = left if whole else (left / 3).quantize(Decimal("0.01"))
        made = self.stage.erp_sim(
            "POST",
            self.stage.company(paper.firm, "/payments"),
            {"lines": [{"type": "Invoice", "number": str(seen["number"]), "amount": str(amount)}]},
        )
        paper.payments.append((str(made["refNbr"]), amount))
        return True

    def void(self) -> bool:
        """The last payment of an invoice was a mistake."""
        paid = [paper for paper in self.papers if paper.payments]
        if not paid:
            return False
        paper = self.random.choice(paid)
        number, _ = paper.payments.pop()
        self.stage.erp_sim("POST", self.stage.company(paper.firm, f"/payments/{number}/void"))
        return True

    # ---- customers

    def win_a_customer(self) -> bool:
        """Customer, project and a first invoice are entered within one moment."""
        if len(self.papers) >= self.most:
            return False
        firm = self.random.choice(self.stage.firms)
        number = next(self._turn)
        name = f"Nykund {number} AB"
        customer = self.stage.severa_sim(
            "POST",
            self.stage.org(firm, "/customers"),
            {
                "name": name,
                "vatNumber": f"SE5562{number:06d}01",
                "address": {"addressline": "Kungsgatan 1", "postalCode": "111 43", "city": "Stockholm", "country": "SE"},
            },
        )  # fmt: skip
        self.newcomers.setdefault(firm.name, []).append(name)
        project = self.stage.severa_sim(
            "POST",
            self.stage.org(firm, "/projects"),
            {"name": f"Projekt {number}", "customer": customer["guid"]},
        )
        return self._approve(firm, project)

    def correct(self) -> bool:
        """The website of a customer that both systems know; one customer is looked after in Severa, the next in the ERP."""
        firm = self.random.choice(self.stage.firms)
        both = self._in_both(firm)
        place = self.random.randrange(len(both))
        ours, theirs = both[place]
        value = f"https://sida{next(self._turn)}.example"
        system = "severa" if place % 2 else "erp"
        if system == "severa":
            self.stage.severa_sim(
                "PATCH", self.stage.org(firm, f"/customers/{ours['guid']}"), {"website": value}
            )
        else:
            self.stage.erp_sim(
                "PATCH",
                self.stage.company(firm, f"/customer/{theirs['number']}"),
                {"mainContact": {"web": value}},
            )
        self.corrections[firm.name, ours["name"]] = Correction(firm, ours["name"], system, value)
        return True

    def _in_both(self, firm: seed.Firm) -> list[tuple[Json, Json]]:
        theirs = {
            row["name"]: row for row in self.stage.erp_sim("GET", self.stage.company(firm, "/customer"))
        }
        found = self.stage.severa_sim("GET", self.stage.org(firm, "/customers"))
        return [
            (ours, theirs[ours["name"]])
            for ours in found
            if ours["name"] in theirs and not ours["name"].startswith("Nykund") and not ours["isInternal"]
        ]

    # ---- looking

    def _one_in(self, *roles: str) -> Paper | None:
        """One of a few papers looked at that stands in such a status."""
        for paper in self.random.sample(self.papers, min(6, len(self.papers))):
            if paper.booked and self.role(self._look(paper), paper.firm) in roles:
                return paper
        return None

    def _look(self, paper: Paper) -> Json:
        found: Json = self.stage.severa_sim("GET", self.stage.org(paper.firm, f"/invoices/{paper.guid}"))
        return found

    def _set(self, paper: Paper, role: str) -> None:
        self.stage.severa_sim(
            "POST", self.stage.org(paper.firm, f"/invoices/{paper.guid}/status"), {"status": role}
        )

    def role(self, invoice: Json, firm: seed.Firm) -> str:
        """draft, transfer, failed, transferred, sent, partly_paid or paid."""
        return self._role_names(firm).get(invoice["status"]["guid"], "?")

    def _role_names(self, firm: seed.Firm) -> dict[str, str]:
        return {guid: role for role, guid in self._roles[firm.severa_client_id].items()}

    # ---- the judgement

    def ledger(self, problems: Mapping[str, list[Json]]) -> Ledger:
        """Everything that people asked for beside what both vendors show. ``problems``: the open ones by firm's name."""
        whole = Ledger()
        for firm in self.stage.firms:
            part = judged(
                [Asked(paper.guid, paper.booked) for paper in self.papers if paper.firm is firm],
                self._edits(firm),
                self._shown(firm, problems.get(firm.name, [])),
            )
            whole.lines += part.lines
            whole.strays += part.strays
        return whole

    def _shown(self, firm: seed.Firm, problems: list[Json]) -> Firm:
        erp = {
            register: self.stage.erp_sim("GET", self.stage.company(firm, f"/{register}"))
            for register in (
                "marked?prefix=severa:",
                "customerinvoice",
                "customercreditnote",
                "sent",
                "customer",
            )
        }
        new = set(self.newcomers.get(firm.name, ()))
        return Firm(
            invoices=self.stage.severa_sim("GET", self.stage.org(firm, "/invoices")),
            roles=self._role_names(firm),
            marked=erp["marked?prefix=severa:"],
            documents=[*erp["customerinvoice"], *erp["customercreditnote"]],
            sent_by_erp=erp["sent"],
            problems=problems,
            names={"customer": [row["name"] for row in erp["customer"] if row["name"] in new]},
        )

    def _edits(self, firm: seed.Firm) -> list[tuple[Edit, str | None]]:
        theirs = {
            row["name"]: row for row in self.stage.erp_sim("GET", self.stage.company(firm, "/customer"))
        }
        ours = {row["name"]: row for row in self.stage.severa_sim("GET", self.stage.org(firm, "/customers"))}
        found: list[tuple[Edit, str | None]] = []
        for (name, customer), made in self.corrections.items():
            if name == firm.name:
                shown = (
                    theirs[customer]["mainContact"]["web"]
                    if made.system == "severa"
                    else ours[customer]["website"]
                )
                found.append((Edit(f"{customer}, website from {made.system}", made.value), shown))
        for customer in self.newcomers.get(firm.name, ()):
            number = str(ours[customer]["number"])
            there = theirs[customer]["number"] if customer in theirs else None
            found.append((Edit(f"{customer} made in Severa", number), there))
        return found
