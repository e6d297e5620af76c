"""The tables of the mapping: what one row does, and that every row that flows both ways comes back as it was written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from domain.conversion import FOLDED, NO_COUNTERPART, ONE_LINE, Conversion
from domain.customer import contacts, places
from domain.customer import table as customers
from domain.mapper import nested, patch
from domain.merge import Merge, merge
from domain.model import System
from domain.product import table as products
from domain.project import table as projects
from domain.reference import CreditTerms
from domain.setup.settings import TenantSettings
from domain.table import Field, Table
from domain.words import WORDS

COUNTRIES = ({"guid": "se", "code2": "SE", "name": "Sverige"}, {"guid": "no", "code2": "NO", "name": "Norge"})
TERMS = CreditTerms({"30": 30, "14": 14})
TABLES = {
    "customers": customers.of_tenant(TERMS, TenantSettings(notes="both")),
    "addresses": places.ADDRESS.where(country=places.country(COUNTRIES)),
    "contacts": contacts.TABLE,
    **{name: products.table_of(products.BY_REGISTER[name], {}, "SEK") for name in products.TABLES},
    "projects": projects.TABLE,
}
# Conversion → texts as they are compared.
SAMPLES = {
    "text": ("Åsa Öberg", ""),
    "one line": ("Ring först", ""),
    "VAT number": ("SE556677889901", ""),
    "credit terms": ("30",),
    "lines": ("Storgatan 1\nPort B", "Storgatan 1"),
    "country": ("NO", "SE"),
    "active": ("true", "false"),
    "flag": ("true", "false"),
    "negated": ("true", "false"),
    "decimal": ("12.5", "0"),
    "salutation": ("Mr", "Ms"),
    "choice": ("2", "EU"),
    "communication": ("090-12 34 56", ""),
}


# In a customer's table they are shown, and merged; they are read and written in the table of an address.
ADDRESSES = {row.name for row in places.rows()}


def both_ways() -> Iterator[Any]:
    for name, table in TABLES.items():
        for row in table:
            if (
                row.when == "merged"
                and row.flows == "↔"
                and not (name == "customers" and row.name in ADDRESSES)
            ):
                # A communication is a record of its own, which a contact person's body does not show.
                for system in ("severa", "visma_net") if "[" not in row.severa else ("visma_net",):
                    yield pytest.param(table, row, system, id=f"{name} {row.name} {system}")


@pytest.mark.req("R-CON-1")
@pytest.mark.parametrize(("table", "row", "system"), list(both_ways()))
def test_what_flows_both_ways_is_read_back_as_it_was_written(
    table: Table, row: Field, system: System
) -> None:
    path, write = (row.severa, row.severa_write) if system == "severa" else (row.erp, row.erp_write)
    if not (row.severa if system == "severa" else row.erp):
        # Kept in the bridge: nothing is written there.
        assert table.members(system, {row.name: "2"}, {}) == {}
        return
    for value in SAMPLES[row.as_.name]:
        members = table.members(system, {row.name: value}, {})
        if write and not (path.startswith(f"{write}.") and isinstance(members[write], dict)):
            # Sent otherwise than it is shown: countryId as country.id, itemClass as itemClass.id.
            members = {path: members[write]}
        assert row.as_.same(value, table.values(system, nested(members))[row.name]), members


def test_what_does_not_flow_both_ways_says_why() -> None:
    silent = [
        f"{name} {row.name}"
        for name, table in TABLES.items()
        for row in table
        if not (row.when == "merged" and row.flows == "↔")
        and not row.note
        and row.when not in ("owned", "given")
    ]
    assert silent == []


PLAIN = Table(
    (Field("name", "name", "name", on_create="always"), Field("fax", "fax", "mainContact.fax", FOLDED))
)


def test_a_plain_field_is_one_row() -> None:
    """Reading, hashing, merging, updating and creating all come from it."""
    severa, erp = {"name": "A", "fax": "1"}, {"name": "A", "mainContact": {"fax": {"value": "2"}}}
    assert PLAIN.values("severa", severa) == PLAIN.seen("severa", severa) == {"name": "A", "fax": "1"}
    found = merge(
        {"name": ["A", "A"], "fax": ["1", "1"]}, severa, PLAIN.values("visma_net", erp), PLAIN.rules("ask")
    )
    assert (found.to_severa, found.to_erp) == ({"fax": "2"}, {})
    assert patch(PLAIN.members("severa", found.to_severa, severa)) == {"/fax": "2"}
    assert PLAIN.created("visma_net", {"name": "", "fax": "1"}) == {"name": "", "mainContact.fax": "1"}


@pytest.mark.req("R-CON-1")
def test_a_row_that_an_older_link_never_had_is_written_by_nobody_s_rule() -> None:
    rules = PLAIN.rules("severa", old={"name": ["A", "A"]})
    assert (rules["name"].first, rules["fax"].first) == ("severa", "ask")
    assert PLAIN.rules("severa")["fax"].first == "severa", "two that meet have no base yet"


def test_a_field_that_stands_twice_is_an_error() -> None:
    with pytest.raises(ValueError, match="fields that stand twice: name"):
        Table((Field("name", "a", "b"), Field("name", "c", "d")))


@pytest.mark.parametrize(
    ("changed", "other"),
    [
        (lambda row: replace(row, name="telefax"), True),
        (lambda row: replace(row, erp="mainContact.telefax"), True),
        (lambda row: replace(row, as_=ONE_LINE), True),
        (lambda row: replace(row, as_=FOLDED.but(edition=2)), True),
        (lambda row: replace(row, note="new"), False),
        (lambda row: replace(row, flows="→"), False),
        (lambda row: replace(row, as_=FOLDED.but(same=lambda a, b: a == b)), False),
    ],
    ids=[
        "renamed",
        "read elsewhere",
        "read otherwise",
        "of another edition",
        "noted",
        "flowing otherwise",
        "compared otherwise",
    ],
)
def test_the_version_changes_with_what_is_hashed_and_with_nothing_else(changed: Any, *, other: bool) -> None:
    row = PLAIN["fax"]
    now = Table((PLAIN["name"], changed(row)))
    assert (now.version("visma_net") != PLAIN.version("visma_net")) is other
    assert 0 < PLAIN.version("severa") < 2**30


def test_what_has_no_counterpart_stays_on_both_sides_and_is_agreed_to_differ() -> None:
    deaf = Conversion("deaf", to_erp=lambda _value, _there: NO_COUNTERPART)
    table = Table((Field("a", "a", "a", deaf), Field("b", "b", "b")))
    found = Merge(to_erp={"a": "1", "b": "2"}, agreed={"c": ["x", "x"]})
    sendable = table.convertible(found, ({"a": "1", "b": "2"}, {"a": "0", "b": "0"}), {}, {})
    assert sendable.to_erp == {"b": "2"}
    assert sendable.agreed == {"c": ["x", "x"], "a": ["1", "0"]}
    assert table.members("visma_net", {"a": "1", "b": "2"}, {}) == {"b": "2"}


def test_a_cut_note_is_never_written_back_over_the_whole_one() -> None:
    notes = customers.CUSTOMER["notes"].as_
    long = "x" * 300
    assert notes.to_severa("edited there", {"notes": long}) is NO_COUNTERPART
    assert notes.to_severa("edited there", {"notes": "short"}) == "edited there"


def test_a_price_is_written_in_the_currency_that_stands_there_else_in_the_organisation_s() -> None:
    price = products.table_of(products.PRODUCTS, {}, "SEK")["price"].as_
    assert price.to_severa("9.5", {}) == {"amount": Decimal("9.5"), "currencyCode": "SEK"}
    there = {"unitPrice": {"amount": Decimal(1), "currencyCode": "EUR"}}
    assert price.to_severa("", there) == {"amount": Decimal(0), "currencyCode": "EUR"}


@pytest.mark.req("R-LOG-3")
def test_what_people_read_of_a_difference_has_a_name_in_their_words() -> None:
    domains = {"customers": "customer", "contacts": "customer", "projects": "project"}
    nameless = [
        f"{name} {row.name}"
        for name, table in TABLES.items()
        if name != "addresses"
        for row in table
        if row.when in ("merged", "owned")
        and row.name not in WORDS[domains.get(name, "product")].vocabulary.fields
    ]
    assert nameless == []
