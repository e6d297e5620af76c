"""What may be shown and kept of a call: secrets never, personal data masked (R-LOG-2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
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
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
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


def masked(value: Any, *, key: str = "") -> Any:
    """The JSON value with secrets and personal data replaced by ``***``; numbers, codes and amounts stay."""
    if isinstance(value, Mapping):
        person = bool(_PERSON.search(key)) or bool({"firstName", "lastName", "jobTitle"} & value.keys())
        hidden = _hidden_value(value)
        return {
            name: MASK
            if member is not None
            and (_is_hidden(name) or (person and name == "name") or (hidden and name == "value"))
            else masked(member, key=str(name))
            for name, member in value.items()
        }
    if isinstance(value, list | tuple):
        return [masked(member, key=key) for member in value]
    if isinstance(value, str):
        return _ADDRESS.sub(MASK, _BEARER.sub(MASK, value))
    return value


def masked_body(content: bytes, content_type: str) -> str:
    """A body as masked text of at most ``SHOWN`` characters; binary and very large ones only counted."""
    if not content:
        return ""
    if len(content) > PARSED:
        return f"<{len(content)} bytes>"
    if "x-www-form-urlencoded" in content_type:
        # Only sign-ins are sent as forms; there ``code`` is the authorization code, elsewhere a customer's code.
        pairs = parse_qsl(content.decode("utf-8", "replace"), keep_blank_values=True)
        return urlencode(
            [(name, MASK if _is_hidden(name) or name == "code" else value) for name, value in pairs], safe="*"
        )
    try:
        return masked_json(simplejson.loads(content, use_decimal=True))
    except (ValueError, RecursionError):
        pass
    if content_type.startswith("text/") or not content_type:
        text = content.decode("utf-8", "replace")
        return str(masked(text))[:SHOWN]
    return f"<{len(content)} bytes of {content_type}>"


def masked_json(value: Any) -> str:
    """The value as masked JSON text, cut to ``SHOWN`` characters."""
    return str(simplejson.dumps(masked(value), use_decimal=True, ensure_ascii=False, default=_plain))[:SHOWN]


def _is_hidden(name: Any) -> bool:
    text = str(name)
    return bool(_SECRET.search(text) or _PERSONAL.search(text)) and not text.endswith("Type")


def _hidden_value(value: Mapping[str, Any]) -> bool:
    # A contact's communication carries the number itself as ``value``; a patch operation names its field in ``path``.
    path = value.get("path")
    if isinstance(path, str) and "op" in value:
        return any(_is_hidden(part) for part in path.split("/"))
    return "communicationType" in value


def _plain(value: Any) -> Any:
    return str(value) if not isinstance(value, Decimal) else value
