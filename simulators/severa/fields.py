"""A small notation for the vendor's models, and the conversion of what a caller sends into what is kept.

One word per field: `name:kind`, then flags and a default. Kinds: `str int32 int64 num bool date datetime money
moneyn (amount may be null) freetext strs raw`, an enumeration written with bars (`A|B`), a reference `@register(shown,fields)` kept as a guid,
a list of references `@@register(shown,fields)`. Flags: `!` required on input, `-` never taken from a caller, `^`
never null. Default after `=`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from simulators.severa.errors import bad_field

_WORD = re.compile(
    r"(?P<name>\w+):(?P<kind>@{0,2}[\w|.]+)(?:\((?P<shown>[\w,]+)\))?(?P<flags>[!^-]*)(?:=(?P<default>\S+))?$"
)
_WHOLE = {"int32": 2**31, "int64": 2**63}

Resolve = Callable[[str, Any], str | None]
"""(register, what was sent) → guid of an existing record, or None."""


@dataclass(frozen=True)
class Field:
    """One field of a model."""

    name: str
    kind: str
    target: str = ""
    shown: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    required: bool = False
    read_only: bool = False
    never_null: bool = False
    default: Any = None


Model = dict[str, Field]


def model(text: str) -> Model:
    """Read a model from the notation above. Raises ValueError on a word it cannot read."""
    return {one.name: one for one in map(_field, text.split())}


def _field(word: str) -> Field:
    parts = _WORD.match(word)
    if parts is None:
        raise ValueError(f"not a field: {word!r}")
    kind, flags, default = parts["kind"], parts["flags"], parts["default"]
    target = ""
    choices: tuple[str, ...] = ()
    if kind.startswith("@"):
        target = kind.lstrip("@")
        kind = "refs" if kind.startswith("@@") else "ref"
    elif "|" in kind:
        choices, kind = tuple(kind.split("|")), "enum"
    value: Any = default
    if default is not None and kind == "bool":
        value = default == "true"
    elif default is not None and kind in ("int32", "int64", "num"):
        value = Decimal(default) if kind == "num" else int(default)
    return Field(
        name=parts["name"],
        kind=kind,
        target=target,
        shown=tuple((parts["shown"] or "name").split(",")) if target else (),
        choices=choices,
        required="!" in flags,
        read_only="-" in flags,
        never_null="!" in flags or "^" in flags or kind == "bool",
        default=value,
    )


def by_lower_name(fields: Model) -> dict[str, Field]:
    """Give the fields by their names in lower case: the vendor reads names without regard to case."""
    return {name.lower(): one for name, one in fields.items()}


def convert(one: Field, value: Any, resolve: Resolve, *, text_allowed: bool) -> Any:
    """Turn what was sent for a field into what is kept; a 400 (`SeveraError`) when it does not fit.

    `text_allowed`: a PATCH may send every value as text, since its `value` is typed so.
    """
    if value is None:
        if one.never_null:
            raise bad_field(one.name, f"{one.name} is required.")
        return None
    if one.kind in _AS_TYPED:
        return _AS_TYPED[one.kind](one, value, text_allowed=text_allowed)
    if one.kind in _AS_SENT:
        return _AS_SENT[one.kind](one, value)
    match one.kind:
        case "money" | "moneyn":
            return _money(one, value, resolve, text_allowed=text_allowed)
        case "ref":
            return _reference(one, value, resolve)
        case "refs":
            return [_reference(one, each, resolve) for each in _list(one, value)]
        case _:
            return value


def lower_keys(value: Any) -> dict[str, Any]:
    """Give an object with its names in lower case; anything else becomes an empty one."""
    return {str(key).lower(): each for key, each in value.items()} if isinstance(value, dict) else {}


def _text(one: Field, value: Any, *, text_allowed: bool) -> str:
    if isinstance(value, str):
        return value
    if text_allowed and isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)
    raise bad_field(one.name, f"{one.name} must be text.")


def _whole(one: Field, value: Any, *, text_allowed: bool) -> int:
    number = _number(one, value, text_allowed=text_allowed)
    if number != int(number) or not -_WHOLE[one.kind] <= int(number) < _WHOLE[one.kind]:
        raise bad_field(one.name, f"{one.name} must be a whole number ({one.kind}).")
    return int(number)


def _number(one: Field, value: Any, *, text_allowed: bool) -> Decimal:
    if isinstance(value, float):
        # Only from Python (the people's moves); bodies are parsed to Decimal.
        return Decimal(str(value))
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise bad_field(one.name, f"{one.name} must be a number.")
    if isinstance(value, str) and not text_allowed:
        raise bad_field(one.name, f"{one.name} must be a number.")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise bad_field(one.name, f"{one.name} must be a number.") from None
    if not number.is_finite():
        raise bad_field(one.name, f"{one.name} must be a number.")
    return number


def _moment(one: Field, value: Any) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise bad_field(one.name, f"{one.name} must be a date.") from None


def _money(one: Field, value: Any, resolve: Resolve, *, text_allowed: bool) -> dict[str, Any]:
    given = lower_keys(value)
    if not given:
        raise bad_field(one.name, f"{one.name} must be an object with amount and currencyCode.")
    code = given.get("currencycode")
    if not code:
        raise bad_field(f"{one.name}.currencyCode", "currencyCode is required.")
    if resolve("currencies", code) is None:
        raise bad_field(f"{one.name}.currencyCode", f"Currency {code} does not exist.")
    amount = given.get("amount")
    if amount is None:
        if one.kind == "money":
            raise bad_field(f"{one.name}.amount", "amount is required.")
        return {"amount": None, "currencyCode": str(code)}
    return {"amount": _number(one, amount, text_allowed=text_allowed), "currencyCode": str(code)}


def _reference(one: Field, value: Any, resolve: Resolve) -> str:
    sent = lower_keys(value).get("guid") if isinstance(value, dict) else value
    if sent is None or sent == "":
        raise bad_field(f"{one.name}.guid", f"{one.name}.guid is required.")
    guid = resolve(one.target, sent)
    if guid is None:
        raise bad_field(f"{one.name}.guid", f"{one.name} with guid {sent} does not exist.")
    return guid


def _truth(one: Field, value: Any, *, text_allowed: bool) -> bool:
    if text_allowed and isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise bad_field(one.name, f"{one.name} must be true or false.")
    return value


def _choice(one: Field, value: Any) -> str:
    for choice in one.choices:
        if isinstance(value, str) and choice.lower() == value.lower():
            return choice
    raise bad_field(one.name, f"{one.name} must be one of {', '.join(one.choices)}.")


def _free_text(_one: Field, value: Any) -> Any:
    return lower_keys(value).get("value") if isinstance(value, dict) else str(value)


def _list(one: Field, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise bad_field(one.name, f"{one.name} must be a list.")
    return value


# Kinds whose value a PATCH may send as text, and those that look the same everywhere.
_AS_TYPED: Mapping[str, Callable[..., Any]] = {
    "str": _text,
    "int32": _whole,
    "int64": _whole,
    "num": _number,
    "bool": _truth,
}
_AS_SENT: Mapping[str, Callable[[Field, Any], Any]] = {
    "date": lambda one, value: _moment(one, value).date().isoformat(),
    "datetime": lambda one, value: _moment(one, value).isoformat(),
    "enum": _choice,
    "freetext": _free_text,
    "strs": lambda one, value: [str(each) for each in _list(one, value)],
}
