"""The judge of a run under fire sees what it is there to see: each line of the ledger from what both vendors would show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from faults.ledger import Asked, Edit, Firm, judged

ROLES = {name: name for name in ("draft", "transfer", "failed", "transferred", "sent", "partly_paid", "paid")}
GUID = "g1"


def firm(
    *, role: str = "transferred", total: str = "100.00", booked: str = "100.00", balance: str = "100.00",
    releases: int = 1, statuses: tuple[str, ...] = ("Open",), number: int | None = 7, history: Any = (),
) -> Firm:  # fmt: skip
    """One invoice of a firm as both vendors show it; by default booked, released and numbered."""
    money = {"amount": total}
    return Firm(
        invoices=[
            {
                "guid": GUID, "status": {"guid": role}, "number": number, "referenceNumber": "70",
                "totalIncludingTax": money, "history": history,
            }
        ],
        roles=ROLES,
        marked={
            f"severa:{GUID}": {
                "releases": releases,
                "documents": [
                    {"type": "Invoice", "number": str(7 + n), "status": s} for n, s in enumerate(statuses)
                ],
            }
        },
        documents=[
            {
                "documentType": "Invoice", "referenceNumber": "7", "paymentReference": "70", "amountInCurrency": booked,
                "balanceInCurrency": balance,
            }
        ],
    )  # fmt: skip


def moved(*moves: tuple[str, str, int]) -> list[dict[str, Any]]:
    """History entries of the status: by whom, to which role, at which second."""
    return [
        {"field": "status", "by": by, "old": "", "new": role, "time": f"2026-11-20T10:{second // 60:02}:{second % 60:02}Z"}
        for by, role, second in moves
    ]  # fmt: skip


def verdict(shown: Firm, *, booked: bool = True) -> str:
    [line] = judged([Asked(GUID, booked)], [], shown).lines
    return line.verdict


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (firm(), "proven"),
        (firm(role="sent"), "proven"),
        (firm(role="partly_paid", balance="30"), "proven"),
        (firm(role="paid", balance="0"), "proven"),
        (firm(total="100.05"), "proven"),
        # money comes before the invoice is sent: it waits
        (firm(balance="0"), "proven"),
        (firm(role="sent", balance="0"), "lost"),
        (firm(role="paid", balance="30"), "lost"),
        (firm(role="failed", releases=0, statuses=()), "lost"),
        (firm(role="transfer", releases=0, statuses=()), "stuck"),
        (firm(role="transfer", releases=0, statuses=("Hold",)), "stuck"),
        (firm(role="transfer"), "stuck"),
        (firm(number=None), "stuck"),
        (firm(statuses=("Open", "Hold")), "stuck"),
        (firm(releases=2), "doubled"),
        (firm(releases=2, statuses=("Open", "Closed")), "doubled"),
        (firm(total="100.06"), "unexpected"),
        (firm(history=moved(("api", "transferred", 1))), "proven"),
        (firm(role="sent", history=moved(("api", "transferred", 1), ("person", "sent", 2), ("api", "transferred", 3))), "doubled"),
        (firm(history=moved(("api", "transferred", 1), ("person", "transfer", 2), ("api", "transferred", 3))), "proven"),
    ],
)  # fmt: skip
def test_an_invoice_that_is_wanted_in_the_books(shown: Firm, expected: str) -> None:
    assert verdict(shown) == expected


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (firm(role="draft", releases=0, statuses=(), number=None), "proven"),
        (firm(role="draft", releases=0, statuses=("Hold",), number=None), "stuck"),
        (firm(role="draft"), "unexpected"),
        (firm(role="failed", releases=0, statuses=()), "unexpected"),
        (firm(history=moved(("person", "draft", 1), ("api", "transferred", 2))), "proven"),
        # long after the withdrawal nothing that was permitted before it is on its way any more
        (firm(history=moved(("person", "draft", 1), ("api", "transferred", 90))), "unexpected"),
    ],
)  # fmt: skip
def test_an_invoice_that_was_withdrawn(shown: Firm, expected: str) -> None:
    assert verdict(shown, booked=False) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [("invoice.moved_after_booking", "explained"), ("invoice.document_gone", "unexpected")],
)
def test_a_problem_explains_only_what_people_brought_about(code: str, expected: str) -> None:
    problem = {"code": code, "record_id": GUID, "values": {}, "wrong": "…"}
    shown = replace(firm(role="draft"), problems=[problem])
    assert verdict(shown) == expected
    assert judged([Asked(GUID, booked=True)], [], shown).strays == []


def test_what_nobody_asked_for_is_unexpected() -> None:
    shown = replace(
        firm(),
        invoices=[],
        sent_by_erp=[{"type": "Invoice", "number": "7"}],
        problems=[{"code": "customer.gone", "record_id": "c", "values": {}, "wrong": "…"}],
        names={"customer": ["A", "A", "B"]},
    )
    found = judged([], [], shown)
    assert [line.kind for line in found.strays] == ["document", "document", "customer", "problem"]
    assert found.count() == {
        "accepted": 0, "proven": 0, "explained": 0, "lost": 0, "doubled": 1, "stuck": 0, "unexpected": 3,
    }  # fmt: skip
    assert not found.clean


def test_an_edit_that_never_arrived_is_lost() -> None:
    found = judged([], [(Edit("a", "x"), "x"), (Edit("b", "x"), "y"), (Edit("c", "x"), None)], firm())
    assert [line.verdict for line in found.lines] == ["proven", "lost", "lost"]
    assert judged([Asked("gone", booked=True)], [], firm()).lines[0].verdict == "lost"
