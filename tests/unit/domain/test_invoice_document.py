"""The ERP document of an invoice, as it is sent; and what decides its branch, terms, period and receiver."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from domain.errors import Stop, Waiting
from domain.invoice import branches, plan
from domain.invoice.choices import Choices
from domain.invoice.document import draft
from domain.invoice.model import InvoiceRow, SeveraInvoice
from domain.invoice.plan import Item, Needs, decide
from domain.invoice.receiver import address_differs
from domain.invoice.registers import INVOICE_TEXT_LIMIT, REGISTERS
from domain.invoice.steps import settle
from domain.model import Booked, Json
from domain.setup.settings import TenantSettings
from domain.setup.statuses import derive_roles
from tests.fakes_ledger import GUID, Firm, row, statuses

D = Decimal
CHOICES = Choices(branch="1", terms="30", period="", foreign=False, country=None, task="10", language="sv")
ITEM = {"vatCode": {"id": "25"}, "salesUnit": "TIM", "baseUnit": "ST"}


def made(rows: list[Json] | None = None, **more: Any) -> SeveraInvoice:
    """An invoice with a row of CONS unless others are given."""
    firm = Firm()
    body = firm.invoice(rows if rows is not None else [row("CONS", "8", "1450", "25")], **more)
    return SeveraInvoice.of(body, firm.severa.children["invoices/invoicerows", GUID])


def needed(invoice: SeveraInvoice, customer: Json | None = None) -> Needs:
    return Needs("10001", customer, "4711", {one.guid: Item(one.codes[0], ITEM) for one in invoice.rows})


def sent(invoice: SeveraInvoice, choices: Choices = CHOICES, customer: Json | None = None) -> Json:
    return draft(invoice, needed(invoice, customer), choices).body()


@pytest.mark.req("R-INV-2", "R-INV-3")
def test_every_leaf_is_wrapped_operation_and_arrays_are_bare_and_nothing_is_null() -> None:
    body = sent(made(dueDate=None, orderNumber=None))
    (line,) = body.pop("invoiceLines")
    assert line.pop("operation") == "Insert"
    for members in (body, line):
        assert all(value.keys() == {"value"} and value["value"] is not None for value in members.values())
    assert "customerRefNumber" not in body
    assert "documentDueDate" not in body
    assert {
        name: body[name]["value"] for name in ("hold", "dontPrint", "dontEmail", "sendToAutoInvoice")
    } == {
        "hold": True,
        "dontPrint": True,
        "dontEmail": True,
        "sendToAutoInvoice": False,
    }
    assert body["note"]["value"] == f"severa:{GUID}"
    assert line["manualDiscount"]["value"] is True
    assert line["discountPercent"]["value"] == 0
    assert (line["taskId"]["value"], line["branchNumber"]["value"], line["uom"]["value"]) == (
        "10",
        "1",
        "TIM",
    )


def test_a_price_of_zero_is_sent_because_the_erp_would_take_its_list_price() -> None:
    (line,) = sent(made([row("CONS", "1", "0", "25")]))["invoiceLines"]
    assert line["unitPriceInCurrency"]["value"] == 0


@pytest.mark.req("R-INV-9")
def test_the_price_is_the_one_in_the_invoices_currency() -> None:
    priced = row("CONS", "1", "100", "0")
    priced["unitPrice"]["multiCurrencyInfo"] = [{"amount": D("9.10"), "currencyCode": "EUR"}]
    invoice = made([priced], currency="EUR", currencyRate=D("11.2"))
    body = sent(invoice, replace(CHOICES, foreign=True))
    assert body["invoiceLines"][0]["unitPriceInCurrency"]["value"] == D("9.10")
    assert body["exchangeRate"]["value"] == D("11.2")
    priced["unitPrice"]["multiCurrencyInfo"] = None
    with pytest.raises(Stop) as stop:
        sent(made([priced], currency="EUR"))
    assert stop.value.code == "invoice.price_currency"


def test_texts_stand_one_per_line_in_the_mapped_order_with_labels_in_the_tenants_language() -> None:
    invoice = made(
        senderContactName="Ekonomi",
        notes="Enligt avtal",
        freeText1={"value": "<b>Oktober</b>", "plainText": "Oktober"},
        freeText2={"plainText": "Tack"},
    )
    assert sent(invoice)["invoiceText"]["value"].split("\n") == [
        "Vår referens: Aino Berg",
        "Kontaktperson: Ekonomi",
        "Enligt avtal",
        "Oktober",
        "Tack",
    ]
    english = sent(invoice, replace(CHOICES, language="en"))["invoiceText"]["value"]
    assert english.startswith("Our reference: Aino Berg\nContact: Ekonomi")


def test_texts_over_the_limit_are_cut_with_a_warning() -> None:
    invoice = made([row("CONS", "1", "1", "25", description="x" * 300)], notes="y" * 2 * INVOICE_TEXT_LIMIT)
    drafted = draft(invoice, needed(invoice), CHOICES)
    assert len(drafted.header["invoiceText"]) == INVOICE_TEXT_LIMIT
    assert len(drafted.lines[0]["description"]) == 255
    assert drafted.lines[0]["description"].endswith("…")
    assert {line.code for line in drafted.warnings} == {"invoice.text_cut", "invoice.description_cut"}


def test_an_unknown_unit_is_the_items_sales_unit_and_a_known_one_keeps_the_erps_spelling() -> None:
    units = [row("CONS", "1", "1", "25", measurementUnit=unit) for unit in ("st", "kartong", "")]
    lines = sent(made(units))["invoiceLines"]
    assert [line["uom"]["value"] for line in lines] == ["ST", "TIM", "TIM"]


def test_without_a_project_neither_project_nor_task_is_sent() -> None:
    invoice = made(projects=[])
    body = draft(invoice, replace(needed(invoice), project=""), CHOICES).body()
    assert "project" not in body
    assert "taskId" not in body["invoiceLines"][0]


@pytest.mark.req("R-INV-7")
def test_a_credit_note_has_its_own_members_and_one_sign_for_all_lines() -> None:
    rows = [row("CONS", "-2", "100", "25"), row("CONS", "1", "30", "25")]
    invoice = made(rows, isCreditNote=True)
    body = sent(invoice, replace(CHOICES, credited="77", country="SE"))
    assert "invoiceLines" not in body
    assert [line["quantity"]["value"] for line in body["lines"]] == [2, -1]
    assert body["invoiceAddress"]["value"]["countryId"]["value"] == "SE"
    assert not {"billingAddress", "documentDueDate", "creditTermsId"} & body.keys()
    assert body["invoiceText"]["value"].startswith("Kredit av faktura 77 (Credit of invoice 77)")
    positive = made([row("CONS", "2", "100", "25")], isCreditNote=True)
    assert [line["quantity"]["value"] for line in sent(positive)["lines"]] == [2]


CUSTOMER: Json = {
    "name": "Mälarbygg AB",
    "mainAddress": {
        "addressLine1": "Hamngatan 12",
        "postalCode": "722 11",
        "city": "Västerås",
        "country": {"id": "SE"},
    },
    "invoiceContact": {"name": "Mälarbygg AB", "attention": "", "email": "faktura@malarbygg.example"},
}


def test_the_customers_own_address_in_another_spelling_is_not_sent_and_another_one_is() -> None:
    own = {"addressline": "Hamngatan  12", "postalCode": "72211", "city": "VÄSTERÅS", "country": "Sverige"}
    assert address_differs(made(receiverAddress=own), CUSTOMER) is False
    other = made(receiverAddress=own | {"addressline": "Box 1\nPlan 2\nDörr 3\nRum 4"})
    assert address_differs(other, CUSTOMER) is True
    assert address_differs(other, None) is False
    block = sent(other, replace(CHOICES, country="SE"), CUSTOMER)["billingAddress"]["value"]
    assert block["overrideAddress"]["value"] is True
    assert block["addressLine3"]["value"] == "Dörr 3, Rum 4"


def test_a_receiver_other_than_the_customers_contact_overrides_it() -> None:
    body = sent(
        made(receiverCustomerName="Mälarbygg AB", receiverContactName="Karin Lindqvist"), CHOICES, CUSTOMER
    )
    assert body["invoiceContact"]["value"] == {
        "overrideContact": {"value": True},
        "name": {"value": "Mälarbygg AB"},
        "attention": {"value": "Karin Lindqvist"},
    }
    assert "invoiceContact" not in sent(made(receiverCustomerName="mälarbygg  AB"), CHOICES, CUSTOMER)


# ---------------------------------------------------------------- decisions


@pytest.mark.req("R-INV-1", "R-INV-12")
def test_only_the_transfer_status_asks_for_anything() -> None:
    roles = derive_roles(statuses())
    assert decide(roles, "s-transfer", released=False) == "transfer"
    assert decide(roles, "s-transfer", released=True) == "restore"
    for role in ("failed", "draft", "transferred", "sent", "partly_paid", "paid"):
        assert decide(roles, f"s-{role}", released=False) == "leave"


@pytest.mark.req("R-INV-10")
def test_the_branch_is_the_selling_companys() -> None:
    firm, invoice = Firm(), made(senderVatNumber="SE556677889901")
    assert branches.selling(firm.books, invoice).branch == ""
    companies = [
        {"number": "1", "isActive": True, "corporateId": "556677-8899"},
        {"number": "2", "isActive": True, "corporateId": "559900-1122"},
    ]
    for one in companies:
        firm.books.remember("visma_net", "branch", one)
    assert branches.selling(firm.books, invoice).branch == "1"
    with pytest.raises(Stop) as stop:
        branches.selling(firm.books, made(senderVatNumber="SE111111111101"))
    assert stop.value.code == "invoice.branch_unknown"


@pytest.mark.req("R-INV-10")
@pytest.mark.parametrize(
    ("sender", "branch"), [("FI12345678", "2"), ("DK12345678", "1"), ("SE12345678", None)]
)
def test_companies_of_two_countries_with_the_same_digits_are_two(sender: str, branch: str | None) -> None:
    firm, invoice = Firm(), made(senderVatNumber=sender)
    for number, vat in (("1", "DK12345678"), ("2", "FI12345678")):
        one = {"number": number, "isActive": True, "vatRegistrationId": vat}
        firm.books.remember("visma_net", "branch", one)
    if branch is not None:
        assert branches.selling(firm.books, invoice).branch == branch
        return
    with pytest.raises(Stop) as stop:
        branches.selling(firm.books, invoice)
    assert stop.value.code == "invoice.branch_unknown"


@pytest.mark.req("R-INV-10")
def test_a_sender_of_another_country_than_its_number_series_is_another_company() -> None:
    firm = Firm()
    firm.books.remember("severa", "businessunits", {"guid": "u-1", "name": "Oy", "vatNumber": "FI12345678"})
    invoice = made(senderVatNumber="DK12345678", invoiceNumberBusinessUnitGuid="u-1")
    with pytest.raises(Stop) as stop:
        branches.selling(firm.books, invoice)
    assert stop.value.code == "invoice.company_differs"


def test_credit_terms_are_sent_only_when_one_fits_or_the_customers_own_does() -> None:
    firm, invoice = Firm(), made()
    term = {"dueDay1": 30, "dueDateType": "FixedNumberOfDays", "instalmentType": "Single"}
    firm.books.remember("visma_net", "creditTerm", {"termsId": "30"} | term)
    assert plan.credit_terms(firm.books, invoice, None, {}) == "30"
    firm.books.remember("visma_net", "creditTerm", {"termsId": "30B"} | term)
    assert plan.credit_terms(firm.books, invoice, None, {}) == ""
    assert plan.credit_terms(firm.books, invoice, {"creditTerms": {"id": "30B"}}, {}) == "30B"
    assert plan.credit_terms(firm.books, made(paymentTerm=31), None, {}) == ""
    assert plan.credit_terms(firm.books, invoice, None, {30: "30B"}) == "30B"


def test_the_tenants_table_of_units_comes_first() -> None:
    invoice = made([row("CONS", "1", "1", "25", measurementUnit="Tim")])
    (line,) = sent(invoice, replace(CHOICES, units={"tim": "HOUR"}))["invoiceLines"]
    assert line["uom"]["value"] == "HOUR"


def with_settings(firm: Firm, **settings: Any) -> Firm:
    firm.tenant = replace(firm.tenant, settings=TenantSettings.model_validate(settings))
    return firm


def test_a_row_without_a_code_takes_the_tenants_item_for_its_type_and_vat_rate() -> None:
    firm = with_settings(Firm(), fallback_items={"Hours/25": "CONS"})
    firm.invoice([row("CONS", "1", "100", "25") | {"code": []}])
    settle(firm.transfer())
    assert firm.document()["invoiceLines"][0]["inventoryNumber"] == "CONS"


@pytest.mark.req("R-SET-7", "R-INV-3")
def test_such_a_row_has_the_vat_category_of_its_rate_where_the_tenant_names_one() -> None:
    """And the ERP is foreseen to charge that one's rate, not the item's own."""
    firm = with_settings(
        Firm(), fallback_items={"Hours/6": "CONS"}, fallback_vat_categories={"6": "06", "25": "25"}
    )
    firm.know_vat()
    firm.invoice([row("CONS", "1", "100", "6") | {"code": []}, row("CONS", "1", "100", "25")])
    settle(firm.transfer())
    first, second = firm.document()["invoiceLines"]
    assert first["vatCode"] == {"id": "06"}
    # Where the row names an item, the item's category decides, whatever the totals say.
    assert "vatCode" not in second
    assert firm.in_severa_now()["number"] == 101


def test_of_several_projects_the_largest_is_taken_if_the_tenant_says_so() -> None:
    firm = with_settings(Firm(), several_projects="largest")
    second = firm.books.remember("severa", "projects", {"guid": "p-2", "number": 4712, "name": "Två"})
    body = {"internalID": 813, "projectID": "4712", "description": "Två"}
    firm.books.connect("project", second, firm.books.remember("visma_net", "project", body))
    projects = [
        {"guid": "p-1", "number": 4711, "name": "Ett"},
        {"guid": "p-2", "number": 4712, "name": "Två"},
    ]
    firm.invoice(
        [row("CONS", "1", "100", "25"), row("CONS", "-1", "300", "25"), row("CONS", "3", "100", "25")],
        projects=projects,
    )
    firm.severa.children["invoices/workhours", GUID] = [
        {"invoiceRowGuid": "r-1", "project": {"guid": "p-1"}},
        {"invoiceRowGuid": "r-2", "project": {"guid": "p-2"}},
    ]
    settled = settle(firm.transfer())
    assert firm.document()["project"]["id"] == "4712"
    assert "invoice.several_projects_one" in [line.code for line in settled.effects.log]


def test_a_credit_note_is_left_open_if_the_tenant_says_so() -> None:
    firm = with_settings(Firm(), apply_credit_notes=False)
    original = {"documentType": "Invoice", "referenceNumber": "90", "status": "Open"}
    erp = firm.books.remember("visma_net", "customerdocument", original, number="90")
    firm.books.connect(
        "invoice",
        firm.books.remember("severa", "invoices", {"guid": "inv-0"}),
        erp,
        booked=Booked("Invoice", "90", D(1000)),
    )
    firm.invoice(
        [row("CONS", "-1", "100", "25")], isCreditNote=True, creditNoteInvoice={"guid": "inv-0", "number": 90}
    )
    settled = settle(firm.transfer())
    assert firm.document()["applications"] == []
    assert "invoice.credit_left_open" in [line.code for line in settled.effects.log]


@pytest.mark.req("R-INV-14")
def test_the_period_is_sent_only_if_it_is_not_the_document_dates_and_a_closed_one_stops() -> None:
    firm = Firm()
    for month in (10, 11):
        period = {"id": f"{month}-2026", "period": f"{month}-2026", "startDate": f"2026-{month}-01T00:00:00"}
        firm.books.remember("visma_net", "financialPeriod", period | {"closedInCustomerLedger": False})
    assert plan.period(firm.books, made()) == ""
    assert plan.period(firm.books, made(entryDate="2026-11-30")) == ""
    assert plan.period(firm.books, made(entryDate="2026-10-31")) == "202610"
    closed = {
        "id": "10-2026",
        "period": "10-2026",
        "startDate": "2026-10-01T00:00:00",
        "closedInCustomerLedger": True,
    }
    firm.books.remember("visma_net", "financialPeriod", closed)
    with pytest.raises(Stop) as stop:
        plan.period(firm.books, made(entryDate="2026-10-31"))
    assert (stop.value.code, stop.value.values["period"]) == ("invoice.period_closed", "202610")


def test_a_grouped_row_takes_its_first_item_only_if_all_post_alike() -> None:
    firm = Firm()
    grouped = row("CONS", "1", "100", "25") | {"code": ["CONS", "FREE"]}
    firm.invoice([grouped])
    with pytest.raises(Stop) as stop:
        settle(firm.transfer())
    assert stop.value.code == "invoice.grouped_row"
    alike = Firm()
    item = {
        "inventoryId": "FREE",
        "inventoryNumber": "FREE",
        "vatCode": {"id": "25"},
        "accountInformation": {"salesAccount": {"number": "3010"}},
    }
    alike.books.remember("visma_net", "inventory", item)
    alike.invoice([row("CONS", "1", "100", "25") | {"code": ["CONS", "FREE"]}])
    settle(alike.transfer())
    assert alike.document()["invoiceLines"][0]["inventoryNumber"] == "CONS"


def test_an_item_that_is_known_but_not_linked_yet_is_waited_for() -> None:
    firm = Firm()
    firm.books.links = [link for link in firm.books.links if link.severa_id != "i-CONS"]
    firm.invoice()
    with pytest.raises(Waiting) as waiting:
        settle(firm.transfer())
    assert (waiting.value.domain, waiting.value.severa_id) == ("product", "i-CONS")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"projects": [{"guid": "p-1"}, {"guid": "p-2"}]}, "invoice.several_projects"),
        ({"date": None}, "invoice.no_date"),
    ],
)
def test_what_can_never_be_transferred_as_it_stands_fails(more: Json, code: str) -> None:
    firm = Firm()
    firm.invoice(**more)
    with pytest.raises(Stop) as stop:
        settle(firm.transfer())
    assert stop.value.code == code
    assert firm.in_severa_now()["status"]["guid"] == "s-failed"


def test_an_invoice_without_rows_or_a_row_without_a_code_fails() -> None:
    for rows, code in (
        ([], "invoice.no_rows"),
        ([row("X", "1", "1", "25") | {"code": None}], "invoice.row_without_code"),
    ):
        firm = Firm()
        firm.invoice(rows)
        with pytest.raises(Stop) as stop:
            settle(firm.transfer())
        assert stop.value.code == code


def test_the_receivers_country_is_resolved_by_its_name_or_is_a_problem() -> None:
    address = {"addressline": "Storgata 1", "postalCode": "0155", "city": "Oslo", "country": "Norge"}
    firm = Firm()
    customer = firm.books.record("visma_net", "customer", "1")
    assert customer is not None
    firm.books.remember("visma_net", "customer", customer.body | CUSTOMER)
    # Severa answers a country's name like its guid.
    firm.severa.store("localization/countries", {"guid": "no", "name": "Norge", "code2": "NO"}, key="Norge")
    firm.invoice(receiverAddress=address)
    settle(firm.transfer())
    create = next(call for call in firm.calls if call.method == "create")
    assert create.body["billingAddress"]["value"]["countryId"]["value"] == "NO"
    firm.severa.records["localization/countries"].clear()
    firm.matters.clear()
    firm.erp.records.clear()
    firm.invoice(receiverAddress=address)
    with pytest.raises(Stop) as stop:
        settle(firm.transfer())
    assert stop.value.code == "invoice.country_unknown"


# ---------------------------------------------------------------- registers


def test_an_invoice_concerns_itself_and_its_payment_only_once_it_is_linked() -> None:
    register, *others = REGISTERS
    concerns = register.concerns({"guid": "g"})
    assert [(one.domain, one.id, one.only_linked) for one in concerns] == [
        ("invoice", "g", False),
        ("payment", "g", True),
    ]
    assert all(other.concerns({}) == () and other.reference for other in others)


def test_the_projection_does_not_see_stamps_and_sees_every_mapped_field() -> None:
    register, *_ = REGISTERS
    body = Firm().invoice()
    same = body | {"lastUpdatedDateTime": "2027-01-01T00:00:00Z", "workHoursQuantity": D(3)}
    assert register.projection(body) == register.projection(same)
    written_otherwise = body | {
        "totalTax": {"amount": body["totalTax"]["amount"] + D("0.00000")},
        "number": None,
    }
    assert register.projection(body) == register.projection(written_otherwise)
    for change in (
        {"orderNumber": "x"},
        {"status": {"guid": "s-paid"}},
        {"number": 7},
        {"paymentDate": "2026-11-20"},
    ):
        assert register.projection(body) != register.projection(body | change)


def test_missing_and_null_members_are_alike() -> None:
    bare = SeveraInvoice.of({"guid": "g"})
    nulls = SeveraInvoice.of(
        {"guid": "g", "status": None, "projects": None, "currency": None, "totalTax": None}
    )
    assert replace(bare, body={}) == replace(nulls, body={})
    text_row = InvoiceRow.of({"guid": "r", "code": None, "unitPrice": None, "vatRate": None})
    assert text_row.net("SEK") == 0
