"""Calls of one company's ERP, each followed to its real end: a 202 is waited for, whoever asked for it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from connectors.endpoint import Timeouts
from connectors.http import Files, Params, Transport
from connectors.meaning import Odd, Question
from connectors.visma_net.background import accepted_id, finished
from connectors.visma_net.errors import SYSTEM
from connectors.wire import FILE_BYTES, JSON_BYTES
from domain import clock
from domain.model import Json


@dataclass(frozen=True, slots=True)
class Calls:
    """The transport with what a background call needs: what ends its wait, and until when it is waited for."""

    transport: Transport
    stop: threading.Event
    timeouts: Timeouts

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
        deadline = began + self.timeouts.read if not_after is not None else None
        return self._ended(answer, f"{method} {path}", repeatable=not_after is None, until=deadline)

    def once(
        self,
        method: str,
        path: str,
        *,
        json: Json | None = None,
        files: Files | None = None,
        headers: Mapping[str, str] | None = None,
        not_after: float | None = None,
    ) -> httpx.Response:
        """A write that may not."""
        until = clock.monotonic() + self.timeouts.create
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
            limit=self.timeouts.read if until is None else until - clock.monotonic(),
            stop=self.stop,
        )
