"""What an invoice needs that is not where it was last read: periods, items made meanwhile, fallback items, originals."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

import pytest

from domain.errors import InputError, Refused, Waiting
from domain.explain import Text
from domain.invoice import plan
from domain.invoice.gaps import reason
from domain.invoice.plan import KEEPS_STATUS, ORIGINAL_NOT_BOOKED
from domain.invoice.refusals import Told, refusal
from domain.invoice.steps import settle
from domain.model import Json, NumberGap
from domain.setup.settings import ROW_TYPES, STATUS_ROLES, TenantSettings, changed_settings
from domain.setup.statuses import ROLES
from domain.words import CAUSES, SENTENCES
from tests.fakes_ledger import Firm, row
from tests.fakes_vendors import Call
from tests.unit.domain.invoice_booking import D, stopped, wrong_vat

# ---------------------------------------------------------------- the financial period


def months(*, exclusive: bool) -> list[Json]:
    """The twelve months of 2026 and January 2027; ends as the first day after them, or as their last day."""
    starts = [date(2026, month, 1) for month in range(1, 13)] + [date(2027, 1, 1), date(2027, 2, 1)]
    return [
        {
            "period": f"{start:%Y%m}",
            "startDate": f"{start}T00:00:00",
            "endDate": f"{after if exclusive else date.fromordinal(after.toordinal() - 1)}T00:00:00",
            "closedInCustomerLedger": False,
        }
        for start, after in pairwise(starts)
    ]


def adjustment(start: str, end: str, *, closed: bool) -> Json:
    return {"period": "202613", "startDate": start, "endDate": end, "closedInCustomerLedger": closed}


ADJUSTMENTS = [
    ("2026-12-31", "2026-12-31"),
    ("2027-01-01", "2027-01-01"),  # as a ledger keeps it whose ends are exclusive
    ("2027-01-01", "2026-12-31"),
    ("2026-12-31T00:00:00", "2026-12-31T00:00:00.000"),
]


@pytest.mark.req("R-INV-14")
@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("span", ADJUSTMENTS)
def test_an_adjustment_period_is_never_the_period_of_an_invoice(
    span: tuple[str, str],
    exclusive: bool,  # noqa: FBT001
    closed: bool,  # noqa: FBT001
) -> None:
    firm = Firm()
    body = firm.invoice()
    for period in [adjustment(*span, closed=closed), *months(exclusive=exclusive)]:
        firm.books.remember("visma_net", "financialPeriod", period, id=period["period"])
    for dated, entered, sent in (
        ("2026-12-31", None, ""),
        ("2027-01-01", None, ""),
        ("2027-01-31", None, ""),
        ("2027-01-08", "2026-12-31", "202612"),
        ("2026-12-31", "2027-01-02", "202701"),
        ("2026-12-30", "2026-12-31", ""),
    ):
        invoice = plan.SeveraInvoice.of(body | {"date": dated, "entryDate": entered})
        assert plan.period(firm.books, invoice) == sent, (dated, entered)


@pytest.mark.req("R-INV-14")
@pytest.mark.parametrize("exclusive", [True, False])
def test_the_ordinary_period_of_the_last_day_stops_when_it_is_closed(exclusive: bool) -> None:  # noqa: FBT001
    firm = Firm()
    for period in [adjustment("2026-12-31", "2026-12-31", closed=False), *months(exclusive=exclusive)]:
        shut = {"closedInCustomerLedger": period["period"] == "202612"}
        firm.books.remember("visma_net", "financialPeriod", period | shut, id=period["period"])
    firm.invoice(date="2026-12-31")
    stop = stopped(firm)
    assert (stop.code, stop.values["period"], stop.values["date"]) == (
        "invoice.period_closed",
        "202612",
        "2026-12-31",
    )


def test_a_day_that_no_period_contains_says_nothing() -> None:
    firm = Firm()
    body = firm.invoice()
    for period in months(exclusive=False):
        firm.books.remember(
            "visma_net", "financialPeriod", period | {"closedInCustomerLedger": True}, id=period["period"]
        )
    assert plan.period(firm.books, plan.SeveraInvoice.of(body | {"date": "2027-03-01"})) == ""


# ---------------------------------------------------------------- items


@pytest.mark.req("R-INV-11")
@pytest.mark.parametrize("register", ["products", "worktypes", "travelexpensetypes"])
def test_a_product_made_since_its_register_was_read_is_waited_for(register: str) -> None:
    firm = Firm()
    firm.severa.store(register, {"guid": "new-1", "code": "NEW", "name": "Ny"})
    firm.invoice([row("NEW", "1", "10", "25")])
    with pytest.raises(Waiting) as waiting:
        settle(firm.transfer())
    assert (waiting.value.domain, waiting.value.severa_id) == ("product", "new-1")
    assert firm.in_severa_now()["status"]["guid"] == "s-transfer"
    assert firm.erp.documents() == []


@pytest.mark.req("R-INV-11")
def test_a_code_that_severa_does_not_know_either_fails_after_one_fresh_reading() -> None:
    firm = Firm()
    firm.severa.store("products", {"guid": "new-1", "code": "NEWER", "name": "Ny"})
    firm.invoice([row("NEW", "1", "10", "25"), row("NEW", "2", "10", "25")])
    assert stopped(firm).code == "invoice.item_unknown"
    asked = [call.register for call in firm.calls if (call.system, call.method) == ("severa", "list")]
    assert [asked.count(name) for name in ("products", "worktypes", "travelexpensetypes")] == [1, 1, 1]


@pytest.mark.req("R-INV-2")
@pytest.mark.parametrize("code", ["cons", "Cons", "CO\x00NS", "CONS\x07"])
def test_a_code_in_another_case_or_with_what_cannot_be_stored_is_the_same_item(code: str) -> None:
    firm = Firm()
    firm.invoice([row(code, "1", "100", "25")])
    settle(firm.transfer())
    assert firm.document()["invoiceLines"][0]["inventoryNumber"] == "CONS"


@pytest.mark.req("R-INV-2")
def test_what_no_system_takes_is_sent_to_neither() -> None:
    firm = Firm()
    firm.invoice(
        [row("CONS", "1", "100", "25", description="Råd\x00givning\ud800\x0bi två rader")],
        yourReference="Karin\x1b Lind",
    )
    settle(firm.transfer())
    sent = next(call.body for call in firm.calls if call.method == "create")
    assert sent["externalReference"] == {"value": "Karin Lind"}
    assert sent["invoiceLines"][0]["description"] == {"value": "Rådgivning?\ni två rader"}


@pytest.mark.req("R-INV-2")
def test_a_fallback_item_that_the_erp_does_not_have_is_named_with_its_setting() -> None:
    firm = Firm()
    chosen = TenantSettings.model_validate({"fallback_items": {"Hours/25": "KONSULT"}})
    firm.tenant = replace(firm.tenant, settings=chosen)
    firm.invoice([row("CONS", "1", "100", "25") | {"code": []}])
    stop = stopped(firm)
    assert stop.code == "invoice.fallback_unknown"
    for language in ("sv", "en"):
        said = CAUSES[stop.code].wrong.fill(language, stop.values)
        assert "KONSULT" in said
        assert "Hours/25" in said
        assert "–" not in said


@pytest.mark.req("R-INV-2")
def test_a_fallback_item_made_since_or_spelt_in_another_case_is_taken() -> None:
    firm = Firm()
    chosen = TenantSettings.model_validate({"fallback_items": {"Hours/25": "cons", "Hours/6": "NEW"}})
    firm.tenant = replace(firm.tenant, settings=chosen)
    firm.erp.store("inventory", {"inventoryId": 9, "inventoryNumber": "NEW"}, key="NEW")
    firm.erp.rates["NEW"] = D(6)
    lines = [row("CONS", "1", "100", "25") | {"code": []}, row("NEW", "1", "100", "6") | {"code": []}]
    firm.invoice(lines)
    settle(firm.transfer())
    assert [one["inventoryNumber"] for one in firm.document()["invoiceLines"]] == ["CONS", "NEW"]


@pytest.mark.req("R-SET-7")
def test_fallback_items_are_kept_as_rows_are_looked_up() -> None:
    text = '{"hours/25,50": " KONSULT ", "FlatRate/0": "FAST", "ProjectFees / 6 %": "AVGIFT", "travelexpenses/100": "R"}'
    assert changed_settings({}, "fallback_items", text)["fallback_items"] == {
        "Hours/25.5": "KONSULT",
        "FlatRate/0": "FAST",
        "ProjectFees/6": "AVGIFT",
        "TravelExpenses/100": "R",
    }


@pytest.mark.req("R-SET-7")
@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('{"Timmar/25": "K"}', ROW_TYPES),
        ('{"Hours": "K"}', ROW_TYPES),
        ('{"Hours/moms": "K"}', ("VAT percentage", "Hours/25.5")),
        ('{"Hours/-25": "K"}', ("VAT percentage",)),
        ('{"Hours/125": "K"}', ("VAT percentage",)),
        ('{"Hours/25": " "}', ("fallback_items.Hours/25", "1 to 60 characters")),
        ('{"Hours/25": "A", "hours/25,0": "B"}', ("two items", "A", "B")),
    ],
)
def test_a_fallback_that_can_never_match_is_refused_in_one_sentence(
    text: str, named: tuple[str, ...]
) -> None:
    with pytest.raises(InputError) as refused:
        changed_settings({}, "fallback_items", text)
    assert all(word in refused.value.message for word in named)


@pytest.mark.req("R-SET-7")
def test_vat_categories_are_kept_by_the_rate_of_a_row() -> None:
    text = '{"25,50": "HIGH", " 6 % ": "LOW", "0": "NONE"}'
    kept = changed_settings({}, "fallback_vat_categories", text)["fallback_vat_categories"]
    assert kept == {"25.5": "HIGH", "6": "LOW", "0": "NONE"}
    assert (
        changed_settings({}, "fallback_vat_categories", json.dumps(kept))["fallback_vat_categories"] == kept
    )
    for wrong in ('{"moms": "A"}', '{"101": "A"}', '{"25": "A", "25,0": "B"}'):
        with pytest.raises(InputError, match="VAT percentage"):
            changed_settings({}, "fallback_vat_categories", wrong)


@pytest.mark.req("R-SET-7")
def test_what_was_stored_before_it_was_checked_does_not_stop_the_tenant() -> None:
    stored: dict[str, Any] = {
        "fallback_items": {"Timmar/25": "K", "Hours/25,5": "X"},
        "status_roles": {"x": "y"},
    }
    assert TenantSettings.model_validate(stored).fallback_items == {"Timmar/25": "K", "Hours/25.5": "X"}
    assert changed_settings(stored, "costs", "cost")["fallback_items"]["Timmar/25"] == "K"


@pytest.mark.req("R-STA-2")
def test_a_misspelt_role_is_refused_with_the_roles_there_are() -> None:
    assert STATUS_ROLES == ROLES
    with pytest.raises(InputError, match="'partlypaid' is no role; the roles are failed, transfer"):
        changed_settings({}, "status_roles", '{"partlypaid": "g-1"}')


# ---------------------------------------------------------------- refusals


SENT = Told((("CONS", "1: Rådgivning"), ("TRAIN", "2: Tåg"), ("CONS", "3: Mer")))


@pytest.mark.req("R-INV-14")
@pytest.mark.parametrize(
    ("said", "item", "rows"),
    [
        ("Inventory item 'TRAIN' is inactive.", "TRAIN", "2: Tåg"),
        ("Inventory item 'cons' is inactive.", "CONS", "1: Rådgivning, 3: Mer"),
        ("Inventory Item status is 'No Sales'. Line 2.", "TRAIN", "2: Tåg"),
        ("Line number: 3. The item status is 'No Sales'.", "CONS", "3: Mer"),
        ("Inventory Item status is 'No Sales'.", "CONS, TRAIN", "1: Rådgivning, 2: Tåg, 3: Mer"),
        ("Inventory Item TRAINING on line 9.", "CONS, TRAIN", "1: Rådgivning, 2: Tåg, 3: Mer"),
    ],
)
def test_a_refused_item_is_named_with_its_row(said: str, item: str, rows: str) -> None:
    code, values = refusal(said, about=SENT)
    assert code == "invoice.item_refused"
    assert (", ".join(values["item"]), ", ".join(values["row"])) == (item, rows)
    assert item in CAUSES[code].wrong.fill("sv", values)
    assert rows in CAUSES[code].wrong.fill("en", values)


@pytest.mark.req("R-INV-14")
def test_an_item_refused_at_creation_and_at_release_is_named() -> None:
    firm = Firm()
    firm.invoice()
    firm.faults.arm(
        "create", "customerinvoice", Refused("Item TRAIN: No Sales.", system="visma_net", status=400)
    )
    stop = stopped(firm)
    assert (stop.values["item"], stop.values["row"]) == (["TRAIN"], ["2: TRAIN enligt avtal"])
    firm = Firm()
    firm.invoice()
    firm.faults.arm("update", "customerinvoice", Refused("Item CONS: ?", system="visma_net", status=400))
    stop = stopped(firm)
    assert (stop.values["item"], stop.values["row"]) == (["CONS"], ["1: CONS enligt avtal"])


@pytest.mark.req("R-INV-14")
@pytest.mark.parametrize(
    ("said", "code", "named"),
    [
        ("Project '?' is not active.", "project_refused", ["4711"]),
        ("The task is completed.", "task_refused", ["4711", "10"]),
        ("The credit terms are inactive.", "terms_refused", ["30"]),
        ("The currency rate is not defined.", "currency_refused", ["SEK"]),
        ("The branch is inactive.", "branch_refused", ["1"]),
    ],
)
@pytest.mark.parametrize("at", ["create", "update"])
def test_every_refusal_names_what_it_is_about(said: str, code: str, named: list[str], at: str) -> None:
    firm = Firm()
    firm.books.remember("visma_net", "branch", {"number": "1", "name": "Huvud", "isActive": True})
    firm.books.remember(
        "visma_net", "creditTerm", {"termsId": "30", "dueDay1": 30, "dueDateType": "FixedNumberOfDays"}
    )
    firm.invoice()
    firm.faults.arm(at, "customerinvoice", Refused(said, system="visma_net", status=400))
    stop = stopped(firm)
    assert stop.code == f"invoice.{code}"
    for language in ("sv", "en"):
        ours, _, _ = CAUSES[stop.code].wrong.fill(language, stop.values).partition("Visma.net ERP")
        assert all(one in ours for one in named)


# ---------------------------------------------------------------- originals and gaps


@pytest.mark.req("R-INV-7", "R-INV-11")
def test_an_original_that_nobody_books_is_called_that_and_not_an_internal_customer() -> None:
    for language, words in (("sv", ("faktura", "kund")), ("en", ("invoice", "customer"))):
        cause = CAUSES[ORIGINAL_NOT_BOOKED]
        said = cause.wrong.fill(language, {"name": "Mälarbygg"}) + cause.do.fill(language, {})
        assert words[0] in said.casefold()
        assert words[1] not in said.casefold()


def told(gap: NumberGap, language: str) -> str:
    sentences = {code: cause.wrong for code, cause in CAUSES.items()} | SENTENCES
    return reason(gap.reason, gap.values, gap.number, sentences, language)


def withdrawn(firm: Firm) -> None:
    def move(call: Call) -> bool:
        if call.method == "get" and call.register == "customerinvoice":
            firm.in_severa_now()["status"] = {"guid": "s-draft", "name": "Utkast"}
        return False

    firm.faults.arm_nth(1, AssertionError("never raised"), only=move)


def not_releasable(firm: Firm) -> None:
    firm.erp.release_status = "PendingEmail"


def release_refused(firm: Firm) -> None:
    text = "The financial period is closed."
    firm.faults.arm("update", "customerinvoice", Refused(text, system="visma_net", status=400))


@pytest.mark.req("R-INV-5")
@pytest.mark.parametrize("happens", [wrong_vat, withdrawn, not_releasable, release_refused])
@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_reason_of_a_gap_is_complete(happens: Any, language: str) -> None:
    firm = Firm()
    firm.invoice()
    happens(firm)
    delivery = firm.transfer()
    try:
        gaps = settle(delivery).effects.gaps
    except Exception as stop:  # noqa: BLE001 - whatever ended it carries what was left behind
        gaps = getattr(stop, "effects").gaps  # noqa: B009
    (gap,) = gaps
    said = told(gap, language)
    assert "{" not in said
    assert said != gap.reason
    assert gap.reason in said or "–" not in said
    if happens is wrong_vat:
        for total in (gap.values["severa_total"], gap.values["erp_total"]):
            assert Text("{x:money}", "{x:money}").fill(language, {"x": total}) in said


@pytest.mark.req("R-INV-5")
def test_a_gap_without_values_says_that_they_were_not_kept() -> None:
    gap = NumberGap("Invoice", "77", "g", "invoice.total_differs")
    assert told(gap, "en") == (
        "Document 77 was removed before it was released; "
        "the values that explain the cause invoice.total_differs were not kept then."
    )
    assert told(NumberGap("Invoice", "77", "g", "invoice.doubled"), "sv").startswith("Fakturan hade två")


@pytest.mark.req("R-INV-5")
@pytest.mark.parametrize(
    "code", sorted(KEEPS_STATUS & {"invoice.item_in_error", "invoice.customer_in_error"})
)
def test_a_held_document_that_goes_because_of_another_record_tells_which(code: str) -> None:
    values = {"name": "10001 Mälarbygg", "row": "1: X", "customer": "Mälarbygg"}
    assert "Mälarbygg" in told(NumberGap("Invoice", "77", "g", code, values), "sv")
