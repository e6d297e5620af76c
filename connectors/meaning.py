"""What a 2xx says: only an answer in the shape that was asked for says anything at all (an answer is known or not known).

A maintenance page, ``null``, cut JSON or nothing is not "nothing there". Whoever reads an answer asks here for its shape and
turns ``Odd`` into what it means for the call: *not known* for one that may be repeated, *outcome unknown* for one that may not.
"""

from __future__ import annotations

import contextlib
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx

from connectors.answers import NOT_JSON, read_json
from domain.errors import NotKnown, OutcomeUnknown, Refused, SignInFailed, TryLater

DEEPEST = 64
"""No record of either vendor nests deeper than ten; what nests deeper than this was not made by them."""
LARGEST = 18
"""Powers of ten up to which an amount is an amount: 1e400 is none, and written out it would fill the memory."""
SMALLEST = -100
"""The same downwards; what adding leaves behind (1e-17) is far above it."""

_AMOUNT = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?")
_PAGE = re.compile(rb"\s*<(!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_ERROR_MEMBERS = ("error", "message", "Message", "ExceptionMessage", "error_description", "detail", "title")
_NO_ROUTE = re.compile(r"no http resource was found|no (type|action) was found", re.IGNORECASE)


class Odd(Exception):
    """An answer without the shape that was asked for; its text is the reason."""


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked of whom, for the sentence of what could not be understood. ``operation`` is like ``GET /v1/vat``."""

    system: str
    operation: str

    def not_known(self, reason: object) -> NotKnown:
        """For a call that may be repeated."""
        return NotKnown(
            f"the answer to {self.operation} could not be understood: {reason}",
            system=self.system,
            operation=self.operation,
            reason=str(reason),
        )

    def outcome_unknown(self, reason: object) -> OutcomeUnknown:
        """For a call that may not: it may have been carried out."""
        return OutcomeUnknown(
            f"{self.operation} was answered, but not understood: {reason}",
            system=self.system,
            operation=self.operation,
            reason=str(reason),
        )


@contextlib.contextmanager
def after_the_yes(question: Question, not_after: float | None) -> Iterator[None]:
    """What follows a yes: under a permission every failure in here is an unknown outcome. The call was made, and 'try
    later' or a no, said of the look behind it, would read as 'not done' (``domain.ports.SeveraApi``)."""
    try:
        yield
    except (TryLater, Refused, SignInFailed) as error:
        if not_after is None:
            raise
        raise question.outcome_unknown(error.message) from error


def is_empty(answer: httpx.Response) -> bool:
    """Whether an answer has no body at all."""
    return not answer.content.strip()


def is_page(answer: httpx.Response) -> bool:
    """Whether an answer is a page for people (a proxy's, a sign-in form) by its content type or its first bytes."""
    kind = answer.headers.get("content-type", "").lower()
    return "html" in kind or _PAGE.match(answer.content.removeprefix(_BYTE_ORDER_MARK)) is not None


def json_of(answer: httpx.Response) -> Any:
    """The answer's JSON with numbers as Decimal and int. Raises Odd for a page, nothing, cut JSON and nested bombs."""
    if is_empty(answer):
        raise Odd("it is empty")
    if is_page(answer):
        raise Odd("it is a page, no data")
    try:
        value = read_json(answer.content.removeprefix(_BYTE_ORDER_MARK))
    except NOT_JSON as cause:
        raise Odd("it is no JSON, or was cut off") from cause
    if _depth_exceeds(value, DEEPEST):
        raise Odd("it is nested too deep")
    return value


def object_of(value: object, amounts: Collection[str]) -> dict[str, Any]:
    """The value as a record whose numbers can be used. Raises Odd for anything but an object with members, and for garbage
    where the vendor's document has a number (``amounts``: names of such members at any depth)."""
    if not isinstance(value, dict) or not value:
        raise Odd("it is no record")
    name = unsound(value, amounts)
    if name is not None:
        raise Odd(f"{name} is no number")
    return value


def unsound(value: object, amounts: Collection[str]) -> str | None:
    """The name of the first member that is no number although it must be one, None if all are.

    Numbers may come as text; null is no number and no garbage. What cannot be used must not be read as zero.
    """
    left: list[tuple[str, Any]] = [("", value)]
    while left:
        name, one = left.pop()
        if isinstance(one, Mapping):
            left.extend(one.items())
        elif isinstance(one, list):
            left.extend((name, element) for element in one if isinstance(element, Mapping | list))
        if _is_garbage(one, number=name in amounts):
            return name
    return None


def _is_garbage(value: object, *, number: bool) -> bool:
    if isinstance(value, Decimal):
        return not value.is_finite() or not SMALLEST <= value.adjusted() <= LARGEST
    if not number or value is None:
        return False
    if isinstance(value, str):
        return _AMOUNT.fullmatch(value.strip()) is None or _is_garbage(Decimal(value.strip()), number=True)
    return isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 10**LARGEST


def same_key(shown: object, asked: str) -> bool:
    """Whether a record is the one that was asked for: its key as shown and as asked, without regard to case, to blanks
    around it, and to how its letters are composed."""
    if shown is None or isinstance(shown, bool | Mapping | list):
        return False
    return _normal(shown) == _normal(asked) != ""


def key_text(value: object) -> str:
    """A member that identifies a row, as text; '' if it cannot (missing, blank, no scalar)."""
    if value is None or isinstance(value, bool | Mapping | list):
        return ""
    return _plain_number(value).strip()


def _normal(value: object) -> str:
    return unicodedata.normalize("NFC", _plain_number(value)).strip().casefold()


def _plain_number(value: object) -> str:
    # 42.0 and 42 are one id; a number with a huge exponent is never written out.
    if isinstance(value, Decimal) and value.adjusted() <= LARGEST and value == value.to_integral_value():
        return str(int(value))
    return str(value)


def file_of(answer: httpx.Response, *, starts: bytes = b"") -> bytes:
    """The bytes of a file. Raises Odd for nothing, and for a page or JSON that does not come as a file
    (Content-Disposition): an error page kept as a receipt is found by the auditor. ``starts``: how the kind begins."""
    if not answer.content:
        raise Odd("the file is empty")
    if starts and starts not in answer.content[:1024]:
        raise Odd(f"the file does not begin with {starts.decode()}")
    if "content-disposition" not in answer.headers:
        kind = answer.headers.get("content-type", "").lower()
        if is_page(answer) or "json" in kind:
            raise Odd("it is no file")
    return answer.content


def is_vendors_no(answer: httpx.Response) -> bool:
    """Whether a 404 is the vendor's own "there is no such record": without a body, or with the JSON of its errors.

    A page or plain text comes from a gateway, and "no such route" speaks of the address, not of the record
    (docs/vendors/severa.md S11, docs/vendors/visma-net-erp.md E39).
    """
    if is_empty(answer):
        return True
    try:
        body = json_of(answer)
    except Odd:
        return False
    if not isinstance(body, Mapping) or not any(body.get(name) for name in _ERROR_MEMBERS):
        return False
    return not any(_NO_ROUTE.search(str(value)) for value in body.values())


def not_the_vendors_404(answer: httpx.Response, question: Question) -> NotKnown | OutcomeUnknown | None:
    """What a 404 means that somebody else than the vendor gave; None for every other answer."""
    if answer.status_code != 404 or is_vendors_no(answer):
        return None
    reason = "the 404 is not the vendor's own"
    if question.operation.startswith("POST "):
        # Whoever stands in between may have passed the request on: only a look can tell.
        return question.outcome_unknown(reason)
    return question.not_known(reason)


def _depth_exceeds(value: object, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [
            element
            for one in level
            for element in (
                one.values() if isinstance(one, Mapping) else one if isinstance(one, list) else ()
            )
            if isinstance(element, Mapping | list)
        ]
        if not level:
            return False
    return True
