"""Bodies in the shapes of the vendors' OpenAPI documents, with the values that people and old systems put there.

The documents are read here and nowhere else; a member that a document does not have cannot be drawn. What is drawn depends
on the seed alone.
"""

from __future__ import annotations

import random
import unicodedata
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from vendor_sources import Json, interface

Schema = Mapping[str, Any]

MISSING = object()
"""A member that is left out."""

_NAMES = (
    *(
        "Mälarbygg AB",
        "ÅNGSTRÖM & Söner",
        "Östra Bageriet KB",
        "Norrland Kraft",
        "Fjäll  och Fors AB",
        "malarbygg ab",
    ),
    *(
        "Straße GmbH",
        "STRASSE GMBH",
        "İstanbul Ltd",
        "ǰoint Venture",
        "Émile Zola SARL",
        "Consult-Åre Oy",
        "A",
        "X",
    ),
    *(
        "Tab\there AB",
        " Led blank AB ",
        "Hard\u00a0space AB",
        "Emoji 🏗 Bygg",
        "\u200bZero Width AB",
        'O\'Neil; "Q" <b>',
    ),
)
_WORDS = (
    *(
        "Konsultation",
        "Projektledning",
        "Resa t/r Umeå",
        "Licens, årsvis",
        "Arvode",
        "Hyra",
        "Traktamente",
        "möte",
    ),
    *("Övertid 50 %", "Kaffe", "Underkonsult", "Tåg", "Bilersättning", "utbildning", "Ritning A1", "Support"),
)
CURRENCIES = ("SEK", "EUR", "NOK", "DKK", "JPY", "KWD", "usd")
_AMOUNTS = (
    *(
        "0",
        "0.00",
        "-0.00",
        "1",
        "100",
        "1200.50",
        "1200.5000",
        "1E+3",
        "0.005",
        "0.015",
        "2.675",
        "-17.25",
        "-100",
    ),
    *(
        "99999999999.99",
        "33.3333333333",
        "0.0000001",
        "12.10",
        "1895",
        "950.00",
        "7.3333333333",
        "1250.000",
        "0.01",
    ),
)
# Doubles as both vendors' servers print them.
_NOISE = (
    "0.30000000000000004",
    "1894.9999999999998",
    "33.300000000000004",
    "2.4749999999999996",
    "1200.1000000000001",
)
_VAT_NUMBERS = (
    *(
        "SE556677889901",
        "556677-8899",
        "5566778899",
        "SE 5566778899 01",
        "165566778899",
        "556677889901",
        "DK12345678",
    ),
    *(
        "FI12345678",
        "FI-1234567-8",
        "NO 912 345 678 MVA",
        "NO912345678",
        "ESA12345678",
        "ESB12345678",
        "se556677889901",
    ),
    *("GB 123 4567 89", "CHE-123.456.789 MWST", "ATU12345678", "", "saknas", "EU372000041"),
)
_CONTROL = "\x00\x07\x0b\x1f\x7f\x85"


class Draw:
    """Values drawn from a seed. ``control`` and ``noise`` say that this case has control characters in its texts, or numbers
    with a double's noise; a case has at most one of both, so that a difference names its reason."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)
        roll = self.random.random()
        self.control = roll < 0.04
        self.noise = 0.04 <= roll < 0.09

    @property
    def mood(self) -> str:
        """``control``, ``noise`` or ``''``."""
        return "control" if self.control else "noise" if self.noise else ""

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def pick(self, values: Sequence[Any]) -> Any:
        return values[self.random.randrange(len(values))]

    def number(self, least: int, most: int) -> int:
        return self.random.randint(least, most)

    def guid(self) -> str:
        """Few digits that differ, so that thousands of them take little room."""
        return str(uuid.UUID(int=self.random.getrandbits(20), version=4))

    def short_guid(self, name: str, most: int) -> str:
        """One of a few, so that bodies name each other."""
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{name} {self.number(1, most)}"))

    def spelt(self, value: str) -> str:
        """The same text as somebody else types it, or another."""
        match self.number(0, 15):
            case 0:
                return value.upper()
            case 1:
                return value.lower()
            case 2 | 3:
                return unicodedata.normalize("NFD", value)
            case 4:
                return f" {value}\t"
            case 5:
                return value.replace(" ", "  ")
            case 6:
                return value.replace("\n", "\r\n")
            case 7:
                return f"{value} {self.number(1, 99)}"
            case 8 if self.control and value:
                at = self.number(0, len(value))
                return value[:at] + self.pick(_CONTROL) + value[at:]
            case _:
                return value

    def name(self) -> str:
        return self._controlled(self.spelt(self.pick(_NAMES)))

    def words(self, most: int = 3) -> str:
        found = " ".join(self.pick(_WORDS) for _ in range(self.number(1, most)))
        return self._controlled(self.spelt(found))

    def long(self) -> str:
        """A text of one or several lines, now and then longer than any limit."""
        lines = [self.words(4) for _ in range(self.number(1, 4))]
        whole = self.pick(("\n", "\r\n", "\n\n", "\r")).join(lines)
        return whole * self.number(3, 25) if self.chance(0.12) else whole

    def _controlled(self, value: str) -> str:
        return value + self.pick(_CONTROL) if self.control and self.chance(0.3) else value

    def amount(self) -> Decimal | int:
        if self.noise and self.chance(0.5):
            return Decimal(self.pick(_NOISE))
        if self.chance(0.3):
            return self.number(-50, 25000)
        return Decimal(self.pick(_AMOUNTS))

    def price(self) -> Decimal:
        """An amount that an invoice row may cost."""
        if self.noise and self.chance(0.5):
            return Decimal(self.pick(_NOISE))
        cents = self.number(0, 300000)
        return Decimal(self.pick((cents, cents * 10, cents // 100 * 100))).scaleb(-2)

    def currency(self) -> str:
        return str(self.pick(CURRENCIES if self.chance(0.4) else ("SEK",)))

    def vat_number(self) -> str:
        return str(self.pick(_VAT_NUMBERS))

    def flag(self) -> Any:
        """A boolean as it comes, now and then as a word."""
        return self.pick((True, True, True, False, False, None, "true", "False"))

    def date(self) -> str:
        return f"2026-{self.number(1, 12):02}-{self.number(1, 28):02}"

    def severa_date(self) -> str:
        return self.date()

    def moment(self, *, zone: bool) -> str:
        stamp = f"{self.date()}T{self.number(0, 23):02}:{self.number(0, 59):02}:{self.number(0, 59):02}"
        fraction = self.pick(("", "", ".5", ".123", ".1234567"))
        return stamp + fraction + (self.pick(("Z", "+00:00", "+02:00")) if zone else "")

    def erp_date(self) -> str:
        return self.date() + self.pick(("T00:00:00", "T00:00:00", "T00:00:00.000", ""))

    def maybe(self, value: Any, gone: float = 0.12) -> Any:
        """The value, or null, or nothing at all."""
        if self.chance(gone):
            return None if self.chance(0.5) else MISSING
        return value


class Document:
    """One vendor's document."""

    def __init__(self, whole: Json) -> None:
        self.schemas: Mapping[str, Schema] = whole["components"]["schemas"]

    def resolved(self, schema: Schema) -> Schema:
        while True:
            if "$ref" in schema:
                schema = self.schemas[schema["$ref"].rsplit("/", 1)[1]]
            elif len(schema.get("allOf", ())) == 1:
                schema = schema["allOf"][0]
            else:
                return schema

    def words(self, model: str, path: str) -> tuple[Any, ...]:
        """The enumeration at a member, empty where it is an open text."""
        return tuple(self._at(self.schemas[model], path, model).get("enum", ()))

    def body(self, draw: Draw, model: str, members: Mapping[str, Any], *, more: float = 0.03) -> Json:
        """A body of ``model``: ``members`` by dotted path, and a few of its others. Raises KeyError for a path that the
        document does not have."""
        schema, made = self.schemas[model], {}
        for path, value in members.items():
            self._at(schema, path, model)
            _put(made, path, value)
        for name, member in schema.get("properties", {}).items():
            if not any(path.split(".")[0] == name for path in members) and draw.chance(more):
                made[name] = self._other(draw, member)
        names = list(made)
        if draw.chance(0.2):
            draw.random.shuffle(names)
        return {name: made[name] for name in names}

    def _at(self, schema: Schema, path: str, model: str) -> Schema:
        for name in path.split("."):
            schema = self.resolved(schema)
            if schema.get("type") == "array":
                schema = self.resolved(schema["items"])
            if name not in schema.get("properties", {}):
                raise KeyError(f"{model} has no {path}")
            schema = schema["properties"][name]
        return self.resolved(schema)

    def _other(self, draw: Draw, schema: Schema) -> Any:
        """A plain value of a member that nobody reads."""
        schema = self.resolved(schema)
        if schema.get("enum"):
            return draw.pick(schema["enum"])
        match schema.get("type"):
            case "string":
                return draw.moment(zone=False) if schema.get("format") == "date-time" else draw.words(1)
            case "integer":
                return draw.number(0, 9999)
            case "number":
                return Decimal(draw.number(0, 9999)).scaleb(-2)
            case "boolean":
                return draw.chance(0.5)
            case "array":
                return []
            case _:
                return None


def _put(body: Json, path: str, value: Any) -> None:
    if value is MISSING:
        return
    *blocks, leaf = path.split(".")
    for block in blocks:
        inner = body.get(block)
        if not isinstance(inner, dict):
            inner = body[block] = {}
        body = inner
    body[leaf] = value


def without_missing(value: Any) -> Any:
    """What was drawn without the members that are left out."""
    match value:
        case dict():
            return {name: without_missing(one) for name, one in value.items() if one is not MISSING}
        case list():
            return [without_missing(one) for one in value]
        case _:
            return value


def wrapped(body: Any) -> Any:
    """A body whose members come as ``{"value": …}``, as the ERP's update bodies are."""
    if not isinstance(body, dict):
        return body
    return {
        name: [wrapped(one) for one in value] if isinstance(value, list) else {"value": wrapped(value)}
        for name, value in body.items()
        if value is not MISSING
    }


@cache
def documents(folder: Path) -> tuple[Document, Document]:
    """Severa's and Visma.net's documents below a folder, or the project's extract of them (``vendor_sources``).

    Raises LookupError where one is not there."""
    return Document(interface(folder, "severa")), Document(interface(folder, "visma-net"))
