"""Values of registers that were sent while their delivery had not come to its end: what stands there is ours, no person's edit.

A process may die, or its last transaction fail, between a write and the merge base that tells of it. The next delivery would take
the written value for a change of the other side: a question that nobody can answer, or, by a rule that lets the other side win,
an earlier edit written over a later one (R-CON-1). So the values are kept on the matter, in its state under ``sent``, before they are
sent: part → field → [[system, value, what stood there], …], the latest last; without a third one the value stands for sure, as all
that a create carries does. The part is '' for the pair itself, else one of its children. Before there is a pair it is the
counterpart that was met, or the step of the create.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

KEY = "sent"
# So many values of a field are remembered: each is a delivery in a row that never came to its end.
KEPT = 5

Values = Mapping[str, Sequence[Sequence[str]]]
# The fields of Severa and of the ERP.
Sides = tuple[Mapping[str, str], Mapping[str, str]]


def of(state: Mapping[str, Any], part: str = "") -> Values:
    """Field → [[system, value], …] of a part, as a link's state keeps it."""
    found: Values = (state.get(KEY) or {}).get(part) or {}
    return found


_MET = "met"


def met(severa_id: str, erp_id: str) -> str:
    """The part under which a first meeting is kept: what was decided for one pair says nothing of another."""
    return f"{_MET} {severa_id} {erp_id}"


def halves(sent: Mapping[str, Values], id: str) -> list[str]:
    """With whom a record has met in deliveries that never came to their end, whatever either is called by now; the last first."""
    found = [part.split(" ") for part in sent if part.startswith(f"{_MET} ")]
    return [one for part in reversed(found) for one in part[1:] if id in part[1:] and one != id]


def joined(*parts: Values) -> Values:
    """The fields of several parts as one, the later ones last."""
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: [one for part in parts for one in part.get(name, ())] for name in names}


def noted(
    sent: Mapping[str, Values],
    part: str,
    *,
    to_erp: Mapping[str, str],
    to_severa: Mapping[str, str],
    over: Sides | None = None,
) -> dict[str, Values]:
    """What a state keeps under ``sent``, with these values added. ``over``: what stands on both sides now."""
    fields = {name: [list(one) for one in values] for name, values in sent.get(part, {}).items()}
    severa, erp = over or ({}, {})
    for system, values, there in (("visma_net", to_erp, erp), ("severa", to_severa, severa)):
        for name, value in values.items():
            entry = [system, value, there[name]] if name in there else [system, value]
            fields[name] = [*fields.get(name, []), entry][-KEPT:]
    return {**sent, part: fields}


def settled(state: Mapping[str, Any], part: str = "") -> dict[str, Any]:
    """The state of a link whose new base tells of everything that was sent for a part."""
    left = {name: fields for name, fields in (state.get(KEY) or {}).items() if name != part}
    rest = {key: value for key, value in state.items() if key != KEY}
    return {**rest, KEY: left} if left else rest
