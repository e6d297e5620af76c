"""What a delivery leaves behind so far: the one collector of effects that domain code writes into.

It must survive a Stop (R-CUS-4: a number that could not be written back does not undo the link), so it is kept beside the
flow of the code and handed over when the delivery ends, however it ends.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from domain.errors import Stop
from domain.model import (
    Announce,
    Chosen,
    Effects,
    Json,
    LinkUpdate,
    LogLine,
    NumberGap,
    Seen,
    Settled,
    System,
)
from domain.ports import Delivery


@dataclass(slots=True)
class Trail:
    """``delivery``: whose calls tell when a record was asked for (rule 13); without it the times are unknown."""

    link: LinkUpdate | None = None
    seen: dict[tuple[str, str, str], Seen] = field(default_factory=dict)
    announce: list[Announce] = field(default_factory=list)
    log: list[LogLine] = field(default_factory=list)
    gaps: dict[tuple[str, str], NumberGap] = field(default_factory=dict)
    chosen: list[Chosen] = field(default_factory=list)
    delivery: Delivery | None = None

    def see(self, system: System, register: str, id: str, body: Json) -> None:
        """A record as our own read or write gave it back just now; the last one counts. To be called right after the call:
        its times are those of the delivery's last one."""
        asked, answered = (self.delivery.last_call() if self.delivery is not None else None) or (None, None)
        self.seen[system, register, id] = Seen(system, register, body, asked, answered)

    def say(self, code: str, /, *, level: Literal["info", "warning"] = "info", **values: Any) -> None:
        """One line of the transfer log."""
        self.log.append(LogLine(code, values, level))

    def gap(self, gap: NumberGap) -> None:
        """An ERP number that nothing stands under any more (R-INV-5); once each."""
        self.gaps[gap.document_type, gap.number] = gap

    def effects(self) -> Effects:
        """All of it, for the transaction that ends the delivery."""
        return Effects(
            self.link,
            tuple(self.seen.values()),
            tuple(self.gaps.values()),
            tuple(self.announce),
            tuple(self.log),
            tuple(self.chosen),
        )

    def settled(self, *, problems_stay: bool = False) -> Settled:
        """The delivery ended well with this."""
        return Settled(self.effects(), problems_stay)

    def stop(self, code: str, /, **values: Any) -> Stop:
        """A Stop that keeps what has happened so far."""
        return Stop(code, values, effects=self.effects())
