"""Two answers member by member."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

Difference = tuple[str, Any, Any]
"""Path in the answer, what 0.1.0 said, what is said now; None where one of them says nothing."""

# A number as ``golden.plain`` writes it. How many zeros it ends with says nothing, neither to a person nor in JSON.
_NUMBER = re.compile(r"=(-?\d+(?:\.\d+)?(?:E[+-]?\d+)?)")


def _number(value: Any) -> Any:
    found = _NUMBER.fullmatch(value) if isinstance(value, str) else None
    return Decimal(found[1]) if found is not None else value


def differences(golden: Any, now: Any, path: str = "") -> Iterator[Difference]:
    """Where two answers differ, at the innermost member; lists of unlike length as a whole."""
    if isinstance(golden, dict) and isinstance(now, dict):
        for name in [*golden, *(one for one in now if one not in golden)]:
            inner = f"{path}/{name}" if path else name
            yield from differences(golden.get(name), now.get(name), inner)
    elif isinstance(golden, list) and isinstance(now, list) and len(golden) == len(now):
        for place, (one, other) in enumerate(zip(golden, now, strict=True)):
            yield from differences(one, other, f"{path}/{place}")
    elif golden != now and _number(golden) != _number(now):
        yield path, golden, now
