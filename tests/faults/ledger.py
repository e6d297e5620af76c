"""The one ledger of a run under fire: what people asked for, beside what both vendors show in the end.

Read from the vendors' simulators alone; of the bridge only the list of open problems is read, to tell what it explains to
a person from what it simply never did. Whatever was accepted stands in exactly one column:

proven      booked once, to the cent, numbered, with the status that its payments ask for; or as people left it
explained   not so, but an open problem says it, of a kind that people brought about themselves
lost        nothing came of it: no document, no payment seen, an edit that never arrived
doubled     released twice, set to *transferred* twice by the bridge, or made twice in a register
stuck       begun and not ended: a held document, a status that waits, a number that is missing
unexpected  everything else, an open problem that nobody has given cause for included
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

Json = dict[str, Any]
Verdict = Literal["proven", "explained", "lost", "doubled", "stuck", "unexpected"]
COLUMNS: tuple[Verdict, ...] = ("proven", "explained", "lost", "doubled", "stuck", "unexpected")
ZEROS: tuple[Verdict, ...] = ("lost", "doubled", "stuck", "unexpected")

TOLERANCE = Decimal("0.05")
BOOKED = ("transferred", "sent", "partly_paid", "paid")
RELEASED = ("Open", "Closed")

# What people of a run bring about: an invoice withdrawn or edited while it is being booked, and a question that only a
# person can answer. A problem of another kind has no cause here that is not a fault of ours.
PEOPLES_DOING = frozenset({"invoice.moved_after_booking", "invoice.already_booked", "invoice.in_doubt"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What people want of one invoice in the end. ``booked`` False: they withdrew it."""

    guid: str
    booked: bool


@dataclass(frozen=True, slots=True)
class Edit:
    """A field of a register that people changed in one system, and that the other must show: where, and the value."""

    what: str
    value: str


@dataclass(frozen=True, slots=True)
class Firm:
    """What both vendors show of one firm, and its open problems. ``invoices`` carry their ``history``."""

    invoices: Sequence[Json]
    roles: Mapping[str, str]
    marked: Mapping[str, Json]
    documents: Sequence[Json]
    sent_by_erp: Sequence[Json] = ()
    problems: Sequence[Json] = ()
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Line:
    """One accepted thing and what became of it."""

    kind: str
    id: str
    verdict: Verdict
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.verdict}: {self.kind} {self.id}: {self.reason}"


@dataclass
class Ledger:
    """All lines of a run. What nobody asked for (a stray document) is a line too, but is not accepted."""

    lines: list[Line] = field(default_factory=list)
    strays: list[Line] = field(default_factory=list)

    def count(self) -> dict[str, int]:
        """accepted, then every column."""
        counted = Counter(line.verdict for line in [*self.lines, *self.strays])
        return {"accepted": len(self.lines), **{column: counted[column] for column in COLUMNS}}

    @property
    def clean(self) -> bool:
        """The four zeros."""
        return not self.wrong

    @property
    def wrong(self) -> list[Line]:
        return [line for line in [*self.lines, *self.strays] if line.verdict in ZEROS]

    @property
    def unfinished(self) -> list[Line]:
        """What may still come to rest: everything wrong but what no time can heal."""
        return [line for line in self.wrong if line.verdict != "doubled"]

    def __str__(self) -> str:
        return ", ".join(f"{name} {count}" for name, count in self.count().items())


def judged(
    asked: Iterable[Asked], edits: Iterable[tuple[Edit, str | None]], firm: Firm, *, window: float = 60.0
) -> Ledger:
    """One firm's part of the ledger. ``edits``: each with the value that the other system shows.

    ``window``: seconds in which a call that was permitted before a withdrawal may still arrive after it.
    """
    found = Ledger()
    known = {invoice["guid"]: invoice for invoice in firm.invoices}
    for one in asked:
        found.lines.append(_invoice(one, known.get(one.guid), firm, window))
    for edit, shown in edits:
        verdict: Verdict = "proven" if shown == edit.value else "lost"
        found.lines.append(Line("edit", edit.what, verdict, f"{shown!r} where {edit.value!r} was entered"))
    found.strays += _strays(known, firm)
    return found


# ---- one invoice


def _invoice(asked: Asked, invoice: Json | None, firm: Firm, window: float) -> Line:
    if invoice is None:
        return Line("invoice", asked.guid, "lost", "it is gone from Severa")
    mark = firm.marked.get(f"severa:{asked.guid}", {"releases": 0, "documents": []})
    role = firm.roles.get(invoice["status"]["guid"], "?")
    if twice := _twice(mark, invoice, firm.roles):
        return Line("invoice", asked.guid, "doubled", twice)
    problems = [p for p in firm.problems if asked.guid in (p["record_id"], p["values"].get("invoice"))]
    if asked.booked or (role in BOOKED and _too_late(invoice, firm.roles, window)):
        verdict, reason = _booked(mark, role, invoice, firm)
    else:
        verdict, reason = _withdrawn(mark, role)
    if verdict != "proven" and problems:
        codes = sorted({problem["code"] for problem in problems})
        ours = PEOPLES_DOING.issuperset(codes)
        return Line(
            "invoice", asked.guid, "explained" if ours else "unexpected", f"{', '.join(codes)} ({reason})"
        )
    return Line("invoice", asked.guid, verdict, reason)


def _twice(mark: Json, invoice: Json, roles: Mapping[str, str]) -> str:
    documents = [one for one in mark["documents"] if one["status"] in RELEASED]
    if mark["releases"] > 1 or len(documents) > 1:
        return f"{mark['releases']} releases, {len(documents)} released documents"
    # Entered twice, transferred makes AutoInvoice send twice (R-STA-5); after a person took it out, once more is right.
    entered = 0
    for by, role, _time in _moves(invoice, roles):
        if by == "person" and role not in BOOKED:
            entered = 0
        elif by == "api" and role == "transferred":
            entered += 1
        if entered > 1:
            return "set to transferred twice by the bridge"
    return ""


def _moves(invoice: Json, roles: Mapping[str, str]) -> list[tuple[str, str, datetime]]:
    """Who moved it, to which role, when."""
    return [
        (entry["by"], roles.get(_guid(entry["new"]), "?"), datetime.fromisoformat(entry["time"]))
        for entry in invoice.get("history", ())
        if entry["field"] == "status"
    ]


def _guid(value: Any) -> str:
    return str(value["guid"] if isinstance(value, Mapping) else value)


def _too_late(invoice: Json, roles: Mapping[str, str], window: float) -> bool:
    """The withdrawal met the bridge's own last move: no status of Severa can be written on a condition."""
    moves = _moves(invoice, roles)
    left = max((time for by, role, time in moves if by == "person" and role == "draft"), default=None)
    entered = max((time for by, role, time in moves if by == "api" and role in BOOKED), default=None)
    return left is not None and entered is not None and entered <= left + timedelta(seconds=window)


def _withdrawn(mark: Json, role: str) -> tuple[Verdict, str]:
    if mark["releases"]:
        return "unexpected", f"released although it was withdrawn, stands in {role}"
    if mark["documents"]:
        return "stuck", f"withdrawn, and {len(mark['documents'])} document is still there"
    return ("proven", "") if role == "draft" else ("unexpected", f"withdrawn, stands in {role}")


def _booked(mark: Json, role: str, invoice: Json, firm: Firm) -> tuple[Verdict, str]:
    if not mark["documents"]:
        return ("stuck" if role == "transfer" else "lost"), f"no document, stands in {role}"
    if len(mark["documents"]) > 1:
        return "stuck", f"{len(mark['documents'])} documents"
    [key] = mark["documents"]
    document = _document(key, firm.documents)
    if document is None or key["status"] not in RELEASED:
        return "stuck", f"its document {key['number']} is {key['status']}"
    if role not in BOOKED:
        return "stuck", f"booked as {key['number']}, stands in {role}"
    return _as_it_should_be(document, role, invoice)


def _as_it_should_be(document: Json, role: str, invoice: Json) -> tuple[Verdict, str]:
    number, reference = str(invoice["number"]), invoice["referenceNumber"]
    if (number, reference) != (document["referenceNumber"], document["paymentReference"]):
        return (
            "stuck",
            f"number {number}/{reference} for {document['referenceNumber']}/{document['paymentReference']}",
        )
    total, booked = _money(invoice["totalIncludingTax"]), _money(document["amountInCurrency"])
    if abs(total - booked) > TOLERANCE:
        return "unexpected", f"{total} in Severa, {booked} in the ERP"
    wanted = _paid_role(booked, _money(document["balanceInCurrency"]), role)
    return (
        ("proven", "") if role == wanted else ("lost", f"its payments make it {wanted}, it stands in {role}")
    )


def _paid_role(total: Decimal, balance: Decimal, role: str) -> str:
    """Payments count from when the invoice was sent (R-PAY-2); before that it stands where it is."""
    if role == "transferred":
        return role
    if balance == 0:
        return "paid"
    return "sent" if balance == total else "partly_paid"


def _document(key: Json, documents: Sequence[Json]) -> Json | None:
    return next(
        (
            one
            for one in documents
            if (one["documentType"], one["referenceNumber"]) == (key["type"], key["number"])
        ),
        None,
    )


# ---- what nobody asked for


def _strays(known: Mapping[str, Json], firm: Firm) -> list[Line]:
    lines = [
        Line(
            "document",
            entry["documents"][0]["number"],
            "unexpected",
            f"made for {mark}, which Severa does not have",
        )
        for mark, entry in firm.marked.items()
        if mark.startswith("severa:") and mark.removeprefix("severa:") not in known
    ]
    lines += [
        Line("document", str(one["number"]), "unexpected", "sent to its customer by the ERP")
        for one in firm.sent_by_erp
    ]
    for register, names in firm.names.items():
        lines += [
            Line(register, name, "doubled", f"{count} of this name")
            for name, count in Counter(names).items()
            if count > 1
        ]
    # A problem of an invoice stands in its line; any other has no cause among what people did.
    lines += [
        Line("problem", problem["code"], "unexpected", problem["wrong"])
        for problem in firm.problems
        if problem["code"] not in PEOPLES_DOING
        and not {problem["record_id"], problem["values"].get("invoice")}.intersection(known)
    ]
    return lines


def _money(value: Any) -> Decimal:
    return Decimal(str(value["amount"] if isinstance(value, Mapping) else value))
