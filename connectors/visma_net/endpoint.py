"""Calls of one company's ERP, each followed to its real end: a 202 is waited for, whoever asked for it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from connectors.http import Params, Transport
from connectors.meaning import Odd, Question
from connectors.visma_net.background import accepted_id, finished
from connectors.visma_net.errors import SYSTEM
from connectors.visma_net.keys import segment
from connectors.visma_net.register import Register
from connectors.visma_net.registers import REGISTERS, register
from connectors.wire import FILE_BYTES, JSON_BYTES
from domain import clock
from domain.model import Json

_SUPPLIER_TYPES = {
    word.casefold()
    for word in (
        *("Check", "CreditAdj", "DebitAdj", "Invoice", "Prepayment", "QuickCheck", "Refund"),
        *("VoidCheck", "VoidQuickCheck", "Payment"),
    )
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The transport with what a background call needs; limits in seconds."""

    transport: Transport
    stop: threading.Event
    read_limit: float
    create_limit: float

    def read(self, path: str, *, params: Params | None = None, accept: str = "") -> httpx.Response:
        """GET. Raises as the transport does, and NotKnown for a 202 that names no call."""
        headers = {"Accept": accept} if accept else None
        largest = FILE_BYTES if accept == "*/*" else JSON_BYTES
        answer = self.transport.send(
            "GET", path, repeatable=True, params=params, headers=headers, largest=largest
        )
        return self._ended(answer, f"GET {path}", repeatable=True)

    def follow(self, path: str) -> httpx.Response:
        """A read that belongs to a call under way, which is begun work: the budget's reserve is kept for it."""
        return self.transport.send("GET", path, repeatable=True, purpose="begun")

    def again(
        self,
        method: str,
        path: str,
        *,
        json: Json | None = None,
        headers: Mapping[str, str] | None = None,
        not_after: float | None = None,
        until: float | None = None,
    ) -> httpx.Response:
        """A write that may be repeated, if not under a permission."""
        began = clock.monotonic()
        answer = self.transport.send(
            method, path, repeatable=True, json=json, headers=headers, not_after=not_after, until=until
        )
        deadline = began + self.read_limit if not_after is not None else None
        return self._ended(answer, f"{method} {path}", repeatable=not_after is None, until=deadline)

    def once(
        self,
        method: str,
        path: str,
        *,
        json: Json | None = None,
        files: Any = None,
        headers: Mapping[str, str] | None = None,
        not_after: float | None = None,
    ) -> httpx.Response:
        """A write that may not."""
        until = clock.monotonic() + self.create_limit
        answer = self.transport.send(
            method, path, repeatable=False, json=json, files=files, headers=headers, not_after=not_after
        )
        return self._ended(answer, f"{method} {path}", repeatable=False, until=until)

    def _ended(
        self, answer: httpx.Response, operation: str, *, repeatable: bool, until: float | None = None
    ) -> httpx.Response:
        """The answer itself, or for a 202 what the background made of the call."""
        question = Question(SYSTEM, operation)
        try:
            accepted = accepted_id(answer)
        except Odd as odd:
            raise (question.not_known(odd) if repeatable else question.outcome_unknown(odd)) from odd
        if accepted is None:
            return answer
        return finished(
            accepted,
            self.follow,
            operation=operation,
            repeatable=repeatable,
            limit=self.read_limit if until is None else until - clock.monotonic(),
            stop=self.stop,
        )


def register_of(name: str) -> Register:
    """The register of that name. Raises ValueError for one that the catalogue does not have."""
    try:
        return register(name)
    except KeyError as unknown:
        raise ValueError(unknown.args[0]) from unknown


def parented(name: str) -> tuple[Register, str]:
    """The register to create in, and its parent's id where the path names it (``projecttask/812``)."""
    if name in REGISTERS:
        return REGISTERS[name], ""
    family, _, parent = name.rpartition("/")
    return (REGISTERS[family], parent) if family in REGISTERS and parent else (register_of(name), "")


def typed_key(known: Register, key: str) -> tuple[str, str]:
    """Type ('' = none said) and number of a key that may be ``<type>/<number>``."""
    kind, slash, number = key.partition("/")
    if known.typed_item and slash and kind.casefold() in _SUPPLIER_TYPES:
        return kind, number
    return "", key


def item_path(known: Register, key: str) -> str:
    """The path of one record. Raises ValueError for a register without single records, and for an empty key."""
    if not known.item:
        raise ValueError(f"Visma.net ERP register '{known.name}' has no single records")
    kind, number = typed_key(known, key)
    if kind:
        return known.typed_item.format(type=segment(kind), key=segment(number))
    return known.item.format(key=segment(key))
