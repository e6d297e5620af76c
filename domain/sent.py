"""Values of registers that were sent while their delivery had not come to its end: what stands there is ours, no person's edit.

A process may die, or its last transaction fail, between a write and the merge base that tells of it. The next delivery would take
the written value for a change of the other side: a question that nobody can answer, or, by a rule that lets the other side win,
an earlier edit written over a later one (R-CON-1). So the values are kept on the link, under ``sent``, before they are sent:
part → field → [[system, value], …], the latest last. The part is '' for the record itself, else one of its children.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

KEY = "sent"
# So many values of a field are remembered: each is a delivery in a row that never came to its end.
KEPT = 5

Values = Mapping[str, Sequence[Sequence[str]]]


def of(state: Mapping[str, Any], part: str = "") -> Values:
    """Field → [[system, value], …] of a part, as a link's state keeps it."""
    found: Values = (state.get(KEY) or {}).get(part) or {}
    return found


def noted(
    sent: Mapping[str, Values], part: str, *, to_erp: Mapping[str, str], to_severa: Mapping[str, str]
) -> dict[str, Values]:
    """What a state keeps under ``sent``, with these values added."""
    fields = {name: [list(one) for one in values] for name, values in sent.get(part, {}).items()}
    for system, values in (("visma_net", to_erp), ("severa", to_severa)):
        for name, value in values.items():
            fields[name] = [*fields.get(name, []), [system, value]][-KEPT:]
    return {**sent, part: fields}


def settled(state: Mapping[str, Any], part: str = "") -> dict[str, Any]:
    """The state of a link whose new base tells of everything that was sent for a part."""
    left = {name: fields for name, fields in (state.get(KEY) or {}).items() if name != part}
    rest = {key: value for key, value in state.items() if key != KEY}
    return {**rest, KEY: left} if left else rest
