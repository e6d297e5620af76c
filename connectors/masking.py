"""What may be shown and kept of a call: secrets never, personal data masked (R-LOG-2).

It runs for every call, on whatever a vendor sends, so it takes time in proportion to what is kept: what is cut off is
not masked first, and no text is gone through twice from every one of its letters.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlencode

import simplejson

MASK = "***"
SHOWN = 4096
"""Characters of a masked body that are kept."""
PARSED = 1_000_000
"""Bodies over this many bytes are only counted: parsing them for the log would cost more than the call."""

LONGEST_KEY = 200
"""A member with a longer name is nothing a vendor has: its value is hidden."""
LONGEST_SECRET = 512
"""So much more than is shown is looked at, for what begins before the cut and ends behind it."""

_SECRET = re.compile(
    r"authorization|token|secret|password|code_?verifier|assertion|api_?key|cookie", re.IGNORECASE
)
_PERSONAL = re.compile(
    r"e-?mail|phone|^fax$|^phone\d$|(first|last|middle|full|mid)_?name|contact_?name|date_?of_?birth|^attention$"
    r"|^(our|your)reference$|^salutation$|ssn|personal",
    re.IGNORECASE,
)
_PERSON = re.compile(
    r"(^|\.)(createdBy|lastUpdatedBy|owner|user|contact|.*owner|salesPerson|.*contact)$", re.IGNORECASE
)
"""Members whose object is a person: its ``name`` is a person's name."""
# An address (``[\w.+-]+@[\w-]+(\.[\w-]+)+``) in two parts: looked for as one it would be tried from every letter of a long
# word, and each time to the word's end.
_WORD = re.compile(r"[\w.+@-]+")
_DOMAIN = re.compile(r"[\w-]+(\.[\w-]+)+")
_SECRET_WORD = re.compile(r"[\w.+@~/=-]+")
_BEARER = re.compile(r"(Bearer\s+|eyJ)[\w.~+/=-]{8,}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call as it may be shown: ``path`` without query; both bodies masked and cut; ``error`` the name of the failure.

    ``status`` is None when no answer came; ``seconds`` from the first byte to the last.
    """

    method: str
    path: str
    status: int | None
    seconds: float
    request: str
    response: str
    error: str


Observe = Callable[[Exchange], None]
"""Is shown every call of a connection behind its end."""


def masked(value: object, *, key: str = "") -> Any:
    """The JSON value with secrets and personal data replaced by ``***``; numbers, codes and amounts stay."""
    return _Masking(room=None).value(value, key)


class _Masking:
    """Goes through a value; with ``room`` it stops where so many characters of JSON text are sure to be filled."""

    def __init__(self, *, room: int | None) -> None:
        self._room = room

    def value(self, value: object, key: str) -> Any:
        if isinstance(value, Mapping):
            return self._members(value, key)
        if isinstance(value, list | tuple):
            kept = []
            for member in value:
                if self._full(2):
                    break
                kept.append(self.value(member, key))
            return kept
        if isinstance(value, str):
            text = masked_text(value if self._room is None else _cut(value))
            self._full(len(text))
            return text
        self._full(1)
        return value

    def _members(self, value: Mapping[str, object], key: str) -> dict[str, Any]:
        person = _is_person(key) or bool({"firstName", "lastName", "jobTitle"} & value.keys())
        hidden = _hidden_value(value)
        kept: dict[str, Any] = {}
        for name, member in value.items():
            if self._full(len(str(name)) + 4):
                break
            if member is not None and (
                _is_hidden(name) or (person and name == "name") or (hidden and name == "value")
            ):
                kept[name] = MASK
            else:
                kept[name] = self.value(member, str(name))
        return kept

    def _full(self, more: int) -> bool:
        """Whether nothing of what comes now can be shown any more; else ``more`` characters are taken."""
        if self._room is None:
            return False
        if self._room < 0:
            return True
        self._room -= more
        return False


def masked_text(text: str) -> str:
    """Running text without tokens and e-mail addresses."""
    text = _BEARER.sub(MASK, text)
    return _WORD.sub(_without_addresses, text) if "@" in text else text


def _without_addresses(found: re.Match[str]) -> str:
    word = found[0]
    kept: list[str] = []
    done = start = 0
    at = word.find("@")
    while at >= 0:
        domain = _DOMAIN.match(word, at + 1) if at > start else None
        if domain is not None:
            kept += [word[done:start], MASK]
            done = start = domain.end()
        else:
            start = at + 1
        at = word.find("@", max(start, at + 1))
    return "".join([*kept, word[done:]])


def _cut(text: str) -> str:
    """The beginning of a long text, as much as can be shown, without the last word: the cut may have halved a secret."""
    if len(text) <= SHOWN + LONGEST_SECRET:
        return text
    text = text[: SHOWN + LONGEST_SECRET]
    halved = _SECRET_WORD.match(text[::-1])
    word = halved.end() if halved else 0
    # A word longer than any address that has no "@" is a picture or a ruler: what was before the look beyond is shown.
    if word > LONGEST_SECRET and "@" not in text[-word:]:
        word = LONGEST_SECRET
    return text[: len(text) - word] + "…"


def masked_body(content: bytes, content_type: str) -> str:
    """A body as masked text of at most ``SHOWN`` characters; binary and very large ones only counted."""
    if not content:
        return ""
    if len(content) > PARSED:
        return f"<{len(content)} bytes>"
    if "x-www-form-urlencoded" in content_type:
        return _masked_form(content)
    try:
        return masked_json(simplejson.loads(content, use_decimal=True))
    except (ValueError, ArithmeticError, RecursionError):
        pass
    if (content_type.startswith("text/") or not content_type) and content.lstrip()[:1] not in (b"{", b"["):
        text = _cut(content[: 4 * (SHOWN + LONGEST_SECRET + 1)].decode("utf-8", "replace"))
        return _storable(masked_text(text))[:SHOWN]
    # Damaged JSON too: without its members nobody can tell what of it is secret.
    return f"<{len(content)} bytes of {content_type[:LONGEST_KEY]}>"


def _masked_form(content: bytes) -> str:
    # Only sign-ins are sent as forms; there ``code`` is the authorization code, elsewhere a customer's code.
    pairs = parse_qsl(content[: 4 * SHOWN].decode("utf-8", "replace"), keep_blank_values=True)
    return urlencode(
        [(name, MASK if _is_hidden(name) or name == "code" else value) for name, value in pairs], safe="*"
    )[:SHOWN]


def masked_json(value: object) -> str:
    """The value as masked JSON text, cut to ``SHOWN`` characters."""
    kept = _Masking(room=SHOWN + LONGEST_SECRET).value(value, "")
    text = str(simplejson.dumps(kept, use_decimal=True, ensure_ascii=False, default=_plain))
    return _storable(text)[:SHOWN]


def _storable(text: str) -> str:
    # Neither can stand in a text of PostgreSQL: a NUL, and half of a pair of surrogates.
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _is_hidden(name: object) -> bool:
    text = str(name)
    return len(text) > LONGEST_KEY or _names_a_secret(text)


@functools.lru_cache(maxsize=4096)
def _names_a_secret(text: str) -> bool:
    return bool(_SECRET.search(text) or _PERSONAL.search(text)) and not text.endswith("Type")


def _is_person(key: str) -> bool:
    return len(key) > LONGEST_KEY or _names_a_person(key)


@functools.lru_cache(maxsize=4096)
def _names_a_person(key: str) -> bool:
    return bool(_PERSON.search(key))


def _hidden_value(value: Mapping[str, object]) -> bool:
    # A contact's communication carries the number itself as ``value``; a patch operation names its field in ``path``.
    path = value.get("path")
    if isinstance(path, str) and "op" in value:
        return any(_is_hidden(part) for part in path.split("/"))
    return "communicationType" in value


def _plain(value: object) -> Any:
    return str(value) if not isinstance(value, Decimal) else value
