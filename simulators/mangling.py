"""Answers that are not what they look like: held back whole, taken apart, and given on with less in them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence

from starlette.types import ASGIApp, Message, Receive, Scope


async def held_back(app: ASGIApp, scope: Scope, receive: Receive) -> list[Message]:
    """Everything that the application would have sent for a call."""
    held: list[Message] = []

    async def hold(message: Message) -> None:
        held.append(message)

    await app(scope, receive, hold)
    return held


def taken_apart(held: Sequence[Message]) -> tuple[Message, bytes]:
    """The head of an answer and its whole body."""
    start = next(message for message in held if message["type"] == "http.response.start")
    return start, b"".join(message.get("body", b"") for message in held)


def shortened(body: bytes) -> bytes:
    """A JSON list without the last third of its elements (at least one), each as it was written; anything else unchanged.

    A count that the elements themselves carry (the ERP's ``totalCount``) goes on telling the truth.
    """
    text = body.decode("utf-8", "surrogateescape")
    ends = _ends_of_elements(text)
    if not ends:
        return body
    left = len(ends) - max(1, len(ends) // 3)
    return (text[: ends[left - 1]] + "]" if left else "[]").encode("utf-8", "surrogateescape")


def _ends_of_elements(text: str) -> list[int]:
    """Where in a JSON list each of its elements ends; nothing when the text is no list."""
    ends: list[int] = []
    if not text.lstrip().startswith("["):
        return ends
    place = text.index("[") + 1
    with contextlib.suppress(ValueError):
        while True:
            place += len(text[place:]) - len(text[place:].lstrip())
            _, place = json.JSONDecoder().raw_decode(text, place)
            ends.append(place)
            place = text.index(",", place) + 1
    return ends
