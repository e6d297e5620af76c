"""A delivery of a payment that dies at any of its calls, and what happens meanwhile in either system (R-PAY-1, R-PAY-2)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from decimal import Decimal

import pytest

from domain.errors import Stop
from domain.payment.steps import settle
from tests.fakes_ledger import Firm
from tests.unit.domain.ends_lost import Death, deaths, rest
from tests.unit.domain.test_payment_steps import booked, polled, status, total

pytestmark = pytest.mark.req("R-PAY-1", "R-PAY-2")

WHICH = {"domain": "payment", "erp": ("customerdocument", "Invoice/101")}
D = Decimal


def paid(firm: Firm, day: str = "2026-11-20") -> None:
    firm.erp.pay("101", total(firm), f"{day}T00:00:00")


def part_paid(firm: Firm) -> None:
    firm.erp.pay("101", D(1000), "2026-11-19T00:00:00")


def voided(firm: Firm) -> None:
    document = firm.document()
    document["applications"].clear()
    document |= {"status": "Open", "balanceInCurrency": total(firm)}


def paid_anew(firm: Firm) -> None:
    voided(firm)
    paid(firm, "2026-11-27")


def partly_anew(firm: Firm) -> None:
    voided(firm)
    part_paid(firm)


def set_in_severa(to: str, day: str | None) -> Callable[[Firm], None]:
    def by_hand(firm: Firm) -> None:
        firm.in_severa_now().update(status={"guid": f"s-{to}", "name": to}, paymentDate=day)

    return by_hand


def nothing(_firm: Firm) -> None:
    pass


def both(*moves: Callable[[Firm], None]) -> Callable[[Firm], None]:
    def one_after_the_other(firm: Firm) -> None:
        for move in moves:
            move(firm)

    return one_after_the_other


# What the ERP says, and what Severa is to show for it.
PAID, ANEW, PARTLY, SENT = (
    ("paid", "2026-11-20"),
    ("paid", "2026-11-27"),
    ("partly_paid", None),
    ("sent", None),
)
MEANWHILE = {
    "nothing": (nothing, PAID),
    "voided": (voided, SENT),
    "paid anew": (paid_anew, ANEW),
    "a part only": (partly_anew, PARTLY),
    "set to sent in Severa": (set_in_severa("sent", None), PAID),
    "set to partly paid in Severa": (set_in_severa("partly_paid", None), PAID),
    "set to paid in Severa": (set_in_severa("paid", "2026-11-01"), PAID),
    "voided, and set to paid in Severa": (both(voided, set_in_severa("paid", "2026-11-01")), SENT),
    "paid anew, and set to sent in Severa": (both(paid_anew, set_in_severa("sent", None)), ANEW),
}


def to_be_paid() -> Firm:
    firm = booked()
    paid(firm)
    polled(firm)
    return firm


def to_be_paid_from_a_part() -> Firm:
    firm = booked("partly_paid")
    part_paid(firm)
    firm.erp.pay("101", total(firm) - 1000, "2026-11-20T00:00:00")
    polled(firm)
    return firm


def to_be_reversed() -> Firm:
    firm = booked("paid")
    firm.in_severa_now()["paymentDate"] = "2026-11-20"
    polled(firm)
    return firm


def shows(death: Death) -> tuple[str, str | None]:
    firm = death.made
    assert isinstance(firm, Firm)
    return status(firm), firm.in_severa_now()["paymentDate"]


@pytest.mark.parametrize("seen", [True, False], ids=["polled", "not polled"])
@pytest.mark.parametrize("meanwhile", MEANWHILE)
@pytest.mark.parametrize("put_up", [to_be_paid, to_be_paid_from_a_part])
def test_whenever_it_dies_severa_shows_what_the_erp_says_by_then(
    put_up: Callable[[], Firm], meanwhile: str, *, seen: bool
) -> None:
    move, expected = MEANWHILE[meanwhile]
    for death in deaths(put_up, settle, **WHICH):
        assert isinstance(death.made, Firm)
        move(death.made)
        told = rest(death, settle, polled=seen, poll=polled, **WHICH)
        assert (shows(death), told) == (expected, []), death.at


@pytest.mark.parametrize(
    ("move", "expected"),
    [
        (nothing, SENT),
        (paid_anew, ANEW),
        (part_paid, PARTLY),
        (set_in_severa("paid", "2026-11-01"), SENT),
        (set_in_severa("sent", None), SENT),
    ],
)
def test_whenever_a_reversal_dies_severa_shows_what_the_erp_says_by_then(
    move: Callable[[Firm], None], expected: tuple[str, str | None]
) -> None:
    for death in deaths(to_be_reversed, settle, **WHICH):
        assert isinstance(death.made, Firm)
        move(death.made)
        told = rest(death, settle, poll=polled, **WHICH)
        assert (shows(death), told) == (expected, []), death.at


@pytest.mark.req("R-LOG-1")
@pytest.mark.parametrize(
    ("put_up", "line"), [(to_be_paid, "payment.paid"), (to_be_reversed, "payment.reversed")]
)
def test_whenever_it_dies_the_move_is_said_once(put_up: Callable[[], Firm], line: str) -> None:
    for death in deaths(put_up, settle, **WHICH):
        rest(death, settle, poll=polled, **WHICH)
        assert death.said == [line], death.at


def test_moves_whose_ends_were_lost_are_not_taken_for_somebody_who_moves_back() -> None:
    firm = booked()
    for _ in range(3):
        for move in (paid, voided):
            move(firm)
            firm.clock.forward(600)
            polled(firm)
            delivery = firm.delivery(**WHICH)
            settle(delivery)
            firm.faults.killed = True
            polled(firm)
            *_, last = firm.run(settle, delivery.again())
            assert last.error is None, last


def test_whoever_moves_it_back_after_every_lost_end_is_told_all_the_same() -> None:
    firm = booked()
    paid(firm)
    for _ in range(5):
        firm.clock.forward(600)
        polled(firm)
        delivery = firm.delivery(**WHICH)
        *_, last = firm.run(settle, delivery)
        if last.error is not None:
            break
        set_in_severa("sent", None)(firm)
    assert getattr(last.error, "code", "") == "payment.moved_back"


def test_a_person_who_moves_it_back_after_a_lost_end_is_counted() -> None:
    firm = booked()
    paid(firm)
    moved = 0
    for _ in range(8):
        firm.clock.forward(600)
        polled(firm)
        delivery = firm.delivery(**WHICH)
        with contextlib.suppress(Stop):
            settle(delivery)
        firm.faults.killed = True
        *_, last = firm.run(settle, delivery.again())
        if last.error is not None:
            break
        moved += 1
        set_in_severa("sent", None)(firm)
    assert getattr(last.error, "code", "") == "payment.moved_back"
    assert moved <= 3
