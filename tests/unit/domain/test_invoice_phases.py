"""The way of an invoice: phases from facts, and every edge that MOVES declares, walked once (docs/decisions/0015)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType

import pytest

from domain.doubt import candidates_hash
from domain.errors import Forbidden, InDoubt, NotSent, OutcomeUnknown, Refused, Stale, Stop, TryLater
from domain.invoice import booking
from domain.invoice.booking import MOVES, Move
from domain.invoice.phases import Facts, Fail, Phase, Remove, phase_of, round_of
from domain.invoice.steps import settle
from domain.model import ActionResult, Booked, Decision, Document, Settled, Step, Stored
from domain.setup.settings import TenantSettings
from domain.words import CAUSES
from tests.fakes import FakeDelivery, Killed
from tests.fakes_ledger import GUID, Firm, row
from tests.fakes_vendors import START, Call
from tests.unit.domain.invoice_booking import D, wrong_vat

Edge = tuple[Phase, Phase]
Scenario = Callable[[Firm], None]
EDGES: tuple[Edge, ...] = tuple((here, there) for here, move in MOVES.items() for there in move.to)


def done(firm: Firm, delivery: FakeDelivery | None = None) -> Settled:
    delivery = delivery or firm.transfer()
    settled = settle(delivery)
    firm.finish(delivery, settled)
    open_steps = [key for key, one in delivery._stored.items() if one.sent_at and not one.done]
    assert (open_steps, firm.matter("invoice", GUID).left) == ([], {}), (
        "an invoice at rest waits for no answer"
    )
    return settled


def ends(firm: Firm, error: type[BaseException], delivery: FakeDelivery | None = None) -> BaseException:
    with pytest.raises(error) as caught:
        settle(delivery or firm.transfer())
    return caught.value


def absent(firm: Firm, delivery: FakeDelivery | None = None) -> FakeDelivery:
    """The ERP says once that a document is not there; the next attempt, when saying it again counts."""
    delivery = delivery or firm.transfer()
    later = ends(firm, TryLater, delivery)
    assert isinstance(later, TryLater)
    assert (later.retry_after, later.costs_attempt) == (firm.limits.absence_seconds, False)
    firm.clock.forward(firm.limits.absence_seconds)
    return delivery.again()


def meanwhile(firm: Firm, method: str, change: Callable[[], object], *, register: str = "") -> None:
    """Something happens just before the first call of a kind."""
    happened: list[bool] = []

    def before(call: Call) -> bool:
        if not happened and call.method == method and (not register or call.register == register):
            happened.append(True)
            change()
        return False

    firm.faults.arm_nth(1, AssertionError("never raised"), only=before)


def decide(firm: Firm, doubt: BaseException, kind: str, number: str = "") -> None:
    """A person decides about the candidates that a doubt showed."""
    assert isinstance(doubt, InDoubt)
    shown = candidates_hash(doubt.candidates)
    wanted = Decision("make" if kind == "make" else "this", "Invoice", number, shown, "anna")
    firm.delivery("invoice", severa=("invoices", GUID))
    firm.matter("invoice", GUID).decision = wanted


# ---------------------------------------------------------------- one way per edge


def plain(firm: Firm) -> None:
    done(firm)


def number_not_told(firm: Firm) -> None:
    firm.erp.location_comes_back = False
    done(firm)


def customer_renumbered(firm: Firm) -> None:
    firm.erp.store("customer", {"internalId": 1, "number": "20002", "name": "Mälarbygg AB"}, key="20002")
    refusal = Refused("Customer '10001' cannot be found", system="visma_net", status=400)
    firm.faults.arm("create", "customerinvoice", refusal)
    done(firm)
    assert firm.document()["customer"]["number"] == "20002"


def customer_merged(firm: Firm) -> None:
    """The internal id answers with the customer that took its place: nobody may post to that one unasked."""
    firm.invoice()
    body = {"internalId": 2, "number": "20002", "name": "Heir AB"}
    read = firm.erp.get
    firm.erp.get = lambda register, key: (  # type: ignore[method-assign]
        Stored(body, None) if register == "customer/internal" else read(register, key)
    )
    refusal = Refused("Customer '10001' cannot be found", system="visma_net", status=400)
    firm.faults.arm("create", "customerinvoice", refusal)
    stop = ends(firm, Stop)
    assert isinstance(stop, Stop)
    assert stop.code == "invoice.customer_refused"
    assert firm.erp.records.get("customerinvoice", {}) == {}


@pytest.mark.req("R-CUS-8")
def test_an_invoice_of_a_merged_customer_is_not_posted_to_the_one_that_took_its_place() -> None:
    customer_merged(Firm())


def nothing_to_book(firm: Firm) -> None:
    firm.invoice([])
    ends(firm, Stop)


def unanswered(firm: Firm, *, after: bool = True) -> FakeDelivery:
    firm.faults.arm("create", "customerinvoice", OutcomeUnknown(), after=after)
    delivery = firm.transfer()
    ends(firm, OutcomeUnknown, delivery)
    return delivery.again()


def never_made(firm: Firm) -> None:
    delivery = unanswered(firm, after=False)
    firm.clock.forward(firm.settle_seconds)
    done(firm, delivery)


def made_without_an_answer(firm: Firm) -> None:
    done(firm, unanswered(firm))


def two_released(firm: Firm) -> None:
    delivery = unanswered(firm)
    first = firm.document("101")
    first["status"] = "Open"
    firm.erp.records["customerinvoice"]["150"] = {**first, "referenceNumber": "150"}
    ends(firm, InDoubt, delivery)


def touched_after_the_proof(firm: Firm) -> None:
    firm.faults.arm("update", "customerinvoice", Stale(system="visma_net", status=412))
    done(firm)


def released_by_hand(firm: Firm) -> None:
    def by_hand() -> None:
        firm.document()["status"] = "Balanced"
        firm.erp.finish_release("customerinvoice", "101")

    meanwhile(firm, "get", by_hand, register="customerinvoice")
    done(firm)


def booked_by_0_1_0(firm: Firm) -> None:
    done(firm)
    firm.poll()
    firm.matter("invoice", GUID).booked = None
    firm.matter("invoice", GUID).documents = [Document("Invoice", "101", "", "unknown")]
    done(firm)


def not_proven(firm: Firm) -> None:
    wrong_vat(firm)
    ends(firm, Stop)


def no_right_to_release(firm: Firm) -> None:
    firm.faults.arm("act", "customerinvoice/release", Forbidden(system="visma_net", status=403))
    ends(firm, Stop)
    assert firm.document()["status"] == "Balanced"


def release_lost(firm: Firm) -> FakeDelivery:
    firm.faults.arm("act", "customerinvoice/release", OutcomeUnknown())
    delivery = firm.transfer()
    ends(firm, OutcomeUnknown, delivery)
    firm.clock.forward(firm.limits.release_wait_seconds)
    return delivery.again()


def released_once_more(firm: Firm) -> None:
    done(firm, release_lost(firm))


def released_once_more_but_touched(firm: Firm) -> None:
    delivery = release_lost(firm)
    firm.faults.arm("act", "customerinvoice/release", Stale(system="visma_net", status=412))
    done(firm, delivery)


def does_not_open(firm: Firm) -> None:
    firm.erp.release_status = "PendingPrint"
    ends(firm, Stop)


def gone_after_the_release(firm: Firm) -> BaseException:
    firm.erp.release_result = ActionResult("Queued", "")
    ends(firm, TryLater)
    del firm.erp.records["customerinvoice"]["101"]
    return ends(firm, InDoubt, absent(firm))


def gone_and_made_again(firm: Firm) -> None:
    decide(firm, gone_after_the_release(firm), "make")
    firm.clock.forward(firm.settle_seconds)
    firm.erp.release_result = ActionResult("Done", "")
    done(firm, absent(firm))


def booked_and_gone(firm: Firm) -> BaseException:
    done(firm)
    del firm.erp.records["customerinvoice"]["101"]
    firm.in_severa_now().update(status={"guid": "s-transfer", "name": "x"})
    firm.poll()
    return ends(firm, InDoubt, absent(firm))


def booked_gone_and_made_again(firm: Firm) -> None:
    decide(firm, booked_and_gone(firm), "make")
    firm.clock.forward(firm.settle_seconds)
    done(firm, absent(firm))


def booked_and_edited(firm: Firm) -> None:
    done(firm)
    firm.in_severa_now().update(status={"guid": "s-transfer", "name": "x"}, date="2026-11-09")
    firm.poll()
    ends(firm, Stop)


def file_refused(firm: Firm) -> None:
    settings = TenantSettings.model_validate({"attachments": "files"})
    firm.tenant = replace(firm.tenant, settings=settings)
    firm.severa.children["invoices/files", GUID] = [{"guid": "i1", "fileGuid": "f1", "name": "avtal.pdf"}]
    firm.severa.files["files", "f1"] = b"x"
    done(firm)
    firm.faults.arm("attach", "customerinvoice", Refused("too large", system="visma_net", status=400))
    ends(firm, Stop)


def edited_before_release(firm: Firm) -> None:
    meanwhile(
        firm, "get", lambda: firm.in_severa_now().update(orderNumber="PO 2"), register="customerinvoice"
    )
    done(firm)


def held(firm: Firm) -> FakeDelivery:
    """The document is held, the worker that made it is dead."""
    firm.faults.arm("get", "customerinvoice", Killed())
    delivery = firm.transfer()
    ends(firm, Killed, delivery)
    return delivery.again()


def withdrawn_but_released_by_hand(firm: Firm) -> None:
    delivery = held(firm)
    firm.in_severa_now()["status"] = {"guid": "s-draft", "name": "Utkast"}

    def by_hand() -> None:
        firm.document()["status"] = "Balanced"
        firm.erp.finish_release("customerinvoice", "101")

    meanwhile(firm, "delete", by_hand)
    ends(firm, Stop, delivery)


def withdrawn_but_the_release_came_true(firm: Firm) -> None:
    delivery = release_lost(firm)
    firm.in_severa_now()["status"] = {"guid": "s-draft", "name": "Utkast"}
    firm.clock.forward(firm.settle_seconds)
    meanwhile(firm, "delete", lambda: firm.erp.finish_release("customerinvoice", "101"))
    ends(firm, Stop, delivery)


def corrected_since_the_poll(firm: Firm) -> None:
    firm.invoice([])
    corrected = firm.invoice([row("FREE", "1", "10", "0")])
    firm.severa.children["invoices/invoicerows", GUID] = []
    meanwhile(
        firm,
        "get",
        lambda: (
            corrected.update(orderNumber="PO 3"),
            firm.severa.children.update(
                {("invoices/invoicerows", GUID): [row("FREE", "1", "10", "0", guid="r-1", sortOrder=1)]}
            ),
        ),
        register="invoices",
    )
    done(firm)


SCENARIOS: dict[Edge, Scenario] = {
    (Phase.NEW, Phase.NEW): customer_renumbered,
    (Phase.NEW, Phase.ASKED): number_not_told,
    (Phase.NEW, Phase.HELD): plain,
    (Phase.NEW, Phase.FAILING): nothing_to_book,
    (Phase.ASKED, Phase.NEW): never_made,
    (Phase.ASKED, Phase.HELD): made_without_an_answer,
    (Phase.ASKED, Phase.FAILING): two_released,
    (Phase.HELD, Phase.HELD): touched_after_the_proof,
    (Phase.HELD, Phase.RELEASING): plain,
    (Phase.HELD, Phase.BOOKED): released_by_hand,
    (Phase.HELD, Phase.NUMBERED): booked_by_0_1_0,
    (Phase.HELD, Phase.REMOVING): not_proven,
    (Phase.HELD, Phase.FAILING): no_right_to_release,
    (Phase.RELEASING, Phase.RELEASING): released_once_more,
    (Phase.RELEASING, Phase.HELD): released_once_more_but_touched,
    (Phase.RELEASING, Phase.BOOKED): plain,
    (Phase.RELEASING, Phase.REMOVING): does_not_open,
    (Phase.RELEASING, Phase.NEW): gone_and_made_again,
    (Phase.RELEASING, Phase.FAILING): lambda firm: (gone_after_the_release(firm), None)[1],
    (Phase.BOOKED, Phase.NUMBERED): plain,
    (Phase.BOOKED, Phase.NEW): booked_gone_and_made_again,
    (Phase.BOOKED, Phase.FAILING): booked_and_edited,
    (Phase.NUMBERED, Phase.FAILING): file_refused,
    (Phase.REMOVING, Phase.NEW): edited_before_release,
    (Phase.REMOVING, Phase.HELD): withdrawn_but_released_by_hand,
    (Phase.REMOVING, Phase.RELEASING): withdrawn_but_the_release_came_true,
    (Phase.REMOVING, Phase.FAILING): not_proven,
    (Phase.FAILING, Phase.NEW): corrected_since_the_poll,
}


@pytest.mark.req("R-INV-12", "R-INV-13")
@pytest.mark.parametrize("edge", EDGES, ids=[f"{here}-{there}" for here, there in EDGES])
def test_every_edge_that_is_declared_is_walked_and_nothing_is_released_twice(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    walked: set[Edge] = set()
    refuse = booking.crossed

    def crossed(here: Phase, there: Phase) -> None:
        walked.add((here, there))
        refuse(here, there)

    monkeypatch.setattr(booking, "crossed", crossed)
    firm = Firm()
    firm.invoice()
    SCENARIOS[edge](firm)
    assert edge in walked
    open_documents = [one for one in firm.erp.documents() if one["status"] in {"Open", "Closed"}]
    assert len(open_documents) <= 1 or edge == (Phase.ASKED, Phase.FAILING)


def test_an_edge_that_nobody_declared_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    lonely = {**MOVES, Phase.NEW: replace(MOVES[Phase.NEW], to=(Phase.FAILING,))}
    monkeypatch.setattr(booking, "MOVES", MappingProxyType(lonely))
    firm = Firm()
    firm.invoice()
    with pytest.raises(RuntimeError, match="does not go from new to held"):
        settle(firm.transfer())


def test_every_phase_has_a_move_with_a_paragraph_and_words_for_its_problems() -> None:
    assert set(MOVES) == set(Phase)
    for move in MOVES.values():
        assert move.run.__doc__
        assert set(move.codes) <= set(CAUSES)


def test_a_walk_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    turning = {**MOVES, Phase.NEW: Move(lambda _work: None, (Phase.NEW,))}
    monkeypatch.setattr(booking, "MOVES", MappingProxyType(turning))
    firm = Firm()
    firm.invoice()
    with pytest.raises(TryLater, match="keeps changing"):
        settle(firm.transfer())


# ---------------------------------------------------------------- pure


def step(name: str, *, done: bool = False, round: int = 1, **request: object) -> Step:
    return Step(name, START, done, dict(request), {}, round)


HELD = Document("Invoice", "101", "n1", "made")


@pytest.mark.parametrize(
    ("facts", "phase"),
    [
        (Facts(1), Phase.NEW),
        (Facts(1, (replace(HELD, state="void", number=""),)), Phase.NEW),
        (Facts(1, (replace(HELD, state="asked", number=""),)), Phase.ASKED),
        (Facts(1, (HELD,), steps={"create": step("create")}), Phase.ASKED),
        (Facts(1, (HELD,)), Phase.HELD),
        (Facts(1, (replace(HELD, state="claimed"),)), Phase.HELD),
        (Facts(1, (replace(HELD, state="unknown"),)), Phase.HELD),
        (Facts(1, (HELD,), steps={"release": step("release")}), Phase.RELEASING),
        (Facts(1, (HELD,), steps={"remove": step("remove")}), Phase.REMOVING),
        (Facts(1, (HELD,), wish=Remove(("Invoice", "101"), "invoice.withdrawn")), Phase.REMOVING),
        (Facts(2, (replace(HELD, state="removed"),), before={"remove": step("remove")}), Phase.REMOVING),
        (Facts(2, before={"remove": step("remove", done=True, then={"code": "x"})}), Phase.FAILING),
        (
            Facts(
                2,
                before={
                    "remove": step("remove", done=True, then={"code": "x"}),
                    "failed": step("failed", done=True),
                },
            ),
            Phase.NEW,
        ),
        (Facts(1, wish=Fail(Stop("invoice.no_rows", {"customer": "Ada AB"}))), Phase.FAILING),
        (Facts(1, steps={"failed": step("failed")}), Phase.FAILING),
        (Facts(1, (HELD,), booked=Booked("Invoice", "101", D(1)), owes=True), Phase.BOOKED),
        (Facts(1, (HELD,), booked=Booked("Invoice", "101", D(1))), Phase.NUMBERED),
        # Booked is booked: no document, no step and no absence leads back to NEW; only a person does.
        (Facts(1, (), booked=Booked("Invoice", "101", D(1))), Phase.NUMBERED),
        (Facts(1, (), booked=Booked("Invoice", "101", D(1)), again=True), Phase.NEW),
    ],
)
def test_the_phase_follows_from_the_facts(facts: Facts, phase: Phase) -> None:
    assert phase_of(facts) is phase


def test_a_round_ends_with_a_removal_or_a_retirement_and_not_with_a_surplus_one() -> None:
    assert round_of(()) == 1
    assert round_of((replace(HELD, state="removed"), replace(HELD, number="102", round=2))) == 2
    assert round_of((replace(HELD, state="removed", surplus=True), HELD)) == 1
    assert round_of((replace(HELD, state="retired", round=3),)) == 4


def test_a_call_whose_permission_ran_out_begins_anew_at_once() -> None:
    firm = Firm()
    firm.invoice()
    firm.severa.pauses["patch", "invoices"] = 60.0
    delivery = firm.transfer()
    later = ends(firm, NotSent, delivery)
    assert isinstance(later, TryLater)
    assert (later.retry_after, later.costs_attempt) == (0.0, False)
    done(firm, delivery.again())
    assert firm.in_severa_now()["number"] == 101
