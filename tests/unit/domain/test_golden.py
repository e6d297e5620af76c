"""What 0.1.0 made of a body is made of it today: values, hash, members written, proof and base (tests/data/golden/README.md)."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from golden import declaring, making, mappings, stored, versions
from golden.comparing import differences
from golden.declared import CHANGES
from vendor_sources import EXTRACT

from domain.merge import FieldRule, merge

KINDS = (*making.COUNTS, making.STORED)
MOST_SHOWN = 12


@cache
def declared() -> dict[tuple[str, int], dict[str, tuple[str, Any]]]:
    """Kind and input → path → the row that declares it, and what is said there since."""
    made: dict[tuple[str, int], dict[str, tuple[str, Any]]] = defaultdict(dict)
    for row, some in making.load(declaring.DECLARED).items():
        for kind, n, path, value in some:
            made[kind, n][path] = (row, value)
    return made


@cache
def fixtures(kind: str) -> Any:
    return making.load(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_what_0_1_0_said_is_said_today_but_for_what_is_declared(kind: str) -> None:
    values = fixtures(kind)
    wrong = []
    for n, (golden, now) in enumerate(zip(values["answers"], making.answers(kind, values), strict=True)):
        expected = dict(declared().get((kind, n), {}))
        for path, was, value in differences(golden, now):
            row, then = expected.pop(path, ("", was))
            if not row or next(differences(then, value), None) is not None:
                wrong.append(f"{kind} {n} {path}: {then!r} has become {value!r}")
        wrong += [f"{kind} {n} {path}: '{row}' is gone" for path, (row, _) in expected.items()]
    shown = "\n".join(wrong[:MOST_SHOWN])
    assert not wrong, f"{len(wrong)} undeclared (tests/data/golden/README.md):\n{shown}"


def test_each_declared_change_shows_at_as_many_inputs_as_it_says_and_only_where_it_says() -> None:
    found = making.load(declaring.DECLARED)
    assert list(found) == [one.name for one in CHANGES]
    assert {row: len({(kind, n) for kind, n, _, _ in some}) for row, some in found.items()} == {
        one.name: one.inputs for one in CHANGES
    }
    for change in CHANGES:
        for kind, n, path, _ in found[change.name]:
            mood = fixtures(kind)["cases"][n]["mood"]
            assert change.covers(kind, path, mood), f"{change.name}: {kind} {n} {path}"


# Nothing can be emptied before there is a base, without a day no date is set, and reference rows concern nobody.
NEVER = {"contact/met/emptied", "payment/moved without a day/date", "reference/concerns"}


def test_every_question_is_answered_with_something_by_many_inputs() -> None:
    """One that is always refused, or about nothing, would prove nothing."""
    seen: dict[str, int] = defaultdict(int)
    for kind in making.COUNTS:
        for answer in fixtures(kind)["answers"]:
            for name, value in answer.items():
                seen[f"{kind}/{name}"] += _says(value)
                if name not in ("values", "lines") and isinstance(value, dict) and "refused" not in value:
                    for inner, one in value.items():
                        seen[f"{kind}/{name}/{inner}"] += _says(one)
    fixed = {path: count for path, count in seen.items() if path not in NEVER and "/body/" not in path}
    assert {
        path: count for path, count in fixed.items() if count < 5 and not path.startswith("invoice/sent/")
    } == {}


def _says(value: Any) -> bool:
    return value not in (None, {}, [], "", False) and not (isinstance(value, dict) and "refused" in value)


@pytest.mark.req("R-CON-1")
def test_the_hashes_of_a_0_1_0_database_are_today_s_and_its_bases_lead_to_no_write() -> None:
    """The fixtures are of the program that left that database: its own hashes are the ones that they hold."""
    [golden] = fixtures(making.STORED)["answers"]
    [now] = making.answers(making.STORED, {})
    own = {" ".join(key): digest for key, (_, digest) in stored.records(making.DATABASE).items()}
    assert len(own) == 200
    for said in (golden, now):
        assert {key: value for key, value in said["records"].items() if not own[key].startswith(value)} == {}
    merged = [one for one in now["links"].values() if "written" in one]
    assert len(merged) == 22
    assert all(one["written"] == [{}, {}] and one["said"] == [[], []] for one in merged)
    assert all(change[1:] == [{}, {}, []] for one in merged for change in one["contacts"])


def test_a_register_that_hashes_otherwise_than_0_1_0_did_has_another_mapping_version() -> None:
    """Without it the first poll after an upgrade announces rows that nobody edited, and with many of them stops as a mass
    change: a row whose version is the same is compared by its stored hash."""
    was, now = fixtures(making.STORED)["versions"], stored.versions(mappings.on_the_path())
    registers = _registers()
    changed = {
        registers[kind, place]
        for (kind, _), paths in declared().items()
        for path in paths
        if path.endswith("hash")
        for place in [re.sub(r"/\d+|/hash|met/|then/", "", path)]
        if (kind, place) in registers
    }
    assert len(changed) >= 8
    assert [register for register in changed if now[register] == was[register]] == []


def test_what_is_hashed_changes_only_with_the_mapping_version() -> None:
    was, now = versions.kept(), versions.now()
    silent = [name for name, (version, digest) in now.items() if name in was and was[name][0] == version and was[name][1] != digest]  # fmt: skip
    assert silent == [], "read otherwise under the same version: raise the edition of the conversion"
    assert now == was, "meant? then write tests/data/golden/versions.json anew (tests/golden/versions.py)"


def _registers() -> dict[tuple[str, str], str]:
    """Kind and place of a row's answer → its register."""
    return {
        ("product", "erp row"): "visma_net inventory",
        ("customer", "severa row"): "severa customers",
        ("customer", "erp row"): "visma_net customer",
        ("customer", "address rows"): "severa addresses",
        ("contact", "severa row"): "severa contactpersons",
        ("contact", "erp row"): "visma_net contact",
        ("contact", "communication rows"): "severa contactcommunications",
        ("project", "severa row"): "severa projects",
        ("project", "erp row"): "visma_net project",
        ("invoice", "row"): "severa invoices",
        ("payment", "row"): "visma_net customerdocument",
        ("payment", "payment rows"): "visma_net customerPayment",
    }


@pytest.mark.req("R-CON-1")
@pytest.mark.parametrize(
    ("old", "today"), [("Norrland\x07 Kraft", "Norrland Kraft"), ("A\x0bB", "A\nB"), ("e\u0301", "é")]
)
def test_a_base_that_an_older_program_stored_in_its_own_form_is_no_edit(old: str, today: str) -> None:
    sides = ("Other", today)
    for severa, erp in (sides, sides[::-1]):
        base = {"name": [old if severa == today else severa, old if erp == today else erp]}
        assert merge(base, {"name": severa}, {"name": erp}, {"name": FieldRule()}).quiet
        edited = merge(base, {"name": "Edited"}, {"name": erp}, {"name": FieldRule()})
        assert (edited.to_erp, edited.to_severa, edited.asked) == ({"name": "Edited"}, {}, ())


def test_the_cases_are_drawn_from_the_seed_and_the_vendors_documents_alone() -> None:
    """By the extract, which has the documents' members in the documents' order (tests/unit/test_vendor_extract.py)."""
    for kind, values in making.drawn(EXTRACT).items():
        kept = fixtures(kind)
        assert values["world"] == kept["world"], kind
        for n, (one, other) in enumerate(itertools.zip_longest(values["cases"], kept["cases"])):
            assert one == other, f"{kind} {n}"


def test_fixtures_stay_small() -> None:
    size = sum(one.stat().st_size for one in Path(making.DATA).glob("*.gz"))
    assert size < 1_200_000
