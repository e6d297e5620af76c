"""Calls that the ERP took for the background although nobody asked it to (202): waited for within the call's own limit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from connectors.meaning import Odd, json_of, key_text, same_key
from connectors.verdict import failure
from connectors.visma_net.errors import DIALECT, SYSTEM
from connectors.visma_net.keys import located, segment
from connectors.visma_net.models import BackgroundState, background_state
from connectors.visma_net.registers import REGISTERS
from domain import clock
from domain.errors import BridgeError, NotFound, OutcomeUnknown, TryLater, Unavailable

Read = Callable[[str], httpx.Response]
"""Reads a path of the ERP, raising as every read does."""

FIRST_WAIT = 0.2
LONGEST_WAIT = 5.0

_STATE = REGISTERS["background"].item
_CONTENT = REGISTERS["background/content"].item


def accepted_id(answer: httpx.Response) -> str | None:
    """The id of the background call that a 202 speaks of, None if it is an ordinary yes.

    Raises Odd for a 202 that names no call: whether it is carried out nobody can ask then.
    """
    if answer.status_code != 202:
        return None
    body = json_of(answer)
    if not isinstance(body, Mapping):
        raise Odd("it names no background call")
    state = located(str(body.get("stateLocation") or ""), "background")
    accepted = state.key if state else key_text(body.get("id"))
    if not accepted:
        raise Odd("it names no background call")
    return accepted


def finished(
    accepted: str,
    read: Read,
    *,
    operation: str,
    repeatable: bool,
    limit: float,
    stop: threading.Event,
) -> httpx.Response:
    """The answer the call would have had, once the background is done with it; only a 2xx is given back.

    The address is made from the id: a token never follows ``stateLocation`` to another host. ``limit`` in seconds.
    Raises what the real status means, or OutcomeUnknown (Unavailable if repeatable) when it does not end in time. That a
    state cannot be read for a moment says nothing about the call itself and is never taken for a no.
    """
    until = clock.monotonic() + limit
    pause = FIRST_WAIT
    while True:
        state = None
        try:
            state = _state(read(_STATE.format(key=segment(accepted))), accepted)
        except TryLater as trouble:
            pause = max(pause, min(trouble.retry_after or 0.0, LONGEST_WAIT))
        except BridgeError as refused:
            # A no to the question is not a no to the call.
            raise _unknown(f"its state is refused: {refused}", operation, repeatable=repeatable) from refused
        if state is not None and state.statusCode:
            return _answer(accepted, read, state, operation, repeatable=repeatable)
        if state is not None and state.status.casefold() == "failed":
            raise _unknown(state.errorMessage or "it failed", operation, repeatable=repeatable)
        if clock.monotonic() + pause > until or stop.wait(pause):
            raise _unknown("it did not end in time", operation, repeatable=repeatable)
        pause = min(pause * 2, LONGEST_WAIT)


def _state(answer: httpx.Response, accepted: str) -> BackgroundState | None:
    """The state of that very call; None when the answer shows another, or cannot be read: it is asked again."""
    try:
        state = background_state(json_of(answer))
    except Odd:
        return None
    if state is None or (state.id is not None and not same_key(state.id, accepted)):
        return None
    return state


def _answer(
    accepted: str, read: Read, state: BackgroundState, operation: str, *, repeatable: bool
) -> httpx.Response:
    # "Finished" says only that it ended: the status code decides (docs/vendors/visma-net-erp.md E9).
    headers = _headers(state.responseHeaders)
    content = b""
    try:
        content = read(_CONTENT.format(key=segment(accepted))).content
    except NotFound:
        # Most calls have no stored content; what matters of a create stands in the headers.
        content = b""
    except BridgeError as trouble:
        # That the content cannot be read says nothing of it: empty would be "done" for an action.
        if not (state.hasResponseContent is False or "location" in headers):
            raise _unknown(
                f"its answer cannot be read: {trouble}", operation, repeatable=repeatable
            ) from trouble
    answer = httpx.Response(state.statusCode or 0, headers=headers, content=content)
    problem = failure(answer, DIALECT, operation, repeatable=repeatable)
    if problem is not None:
        raise problem
    return answer


def _headers(headers: object) -> dict[str, str]:
    pairs: list[tuple[Any, Any]] = []
    if isinstance(headers, Mapping):
        pairs = list(headers.items())
    elif isinstance(headers, list):
        pairs = [
            (
                entry.get("key") or entry.get("Key") or entry.get("name"),
                entry.get("value") or entry.get("Value"),
            )
            for entry in headers
            if isinstance(entry, Mapping)
        ]
    kept = ("location", "etag", "content-type")
    return {
        str(name).lower(): str(value[0] if isinstance(value, list) and value else value)
        for name, value in pairs
        if name and value and str(name).lower() in kept
    }


def _unknown(reason: str, operation: str, *, repeatable: bool) -> BridgeError:
    text = f"{operation} went to the background and {reason}"
    if repeatable:
        return Unavailable(text, system=SYSTEM, operation=operation)
    return OutcomeUnknown(text, system=SYSTEM, operation=operation)
