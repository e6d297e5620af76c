"""Every line once, ever, and taken back once (R-CST-2, R-CST-5)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from domain.cost.steps import settle
from domain.errors import Forbidden, OutcomeUnknown, RateLimited, Refused, TryLater, Waiting
from domain.model import Effects, Json
from tests.fakes import Killed, World
from tests.fakes_costs import (
    INVOICE,
    add_project,
    batch,
    fees,
    files_of,
    invoice,
    line,
    put,
    world,
)
from tests.unit.domain.cost_world import brought, costs, settled, stopped

pytestmark = pytest.mark.req("R-CST-1", "R-CST-2", "R-CST-5")


def at_rest(made: World, place: tuple[str, str]) -> None:
    """Its delivery has ended, as the finishing transaction writes it down."""
    key = ("visma_net", *place)
    made.books.records[key] = replace(
        made.books.records[key], settled_version=made.books.records[key].version
    )


def forgotten(made: World) -> None:
    """The database was restored: the bridge knows nothing of what it brought."""
    made.books.links = [link for link in made.books.links if link.domain != "cost"]
    made.matters.clear()


def test_a_line_is_brought_once_whatever_changes_later() -> None:
    made = world()
    brought(made, invoice())
    made.calls.clear()

    effects = settled(made, put(made, invoice(line(1, "900.00"), status="Closed")))

    assert (effects, made.calls) == (Effects(), [])


def test_a_document_seen_a_while_ago_is_read_again_with_its_type() -> None:
    made = world()
    place = put(made, invoice(documentType="DebitAdj"))
    made.clock.forward(3600)
    made.erp.stored(*place)["status"] = "Voided"

    settled(made, place)

    assert fees(made) == []
    assert [str(call) for call in made.calls] == ["visma_net get supplierInvoice DebitAdj/200771"]


@pytest.mark.req("R-CST-1")
def test_a_document_voided_after_import_is_taken_back_once() -> None:
    made = world(costs="cost-and-fee", cost_multiplier_percent="150")
    brought(made, invoice(line(1, "100.00"), line(2, "50.00", project="P2000")))
    place = put(made, invoice(line(1, "100.00"), line(2, "50.00", project="P2000"), status="Voided"))

    effects = settled(made, place)
    settled(made, place)

    assert costs(made) == [Decimal(x) for x in ("100.00", "50.00", "-100.00", "-50.00")]
    assert sum(fee["unitPrice"]["amount"] for fee in fees(made)) == 0
    assert fees(made)[2]["description"].endswith("[ERP Invoice 200771/1 void]")
    assert [log.code for log in effects.log] == ["cost.taken_back"]


def test_what_is_taken_back_is_what_was_brought_under_the_settings_of_then() -> None:
    made = world(costs="cost-and-fee")
    brought(made, invoice())
    later = world(costs="cost")
    made.tenant = later.tenant

    settled(made, put(made, invoice(status="Voided")))

    assert [(fee["unitPrice"]["amount"], fee["isBillable"]) for fee in fees(made)] == [
        (Decimal("800.00"), True),
        (Decimal("-800.00"), True),
    ]


def test_a_voided_journal_is_taken_back() -> None:
    made = world()
    brought(made, batch())

    settled(made, put(made, batch(status="Voided")))

    assert costs(made) == [Decimal("800.00"), Decimal("-800.00")]


@pytest.mark.parametrize("voiding_first", [True, False])
def test_a_voided_cash_purchase_is_taken_back_by_one_document_only(*, voiding_first: bool) -> None:
    made = world()
    brought(made, invoice(documentType="QuickCheck"))
    purchase = put(made, invoice(documentType="QuickCheck", status="Voided"))
    if voiding_first:
        voiding = put(made, invoice(documentType="VoidQuickCheck", status="Closed"))
        settled(made, voiding)
        settled(made, purchase)
    else:
        settled(made, purchase)
        settled(made, put(made, invoice(documentType="VoidQuickCheck", status="Closed")))

    assert costs(made) == [Decimal("800.00"), Decimal("-800.00")]


def test_a_cash_purchase_voided_before_it_was_seen_costs_nothing() -> None:
    made = world()
    purchase = put(made, invoice(documentType="QuickCheck", status="Voided"))
    voiding = put(made, invoice(documentType="VoidQuickCheck", status="Closed"))

    settled(made, purchase)
    at_rest(made, purchase)
    settled(made, voiding)

    assert fees(made) == []


@pytest.mark.parametrize("seen", ["Closed", "Voided"])
@pytest.mark.parametrize("read", ["Closed", "Voided"])
def test_a_voiding_document_waits_for_a_purchase_that_may_still_be_brought(seen: str, read: str) -> None:
    """The purchase was polled ``seen``; its own delivery, which comes later, reads it ``read``."""
    made = world()
    purchase = put(made, invoice(documentType="QuickCheck", status=seen))
    made.erp.stored(*purchase)["status"] = read
    voiding = put(made, invoice(documentType="VoidQuickCheck", status="Closed"))
    with pytest.raises(Waiting) as waits:
        settle(made.delivery("cost", erp=voiding))
    assert (waits.value.domain, waits.value.erp_id) == ("cost", "QuickCheck/200771")
    assert fees(made) == []

    settled(made, purchase)
    at_rest(made, purchase)
    settled(made, voiding)
    made.erp.stored(*purchase)["status"] = "Voided"
    settled(made, put(made, invoice(documentType="QuickCheck", status="Voided")))

    assert sum(costs(made)) == 0
    assert len(fees(made)) == (2 if (seen, read) == ("Closed", "Closed") else 0)


def test_a_voiding_document_does_not_wait_for_a_purchase_from_before_the_start_date() -> None:
    made = world(costs_from="2026-03-04")
    put(made, invoice(documentType="QuickCheck", status="Voided", date="2026-03-03T00:00:00"))

    settled(made, put(made, invoice(documentType="VoidQuickCheck", status="Closed")))

    assert fees(made) == []


def test_a_lost_answer_is_looked_up_by_the_marker() -> None:
    made = world()
    place = put(made, invoice(line(1), line(2, "7.00")))
    made.faults.arm("create", "projectfees", OutcomeUnknown(), after=True)

    first, last = made.run(settle, made.delivery("cost", erp=place))

    assert isinstance(first.error, OutcomeUnknown)
    assert last.settled is not None
    assert costs(made) == [Decimal("800.00"), Decimal("7.00")]
    link = made.books.link("cost", erp_id=INVOICE[1])
    assert link is not None
    assert [one["fee"] for one in link.state["lines"].values()] == [fee["guid"] for fee in fees(made)]


def test_a_fee_that_never_arrived_is_sent_again_only_after_every_limit() -> None:
    made = world()
    place = put(made, invoice())
    made.faults.arm("create", "projectfees", OutcomeUnknown())
    delivery = made.delivery("cost", erp=place)
    with pytest.raises(OutcomeUnknown):
        settle(delivery)
    made.clock.forward(100)

    with pytest.raises(TryLater) as caught:
        settle(delivery.again())

    assert caught.value.retry_after == made.settle_seconds - 100
    assert caught.value.costs_attempt is False
    made.clock.forward(caught.value.retry_after)
    settle(delivery.again())
    assert len(fees(made)) == 1


def test_a_line_that_an_earlier_delivery_brought_is_found_even_if_the_bridge_forgot_it() -> None:
    made = world()
    brought(made, invoice())
    forgotten(made)

    settled(made)

    assert len(fees(made)) == 1
    assert made.books.link("cost", erp_id=INVOICE[1]) is not None


@pytest.mark.schedule("S48")
@pytest.mark.parametrize("moved", [False, True])
def test_a_line_whose_delivery_failed_is_not_brought_again_whatever_a_person_did_with_its_fee(
    *, moved: bool
) -> None:
    """The other line waits for a project until a person is told: that ends the delivery without a pair."""
    made = world()
    made.books.remember("severa", "salescases", {"guid": "p3", "number": "P3000", "name": "New"})
    place = put(made, invoice(line(1), line(2, "5.00", project="P3000")))
    delivery = made.delivery("cost", erp=place)
    with pytest.raises(Waiting):
        settle(delivery)
    delivery.end()
    made.clock.forward(86_400)
    (fee,) = fees(made)
    fee["description"] = "Tåg till kunden"
    if moved:
        fee["project"] = {"guid": "p2"}
    add_project(made, "p3", 3000, 814, "SEK")

    settled(made, place)

    assert costs(made) == [Decimal("800.00"), Decimal("5.00")]
    link = made.books.link("cost", erp_id=INVOICE[1])
    assert link is not None
    assert list(link.state["lines"]) == ["1", "2"]


def test_the_marker_of_line_1_is_not_that_of_line_11() -> None:
    made = world()
    brought(made, invoice(line(11)))

    settled(made, put(made, invoice(line(1), line(11))))

    assert len(fees(made)) == 2


def test_two_fees_with_one_marker_are_a_problem() -> None:
    made = world()
    brought(made, invoice())
    forgotten(made)
    (fee,) = fees(made)
    made.severa.store("projectfees", {**fee, "guid": "a-copy"})

    assert stopped(made).code == "cost.found_twice"
    assert len(fees(made)) == 2


def test_a_refused_line_is_a_problem_with_the_vendors_own_words_and_does_not_hold_up_the_others() -> None:
    made = world()
    put(made, invoice(line(1), line(2, "5.00")))
    refused = Refused("The phase is locked", system="severa", status=400, operation="POST /v1/projectfees")
    made.faults.arm("create", "projectfees", refused)

    stop = stopped(made)

    assert (stop.code, stop.values["text"]) == ("cost.line_refused", "The phase is locked")
    assert costs(made) == [Decimal("5.00")]
    settled(made)
    assert costs(made) == [Decimal("5.00"), Decimal("800.00")]


def test_a_missing_right_is_named_and_what_was_brought_is_kept() -> None:
    made = world()
    put(made, invoice(line(1), line(2)))
    denied = Forbidden("Insufficient scope", system="severa", status=403, operation="POST /v1/projectfees")
    made.faults.arm("create", "projectfees", denied, skip=1)

    stop = stopped(made)

    assert (stop.code, stop.values["operation"]) == ("cost.not_allowed", "POST /v1/projectfees")
    link = made.books.link("cost", erp_id=INVOICE[1])
    assert link is not None
    assert list(link.state["lines"]) == ["1"]


def test_a_line_sent_without_an_answer_is_taken_back_when_its_document_is_voided_meanwhile() -> None:
    made = world()
    place = put(made, invoice())
    made.faults.arm("create", "projectfees", OutcomeUnknown(), after=True)
    delivery = made.delivery("cost", erp=place)
    with pytest.raises(OutcomeUnknown):
        settle(delivery)
    put(made, invoice(status="Voided"))

    settle(delivery.again())

    assert costs(made) == [Decimal("800.00"), Decimal("-800.00")]


def test_a_line_that_never_arrived_is_not_sent_once_its_document_is_voided() -> None:
    made = world()
    place = put(made, invoice())
    made.faults.arm("create", "projectfees", OutcomeUnknown())
    delivery = made.delivery("cost", erp=place)
    with pytest.raises(OutcomeUnknown):
        settle(delivery)
    put(made, invoice(status="Voided"))

    with pytest.raises(TryLater) as caught:
        settle(delivery.again())
    made.clock.forward(caught.value.retry_after or 0)
    settle(delivery.again())

    assert fees(made) == []


def crashes(made: World, body: Json) -> None:
    made.run(settle, made.delivery("cost", erp=put(made, body)), attempts=60)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("error", [Killed(), OutcomeUnknown(), RateLimited(retry_after=5)])
def test_wherever_the_process_dies_every_line_becomes_one_fee_and_every_file_one_file(
    error: BaseException, *, after: bool
) -> None:
    def one() -> World:
        made = world()
        made.erp.attachments["supplierInvoice", "x"] = {"a1": b"pdf"}
        return made

    files = [{"id": "a1", "name": "invoice.pdf", "revision": 1}]
    body = invoice(line(1), line(2, "5.00", project="P2000"), attachments=files)
    smooth = one()
    crashes(smooth, body)
    points = len(smooth.calls)
    assert points > 12

    for point in range(1, points + 1):
        if after and isinstance(error, RateLimited):
            break  # whoever says 'too many calls' has not done the call
        made = one()
        made.faults.arm_nth(point, error, after=after)
        crashes(made, body)
        assert sorted(costs(made)) == [Decimal("5.00"), Decimal("800.00")], f"call {point}"
        assert [len(files_of(made, project)) for project in ("p1", "p2")] == [1, 1], f"call {point}"


@pytest.mark.parametrize("after", [False, True])
def test_wherever_the_process_dies_a_voided_document_is_taken_back_once(*, after: bool) -> None:
    points = 20
    for point in range(1, points + 1):
        made = world()
        brought(made, invoice(line(1), line(2, "5.00")))
        made.faults.arm_nth(point, Killed(), after=after)
        crashes(made, invoice(line(1), line(2, "5.00"), status="Voided"))
        assert sum(costs(made)) == 0, f"call {point}"
        assert len(fees(made)) == 4, f"call {point}"


@pytest.mark.schedule("S48")
def test_a_fee_that_a_person_moved_to_another_project_is_found_there_after_a_restore() -> None:
    made = world()
    (fee,) = brought(made, invoice())
    made.severa.stored("projectfees", fee["guid"])["project"] = {"guid": "p2"}
    forgotten(made)

    settled(made)

    assert len(fees(made)) == 1
    link = made.books.link("cost", erp_id=INVOICE[1])
    assert link is not None
    assert link.state["lines"]["1"]["project"] == "p2"


def test_a_lost_answer_is_looked_up_on_every_project() -> None:
    made = world()
    place = put(made, invoice())
    made.faults.arm("create", "projectfees", OutcomeUnknown(), after=True)
    delivery = made.delivery("cost", erp=place)
    with pytest.raises(OutcomeUnknown):
        settle(delivery)
    fees(made)[0]["project"] = {"guid": "p2"}

    settle(delivery.again())

    assert len(fees(made)) == 1


@pytest.mark.parametrize("words", ["Tåg", "En mycket lång beskrivning av en resa " * 10])
def test_a_fee_whose_text_severa_cut_is_still_found(words: str) -> None:
    made = world()
    (fee,) = brought(made, invoice(line(transactionDescription=words)))
    stored = made.severa.stored("projectfees", fee["guid"])
    assert "[ERP Invoice 200771/1]" in stored["description"]
    stored["description"] = stored["description"][:80]
    forgotten(made)

    settled(made)

    assert len(fees(made)) == 1


def test_a_fee_that_carries_its_marker_at_the_end_of_a_long_text_is_still_found() -> None:
    made = world()
    words = "En mycket lång beskrivning av en resa " * 10
    (fee,) = brought(made, invoice(line(transactionDescription=words)))
    # As 0.1.0 wrote it.
    made.severa.stored("projectfees", fee["guid"])["description"] = f"{words.strip()} [ERP Invoice 200771/1]"
    forgotten(made)

    settled(made)

    assert len(fees(made)) == 1


@pytest.mark.parametrize(
    ("more", "since"),
    [
        ({"createdDateTime": "2026-03-04T09:30:00.12"}, "2026-03-02T09:30:00.120000+00:00"),
        ({}, "2025-03-03T00:00:00+00:00"),
        ({"date": None}, None),
    ],
)
def test_fees_are_asked_for_since_the_document_can_have_been_brought(more: Json, since: str | None) -> None:
    made = world()

    settled(made, put(made, invoice(**more)))

    (asked,) = [call for call in made.calls if call.method == "list" and call.register == "projectfees"]
    assert (asked.body.get("changedSince") and asked.body["changedSince"].isoformat()) == since
