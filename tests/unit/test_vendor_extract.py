"""The extract of the vendors' documents holds what the project uses of them, loses nothing but texts, and is not stale."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import vendor_sources
from acceptance.strangers import erp_books, severa_books, severa_writing
from vendor_sources import DOCUMENTS, EXTRACT, SYSTEMS, Json, NameOnly, interface

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "ops" / "scripts"))

# The scripts are no package: mypy knows them only when it is given ops/scripts as well.
import vendor_extract  # type: ignore[import-not-found, unused-ignore]
import vendor_used  # type: ignore[import-not-found, unused-ignore]

each_system = pytest.mark.parametrize("system", SYSTEMS)
VERBS = ("get", "post", "put", "patch", "delete")

# What the extract leaves out of a schema, a parameter, an operation: texts for readers, and what no test can hold anybody to.
TEXTS = {"description", "summary", "title", "example", "deprecated", "default", "tags", "operationId", "style", "explode"}  # fmt: skip


def operations(whole: Json) -> Iterator[tuple[str, str, Json]]:
    for path, verbs in whole["paths"].items():
        yield from ((verb, path, one) for verb, one in verbs.items() if verb in VERBS)


@each_system
def test_every_operation_that_the_code_uses_is_there_whole(system: str) -> None:
    used = vendor_used.operations(system)
    whole = {
        (verb, vendor_used.shape(path))
        for verb, path, one in operations(interface(EXTRACT, system))
        if not isinstance(one, NameOnly)
    }
    assert sorted(used - whole) == [], "run `make vendor-extract` beside the vendors' documents"
    assert len(whole) > 100


def test_every_model_that_the_strange_servers_name_is_there() -> None:
    """They are played with the documents where those are; a clone without them must not be the first to notice."""
    severa = {*severa_books.OUTPUT.values(), *severa_writing.INPUT.values(), *vendor_used.MODELS["severa"]}
    named = {"severa": severa, "visma-net": set(erp_books.SCHEMAS.values())}
    for system, models in named.items():
        assert sorted(models - interface(EXTRACT, system)["components"]["schemas"].keys()) == []


@each_system
def test_no_sentence_of_a_vendor_is_in_it(system: str) -> None:
    """Every text of the file is a name, a word or a type; the names of shared parts are the project's own."""
    kept = json.loads((EXTRACT / system / vendor_extract.NAME).read_text(encoding="utf-8"))
    names = set(itertools.chain.from_iterable(kept[kind] for kind in vendor_extract.SHARED))
    kept["source"].pop("title")
    assert [one for one in texts(kept) if " " in one and one not in names] == []
    assert max(map(len, names)) < 60
    assert not TEXTS & {name for model in kept["schemas"].values() for name in model}


def texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            yield from itertools.chain.from_iterable(map(texts, value))
        case dict():
            yield from value
            yield from itertools.chain.from_iterable(map(texts, value.values()))


def test_it_stays_small() -> None:
    assert sum(path.stat().st_size for path in EXTRACT.rglob("*.json")) < 400_000


def test_who_looks_into_an_operation_of_which_there_is_the_name_alone_is_told_so() -> None:
    paths = interface(EXTRACT, "severa")["paths"]
    activities = paths["/v1/activities"]["get"]
    for look in (lambda: activities["responses"], lambda: activities.get("parameters"), lambda: bool(activities), lambda: list(activities)):  # fmt: skip
        with pytest.raises(LookupError, match="no more than the name of GET /v1/activities"):
            look()


def test_a_folder_that_is_named_and_holds_no_documents_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BRIDGE_VENDOR_DOCS", str(tmp_path))
    with pytest.raises(LookupError, match="BRIDGE_VENDOR_DOCS"):
        vendor_sources._documents()
    monkeypatch.setenv("BRIDGE_VENDOR_DOCS", str(EXTRACT))
    assert vendor_sources._documents() is None


# ---------------------------------------------------------------- the script, with documents of this test's own


def document(path: str, **more: Any) -> Json:
    answer = {"description": "Told at length.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/M"}}}}  # fmt: skip
    model = {
        "type": "object",
        "description": "What it is.",
        "required": ["description"],
        "properties": {
            "description": {"type": "string", "nullable": True, "description": "A text.", "x-relation": "y"},
            "kind": {"type": "string", "enum": ["B", "A"], "default": "B"},
            "of": {"readOnly": True, "$ref": "#/components/schemas/N"},
            "a": {"type": "array", "items": {"$ref": "#/components/schemas/M"}},
        },
    }
    operation = {
        "summary": "Does it.",
        "parameters": [{"name": "q", "in": "query", "description": "How.", "schema": {"type": "integer", "format": "int32"}}],
        "responses": {"200": answer},
    }  # fmt: skip
    models = {"M": model, "N": {"type": "object", "properties": {}}, "Unused": {"type": "object"}}
    return {
        "info": {"title": "T", "version": "1", "description": "Long."},
        "paths": {path: {"get": operation, "trace": operation}, "/v1/of/nobody": {"get": operation}},
        "components": {"schemas": models},
        **more,
    }


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    for system, path in (("severa", "/v1/customers"), ("visma-net", "/v1/customer")):
        (tmp_path / "in" / system).mkdir(parents=True)
        whole = document(path)
        # The words of the code are of the true documents only.
        whole["components"]["schemas"] |= {name: {"type": "string"} for name in vendor_used.MODELS[system]}
        (tmp_path / "in" / system / "an-openapi.json").write_text(json.dumps(whole), encoding="utf-8")
    return tmp_path / "in"


def run(documents: Path, into: Path, *more: str) -> int:
    code: int = vendor_extract.main(["--documents", str(documents), "--into", str(into), *more])
    return code


def test_texts_are_left_out_and_what_is_told_is_given_back_as_it_was(documents: Path, tmp_path: Path) -> None:
    assert run(documents, tmp_path / "out") == 0
    made = interface(tmp_path / "out", "severa")
    answer = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/M"}}}}
    query = {"name": "q", "in": "query", "schema": {"type": "integer", "format": "int32"}}
    assert made["paths"]["/v1/customers"] == {"get": {"parameters": [query], "responses": {"200": answer}}}
    assert isinstance(made["paths"]["/v1/of/nobody"]["get"], NameOnly)
    schemas = made["components"]["schemas"]
    assert schemas["M"] == {
        "type": "object",
        "required": ["description"],
        "properties": {
            "description": {"type": "string", "nullable": True},
            "kind": {"type": "string", "enum": ["B", "A"]},
            "of": {"readOnly": True, "$ref": "#/components/schemas/N"},
            "a": {"type": "array", "items": {"$ref": "#/components/schemas/M"}},
        },
    }
    assert list(schemas["M"]["properties"]) == ["description", "kind", "of", "a"]
    assert schemas.keys() == {"M", "N", *vendor_used.MODELS["severa"]}
    assert len(made["info"]["sha256"]) == 64
    assert (made["info"]["file"], made["info"]["title"], made["info"]["version"]) == (
        "an-openapi.json",
        "T",
        "1",
    )


def test_a_stale_extract_is_named_and_making_it_makes_it_right_with_its_day(
    documents: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(documents, out) == 0
    target = out / "severa" / vendor_extract.NAME
    made = target.read_text(encoding="utf-8")
    target.write_text(made.replace('"made":"', '"made":"1999-01-01, not '), encoding="utf-8")
    assert run(documents, out, "--check") == 0, "the day alone makes nothing stale"
    target.write_text(made.replace('"nullable":true', '"nullable":false'), encoding="utf-8")
    capsys.readouterr()
    assert run(documents, out, "--check") == 1
    assert capsys.readouterr().out.splitlines() == [
        f"severa/{vendor_extract.NAME} is stale; run `make vendor-extract`"
    ]
    assert run(documents, out) == 0
    assert target.read_text(encoding="utf-8") == made


def test_without_documents_it_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, tmp_path / "out") == 2
    assert "there is no severa/*openapi*.json" in capsys.readouterr().err
    assert run(EXTRACT, tmp_path / "out") == 2
    assert "is an extract itself" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


# ---------------------------------------------------------------- beside the vendors' documents

# No skip where they are not: what these two hold the extract to is then true of the commit already.
if DOCUMENTS is not None:

    def test_the_extract_is_what_the_script_makes_of_the_documents_today() -> None:
        stale = vendor_extract.stale(DOCUMENTS, EXTRACT, write=False)
        assert stale == [], "run `make vendor-extract`"

    @each_system
    def test_the_extract_has_lost_nothing_but_texts(system: str) -> None:
        """By a comparison of its own, not by the script: what the script forgets no test would ask for again."""
        assert DOCUMENTS is not None
        vendor, ours = interface(DOCUMENTS, system), interface(EXTRACT, system)
        assert [(verb, path) for verb, path, _ in operations(vendor)] == [
            (verb, path) for verb, path, _ in operations(ours)
        ]
        found = [
            line
            for (verb, path, theirs), (_, _, own) in zip(operations(vendor), operations(ours), strict=True)
            if not isinstance(own, NameOnly)
            for line in different(f"{verb} {path}:", theirs, own)
        ]
        for name, own in ours["components"]["schemas"].items():
            found += different(name, vendor["components"]["schemas"][name], own)
        for reference in {one["$ref"] for _, _, operation in operations(vendor) for one in operation.get("parameters", ()) if "$ref" in one}:  # fmt: skip
            kind, name = reference.split("/")[2:]
            found += different(
                reference, vendor["components"][kind][name], ours["components"][kind].get(name)
            )
        assert found == []
        assert scopes(vendor) == scopes(ours)


def scopes(whole: Json) -> dict[tuple[str, str], set[str]]:
    return {
        (name, flow): set(its["scopes"])
        for name, scheme in whole["components"]["securitySchemes"].items()
        for flow, its in scheme.get("flows", {}).items()
    }


def different(place: str, theirs: Any, own: Any) -> Iterator[str]:
    """Where the extract says other than the document; texts, and forms of a body beside JSON, are no difference."""
    if isinstance(theirs, dict) and isinstance(own, dict):
        # The names of members, answers, media types and headers are facts, whatever they are called.
        named = place.endswith(("/properties", "/responses", "/content", "/headers"))
        for name, one in theirs.items():
            if not named and (name in TEXTS or name.startswith("x-")):
                continue
            if place.endswith("/requestBody/content") and name != "application/json" and "application/json" in theirs:  # fmt: skip
                continue
            if place.endswith("/headers"):
                if name not in own:
                    yield f"{place}/{name} is gone"
                continue
            yield from different(f"{place}/{name}", one, own.get(name))
        yield from (
            f"{place}/{name} is new" for name in own.keys() - theirs.keys() if name != "x-media-types"
        )
        if place.endswith("/properties") and list(theirs) != list(own):
            yield f"{place}: another order"
    elif isinstance(theirs, list) and isinstance(own, list) and len(theirs) == len(own):
        for n, (one, other) in enumerate(zip(theirs, own, strict=True)):
            yield from different(f"{place}/{n}", one, other)
    elif theirs != own and not (theirs == [] and own is None):
        yield f"{place}: {str(theirs)[:80]} is {str(own)[:80]}"
