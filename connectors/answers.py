"""What an answer says: its JSON, its text, the vendor's own words. What it means is judged in ``connectors.verdict``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import httpx
import simplejson

MESSAGE_LENGTH = 300
NOT_JSON = (ValueError, ArithmeticError, RecursionError)
"""What reading JSON may raise, whatever it is that was sent."""
READ_FOR_WORDS = 256 * 1024
"""So much of an answer that is no JSON is looked through for words, in bytes."""
LONGEST_NUMBER = 400
"""Digits, and powers of ten, of a number that is still read: more than any double has."""

_SKIPPED = re.compile(r"<(script|style)\b", re.IGNORECASE)
_END_OF = {name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in ("script", "style")}
# A tag does not hold another: "[^>]" instead would go through the whole rest from every "<" that has no end.
_TAG = re.compile(r"<[^<>]*>")


def dumped(value: object) -> bytes:
    """The value as JSON bytes with exact decimals. Raises TypeError for a float: it was never exact."""
    _refuse_floats(value)
    return str(simplejson.dumps(value, use_decimal=True, ensure_ascii=False)).encode("utf-8", "surrogatepass")


def _refuse_floats(value: object) -> None:
    if isinstance(value, float):
        raise TypeError("a float must not be sent; use Decimal")
    if isinstance(value, Mapping):
        for member in value.values():
            _refuse_floats(member)
    elif isinstance(value, list | tuple):
        for member in value:
            _refuse_floats(member)


def parsed(answer: httpx.Response) -> Any:
    """The answer's JSON with numbers as Decimal and int, None when the body is empty or no JSON.

    A number that no vendor's field can hold (more than 400 digits, or a power of ten beyond 400) is no JSON either: written
    out it would fill the memory.
    """
    try:
        return read_json(answer.content) if answer.content.strip() else None
    except NOT_JSON:
        return None


def read_json(content: bytes) -> Any:
    """JSON with exact numbers. Raises one of ``NOT_JSON``."""
    return simplejson.loads(content, parse_float=_decimal, parse_int=_integer)


def _decimal(text: str) -> Decimal:
    number = Decimal(text)
    if len(text) > LONGEST_NUMBER or abs(number.adjusted()) > LONGEST_NUMBER:
        raise ValueError("a number beyond all measure")
    return number


def _integer(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise ValueError("a number beyond all measure")
    return int(text)


def text_of(answer: httpx.Response) -> str:
    """The beginning of the body as text, whatever it claims to be written in: UTF-8 where it is that, else Latin-1."""
    content = answer.content[:READ_FOR_WORDS]
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        # Cut in the middle of a letter is still UTF-8.
        if error.start >= READ_FOR_WORDS - 3:
            return content[: error.start].decode("utf-8")
        return content.decode("latin-1")


def message_of(answer: httpx.Response) -> str:
    """The vendor's own words in an answer, at most 300 characters; '' if it has none.

    Knows Severa's ``error.details[].message`` and the ERP's ``message | Message | ExceptionMessage |
    error_description``; everything else is the body's text without its HTML tags.
    """
    body = parsed(answer)
    if isinstance(body, Mapping):
        said = _said(body)
        if said:
            return said[:MESSAGE_LENGTH]
    if isinstance(body, str):
        return body.strip()[:MESSAGE_LENGTH]
    return " ".join(_without_tags(text_of(answer)).split())[:MESSAGE_LENGTH]


def _said(body: Mapping[str, object]) -> str:
    error = body.get("error")
    if isinstance(error, Mapping) and (text := _in_error(error)):
        return text
    for name in ("message", "Message", "ExceptionMessage", "error_description", "detail", "title"):
        said = body.get(name)
        if isinstance(said, str) and said.strip():
            return said.strip()
    return error if isinstance(error, str) else ""


def _in_error(error: Mapping[str, object]) -> str:
    details = error.get("details")
    texts = [
        str(detail["message"])
        for detail in (details if isinstance(details, list) else [])
        if isinstance(detail, Mapping) and detail.get("message")
    ]
    return "; ".join(texts) or str(error.get("message") or error.get("type") or "")


def _without_tags(text: str) -> str:
    kept: list[str] = []
    at = 0
    while skipped := _SKIPPED.search(text, at):
        kept.append(text[at : skipped.start()])
        end = _END_OF[skipped[1].lower()].search(text, skipped.end())
        if end is None:
            # Nothing that follows is meant to be read.
            at = len(text)
            break
        at = end.end()
    kept.append(text[at:])
    return _TAG.sub(" ", " ".join(kept))
