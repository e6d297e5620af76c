"""JSON to and from PostgreSQL. Bodies are kept as bytes because vendors do send NUL and lone surrogates, which text and
jsonb refuse; what goes into jsonb is cleaned of them. Decimals stay decimals in bodies and become text in jsonb."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import simplejson
from psycopg.abc import AdaptContext, Buffer
from psycopg.types.json import Jsonb
from psycopg.types.string import StrDumperUnknown

from domain.text import clean


def to_bytes(body: Any) -> bytes:
    """A vendor's JSON object as UTF-8 bytes, amounts exact."""
    text = simplejson.dumps(body, use_decimal=True, ensure_ascii=True, separators=(",", ":"))
    return text.encode("ascii")


def from_bytes(body: bytes | memoryview) -> Any:
    """The object again, every number with a fraction a Decimal."""
    return simplejson.loads(bytes(body).decode("utf-8"), use_decimal=True)


def jsonb(value: Any) -> Jsonb:
    """A value for a jsonb column."""
    return Jsonb(_clean(value), dumps=json.dumps)


def _clean(value: Any) -> Any:
    match value:
        case str():
            return value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
        case dict():
            return {str(_clean(str(k))): _clean(v) for k, v in value.items()}
        case list() | tuple():
            return [_clean(v) for v in value]
        case Decimal() | UUID():
            return str(value)
        case datetime() | date():
            return value.isoformat()
        case _:
            return value


def clean_text(value: str) -> str:
    """Text that a text column takes, and as the domain compares it."""
    return clean(value)


class CleanTextDumper(StrDumperUnknown):
    """Text parameters of statements. What a vendor sent is stored clean; asked for as it was sent, it would not be found,
    and one NUL in a row's code would end the delivery as a defect. So every text is cleaned at the one border that all of
    them pass, whatever statement it is for."""

    def dump(self, obj: str) -> Buffer | None:
        """The parameter as it is sent, cleaned."""
        return super().dump(clean(obj))


def register_clean_text(context: AdaptContext) -> None:
    """Makes a connection (or pool's connections) send every text parameter clean."""
    context.adapters.register_dumper(str, CleanTextDumper)
