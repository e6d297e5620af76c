"""Writes tests/data/vendor: what tests need of the vendors' OpenAPI documents, so that a clone without them tests the same.

    python ops/scripts/vendor_extract.py [--documents FOLDER] [--into FOLDER] [--check]

``--documents`` holds ``severa/*openapi*.json`` and ``visma-net/*openapi*.json`` (default: ``BRIDGE_VENDOR_DOCS``, else
``../shared/vendor`` beside the project). ``--check`` only compares; exit code 1 when a file is stale, 2 with one line when
there is no document.

Facts only: paths, verbs, parameters, members, types, formats, words, what is required, read-only or may be null, and scopes.
No text of the vendors goes in: what is kept is named here (``_SCHEMA``, ``_PARAMETER``), everything else is left out.

The notation, read by ``tests/vendor_sources.py``:

    source      file, title, version and sha256 of the document, and the day the extract was made
    paths       in the document's order (the first of several with one shape counts); an operation that the project does not
                use (``vendor_used.py``) is null, a path of such only the list of its verbs
    parameters, responses, bodies, securities
                what operations name, told once; ``shared`` says how the names come about
    schemas     sorted; members in the document's order (tests/golden draws in it). A word in place of a schema is a reference
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
from vendor_used import MODELS, operations, shape

ROOT = Path(__file__).resolve().parents[2]
INTO = ROOT / "tests" / "data" / "vendor"
SYSTEMS = ("severa", "visma-net")
NAME = "openapi-extract.json"
SHARED = ("parameters", "responses", "bodies", "securities")
Json = dict[str, Any]

_VERBS = ("get", "post", "put", "patch", "delete")
_REFERENCE = "#/components/schemas/"
_SCHEMA = frozenset(
    {
        "type", "format", "nullable", "enum", "required", "readOnly", "writeOnly", "minimum", "maximum", "exclusiveMinimum",
        "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "pattern",
    }
)  # fmt: skip
"""Members of a schema that are kept as they are. ``pattern`` is a rule for machines, not a text."""
_INNER = ("items", "not")
_SEVERAL = ("allOf", "oneOf", "anyOf")
_PARAMETER = ("name", "in", "required")
_JSON = "application/json"
_MEDIA_TYPE = re.compile(r"\b(?:multipart|application|text)/[a-z0-9.+-]+")


class NoDocument(Exception):
    """A vendor's document is not there; the message is one line."""


def document_in(folder: Path, system: str) -> Path:
    """The vendor's document. Raises NoDocument."""
    found = sorted((folder / system).glob("*openapi*.json"))
    if not found:
        raise NoDocument(f"there is no {system}/*openapi*.json in {folder}")
    return found[0]


def extract(path: Path, system: str) -> Json:
    """The extract of a document, without the day it was made. Raises NoDocument for an extract."""
    data = path.read_bytes()
    document: Json = json.loads(data)
    if "source" in document:
        raise NoDocument(f"{path} is an extract itself; name the folder of the vendors' documents")
    info = document["info"]
    tables = Tables()
    paths = {
        template: _path(template, verbs, operations(system), tables)
        for template, verbs in document["paths"].items()
    }
    named = {one["$ref"] for one in tables.found["parameters"].values() if "$ref" in one}
    security = document["components"].get("securitySchemes", {})
    return {
        "source": {
            "file": path.name,
            "title": info["title"],
            "version": info["version"],
            "sha256": hashlib.sha256(data).hexdigest(),
        },
        "scopes": {name: _scopes(scheme) for name, scheme in security.items() if "flows" in scheme},
        "paths": paths,
        **{kind: dict(sorted(table.items())) for kind, table in tables.found.items()},
        "components": {
            ref: _parameter(document["components"]["parameters"][ref.rpartition("/")[2]])
            for ref in sorted(named)
        },
        "schemas": _schemas(document, (*_references([paths, tables.found]), *MODELS[system])),
    }


def _scopes(scheme: Mapping[str, Any]) -> Json:
    return {flow: sorted(one["scopes"]) for flow, one in scheme["flows"].items()}


class Tables:
    """What several operations say alike, by a name that tells what it is; the same name for another thing gets a number."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, Json]] = {kind: {} for kind in SHARED}

    def shared(self, kind: str, name: str, value: Json) -> str:
        """The name under which the value stands in the table."""
        table = self.found[kind]
        for number in range(1, len(table) + 2):
            numbered = name if number == 1 else f"{name} {number}"
            if table.setdefault(numbered, value) == value:
                return numbered
        raise AssertionError(name)


def _path(template: str, verbs: Mapping[str, Json], used: frozenset[tuple[str, str]], tables: Tables) -> Any:
    known = [verb for verb in verbs if verb in _VERBS]
    if not any((verb, shape(template)) in used for verb in known):
        return known
    return {
        verb: _operation(verbs[verb], tables) if (verb, shape(template)) in used else None for verb in known
    }


def _operation(operation: Mapping[str, Any], tables: Tables) -> Json:
    made: Json = {}
    if "parameters" in operation:
        given = [_parameter(one) for one in operation["parameters"]]
        made["parameters"] = [
            tables.shared("parameters", one.get("name") or one["$ref"].rpartition("/")[2], one)
            for one in given
        ]
    if "requestBody" in operation:
        body = _body(operation["requestBody"])
        made["body"] = tables.shared("bodies", _title(body), body)
    answers = {status: _response(one) for status, one in operation["responses"].items()}
    made["responses"] = {
        status: tables.shared("responses", _title(one), one) for status, one in answers.items()
    }
    if "security" in operation:
        names = sorted({name for one in operation["security"] for scopes in one.values() for name in scopes})
        made["security"] = tables.shared(
            "securities", "+".join(names) or "nothing", {"any": operation["security"]}
        )
    # A form of body that has no member of its own in OpenAPI is named in a text; the name of the form is the fact.
    if named := sorted(set(_MEDIA_TYPE.findall(operation.get("description", ""))) - {_JSON}):
        made["x-media-types"] = named
    return made


def _parameter(parameter: Mapping[str, Any]) -> Json:
    if "$ref" in parameter:
        return {"$ref": parameter["$ref"]}
    return {
        **{name: parameter[name] for name in _PARAMETER if name in parameter},
        "schema": schema(parameter["schema"]),
    }


def _body(body: Mapping[str, Any]) -> Json:
    """JSON alone where there is JSON: the other forms repeat its schema."""
    content = body["content"]
    kinds = [_JSON] if _JSON in content else list(content)
    required = {"required": True} if body.get("required") else {}
    return required | {"content": {kind: schema(content[kind].get("schema", {})) for kind in kinds}}


def _response(response: Mapping[str, Any]) -> Json:
    made: Json = {}
    if "content" in response:
        made["content"] = {kind: schema(one.get("schema", {})) for kind, one in response["content"].items()}
    if "headers" in response:
        made["headers"] = list(response["headers"])
    return made


def _title(part: Mapping[str, Any]) -> str:
    """What a body or an answer is called among its like: its model, ``[model]`` for a list, ``+`` and its headers."""
    said = " ".join(
        _called(one) if kind == _JSON else f"{kind} {_called(one)}"
        for kind, one in part.get("content", {}).items()
    )
    return "+".join([said or "nothing", *part.get("headers", ())])


def _called(made: Any) -> str:
    if isinstance(made, str):
        return made
    if made.get("type") == "array":
        return f"[{_called(made['items'])}]"
    return str(made.get("$ref") or made.get("type") or "anything")


def schema(given: Mapping[str, Any]) -> Any:
    """The facts of a schema; a name alone where it is a reference and no more.

    Raises ValueError for a reference to anything but a schema."""
    made: Json = {}
    for name, value in given.items():
        if name == "$ref":
            made[name] = _model(value)
        elif name == "properties":
            made[name] = {member: schema(one) for member, one in value.items()}
        elif name in _INNER or (name == "additionalProperties" and isinstance(value, dict)):
            made[name] = schema(value)
        elif name in _SEVERAL:
            made[name] = [schema(one) for one in value]
        elif name in _SCHEMA or name == "additionalProperties":
            made[name] = value
    return made["$ref"] if list(made) == ["$ref"] else made


def _model(reference: str) -> str:
    if not reference.startswith(_REFERENCE):
        raise ValueError(f"{reference} is no schema")
    return reference.removeprefix(_REFERENCE)


def _schemas(document: Json, wanted: Sequence[str]) -> Json:
    """The schemas of these names and of all that they name, sorted."""
    models, found, left = document["components"]["schemas"], {}, list(wanted)
    while left:
        name = left.pop()
        if name not in found:
            found[name] = schema(models[name])
            left += _named(found[name])
    return dict(sorted(found.items()))


def _references(made: Any) -> Iterator[str]:
    """Every model that stands in a table's bodies, answers and parameters."""
    _paths, tables = made
    for one in tables["parameters"].values():
        yield from _named(one.get("schema", {}))
    for kind in ("responses", "bodies"):
        for one in tables[kind].values():
            for content in one.get("content", {}).values():
                yield from _named(content)


def _named(made: Any) -> Iterator[str]:
    """Models that a schema of the extract refers to."""
    if isinstance(made, str):
        yield made
        return
    if "$ref" in made:
        yield made["$ref"]
    inner = [
        made[name] for name in (*_INNER, "additionalProperties") if isinstance(made.get(name), dict | str)
    ]
    inner += [*made.get("properties", {}).values(), *(one for name in _SEVERAL for one in made.get(name, ()))]
    for one in inner:
        yield from _named(one)


def text(made: Mapping[str, Any]) -> str:
    """An extract as it stands in its file: one operation, one member and one shared part a line."""
    depths = {"source": 1, "scopes": 1, "paths": 2, "schemas": 3}
    parts = [f"{json.dumps(name)}:{_lines(value, depths.get(name, 1))}" for name, value in made.items()]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _lines(value: Any, depth: int) -> str:
    if depth == 0 or not isinstance(value, dict) or not value:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    parts = [
        f"{json.dumps(name, ensure_ascii=False)}:{_lines(one, depth - 1)}" for name, one in value.items()
    ]
    return "{\n" + ",\n".join(parts) + "}"


def stale(documents: Path, into: Path, *, write: bool) -> list[str]:
    """Names of the files that are not what the documents make; ``write`` makes them anew, with today as their day.

    A file that is right keeps its day. Raises NoDocument."""
    found = []
    for system in SYSTEMS:
        made = extract(document_in(documents, system), system)
        target = into / system / NAME
        present = json.loads(target.read_text(encoding="utf-8")) if target.exists() else {"source": {}}
        made["source"]["made"] = present["source"].get("made", "")
        if target.exists() and target.read_text(encoding="utf-8") == text(made):
            continue
        found.append(f"{system}/{NAME}")
        if write:
            made["source"]["made"] = datetime.now(UTC).date().isoformat()
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text(made), encoding="utf-8")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(description="Writes what tests need of the vendors' documents.")
    beside = os.environ.get("BRIDGE_VENDOR_DOCS") or ROOT.parent / "shared" / "vendor"
    parser.add_argument("--documents", type=Path, default=Path(beside))
    parser.add_argument("--into", type=Path, default=INTO)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    wanted = parser.parse_args(arguments)
    try:
        found = stale(wanted.documents, wanted.into, write=not wanted.check)
    except NoDocument as error:
        print(f"vendor_extract.py: {error}", file=sys.stderr)
        return 2
    said: Callable[[str], None] = print
    for name in found:
        said(f"{name} is stale; run `make vendor-extract`" if wanted.check else f"{name} written")
    return 1 if found and wanted.check else 0


if __name__ == "__main__":
    sys.exit(main())
