"""Severa customers made in the ERP, their numbers, and creates without an answer (R-CUS-1..8)."""

from __future__ import annotations

import pytest

from domain.customer.steps import settle
from domain.errors import InDoubt, OutcomeUnknown, Refused, TryLater, Unavailable
from domain.model import Effects
from tests.fakes import Killed
from tests.fakes_registers import poll, put_erp, put_severa
from tests.unit.domain.customer_world import changed, codes, later, ours, settled, stopped, theirs, world

pytestmark = pytest.mark.req("R-CUS-1")


@pytest.mark.req("R-CUS-4", "R-CUS-6")
def test_a_new_severa_customer_is_made_as_the_mapping_says_and_gets_the_erps_number() -> None:
    made = world()
    put_severa(made, "customers", ours())

    effects = settled(made)

    create, update, number = [call for call in made.calls if call.method in ("create", "update", "patch")]
    assert create.body == {
        "name": {"value": "Ada Bygg AB"},
        "customerClassId": {"value": "1"},
        "overrideWithClassValues": True,
        "mainAddress": {
            "value": {
                "addressLine1": {"value": "c/o Ada"},
                "addressLine2": {"value": "Storgatan 1"},
                "addressLine3": {"value": ""},
                "postalCode": {"value": "90325"},
                "city": {"value": "Umeå"},
                "countryId": {"value": "SE"},
            }
        },
    }
    assert update.body == {
        "vatRegistrationId": {"value": "SE556677889901"},
        "creditTermsId": {"value": "14"},
        "mainContact": {
            "value": {"email": {"value": "faktura@ada.example"}, "web": {"value": "https://ada.example"}}
        },
    }
    assert number.body == {"/number": 10001}
    assert codes(effects) == ["customer.created_in_erp", "customer.numbered"]
    link = made.books.link("customer", severa_id="c1")
    assert link is not None
    assert (link.severa_number, link.erp_number) == ("10001", "10001")
    assert link.erp_id == str(made.erp.stored("customer", "10001")["internalId"])


def test_the_echo_of_our_own_create_causes_nothing() -> None:
    made = world()
    put_severa(made, "customers", ours())
    settled(made)
    made.calls.clear()

    assert later(made).log == ()
    assert made.calls == []


@pytest.mark.req("R-CUS-6")
def test_the_class_chosen_for_a_customer_is_sent_and_must_exist() -> None:
    made = world()
    put_severa(made, "customers", ours())
    made.books.choices["customer", "c1"] = "9"
    assert stopped(made).code == "customer.class_unknown"
    assert changed(made) == []

    made.books.choices["customer", "c1"] = "2"
    settled(made)
    assert made.erp.stored("customer", "10001")["customerClass"] == {"id": "2"}


def test_currency_and_inactivity_of_a_new_customer_are_put_over_the_class() -> None:
    made = world()
    put_severa(made, "customers", ours(currency={"code": "EUR"}, isActive=False))

    settled(made)

    stored = made.erp.stored("customer", "10001")
    assert (stored["currencyId"], stored["status"]) == ("EUR", "Inactive")


def test_without_headquarters_the_first_visiting_address_is_sent() -> None:
    made = world()
    put_severa(made, "customers", ours(headquarterAddress=None))
    for guid, address in enumerate(
        (
            {
                "addressline": "Box 1",
                "city": "Luleå",
                "isVisitAddress": False,
                "createdDateTime": "2020-01-01",
            },
            {
                "addressline": "Väg 2",
                "city": "Kiruna",
                "isVisitAddress": True,
                "createdDateTime": "2022-01-01",
            },
            {
                "addressline": "Väg 1",
                "city": "Piteå",
                "isVisitAddress": True,
                "createdDateTime": "2021-01-01",
                "country": {"guid": "no", "name": "Norge"},
            },
        )
    ):
        put_severa(made, "addresses", {"guid": f"a{guid}", "customer": {"guid": "c1"}, **address})

    settled(made)

    address = made.erp.stored("customer", "10001")["mainAddress"]
    assert (address["addressLine1"], address["city"], address["country"]) == ("Väg 1", "Piteå", {"id": "NO"})


def test_a_country_that_severa_does_not_know_is_a_problem() -> None:
    made = world()
    put_severa(made, "customers", ours(headquarterAddress={"city": "X", "country": "Atlantis"}))

    stop = stopped(made)

    assert (stop.code, stop.values["country"]) == ("customer.country_unknown", "Atlantis")
    assert changed(made) == []


@pytest.mark.req("R-CUS-2")
def test_the_internal_customer_never_leaves_severa() -> None:
    made = world()
    put_severa(made, "customers", ours(isInternal=True))

    assert settled(made) == Effects()
    assert made.calls == []


@pytest.mark.parametrize("register", [("severa", "customers"), ("visma_net", "customer")])
def test_nothing_is_matched_or_created_before_both_registers_were_read(register: tuple[str, str]) -> None:
    made = world()
    put_severa(made, "customers", ours())
    made.books.incomplete.add(register)

    with pytest.raises(TryLater) as caught:
        settle(made.delivery("customer", severa=("customers", "c1")))

    assert caught.value.costs_attempt is False
    assert made.calls == []


@pytest.mark.req("R-CUS-4")
def test_a_number_that_another_customer_still_has_goes_through_a_free_interim_number() -> None:
    made = world()
    put_severa(made, "customers", ours())
    put_severa(made, "customers", ours(guid="c2", name="Bo AB", number=10001, vatNumber=None))

    first = settled(made)

    assert made.severa.stored("customers", "c1")["number"] == 10001
    interim = made.severa.stored("customers", "c2")["number"]
    assert interim in range(900_000_000, 1_000_000_000)
    assert "customer.interim_number" in codes(first)
    settled(made, severa=("customers", "c2"))
    assert made.severa.stored("customers", "c2")["number"] == 10002


@pytest.mark.req("R-CUS-4")
def test_two_customers_whose_numbers_collide_crosswise_end_with_the_erps_numbers() -> None:
    made = world()
    put_severa(made, "customers", ours(number=10002))
    put_severa(made, "customers", ours(guid="c2", name="Bo AB", number=10001, vatNumber=None))

    for guid in ("c1", "c2"):
        settled(made, severa=("customers", guid))

    assert [made.severa.stored("customers", guid)["number"] for guid in ("c1", "c2")] == [10001, 10002]
    made.calls.clear()
    assert codes(later(made)) == []
    assert settled(made, severa=("customers", "c2")).log == ()
    assert changed(made) == []


@pytest.mark.req("R-CUS-4")
def test_a_number_that_is_no_integer_is_a_problem_but_the_link_stays() -> None:
    made = world()
    put_severa(made, "customers", ours())
    put_erp(made, "customer", "K-77", theirs(number="K-77"))

    assert stopped(made).code == "customer.number_not_integer"
    link = made.books.link("customer", severa_id="c1")
    assert link is not None
    assert link.erp_number == "K-77"


@pytest.mark.req("R-CUS-4")
def test_leading_zeros_stay_in_the_link_and_severa_gets_the_integer() -> None:
    made = world()
    put_severa(made, "customers", ours())
    put_erp(made, "customer", "00042", theirs(number="00042"))

    settled(made)

    link = made.books.link("customer", severa_id="c1")
    assert link is not None
    assert (link.erp_number, link.severa_number) == ("00042", "42")
    assert made.severa.stored("customers", "c1")["number"] == 42
    assert later(made).log == ()


def test_a_link_survives_a_refused_number_and_the_next_attempt_writes_it() -> None:
    made = world()
    put_severa(made, "customers", ours())
    made.faults.arm("patch", "customers", Refused("no", system="severa", status=400, operation="PATCH"))

    assert stopped(made).code == "customer.refused"
    effects = settled(made)

    assert codes(effects) == ["customer.numbered"]
    assert len(made.erp.records["customer"]) == 1


@pytest.mark.parametrize("after", [True, False])
def test_a_create_without_an_answer_never_makes_a_second_customer(after: bool) -> None:  # noqa: FBT001 - a parameter
    made = world()
    put_severa(made, "customers", ours())
    made.faults.arm("create", "customer", OutcomeUnknown(), after=after)

    *before, last = made.run(settle, made.delivery("customer", severa=("customers", "c1")))

    assert isinstance(before[0].error, OutcomeUnknown)
    assert last.settled is not None
    assert list(made.erp.records["customer"]) == ["10001"]
    assert made.severa.stored("customers", "c1")["number"] == 10001


def test_a_poll_that_brings_our_own_unanswered_customer_is_no_candidate() -> None:
    made = world()
    put_severa(made, "customers", ours(vatNumber=None))
    made.faults.arm("create", "customer", OutcomeUnknown(), after=True)
    delivery = made.delivery("customer", severa=("customers", "c1"))
    with pytest.raises(OutcomeUnknown):
        settle(delivery)
    poll(made)

    made.finish(delivery, settle(delivery.again()))

    assert list(made.erp.records["customer"]) == ["10001"]


def test_two_customers_after_an_unanswered_create_are_in_doubt() -> None:
    made = world()
    put_severa(made, "customers", ours())
    made.faults.arm("create", "customer", OutcomeUnknown(), after=True)
    delivery = made.delivery("customer", severa=("customers", "c1"))
    with pytest.raises(OutcomeUnknown):
        settle(delivery)
    made.erp.store(
        "customer", {**made.erp.stored("customer", "10001"), "internalId": 99, "number": "10099"}, "10099"
    )

    with pytest.raises(InDoubt) as caught:
        settle(delivery.again())

    assert caught.value.values["numbers"] == ["10001", "10099"]


def test_a_customer_of_our_name_that_is_not_what_was_sent_is_not_adopted() -> None:
    made = world()
    put_severa(made, "customers", ours())
    made.faults.arm("create", "customer", OutcomeUnknown())
    delivery = made.delivery("customer", severa=("customers", "c1"))
    with pytest.raises(OutcomeUnknown):
        settle(delivery)
    made.erp.store("customer", theirs(customerClass={"id": "2"}), "20001")

    with pytest.raises(TryLater):
        settle(delivery.again())


def test_a_create_that_answers_without_a_key_is_found_by_its_name() -> None:
    made = world()
    made.erp.location_comes_back = False
    put_severa(made, "customers", ours())

    settled(made)

    assert list(made.erp.records["customer"]) == ["10001"]
    assert made.books.link("customer", severa_id="c1") is not None


@pytest.mark.parametrize(
    ("fault", "after"),
    # Unavailable means that nothing was done.
    [(OutcomeUnknown, True), (OutcomeUnknown, False), (Killed, True), (Killed, False), (Unavailable, False)],
)
@pytest.mark.parametrize("event", range(1, 10))
def test_whatever_fails_in_between_there_is_one_customer_with_one_number(
    event: int,
    after: bool,  # noqa: FBT001 - a parameter
    fault: type[BaseException],
) -> None:
    made = world()
    put_severa(made, "customers", ours())
    made.faults.arm_nth(event, fault(), after=after)

    *_, last = made.run(settle, made.delivery("customer", severa=("customers", "c1")))

    assert last.settled is not None, last.error
    assert list(made.erp.records["customer"]) == ["10001"]
    assert made.severa.stored("customers", "c1")["number"] == 10001
    assert made.erp.stored("customer", "10001")["mainContact"]["email"] == "faktura@ada.example"
