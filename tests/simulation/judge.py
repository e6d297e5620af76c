"""What became of everything, read from the two vendors' ledgers and, for what is explained, from the problem list.

lost        a change of the last state that neither arrived nor waits with a reason nor is a problem
doubled     a second released document, a second sending, a second customer, product, project
stuck       work that never ends: still moving after hours in which nothing went wrong
unexpected  a surplus document, one tenant's record at another, wrong numbers, an error nobody knows
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from simulation.play import Play
from simulation.vendors import Firms, Json

MARKER = re.compile(r"severa:([0-9a-f-]{36})")
HELD = ("Hold", "Balanced", "CreditHold", "PendingPrint", "PendingEmail")
# A call that is sent again after each fault of a wild play stays well below this.
WRITES_PER_RECORD = 40


@dataclass
class Known:
    """What the judge cannot see in a ledger: what people did on purpose."""

    documents: set[tuple[str, str]] = field(default_factory=set)
    """(firm, number) of documents that people made in the ERP, copies included."""
    again: Counter[str] = field(default_factory=Counter)
    """Severa invoice → how many more documents a person asked for ('make it again')."""
    closed_by_hand: set[str] = field(default_factory=set)
    """Severa invoices whose status a person set behind the bridge's back."""
    removed: set[str] = field(default_factory=set)
    """Severa invoices whose document a person voided or removed."""
    unseen: set[str] = field(default_factory=set)
    """Severa records that no list ever shows."""
    notes: dict[tuple[str, str], str] = field(default_factory=dict)
    """(firm, number) → Severa invoice, where a person wrote over the note."""


@dataclass
class Verdict:
    """Sentences, by kind."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    explained: int = 0
    proven: int = 0

    @property
    def clean(self) -> bool:
        return not (self.lost or self.doubled or self.stuck or self.unexpected)

    def __str__(self) -> str:
        said = [
            f"{kind}: {sentence}"
            for kind in ("lost", "doubled", "stuck", "unexpected")
            for sentence in getattr(self, kind)
        ]
        return "\n".join(said) or f"all well: {self.proven} proven, {self.explained} explained"


def judge(play: Play, known: Known | None = None, *, rested: bool = True) -> Verdict:
    """Judges a play that has come to its end. ``rested``: whether it came to rest (``Play.rest``)."""
    known = known or Known()
    verdict = Verdict()
    if not rested:
        last = ", ".join(sorted({f"{one.method} {one.system} {one.path}" for one in play.wire.writes[-6:]}))
        verdict.stuck.append(f"writes without end; the last: {last}")
    for error in play.broken:
        verdict.unexpected.append(f"an error nobody knows: {error}")
    everybodys = {
        one["guid"]: firm.name for firm in play.firms for one in firm.register("severa", "invoices")
    }
    for firm in play.firms:
        _Firm(play, firm, known, verdict, everybodys).judge()
    for (system, path), count in Counter((one.system, one.path) for one in play.wire.writes).items():
        # A register's own address takes a POST per record.
        if count > WRITES_PER_RECORD and re.search(r"\d", path.rpartition("/")[2]):
            verdict.unexpected.append(f"an echo: {system} {path} was written {count} times")
    return verdict


@dataclass
class _Firm:
    """One firm's ledgers."""

    play: Play
    firm: Firms
    known: Known
    verdict: Verdict
    everybodys: dict[str, str]

    def judge(self) -> None:
        firm = self.firm
        self.roles = firm.roles
        self.open = firm_problems = self.play.problems(firm)
        self.told = {row["record_id"] for row in firm_problems}
        self.documents: dict[str, list[Json]] = {}
        self.released = self._released()
        for document in firm.documents():
            self._sort(document)
        for invoice in firm.register("severa", "invoices"):
            self._invoice(invoice)
        self._customers()
        self._items()
        self._projects()

    # ---- documents

    def _released(self) -> Counter[str]:
        """Severa invoice → how often a document of its was released, ever; the ERP keeps this count."""
        found: Counter[str] = Counter()
        for mark, entry in self.firm.erp("GET", "marked?prefix=severa:").items():
            if guid := MARKER.match(mark):
                found[guid[1]] += entry["releases"]
        return found

    def _sort(self, document: Json) -> None:
        number = str(document["referenceNumber"])
        if (self.firm.name, number) in self.known.documents:
            return
        mark = MARKER.search(str(document.get("note") or ""))
        guid = self.known.notes.get((self.firm.name, number)) or (mark[1] if mark else "")
        if not guid:
            return
        if self.everybodys.get(guid, self.firm.name) != self.firm.name:
            self.verdict.unexpected.append(
                f"{self.firm.name} has document {number} of another tenant's invoice"
            )
        self.documents.setdefault(guid, []).append(document)

    def _invoice(self, invoice: Json) -> None:
        guid, verdict = invoice["guid"], self.verdict
        role = self.roles[invoice["status"]["guid"]]
        name = f"{self.firm.name} invoice {guid[:8]} ({role})"
        documents = self.documents.get(guid, [])
        released = [one for one in documents if one["status"] not in HELD]
        most = 1 + self.known.again[guid]
        ever = max(self.released[guid] - self._by_people(guid), len(released))
        if ever > most:
            verdict.doubled.append(f"{name}: {ever} released documents ({_numbers(documents)})")
        # Back from *paid* because a payment was voided sends nothing.
        sent = sum(
            one["field"] == "status"
            and self.roles.get(_ref(one["new"])) == "sent"
            and self.roles.get(_ref(one["old"])) not in ("paid", "partly_paid")
            for one in invoice["history"]
        )
        if sent > most:
            verdict.doubled.append(f"{name}: sent {sent} times")
        told = guid in self.told
        if told:
            verdict.explained += 1
            return
        if held := [one for one in documents if one["status"] in HELD]:
            verdict.unexpected.append(f"{name}: document {_numbers(held)} stays on hold, and nobody is told")
        if role in ("transfer", "failed"):
            verdict.lost.append(f"{name}: asks for transfer, no problem says why it is not booked")
        elif role == "draft":
            if released:
                verdict.lost.append(f"{name}: document {_numbers(released)} is booked, and nobody is told")
        elif not released and guid not in self.known.removed and guid not in self.known.closed_by_hand:
            verdict.lost.append(f"{name}: no released document")
        elif released:
            self._numbered(name, invoice, role, released)

    def _by_people(self, guid: str) -> int:
        """Releases of documents that people made, such as copies with the note of ours."""
        return sum(
            one["status"] not in HELD
            for one in self.firm.documents()
            if (self.firm.name, str(one["referenceNumber"])) in self.known.documents
            and guid in str(one.get("note") or "")
        )

    def _numbered(self, name: str, invoice: Json, role: str, released: list[Json]) -> None:
        verdict = self.verdict
        numbers = {str(one["referenceNumber"]) for one in released}
        if str(invoice["number"]) not in numbers:
            verdict.lost.append(f"{name}: shows number {invoice['number']}, booked is {_numbers(released)}")
            return
        document = next(one for one in released if str(one["referenceNumber"]) == str(invoice["number"]))
        total = _amount(invoice["totalIncludingTax"])
        if abs(abs(total) - abs(_amount(document["amountInCurrency"]))) > Decimal("0.05"):
            verdict.unexpected.append(f"{name}: {total} was booked as {document['amountInCurrency']}")
        if document["status"] == "Closed" and invoice["guid"] not in self.known.closed_by_hand:
            self._paid(name, invoice, role, document)
        verdict.proven += 1

    def _paid(self, name: str, invoice: Json, role: str, document: Json) -> None:
        if role == "transferred":
            # AutoInvoice has not sent it yet: the bridge leaves the status to it until then.
            return
        if role != "paid":
            self.verdict.lost.append(f"{name}: paid in the ERP, {role} in Severa")
            return
        dates = [
            str(one.get("applicationDate") or one.get("paymentDate") or "")[:10]
            for one in self.firm.register("erp", "payments")
            if one.get("status") not in ("Voided", "Hold")
            and one.get("type", "Payment") == "Payment"
            and any(
                str(line.get("refNbr")) == str(document["referenceNumber"])
                for line in one.get("paymentLines") or ()
            )
        ]
        shown = str(invoice.get("paymentDate") or "")[:10]
        if dates and shown not in dates:
            self.verdict.lost.append(f"{name}: paid on {max(dates)}, Severa says {shown}")

    # ---- registers

    def _customers(self) -> None:
        ours = [one for one in self.firm.register("severa", "customers") if not one["isInternal"]]
        theirs = self.firm.register("erp", "customer")
        self._twice("customer", [str(one["name"]) for one in ours], "Severa")
        self._twice("customer", [str(one["mainContact"]["name"]) for one in theirs], "the ERP")
        by_name = {str(one["mainContact"]["name"]): one for one in theirs}
        for one in ours:
            there = by_name.get(str(one["name"]))
            if self._told(one, there):
                self.verdict.explained += 1
            elif there is None:
                self.verdict.lost.append(f"{self.firm.name}: customer {one['name']} is not in the ERP")
            else:
                for mine, its in (("website", "web"), ("email", "email")):
                    if (one[mine] or "") != (there["mainContact"][its] or ""):
                        self.verdict.lost.append(
                            f"{self.firm.name}: {mine} of {one['name']} is {one[mine]!r} in Severa, "
                            f"{there['mainContact'][its]!r} in the ERP"
                        )
                self.verdict.proven += 1
        names = {str(one["name"]) for one in ours}
        for one in theirs:
            if str(one["mainContact"]["name"]) not in names and not self._told(one):
                self.verdict.lost.append(f"{self.firm.name}: ERP customer {one['number']} is not in Severa")

    def _items(self) -> None:
        ours = [
            one for register in ("products", "worktypes", "travelexpensetypes")
            for one in self.firm.register("severa", register)
        ]  # fmt: skip
        theirs = self.firm.register("erp", "inventory")
        self._twice("item", [str(one["code"]) for one in ours if one["code"]], "Severa")
        self._twice("item", [str(one["inventoryNumber"]) for one in theirs], "the ERP")

    def _projects(self) -> None:
        theirs = {str(one["projectID"]): one for one in self.firm.register("erp", "project")}
        for one in self.firm.register("severa", "projects"):
            if one["isInternal"] or one["guid"] in self.known.unseen or self._told(one):
                continue
            there = theirs.get(str(one["number"]))
            if there is None:
                self.verdict.lost.append(f"{self.firm.name}: project {one['number']} is not in the ERP")
            elif (there["status"] == "Completed") != bool(one["isClosed"]):
                self.verdict.lost.append(
                    f"{self.firm.name}: project {one['number']} is {there['status']} in the ERP, "
                    f"{'closed' if one['isClosed'] else 'open'} in Severa"
                )
            else:
                self.verdict.proven += 1
        self._twice("project", [str(one["description"]) for one in theirs.values()], "the ERP")

    def _told(self, *records: Json | None) -> bool:
        keys = ("guid", "number", "internalId", "internalID", "projectID", "inventoryNumber")
        names = {str(one.get(key)) for one in records if one for key in keys}
        return any(
            row["record_id"] in names or (row["number"] and row["number"] in names) for row in self.open
        )

    def _twice(self, what: str, names: list[str], where: str) -> None:
        for name, count in Counter(names).items():
            if count > 1:
                self.verdict.doubled.append(
                    f"{self.firm.name}: {what} {name} stands {count} times in {where}"
                )


def _ref(value: Any) -> str:
    return str(value["guid"]) if isinstance(value, dict) else str(value)


def _amount(value: Any) -> Decimal:
    return Decimal(str(value["amount"] if isinstance(value, dict) else value))


def _numbers(documents: list[Json]) -> str:
    return ", ".join(f"{one['referenceNumber']} {one['status']}" for one in documents)
