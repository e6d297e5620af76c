"""Rows that need the work behind them: grouped ones, several projects; branches, receivers, and the row at fault."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import Stop
from domain.invoice import billed, branches
from domain.invoice.model import SeveraInvoice
from domain.invoice.steps import settle
from domain.mapper import text
from domain.model import Json
from domain.setup.settings import TenantSettings
from tests.fakes_ledger import GUID, Firm, row
from tests.saying import wrong

D = Decimal


def firm_with(**settings: Any) -> Firm:
    firm = Firm()
    firm.tenant = replace(firm.tenant, settings=TenantSettings.model_validate(settings))
    return firm


def stopped(firm: Firm) -> Stop:
    with pytest.raises(Stop) as stop:
        settle(firm.transfer())
    return stop.value


def lines(firm: Firm) -> list[tuple[str, Decimal, Decimal]]:
    """Item, quantity and price of the document's lines."""
    document = firm.document()
    rows: list[Json] = document.get("invoiceLines") or document["lines"]
    return [(one["inventoryNumber"], one["quantity"], one["unitPriceInCurrency"]) for one in rows]


def item(row_guid: str, code: str, quantity: str, price: str, project: str = "p-1") -> Json:
    """A fee behind a row."""
    return {
        "invoiceRowGuid": row_guid,
        "project": {"guid": project},
        "product": {"guid": f"i-{code}", "code": code},
        "quantity": D(quantity),
        "unitPrice": {"amount": D(price), "currencyCode": "SEK"},
    }


# ---------------------------------------------------------------- grouped rows


def grouped(quantity: str = "1", price: str = "1100", *codes: str) -> Json:
    """A row that groups codes with different accounts."""
    return row("CONS", quantity, price, "25") | {"code": list(codes or ("CONS", "FREE2"))}


def with_second_account() -> Firm:
    """FREE2 posts with the VAT of CONS on another account."""
    firm = Firm()
    product = firm.books.remember("severa", "products", {"guid": "i-FREE2", "code": "FREE2", "name": "Två"})
    body = {
        "inventoryId": "FREE2",
        "inventoryNumber": "FREE2",
        "vatCode": {"id": "25"},
        "accountInformation": {"salesAccount": {"number": "3099"}},
    }
    firm.books.connect("product", product, firm.books.remember("visma_net", "inventory", body))
    firm.erp.rates["FREE2"] = D(25)
    return firm


@pytest.mark.req("R-INV-2")
def test_a_grouped_row_with_two_accounts_becomes_one_line_per_code_from_the_work_behind_it() -> None:
    firm = with_second_account()
    firm.invoice([grouped()])
    firm.severa.children["invoices/projectfees", GUID] = [
        item("r-1", "CONS", "2", "300"),
        item("r-1", "CONS", "1", "300"),
        item("r-1", "FREE2", "1", "200"),
    ]
    settle(firm.transfer())
    assert lines(firm) == [("CONS", D(3), D(300)), ("FREE2", D(1), D(200))]
    assert firm.in_severa_now()["number"] == 101


@pytest.mark.req("R-INV-2", "R-INV-4")
def test_a_grouped_row_whose_work_does_not_add_up_is_a_problem_and_makes_no_document() -> None:
    firm = with_second_account()
    firm.invoice([grouped()])
    firm.severa.children["invoices/projectfees", GUID] = [
        item("r-1", "CONS", "3", "300"),
        item("r-1", "FREE2", "1", "199.99"),
    ]
    stop = stopped(firm)
    assert (stop.code, stop.values["codes"]) == ("invoice.grouped_row", ["CONS", "FREE2"])
    assert firm.erp.documents() == []


@pytest.mark.req("R-INV-2", "R-INV-7")
def test_a_grouped_row_of_a_credit_note_is_rebuilt_from_what_was_reimbursed_whatever_its_sign() -> None:
    firm = with_second_account()
    firm.invoice([grouped("-1", "1100")], isCreditNote=True)
    firm.severa.children["invoices/reimbursedprojectfees", GUID] = [
        item("r-1", "CONS", "3", "300") | {"product": {"guid": "i-CONS", "name": "Utan kod"}},
        item("r-1", "FREE2", "1", "200"),
    ]
    settle(firm.transfer())
    assert lines(firm) == [("CONS", D(3), D(300)), ("FREE2", D(1), D(200))]


@pytest.mark.req("R-INV-2", "R-INV-4")
@settings(max_examples=150)
@given(
    parts=st.lists(
        st.tuples(
            st.sampled_from(["A", "B", "C"]),
            st.decimals(min_value=D("-50"), max_value=D("50"), places=2),
            st.decimals(min_value=0, max_value=D("500"), places=4),
        ),
        min_size=2,
        max_size=6,
    ),
    currency=st.sampled_from(["SEK", "JPY", "KWD"]),
    off=st.sampled_from([0, 1]),
)
def test_rebuilt_lines_always_add_up_to_the_row_or_the_row_is_left_alone(
    parts: list[tuple[str, Decimal, Decimal]], currency: str, off: int
) -> None:
    behind = tuple(billed.BilledItem("r", "p", code, quantity, price) for code, quantity, price in parts)
    codes = sorted({code for code, _, _ in parts})
    net = sum((one.net(currency) for one in behind), D(0)) + off
    body = row(codes[0], "1", str(net), "25", currency=currency, guid="r", sortOrder=1) | {"code": codes}
    made = SeveraInvoice.of({"guid": "g", "currency": {"code": currency}}, [body])
    found = billed.rebuilt(made, {"r"}, behind).rows
    assert sum((one.net(currency) for one in found), D(0)) == net
    if not off:
        assert [one.codes for one in found] == [(code,) for code in codes]


# ---------------------------------------------------------------- several projects


def add_project(firm: Firm, guid: str, number: int, **more: Any) -> None:
    record = firm.books.remember("severa", "projects", {"guid": guid, "number": number, "name": guid} | more)
    body = {"internalID": number, "projectID": str(number), "description": guid}
    firm.books.connect("project", record, firm.books.remember("visma_net", "project", body))


BOTH = [{"guid": "p-1", "number": 4711, "name": "Ett"}, {"guid": "p-2", "number": 4712, "name": "Två"}]


def two_projects(firm: Firm, rows: list[Json], **more: Any) -> None:
    """An invoice of two projects: the first row is of the first, all others of the second."""
    firm.invoice(rows, projects=BOTH, **more)
    firm.severa.children["invoices/projectfees", GUID] = [
        item(one["guid"], "CONS", "1", "1", "p-1" if one is rows[0] else "p-2") for one in rows
    ]


@pytest.mark.req("R-INV-2")
def test_several_projects_are_a_problem_unless_the_tenant_says_the_largest() -> None:
    firm = Firm()
    add_project(firm, "p-2", 4712)
    two_projects(firm, [row("CONS", "1", "100", "25"), row("CONS", "1", "200", "25")])
    assert stopped(firm).code == "invoice.several_projects"
    assert firm.in_severa_now()["status"]["guid"] == "s-failed"


@pytest.mark.req("R-INV-2")
def test_the_projects_that_the_document_does_not_carry_stand_in_log_and_note_below_the_marker() -> None:
    firm = firm_with(several_projects="largest")
    add_project(firm, "p-2", 4712)
    two_projects(
        firm, [row("CONS", "1", "100", "25"), row("CONS", "-2", "200", "25"), row("CONS", "4", "200", "25")]
    )
    settled = settle(firm.transfer())
    document = firm.document()
    assert document["project"]["id"] == "4712"
    assert document["note"].split("\n") == [f"severa:{GUID} prod.n1", "Övriga projekt: 4711 Ett"]
    told = next(line for line in settled.effects.log if line.code == "invoice.several_projects_one")
    assert (told.values["project"], told.values["others"]) == (
        "4712",
        [{"number": "4711", "name": "Ett"}],
    )


def test_of_two_projects_with_the_same_amount_the_lower_number_is_taken() -> None:
    firm = firm_with(several_projects="largest")
    add_project(firm, "p-2", 4712)
    two_projects(firm, [row("CONS", "1", "200", "25"), row("CONS", "1", "200", "25")])
    settle(firm.transfer())
    assert firm.document()["project"]["id"] == "4711"


def test_a_flat_rate_tells_its_project_itself() -> None:
    firm = firm_with(several_projects="largest")
    add_project(firm, "p-2", 4712)
    flat = row("CONS", "1", "900", "25") | {"rowType": "FlatRate", "flatRateGuid": "fr-1"}
    firm.severa.store("flatrates", {"guid": "fr-1", "project": {"guid": "p-2"}})
    firm.invoice([row("CONS", "1", "100", "25"), flat], projects=BOTH)
    firm.severa.children["invoices/workhours", GUID] = [item("r-1", "CONS", "1", "100")]
    settle(firm.transfer())
    assert firm.document()["project"]["id"] == "4712"


# ---------------------------------------------------------------- branches


def with_companies(firm: Firm) -> None:
    """Two companies in Severa (units u-1 and u-2 at their heads, u-1a below the first), branches 1, 1A and 2 in the ERP."""
    for guid, head, company, vat in (
        ("u-1", "u-1", "co-1", "SE556677889901"),
        ("u-1a", "u-1", "co-1", None),
        ("u-2", "u-2", "co-2", "SE559900112201"),
    ):
        unit = {
            "guid": guid,
            "name": guid,
            "companyGuid": company,
            "companyBusinessUnitGuid": head,
            "vatNumber": vat,
        }
        firm.books.remember("severa", "businessunits", unit)
    for number in ("1", "1A", "2"):
        firm.books.remember("visma_net", "branch", {"number": number, "isActive": True})
    firm.books.branches |= {"u-1": "1", "u-1a": "1A", "u-2": "2"}


def unit(guid: str, company: str) -> Json:
    return {"businessUnit": {"guid": guid, "companyGuid": company, "companyName": company}}


@pytest.mark.req("R-INV-10")
def test_the_header_has_the_selling_companys_branch_and_a_line_that_of_its_projects_unit() -> None:
    firm = firm_with(several_projects="largest")
    with_companies(firm)
    firm.books.remember(
        "severa", "projects", {"guid": "p-1", "number": 4711, "name": "Ett"} | unit("u-1", "co-1")
    )
    add_project(firm, "p-2", 4712, **unit("u-1a", "co-1"))
    two_projects(
        firm,
        [row("CONS", "9", "100", "25"), row("CONS", "1", "100", "25")],
        invoiceNumberBusinessUnitGuid="u-1a",
    )
    settle(firm.transfer())
    document = firm.document()
    assert document["branchNumber"]["number"] == "1"
    assert [one["branchNumber"]["number"] for one in document["invoiceLines"]] == ["1", "1A"]


@pytest.mark.req("R-INV-10")
@pytest.mark.parametrize(
    ("more", "project_unit"),
    [
        ({"invoiceNumberBusinessUnitGuid": "u-1"}, unit("u-2", "co-2")),
        ({"invoiceNumberBusinessUnitGuid": "u-1", "senderVatNumber": "SE559900112201"}, {}),
    ],
)
def test_number_series_sender_and_projects_must_be_of_one_company(more: Json, project_unit: Json) -> None:
    firm = Firm()
    with_companies(firm)
    firm.books.remember("severa", "projects", {"guid": "p-1", "number": 4711, "name": "Ett"} | project_unit)
    firm.invoice(**more)
    assert stopped(firm).code == "invoice.company_differs"
    assert firm.erp.documents() == []


@pytest.mark.req("R-INV-10")
def test_a_unit_of_another_company_never_gives_a_line_its_branch() -> None:
    firm = Firm()
    with_companies(firm)
    firm.books.remember("severa", "projects", {"guid": "p-1", "number": 4711} | unit("u-2", "co-2"))
    firm.invoice()
    made = SeveraInvoice.of(firm.in_severa_now(), firm.severa.children["invoices/invoicerows", GUID])
    seller = branches.Selling("1", "co-1")
    assert branches.line_branches(firm.books, made, seller, {"r-1": "p-1", "r-2": "p-1"}) == {}


# ---------------------------------------------------------------- receivers


CUSTOMER = {
    "mainAddress": {
        "addressLine1": "Kungsgatan 1",
        "postalCode": "111 43",
        "city": "Stockholm",
        "country": {"id": "SE", "name": "Sverige"},
    },
}


def with_customer(firm: Firm, **more: Any) -> None:
    record = firm.books.record("visma_net", "customer", "1")
    assert record is not None
    firm.books.remember("visma_net", "customer", record.body | CUSTOMER | more)


def created(firm: Firm) -> Json:
    body: Json = next(call.body for call in firm.calls if call.method == "create")
    return body


def test_a_linked_contact_person_goes_by_its_id_and_another_one_by_name() -> None:
    person: Json = {
        "receiverContactGuid": "k-1",
        "receiverContactName": "Eva Ek",
        "receiverContactEmail": "eva@ek.example",
    }
    firm = Firm()
    with_customer(firm)
    firm.books.remember("visma_net", "contact", {"contactId": 77, "businessAccount": "10001", "active": True})
    link = firm.books.link("customer", severa_id="c-1")
    assert link is not None
    firm.books.replace_link(link, state={"contacts": {"k-1": {"id": "77"}}})
    firm.invoice(**person)
    settle(firm.transfer())
    assert created(firm)["contact"]["value"] == 77
    assert "invoiceContact" not in created(firm)
    other = Firm()
    with_customer(other)
    other.invoice(**person)
    settle(other.transfer())
    assert "contact" not in created(other)
    assert text(other.document(), "status") == "Open"
    assert created(other)["invoiceContact"]["value"]["attention"]["value"] == "Eva Ek"


def test_a_contact_that_has_moved_to_another_customer_is_not_sent() -> None:
    firm = Firm()
    with_customer(firm)
    firm.books.remember("visma_net", "contact", {"contactId": 77, "businessAccount": "10002", "active": True})
    link = firm.books.link("customer", severa_id="c-1")
    assert link is not None
    firm.books.replace_link(link, state={"contacts": {"k-1": {"id": "77"}}})
    firm.invoice(receiverContactGuid="k-1", receiverContactName="Eva Ek")
    settle(firm.transfer())
    assert "contact" not in created(firm)


def test_an_address_in_another_country_than_the_location_is_sent_with_a_warning() -> None:
    firm = Firm()
    with_customer(firm)
    firm.books.remember("severa", "localization/countries", {"guid": "no", "name": "Norge", "code2": "NO"})
    firm.invoice(
        receiverAddress={
            "addressline": "Storgata 1",
            "postalCode": "0155",
            "city": "Oslo",
            "country": "Norge",
        }
    )
    settled = settle(firm.transfer())
    assert created(firm)["billingAddress"]["value"]["countryId"]["value"] == "NO"
    warned = next(line for line in settled.effects.log if line.code == "invoice.country_differs")
    assert (warned.level, warned.values["location"], warned.values["number"]) == ("warning", "SE", "101")


def test_an_address_in_the_customers_own_country_costs_no_call_and_no_warning() -> None:
    firm = Firm()
    with_customer(firm)
    firm.invoice(
        receiverAddress={
            "addressline": "Storgatan 9",
            "postalCode": "411 01",
            "city": "Göteborg",
            "country": "Sverige",
        }
    )
    settled = settle(firm.transfer())
    assert created(firm)["billingAddress"]["value"]["countryId"]["value"] == "SE"
    assert not any(call.register.startswith("localization") for call in firm.calls)
    assert "invoice.country_differs" not in [line.code for line in settled.effects.log]


# ---------------------------------------------------------------- the row at fault


@pytest.mark.req("R-INV-5", "R-INV-14")
def test_rates_that_differ_though_the_total_agrees_are_seen_before_anything_is_created() -> None:
    firm = Firm()
    firm.know_vat()
    # 12 + 19 % is as much as 25 + 6 %: the total is right, every rate is wrong.
    firm.invoice([row("CONS", "1", "1000", "12"), row("TRAIN", "1", "1000", "19")])
    stop = stopped(firm)
    assert stop.code == "invoice.vat_would_differ"
    assert "Moms i Severa: 19 %: 1 000,00 + 190,00; 12 %: 1 000,00 + 120,00." in wrong(stop)
    assert firm.erp.documents() == []
    assert firm.erp.deleted == []


@pytest.mark.req("R-INV-4")
def test_a_failed_proof_names_the_row_that_most_likely_causes_it() -> None:
    firm = Firm()
    firm.invoice(
        [
            row("CONS", "1", "1000", "25"),
            row("TRAIN", "1", "2000", "25", description="Kurs"),
            row("FREE", "1", "9", "0"),
        ]
    )
    stop = stopped(firm)
    assert stop.code == "invoice.total_differs"
    # The ERP has 6 % on the course: 500.00 of the VAT at 25 % is missing, which is what that row has.
    assert stop.values["row"] == "2: Kurs (25 %)"


@pytest.mark.req("R-INV-5")
def test_two_vat_ids_of_the_same_rate_are_both_shown() -> None:
    firm = Firm()
    firm.know_vat()
    firm.books.remember(
        "visma_net",
        "vat",
        {
            "vatId": "EU0",
            "zones": [{"id": "01"}],
            "categories": [{"vatCategoryId": "06"}],
            "reverseVat": True,
            "schedules": [],
        },
    )
    firm.books.records.pop(("visma_net", "vat", "U06"))
    firm.invoice([row("TRAIN", "1", "1000", "6"), row("FREE", "1", "100", "0")])
    stop = stopped(firm)
    assert stop.code == "invoice.total_would_differ"
    assert "0 % (EU0/U00): 1 100,00 + 0,00" in wrong(stop)
