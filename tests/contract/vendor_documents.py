"""The vendors' OpenAPI documents as validators: what may stand in a body and in an answer.

The documents leave open what an unlisted member means; here it is a mistake. Every schema is turned into a JSON schema
with closed objects, so that a member the vendor does not know fails, and so does a missing required one, a wrong type,
an unknown word of an enumeration and a number or time out of its format.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, cached_property
from typing import Any, Literal

from jsonschema import Draft202012Validator, FormatChecker
from vendor_sources import SOURCES, Json, interface

Use = Literal["request", "answer"]
_VERBS = ("get", "post", "put", "patch", "delete")
_INTEGERS = {"int16": 2**15, "int32": 2**31, "int64": 2**63}
_NOT_IN_JSON_SCHEMA = ("nullable", "readOnly", "writeOnly", "default", "description", "deprecated", "example")

FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def _is_time(value: object) -> bool:
    """With a zone or without: the ERP's times carry none."""
    return not isinstance(value, str) or ("T" in value and bool(datetime.fromisoformat(value)))


@FORMATS.checks("date", raises=ValueError)
def _is_date(value: object) -> bool:
    return not isinstance(value, str) or bool(date.fromisoformat(value))


@FORMATS.checks("uuid", raises=ValueError)
def _is_uuid(value: object) -> bool:
    return not isinstance(value, str) or bool(uuid.UUID(value))


@dataclass(frozen=True)
class Operation:
    """One verb of one path of a document."""

    verb: str
    path: str
    definition: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.verb} {self.path}"

    def body(self) -> Json | None:
        """The schema of a JSON body; None when the document gives this operation none."""
        return _schema(self.definition.get("requestBody", {}), "application/json")

    def answers(self, status: int) -> list[Json]:
        """The schemas of a status and, for errors, of ``default``; empty when the document gives it no content."""
        responses = self.definition["responses"]
        asked = [responses.get(str(status)), responses.get("default") if status >= 400 else None]
        found = [_schema(response, "application/json") for response in asked if response]
        return [schema for schema in found if schema is not None]

    def statuses(self) -> set[int]:
        return {int(status) for status in self.definition["responses"] if status.isdigit()}

    def content_types(self, status: int) -> set[str]:
        return set(self.definition["responses"].get(str(status), {}).get("content", {}))


class VendorDocument:
    """One document; ``absent_is_null``: members without a value may be sent as null."""

    def __init__(self, whole: Json, *, absent_is_null: bool = False) -> None:
        self.whole = whole
        self._absent_is_null = absent_is_null
        self._defined: dict[Use, Json] = {}
        self._validators: dict[tuple[Use, str], Draft202012Validator] = {}

    @cached_property
    def operations(self) -> list[Operation]:
        """All, those with the fewest parameters first: a literal segment goes before a key."""
        found = [
            Operation(verb.upper(), path, definition)
            for path, verbs in self.whole["paths"].items()
            for verb, definition in verbs.items()
            if verb in _VERBS
        ]
        return sorted(found, key=lambda one: one.path.count("{"))

    def operation(self, verb: str, path: str) -> Operation | None:
        """The operation of a call; words of a path are read without regard to their case, as both vendors do."""
        for one in self.operations:
            if one.verb == verb and _pattern(one.path).fullmatch(path):
                return one
        return None

    def like(self, operation: Operation) -> list[Operation]:
        """All of the same verb and shape of path; the given one first."""
        shape = re.sub(r"\{[^}]*\}", "{}", operation.path)
        same = [
            one
            for one in self.operations
            if one.verb == operation.verb and re.sub(r"\{[^}]*\}", "{}", one.path) == shape
        ]
        return [operation, *(one for one in same if one != operation)]

    def model(self, name: str) -> Json:
        schema: Json = self.whole["components"]["schemas"][name]
        return schema

    def complaints(self, schema: Json, value: Any, use: Use) -> list[str]:
        """What is wrong with a value by a schema of this document, one sentence with its place each."""
        key = use, json.dumps(schema)
        if key not in self._validators:
            self._validators[key] = self._validator(schema, use)
        return sorted(set(_sentences(self._validators[key].iter_errors(value))))

    def _validator(self, schema: Json, use: Use) -> Draft202012Validator:
        if use not in self._defined:
            models = self.whole["components"]["schemas"]
            self._defined[use] = {name: self._closed(model, use) for name, model in models.items()}
        whole = {**self._closed(schema, use), "$defs": self._defined[use]}
        return Draft202012Validator(whole, format_checker=FORMATS)

    def member(self, schema: Json, path: str) -> Json | None:
        """The schema of a member named by a JSON pointer (``/customer/guid``), whatever the case of its names."""
        for name in path.strip("/").split("/"):
            properties = self.resolved(schema).get("properties", {})
            found = next((value for key, value in properties.items() if key.lower() == name.lower()), None)
            if found is None or found.get("readOnly"):
                return None
            schema = found
        return schema

    def resolved(self, schema: Json) -> Json:
        while "$ref" in schema:
            schema = self.model(schema["$ref"].rsplit("/", 1)[-1])
        return schema

    def _closed(self, schema: Json, use: Use) -> Json:
        """OpenAPI 3.0 as JSON schema: null is a type, references stand alone, objects take listed members only."""
        may_be_null = schema.get("nullable", False) or (self._absent_is_null and use == "answer")
        if "$ref" in schema:
            named = {"$ref": "#/$defs/" + schema["$ref"].rsplit("/", 1)[-1]}
            return {"anyOf": [named, {"type": "null"}]} if may_be_null else named
        made = {
            key: value for key, value in schema.items() if key not in _NOT_IN_JSON_SCHEMA and key[:2] != "x-"
        }
        if "properties" in schema:
            # Read-only members belong to answers; a body that carries one says something nobody listens to.
            members = {
                name: one
                for name, one in schema["properties"].items()
                if not (use == "request" and one.get("readOnly"))
            }
            made["properties"] = {name: self._closed(one, use) for name, one in members.items()}
            made["required"] = [name for name in schema.get("required", ()) if name in members]
            made["additionalProperties"] = self._closed_rest(schema, use)
        if "items" in schema:
            made["items"] = self._closed(schema["items"], use)
        if (limit := _INTEGERS.get(schema.get("format", ""))) is not None and schema.get("type") == "integer":
            made |= {"minimum": schema.get("minimum", -limit), "maximum": schema.get("maximum", limit - 1)}
        if may_be_null:
            if isinstance(made.get("type"), str):
                made["type"] = [made["type"], "null"]
            if "enum" in made:
                made["enum"] = [*made["enum"], None]
        return made

    def _closed_rest(self, schema: Json, use: Use) -> Any:
        rest = schema.get("additionalProperties", False)
        return self._closed(rest, use) if isinstance(rest, dict) else rest


@cache
def vendor_document(source: str, system: str, *, absent_is_null: bool = False) -> VendorDocument:
    """The validators of one system by one of ``vendor_sources.SOURCES``; one of each for all tests of a process."""
    return VendorDocument(interface(SOURCES[source], system), absent_is_null=absent_is_null)


def _schema(part: Mapping[str, Any], content_type: str) -> Json | None:
    schema: Json | None = part.get("content", {}).get(content_type, {}).get("schema")
    # A bare object says that there is a body, not what is in it.
    return None if schema == {"type": "object"} else schema


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{[^}]*\}", path)
    return re.compile("[^/]+".join(re.escape(part) for part in parts), re.IGNORECASE)


def _sentences(errors: Iterator[Any]) -> Iterator[str]:
    for error in errors:
        if error.context:
            # What is wrong with the value itself, not that it is not null either.
            inner = [one for one in error.context if one.validator_value != "null"]
            yield from _sentences(iter(inner or error.context))
        else:
            yield f"{_place(error.absolute_path)}: {error.message[:200]}"


def _place(path: Any) -> str:
    """Where a mistake stands, without the numbers of rows, so that one mistake in all rows is told once."""
    return "/" + "/".join("*" if isinstance(step, int) else str(step) for step in path)
