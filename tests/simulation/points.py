"""Where control changes hands, and what may be done to an actor there.

A *director* (a seed's chance, or a schedule written by hand) is asked at each point and answers with deeds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

Where = Literal["begin", "commit", "committed", "headers", "body", "sent", "answered", "message"]
"""begin, commit, committed: around a transaction. headers, body: before they go out. sent: the whole call is under way.
answered: the answer is here. message: a change event is handed to the broker."""


@dataclass(frozen=True, slots=True)
class Point:
    """One control point: whose, where, and what is about to happen (``PUT severa /v1/…``, names of statements)."""

    actor: str
    where: Where
    what: str


@dataclass(frozen=True, slots=True)
class Pause:
    """The actor stands still for so long (seconds): longer than any lease, or a little."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Crash:
    """Its process dies here and is started again after so long."""

    restart: float = 20.0


@dataclass(frozen=True, slots=True)
class Refuse:
    """The connection is not made: surely nothing was sent."""


@dataclass(frozen=True, slots=True)
class Late:
    """The call arrives at the vendor so much later, whoever waits for it or not; its answer takes ``answer`` more."""

    seconds: float = 0.0
    answer: float = 0.0


@dataclass(frozen=True, slots=True)
class LoseRequest:
    """The call never arrives; the caller hears nothing (``reset``: the connection breaks after a moment)."""

    reset: bool = True


@dataclass(frozen=True, slots=True)
class LoseAnswer:
    """The vendor does it and its answer is lost."""

    reset: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """Another answer than the vendor's. ``done``: the vendor did it all the same. ``cut``: the true one breaks off."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    done: bool = False
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Lie:
    """The vendor's own answer of a call that was carried out; nothing of it is kept. ``as_before``: the answer says so, too."""

    as_before: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """The vendor's own answer, changed by ``how`` (its body in, its body out)."""

    how: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Do:
    """Something else happens at this very moment (a person's move, a clock that steps)."""

    move: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Then:
    """The deed waits for whatever the actor does next: after an answer, outside of its call."""

    deed: Pause | Crash | Do


@dataclass(frozen=True, slots=True)
class Message:
    """What becomes of a message: how often it is delivered and when (seconds each); nothing = lost; None = refused."""

    after: tuple[float, ...] | None


Deed = Pause | Crash | Refuse | Late | LoseRequest | LoseAnswer | Answer | Lie | Change | Do | Then | Message


class Director(Protocol):
    """Decides at each point; an empty answer means that all goes well."""

    def at(self, point: Point) -> list[Deed]: ...


class Calm:
    """Nothing ever happens."""

    def at(self, point: Point) -> list[Deed]:
        return []


@dataclass
class Rule:
    """One line of a schedule written by hand. ``skip``: so many matching points are let through first."""

    deed: Deed
    where: Where
    what: str
    actor: str = ""
    times: int | None = 1
    skip: int = 0
    hits: int = 0

    def __post_init__(self) -> None:
        self.pattern = re.compile(self.what)

    def take(self, point: Point) -> bool:
        if self.times == 0 or point.where != self.where:
            return False
        if self.actor and not point.actor.startswith(self.actor):
            return False
        if not self.pattern.search(point.what):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        self.hits += 1
        return True


class Script:
    """Rules in the order in which they were written; all that match a point are carried out."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self._next: dict[str, list[Deed]] = {}

    def at(self, point: Point) -> list[Deed]:
        deeds = self._next.pop(point.actor, [])
        for rule in self.rules:
            if rule.take(point):
                if isinstance(rule.deed, Then):
                    self._next.setdefault(point.actor, []).append(rule.deed.deed)
                else:
                    deeds.append(rule.deed)
        return deeds
