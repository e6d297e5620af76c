"""One call as the handlers see it, and the table of routes."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from simulators.visma_net.answers import Answer, RefusalError, malformed, not_found
from simulators.visma_net.reading import read_update
from simulators.visma_net.state import Company, Simulation


@dataclass(slots=True)
class Upload:
    """A file that came with a call."""

    name: str
    content: bytes
    content_type: str


@dataclass(slots=True)
class Call:
    """``query`` has lower-case names, the last value wins; ``params`` are the keys taken from the path."""

    simulation: Simulation
    company: Company
    method: str
    path: str
    params: dict[str, str]
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    uploads: list[Upload]
    base_url: str
    in_background: bool = False

    def whole(self, name: str) -> int | None:
        """A whole number of the query; None without it. Refuses another text."""
        text = self.query.get(name.lower())
        if not text:
            return None
        try:
            return int(text)
        except ValueError as error:
            raise malformed({name: f"The value '{text}' is not valid for {name}."}) from error

    def flag(self, name: str) -> bool | None:
        """A boolean of the query: the words only, anything else is a 400."""
        text = self.query.get(name.lower())
        if not text:
            return None
        if text.lower() not in ("true", "false"):
            raise malformed({name: f"The value '{text}' is not valid for {name}."})
        return text.lower() == "true"

    def text(self, name: str) -> str | None:
        """A text of the query; None without it or when it is empty."""
        return self.query.get(name.lower()) or None

    def json(self) -> Any:
        """The body with exact numbers. Refuses what is no JSON."""
        try:
            return json.loads(self.body, parse_float=Decimal)
        except ValueError as error:
            raise malformed({"": "The body is not JSON."}) from error

    def number(self, name: str) -> int:
        """An internal id of the path; a text there names no record."""
        if not self.params[name].lstrip("-").isdigit():
            raise not_found("The record")
        return int(self.params[name])

    def update(self, shape: str) -> dict[str, Any]:
        """The body read as an update of this shape (the vendor's DTO), unwrapped."""
        return read_update(self.json(), shape, self.company.zone)

    def check_version(self, etag: str) -> None:
        """412 when If-Match names another version (docs/vendors/visma-net-erp.md E40)."""
        sent = self.headers.get("if-match", "").strip()
        if not sent or sent == "*":
            return
        if self.company.switches.if_match_only_in_background and not self.in_background:
            return
        if sent.removeprefix("W/").strip('"') != etag:
            raise RefusalError(412, {"message": "The resource has been changed by someone else."})

    def location(self, path: str) -> str:
        """The address of a path, as a Location header carries it."""
        return f"{self.company.switches.location_base or self.base_url}{path}"


Handler = Callable[[Call], Answer]


@dataclass(slots=True)
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    parameter: _Node | None = None
    handlers: dict[str, tuple[str, list[str], Handler]] = field(default_factory=dict)


class Routes:
    """Paths to handlers. Case does not matter, a literal segment goes before a key (``/customer/balance``)."""

    def __init__(self) -> None:
        self._root = _Node()

    def add(self, method: str, template: str, handler: Handler) -> None:
        """Another route; ``{name}`` in the template takes one segment, letters are the same in any case."""
        node, names = self._root, []
        for segment in template.strip("/").split("/"):
            if segment.startswith("{"):
                names.append(segment[1:-1])
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment.lower(), _Node())
        node.handlers[method] = (template, names, handler)

    def all(self) -> list[tuple[str, str]]:
        """Method and template of every route, sorted."""
        found: list[tuple[str, str]] = []
        nodes = [self._root]
        while nodes:
            node = nodes.pop()
            nodes += [*node.literals.values(), *([node.parameter] if node.parameter else [])]
            found += [(method, template) for method, (template, _, _) in node.handlers.items()]
        return sorted(found)

    def find(self, method: str, path: str) -> tuple[str, Handler, dict[str, str]] | int:
        """Template, handler and keys; or 404 for an unknown path, 405 for an unknown verb on a known one."""
        nodes = self._walk(self._root, path.strip("/").split("/"), [])
        verbs = False
        for node, values in nodes:
            if method in node.handlers:
                template, names, handler = node.handlers[method]
                return template, handler, dict(zip(names, values, strict=True))
            verbs = verbs or bool(node.handlers)
        return 405 if verbs else 404

    def _walk(self, node: _Node, segments: list[str], values: list[str]) -> list[tuple[_Node, list[str]]]:
        if not segments:
            return [(node, values)]
        head, rest = segments[0], segments[1:]
        found: list[tuple[_Node, list[str]]] = []
        literal = node.literals.get(head.lower())
        if literal is not None:
            found += self._walk(literal, rest, values)
        if node.parameter is not None and head:
            found += self._walk(node.parameter, rest, [*values, plain_key(head)])
        return found


def plain_key(segment: str) -> str:
    """A key from its path segment, out of the ``b64(...)`` form where it has one (docs/vendors/visma-net-erp.md E16)."""
    if not (segment.lower().startswith("b64(") and segment.endswith(")")):
        return segment
    inner = segment[4:-1]
    try:
        return base64.urlsafe_b64decode(inner + "=" * (-len(inner) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return segment
