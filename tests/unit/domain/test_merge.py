"""The three-way merge of two registers (R-CON-1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.merge import Base, Difference, FieldRule, Rule, merge, settled_base, untaken

pytestmark = pytest.mark.req("R-CON-1")
BASE = {"name": ["Ada", "Ada"]}
ONE = {"name": FieldRule()}


def test_a_change_on_one_side_goes_to_the_other() -> None:
    assert merge(BASE, {"name": "Ada AB"}, {"name": "Ada"}, ONE).to_erp == {"name": "Ada AB"}
    assert merge(BASE, {"name": "Ada"}, {"name": "Ada AB"}, ONE).to_severa == {"name": "Ada AB"}


def test_both_changed_to_the_same_value_is_agreed_and_writes_nothing() -> None:
    merged = merge(BASE, {"name": "Eva"}, {"name": "Eva"}, ONE)

    assert merged.quiet
    assert merged.agreed == {"name": ["Eva", "Eva"]}


@pytest.mark.parametrize(
    ("rule", "to_severa", "to_erp", "lost"),
    [("severa", {}, {"name": "Sev"}, "Erp"), ("visma_net", {"name": "Erp"}, {}, "Sev")],
)
def test_both_changed_differently_is_decided_by_the_rule_and_the_loser_is_named(
    rule: Rule, to_severa: dict[str, str], to_erp: dict[str, str], lost: str
) -> None:
    merged = merge(BASE, {"name": "Sev"}, {"name": "Erp"}, {"name": FieldRule(rule=rule)})

    assert (merged.to_severa, merged.to_erp) == (to_severa, to_erp)
    assert [one.lost for one in merged.overruled] == [lost]


def test_latest_wins_takes_the_side_the_bridge_saw_last_and_asks_when_it_does_not_know() -> None:
    rules = {"name": FieldRule(rule="latest")}

    assert merge(BASE, {"name": "Sev"}, {"name": "Erp"}, rules, latest="severa").to_erp == {"name": "Sev"}
    assert merge(BASE, {"name": "Sev"}, {"name": "Erp"}, rules, latest="visma_net").to_severa == {
        "name": "Erp"
    }
    assert merge(BASE, {"name": "Sev"}, {"name": "Erp"}, rules).asked == (
        Difference("name", "Sev", "Erp", ""),
    )


def test_ask_leaves_both_sides_and_the_base_as_they_are() -> None:
    merged = merge(BASE, {"name": "Sev"}, {"name": "Erp"}, ONE)

    assert merged.asked == (Difference("name", "Sev", "Erp", ""),)
    assert settled_base(BASE, merged, {"name": "Sev"}, {"name": "Erp"}) == BASE


def test_a_field_without_base_never_writes_by_itself_but_is_reported_and_agreed_to_differ() -> None:
    merged = merge({}, {"name": "Sev"}, {"name": "Erp"}, ONE)
    base = settled_base({}, merged, {"name": "Sev"}, {"name": "Erp"})

    assert (merged.to_severa, merged.to_erp) == ({}, {})
    assert merged.differs == (Difference("name", "Sev", "Erp", ""),)
    assert merge(base, {"name": "Sev"}, {"name": "Erp"}, ONE).quiet
    assert merge(base, {"name": "Sev 2"}, {"name": "Erp"}, ONE).to_erp == {"name": "Sev 2"}


def test_at_first_link_the_given_rule_decides() -> None:
    assert merge({}, {"name": "S"}, {"name": "E"}, {"name": FieldRule(first="visma_net")}).to_severa == {
        "name": "E"
    }


def test_a_value_that_the_target_shortened_is_no_change() -> None:
    merged = merge(BASE, {"name": "A long name"}, {"name": "Ada"}, ONE)
    base = settled_base(BASE, merged, {"name": "A long name"}, {"name": "A long"})

    assert base == {"name": ["A long name", "A long"]}
    assert merge(base, {"name": "A long name"}, {"name": "A long"}, ONE).quiet


def test_a_change_against_the_direction_stays_where_it_is_until_the_owner_changes() -> None:
    rules = {"price": FieldRule(direction="→")}
    base = {"price": ["1", "1"]}
    left = merge(base, {"price": "1"}, {"price": "9"}, rules)

    assert left.quiet
    assert settled_base(base, left, {"price": "1"}, {"price": "9"}) == base
    assert merge(base, {"price": "2"}, {"price": "9"}, rules).to_erp == {"price": "2"}


def test_values_that_mean_the_same_are_agreed_though_written_differently() -> None:
    rules = {"vat": FieldRule(same=lambda a, b: a.strip("SE") == b.strip("SE"))}

    assert merge({}, {"vat": "SE55"}, {"vat": "55"}, rules).agreed == {"vat": ["SE55", "55"]}


def test_a_field_that_one_side_does_not_show_is_left_out() -> None:
    merged = merge(BASE, {"name": "Eva"}, {}, ONE)

    assert merged.quiet
    assert merged.agreed == {}


values = st.sampled_from(["", "a", "b", "c"])
names = ("name", "email")
sides = st.fixed_dictionaries(dict.fromkeys(names, values))
edits = st.lists(st.tuples(st.sampled_from(["severa", "erp"]), st.sampled_from(names), values), max_size=12)


@given(sides, sides, st.lists(edits, max_size=4), st.sampled_from(["severa", "visma_net"]))
def test_after_any_edits_both_sides_are_equal_and_a_second_run_writes_nothing(
    severa: dict[str, str], erp: dict[str, str], rounds: list[list[tuple[str, str, str]]], rule: Rule
) -> None:
    rules = {name: FieldRule(rule=rule, first=rule) for name in names}
    base: Base = {}
    for some in [[], *rounds]:
        for side, name, value in some:
            (severa if side == "severa" else erp)[name] = value
        merged = merge(base, severa, erp, rules)
        severa.update(merged.to_severa)
        erp.update(merged.to_erp)
        base = settled_base(base, merged, severa, erp)

        assert severa == erp
        assert merge(base, severa, erp, rules).quiet


@given(sides, sides, edits)
def test_with_ask_nothing_is_lost_only_one_sided_changes_travel_and_a_second_run_writes_nothing(
    severa: dict[str, str], erp: dict[str, str], some: list[tuple[str, str, str]]
) -> None:
    rules = {name: FieldRule() for name in names}
    base = settled_base({}, merge({}, severa, erp, rules), severa, erp)
    for side, name, value in some:
        (severa if side == "severa" else erp)[name] = value
    merged = merge(base, severa, erp, rules)

    assert not merged.overruled
    for name in merged.to_erp:
        assert erp[name] == base[name][1], "a side that changed is never overwritten"
    for name in merged.to_severa:
        assert severa[name] == base[name][0], "a side that changed is never overwritten"
    severa.update(merged.to_severa)
    erp.update(merged.to_erp)
    again = merge(settled_base(base, merged, severa, erp), severa, erp, rules)
    assert (again.to_severa, again.to_erp) == ({}, {})


@pytest.mark.parametrize(
    ("wanted", "before", "now", "lost"),
    [
        ("new", "old", "old", ("f",)),
        ("new", "old", "new", ()),
        ("new", "old", "other", ()),
        ("new", "", "", ("f",)),
        ("", "old", "old", ("f",)),
        # Kept in the system's own way, which is what stood there before.
        ("a name that is cut at the end", "a name that is cut at", "a name that is cut at", ()),
        ("NEW", "new", "new", ()),
        ("10.004", "10.00", "10.00", ()),
        ("10.004", "10", "10", ()),
        ("11.5", "10", "10", ("f",)),
        ("10.5", "10", "10", ("f",)),
        ("Ada AB", "Ada", "Ada", ("f",)),
    ],
)
def test_a_write_is_untaken_when_the_field_stands_as_before(
    wanted: str, before: str, now: str, lost: tuple[str, ...]
) -> None:
    assert untaken({"f": wanted}, {"f": before}, {"f": now}) == lost
