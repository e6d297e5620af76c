"""The vendors' interfaces as tests read them: the project's own extract, and the vendors' documents where they are.

The extract (``tests/data/vendor``, made by ``make vendor-extract``) is always there. The documents themselves are not ours to
hand on; where they lie beside the project (``../shared/vendor``) or in ``BRIDGE_VENDOR_DOCS``, what can be judged by both is.
Both are given as the same OpenAPI document, once per process: nobody may change what is given here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

Json = dict[str, Any]

SYSTEMS = ("severa", "visma-net")
EXTRACT = Path(__file__).resolve().parent / "data" / "vendor"
_REFERENCE = "#/components/schemas/"
_SEVERAL = ("allOf", "oneOf", "anyOf")


def file_in(folder: Path, system: str) -> Path | None:
    """The OpenAPI document of ``severa`` or ``visma-net`` in a folder."""
    return next(iter(sorted((folder / system).glob("*openapi*.json"))), None)


def _documents() -> Path | None:
    """The folder with both vendors' documents, None where it is not.

    Raises LookupError when ``BRIDGE_VENDOR_DOCS`` names a folder without them: whoever names one wants to be judged by it."""
    named = os.environ.get("BRIDGE_VENDOR_DOCS")
    folder = (Path(named) if named else Path(__file__).parents[2] / "shared" / "vendor").resolve()
    if all(file_in(folder, system) for system in SYSTEMS):
        return None if folder == EXTRACT else folder
    if named:
        raise LookupError(
            f"BRIDGE_VENDOR_DOCS is {named}, where no severa/*openapi*.json and visma-net/*openapi*.json are"
        )
    return None


DOCUMENTS = _documents()
"""The folder with the vendors' own documents, None where they are not."""
SOURCES: Mapping[str, Path] = MappingProxyType(
    {"extract": EXTRACT, **({"documents": DOCUMENTS} if DOCUMENTS else {})}
)
"""What can be judged by, by the name that stands in a test's id."""
BEST = DOCUMENTS or EXTRACT
"""For what is too slow to be judged twice."""


def interface(folder: Path, system: str) -> Json:
    """The OpenAPI document of a system: a vendor's own as it is, the extract in the same form without the texts.

    Of operations that the project does not use the extract has no more than the name (``NameOnly``).
    Raises LookupError when the folder has none."""
    path = file_in(folder, system)
    if path is None:
        raise LookupError(f"there is no {system}/*openapi*.json in {folder}")
    return _read(path)


@cache
def _read(path: Path) -> Json:
    whole: Json = json.loads(path.read_text(encoding="utf-8"))
    return _opened(whole) if "source" in whole else whole


class NameOnly(dict[str, Any]):
    """An operation of which the extract has the name. Whoever looks into it is told what to do, and never that it asks for
    nothing."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def _refuse(self, *_asked: object) -> NoReturn:
        raise LookupError(
            f"the extract of the vendor's document has no more than the name of {self._name}; "
            "make its use known in ops/scripts/vendor_used.py and run `make vendor-extract` beside the documents"
        )

    __getitem__ = get = __contains__ = __iter__ = keys = values = items = __len__ = __bool__ = _refuse


def _opened(extract: Json) -> Json:
    """The extract as an OpenAPI document; its notation is told in ops/scripts/vendor_extract.py."""
    paths = {
        template: {
            verb: _operation(extract, found[verb]) if found[verb] else NameOnly(f"{verb.upper()} {template}")
            for verb in found
        }
        for template, verbs in extract["paths"].items()
        for found in [dict.fromkeys(verbs) if isinstance(verbs, list) else verbs]
    }
    components = {
        "schemas": {name: _schema(one) for name, one in extract["schemas"].items()},
        "securitySchemes": {
            name: {"flows": {flow: {"scopes": dict.fromkeys(names, "")} for flow, names in flows.items()}}
            for name, flows in extract["scopes"].items()
        },
        "parameters": {
            reference.rpartition("/")[2]: _parameter(one) for reference, one in extract["components"].items()
        },
    }
    return {"info": extract["source"], "paths": paths, "components": components}


def _operation(extract: Json, kept: Json) -> Json:
    made: Json = {
        "responses": {
            status: _response(extract["responses"][name]) for status, name in kept["responses"].items()
        }
    }
    if "parameters" in kept:
        made["parameters"] = [_parameter(extract["parameters"][name]) for name in kept["parameters"]]
    if "body" in kept:
        body = extract["bodies"][kept["body"]]
        made["requestBody"] = {**body, "content": dict(_content(body))}
    if "security" in kept:
        made["security"] = extract["securities"][kept["security"]]["any"]
    if "x-media-types" in kept:
        made["x-media-types"] = kept["x-media-types"]
    return made


def _parameter(kept: Json) -> Json:
    return {**kept, "schema": _schema(kept["schema"])} if "schema" in kept else kept


def _response(kept: Json) -> Json:
    made: Json = {}
    if "content" in kept:
        made["content"] = dict(_content(kept))
    if "headers" in kept:
        made["headers"] = {name: {} for name in kept["headers"]}
    return made


def _content(kept: Json) -> Iterator[tuple[str, Json]]:
    for kind, schema in kept["content"].items():
        yield kind, {"schema": _schema(schema)}


def _schema(kept: Any) -> Json:
    """A schema; a word is a reference."""
    if isinstance(kept, str):
        return {"$ref": _REFERENCE + kept}
    made = dict(kept)
    if "$ref" in made:
        made["$ref"] = _REFERENCE + made["$ref"]
    if "properties" in made:
        made["properties"] = {name: _schema(one) for name, one in made["properties"].items()}
    for name in ("items", "not", "additionalProperties"):
        if isinstance(made.get(name), dict | str):
            made[name] = _schema(made[name])
    for name in _SEVERAL:
        if name in made:
            made[name] = [_schema(one) for one in made[name]]
    return made
