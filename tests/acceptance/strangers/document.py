"""A vendor's OpenAPI document as a judge of requests: path, verb, query names, members, types and enum words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

_FREE = frozenset({("PatchOperation", "value")})
"""Members whose type the document gives too narrowly (a JSON Patch value is typed as text)."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the document, with the values of its path's parameters."""

    template: str
    method: str
    spec: Mapping[str, Any]
    values: Mapping[str, str] = field(default_factory=dict)


class Document:
    """The judge. ``check`` says what is wrong with a request; an empty list means that the document allows it."""

    def __init__(self, whole: Mapping[str, Any]) -> None:
        self._whole = whole
        self._routes: list[tuple[re.Pattern[str], str]] = []
        for template in self._whole["paths"]:
            pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template))
            self._routes.append((re.compile(f"^{pattern}$"), template))
        # A path of fixed words goes before one with parameters.
        self._routes.sort(key=lambda route: route[1].count("{"))

    def operation(self, method: str, path: str) -> Operation | None:
        """The operation of a path, None when the document has none. The spelling counts."""
        for pattern, template in self._routes:
            if (match := pattern.match(path)) and method.lower() in self._whole["paths"][template]:
                values = {name: unquote(value) for name, value in match.groupdict().items()}
                return Operation(template, method, self._whole["paths"][template][method.lower()], values)
        return None

    def scopes(self, operation: Operation) -> set[str]:
        """The scopes an operation asks for."""
        return {
            scope for one in operation.spec.get("security", []) for names in one.values() for scope in names
        }

    def check(self, operation: Operation, query: Mapping[str, list[str]], body: Any) -> list[str]:
        """What the document forbids: an unknown or missing query name, a member or a type it does not have."""
        found: list[str] = []
        declared = {one["name"]: one for one in self._parameters(operation) if one["in"] == "query"}
        for name, values in query.items():
            # ``sortings[0].key`` is how an array of objects stands in a query.
            if name.split("[")[0] not in declared:
                found.append(f"query name {name} is not in the document")
                continue
            for value in values:
                found += self._query_value(name, value, declared[name.split("[")[0]].get("schema", {}))
        found += [
            f"query name {name} is required"
            for name, one in declared.items()
            if one.get("required") and name not in query
        ]
        wanted = operation.spec.get("requestBody", {}).get("content", {}).get("application/json")
        if wanted is not None:
            if body is None:
                if operation.spec["requestBody"].get("required"):
                    found.append("a body is required")
            else:
                found += self._value("", body, wanted["schema"])
        elif body not in (None, {}):
            found.append("the operation has no body")
        return [f"{operation.method} {operation.template}: {what}" for what in found]

    def answers(self, schema_name: str, body: Any) -> list[str]:
        """What an answer of ours has that the schema does not: the servers are held to the document as well."""
        return list(
            self._value(schema_name, body, {"$ref": f"#/components/schemas/{schema_name}"}, reading=True)
        )

    def schema(self, name: str) -> Mapping[str, Any]:
        """A schema by its name."""
        return self.resolved({"$ref": f"#/components/schemas/{name}"})

    def value(self, at: str, value: Any, schema: Mapping[str, Any]) -> list[str]:
        """What is wrong with a value that a client writes."""
        return list(self._value(at, value, schema))

    def _parameters(self, operation: Operation) -> Iterator[Mapping[str, Any]]:
        for one in operation.spec.get("parameters", []):
            yield self.resolved(one)

    def resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            target: Any = self._whole
            for part in schema["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            schema = target
        return schema

    def _query_value(self, name: str, value: str, schema: Mapping[str, Any]) -> Iterable[str]:
        schema = self.resolved(schema)
        if schema.get("type") == "array":
            schema = self.resolved(schema.get("items", {}))
        kind = schema.get("type")
        if kind == "boolean" and value not in ("true", "false"):
            yield f"query {name}={value} is no boolean"
        if kind == "integer" and not re.fullmatch(r"-?\d+", value):
            yield f"query {name}={value} is no integer"
        if "enum" in schema and value not in map(str, schema["enum"]):
            yield f"query {name}={value} is none of {schema['enum'][:12]}"
        if schema.get("format") == "date-time" and not re.match(
            r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?$", value
        ):
            yield f"query {name}={value} is no time"

    def _value(
        self, at: str, value: Any, schema: Mapping[str, Any], *, reading: bool = False
    ) -> Iterable[str]:
        named = str(schema.get("$ref", "")).rsplit("/", 1)[-1]
        nullable = schema.get("nullable")
        schema = self.resolved(schema)
        if value is None:
            if not (reading or nullable or schema.get("nullable")):
                yield f"{at} is null"
            return
        match schema.get("type"):
            case "object" if "properties" in schema:
                if not isinstance(value, dict):
                    yield f"{at} is no object: {value!r}"
                    return
                members = schema["properties"]
                for name in schema.get("required", []) if not reading else ():
                    if value.get(name) is None and not members.get(name, {}).get("nullable"):
                        yield f"{at}.{name} is required"
                for name, one in value.items():
                    if name not in members:
                        yield f"{at}.{name} is not in {named or 'the schema'}"
                    elif not reading and members[name].get("readOnly"):
                        yield f"{at}.{name} is read-only"
                    elif (named, name) not in _FREE:
                        yield from self._value(f"{at}.{name}", one, members[name], reading=reading)
            case "array":
                if not isinstance(value, list):
                    yield f"{at} is no array"
                    return
                for index, one in enumerate(value):
                    yield from self._value(f"{at}[{index}]", one, schema["items"], reading=reading)
            case "string":
                if not isinstance(value, str):
                    yield f"{at} is no text: {value!r}"
                elif "enum" in schema and value not in schema["enum"]:
                    yield f"{at}={value} is none of {schema['enum'][:12]}"
                elif schema.get("format") == "date" and not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
                    yield f"{at}={value} is no date"
                elif schema.get("format") == "date-time" and not re.match(
                    r"\d{4}-\d\d-\d\dT\d\d:\d\d", value
                ):
                    yield f"{at}={value} is no time"
            case "integer":
                if isinstance(value, bool) or not isinstance(value, int | Decimal) or value != int(value):
                    yield f"{at} is no whole number: {value!r}"
            case "number":
                if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
                    yield f"{at} is no number: {value!r}"
            case "boolean":
                if not isinstance(value, bool):
                    yield f"{at} is no boolean: {value!r}"
