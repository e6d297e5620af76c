"""The drawing of an invoice's way in docs/states.md, made from the moves that the code declares."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

from docs_common import DOCS, NotComplete, code, imported, table

BEGIN = "<!-- booking: made by ops/scripts/docs.py from domain.invoice.booking.MOVES -->\n"
END = "<!-- booking: end -->\n"


def states_page() -> str:
    """docs/states.md with its drawing of the booking as the code has it; the rest is written by hand."""
    path = DOCS / "states.md"
    text = path.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise NotComplete("docs/states.md has no place for the drawing of the booking")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}{booking_drawing()}{END}{after}"


def booking_drawing() -> str:
    """A Mermaid drawing of MOVES, and what each phase means in the words of its own paragraph."""
    moves = imported("domain.invoice.booking").MOVES
    phase = imported("domain.invoice.phases").Phase
    lines = ["stateDiagram-v2", "    direction LR", f"    [*] --> {phase.NEW}"]
    for here, move in moves.items():
        lines += [f"    {here} --> {there}" for there in move.to]
        if move.rests:
            lines.append(f"    {here} --> [*]")
    drawing = "\n".join(["```mermaid", *lines, "```", "", ""])
    rows = (
        (code(here), paragraph, code(move.run.__name__), ", ".join(code(one) for one in move.codes))
        for (here, move), paragraph in zip(moves.items(), _paragraphs(phase), strict=True)
    )
    return drawing + table(("phase", "entered, left, known", "move", "problems of its own"), rows)


def _paragraphs(phase: Any) -> Iterator[str]:
    """The paragraph below each member of the enumeration, in its order."""
    source = inspect.getsource(phase)
    for member in phase:
        found = re.search(rf'{member.name} = "[^"]+"\n    """(.+?)"""', source, re.DOTALL)
        if found is None:
            raise NotComplete(f"the phase {member.name} has no paragraph")
        yield " ".join(found[1].split())
