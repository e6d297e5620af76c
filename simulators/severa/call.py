"""One call of the API as the handlers see it, and the answers they give."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from starlette.datastructures import Headers, QueryParams
from starlette.responses import Response

from simulators.severa.errors import bad_request
from simulators.severa.organisation import Organisation


@dataclass(slots=True)
class Call:
    """An authorised call: the organisation of its token, path parameters, query, headers and the whole body."""

    org: Organisation
    params: dict[str, str]
    query: QueryParams
    headers: Headers
    body: bytes

    def json(self) -> Any:
        """Parse the body, numbers with a fraction as Decimal. Raises `SeveraError` 400 when it is not JSON."""
        try:
            return json.loads(self.body, parse_float=Decimal)
        except ValueError:
            raise bad_request("The request body is not valid JSON.") from None

    def json_object(self) -> dict[str, Any]:
        """Parse the body as one object. Raises `SeveraError` 400 when it is not one."""
        body = self.json()
        if not isinstance(body, dict):
            raise bad_request("The request body must be an object.")
        return body


Handler = Callable[[Call], Response]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: method, path template below the version, the scopes that it needs all of, its handler."""

    method: str
    template: str
    scopes: tuple[str, ...]
    handler: Handler


@dataclass
class _Node:
    children: dict[str, _Node] = field(default_factory=dict)
    parameter: tuple[str, _Node] | None = None
    operations: dict[str, Operation] = field(default_factory=dict)


class Operations:
    """The operations, found by method and path; a literal segment goes before a parameter."""

    def __init__(self, operations: list[Operation]) -> None:
        self._root = _Node()
        for operation in operations:
            node = self._root
            for segment in operation.template.strip("/").split("/"):
                if segment.startswith("{"):
                    if node.parameter is None:
                        node.parameter = (segment, _Node())
                    node = node.parameter[1]
                else:
                    node = node.children.setdefault(segment, _Node())
            node.operations[operation.method] = operation

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """Give the operation and its path parameters; None when there is no such path or method."""
        segments = path.strip("/").split("/")
        node = self._descend(self._root, segments)
        operation = None if node is None else node.operations.get(method)
        if operation is None:
            return None
        names = operation.template.strip("/").split("/")
        return operation, {
            name[1:-1]: value for name, value in zip(names, segments, strict=True) if name.startswith("{")
        }

    def _descend(self, node: _Node, segments: list[str]) -> _Node | None:
        if not segments:
            return node if node.operations else None
        # The vendor's paths are read without regard to the case of their words.
        child = node.children.get(segments[0].lower())
        if child is not None:
            found = self._descend(child, segments[1:])
            if found is not None:
                return found
        return None if node.parameter is None else self._descend(node.parameter[1], segments[1:])


def answer(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Give a JSON answer; Decimals become JSON numbers as the vendor's doubles do."""
    body = json.dumps(content, default=_plain, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(body, status, headers=headers, media_type="application/json")


def nothing() -> Response:
    """Give a 204."""
    return Response(status_code=204)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"no JSON for {type(value).__name__}")
