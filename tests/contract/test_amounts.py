"""The members whose garbage must not be read as zero are the numbers of the vendors' documents, and all of them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

import pytest
from vendor_sources import SOURCES, Json, interface

from connectors.severa import REGISTERS as SEVERA_REGISTERS
from connectors.severa.amounts import AMOUNTS as SEVERA_AMOUNTS
from connectors.visma_net import REGISTERS as ERP_REGISTERS
from connectors.visma_net.amounts import AMOUNTS as ERP_AMOUNTS


def read_paths() -> dict[str, set[str]]:
    severa = {path for one in SEVERA_REGISTERS.values() for path in (one.item_path, one.list_path) if path}
    erp = {path for one in ERP_REGISTERS.values() for path in (one.item, one.listing, one.typed_item) if path}
    return {"severa": severa, "visma-net": erp}


def anonymous(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path).casefold()


def kinds(document: Json, schema: Json, found: dict[str, set[str]], known: set[str]) -> None:
    """Member name → the types it has anywhere below a schema."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name in known:
            return
        known.add(name)
        schema = document["components"]["schemas"][name]
    for part in [*schema.get("allOf", []), *([schema["items"]] if "items" in schema else [])]:
        kinds(document, part, found, known)
    for name, member in schema.get("properties", {}).items():
        found[name].add(str(member.get("type") or "object"))
        kinds(document, member, found, known)


def numbers(document: Json, paths: Iterable[str]) -> set[str]:
    found: dict[str, set[str]] = defaultdict(set)
    wanted = {anonymous(path) for path in paths}
    for path, verbs in document["paths"].items():
        if anonymous(path) in wanted:
            answer = verbs.get("get", {}).get("responses", {}).get("200", {})
            for content in answer.get("content", {}).values():
                kinds(document, content.get("schema", {}), found, set())
    return {name for name, its in found.items() if its == {"number"}}


@pytest.mark.parametrize(("system", "amounts"), [("severa", SEVERA_AMOUNTS), ("visma-net", ERP_AMOUNTS)])
def test_they_are_the_numbers_of_every_record_that_is_read(
    source: str, system: str, amounts: frozenset[str]
) -> None:
    document = interface(SOURCES[source], system)
    assert numbers(document, read_paths()[system]) == amounts
