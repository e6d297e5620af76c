"""The mapping of a document that is made in one go, as data: one row per member that is sent.

A row says where the value comes from, how it is sent, whether the document that the vendor made of it is proven to have it, and
what the pages show. Registers that are kept in step on both sides have a ``domain.table`` instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from domain.fields import Direction, Field, Owner
from domain.mapper import day, flag, known_factor, read
from domain.model import Json
from domain.text import canonical, code_key, cut, name_key, number_text

C = TypeVar("C")
Proof = Callable[[Any, Any], tuple[str, str] | None]
"""What was sent and what the document shows there → both as texts where they differ, None where nothing contradicts."""

# What a member that is not sent has.
_NOTHING = ("", None)


@dataclass(frozen=True, slots=True)
class Sent(Generic[C]):
    """One member of a document.

    name       what the pages call it; unique among the rows of a kind
    member     dotted path in the body that is sent
    of         its value of what the document is made of; '' or None = it is not sent
    severa     where it comes from, '' = decided by a rule or a setting
    erp        where the document shows it, '' = at ``member``; ``erp_read`` where one path is not enough. Of a document that is made
               in Severa the two are the other way round
    proof      how what was sent is compared with what is shown, None = not by this table
    essential  whether a difference keeps the document from its release
    kinds      kinds of documents that have it, () = all
    limit      most characters; what is longer is cut, and said in the log by the code ``cut``
    as_, owner, note   for the pages, as of ``domain.fields.Field``
    """

    name: str
    member: str
    of: Callable[[C], Any]
    severa: str = ""
    erp: str = ""
    proof: Proof | None = None
    essential: bool = False
    kinds: tuple[str, ...] = ()
    limit: int = 0
    cut: str = ""
    erp_read: Callable[[Json], Any] | None = None
    as_: str = "text"
    owner: Owner = "severa"
    note: str = ""

    def field(self, flows: Direction) -> Field:
        """The row as the pages show it."""
        if flows == "←":
            return Field(
                self.name, self.severa or self.member, self.erp, flows, self.as_, self.owner, None, self.note
            )
        erp = self.erp or self.member
        written = self.member if self.member != erp else None
        return Field(self.name, self.severa, erp, flows, self.as_, self.owner, written, self.note)

    def shown(self, body: Json) -> Any:
        """What the ERP's document has there; None where it does not show it."""
        return self.erp_read(body) if self.erp_read is not None else read(body, self.erp or self.member)


@dataclass(frozen=True, slots=True)
class Sheet(Generic[C]):
    """The rows of one document, or of one of its lines, in the order in which they are proven. Raises ValueError for a member or a
    name that one kind of document has twice.

    ``flows``: '→' is made in the ERP, '←' in Severa.
    """

    rows: tuple[Sent[C], ...]
    flows: Direction = "→"

    def __post_init__(self) -> None:
        for kind in {kind for one in self.rows for kind in one.kinds} | {""}:
            for names in ([one.member for one in self.of(kind)], [one.name for one in self.of(kind)]):
                if twice := {name for name in names if names.count(name) > 1}:
                    raise ValueError(f"rows that stand twice: {', '.join(sorted(twice))}")

    def of(self, kind: str) -> Iterator[Sent[C]]:
        """The rows of a kind of document."""
        return (one for one in self.rows if not one.kinds or kind in one.kinds)

    def filled(self, kind: str, made_of: C) -> tuple[dict[str, Any], list[Sent[C]]]:
        """The members of a document, dotted path → value, and the rows whose value was cut."""
        members: dict[str, Any] = {}
        too_long: list[Sent[C]] = []
        for one in self.of(kind):
            value = one.of(made_of)
            if value in _NOTHING:
                continue
            if one.limit and len(value) > one.limit:
                too_long.append(one)
                value = cut(value, one.limit)
            members[one.member] = value
        return members, too_long

    def differing(self, kind: str, sent: Mapping[str, Any], body: Json) -> Iterator[tuple[Sent[C], str, str]]:
        """Rows whose member was sent and is shown otherwise, with both texts. What a list or an older version of the vendor
        does not show is not compared."""
        for one in self.of(kind):
            if one.proof is not None and one.member in sent:
                found = one.proof(sent[one.member], one.shown(body))
                if found is not None:
                    yield (one, *found)

    def fields(self, but: str = "") -> tuple[Field, ...]:
        """The rows as the pages show them; ``but``: a kind whose own rows are left out, since they say the same elsewhere."""
        return tuple(one.field(self.flows) for one in self.rows if not one.kinds or one.kinds != (but,))


# ---------------------------------------------------------------- how what was sent is proven


def as_text(sent: Any, shown: Any) -> tuple[str, str] | None:
    """The same text, blanks at its end aside."""
    if shown is None or isinstance(shown, Mapping):
        return None
    here, there = canonical(sent), canonical(shown)
    return None if there.rstrip() == here else (here, there)


def as_first_line(sent: Any, shown: Any) -> tuple[str, str] | None:
    """The same first line: below it stands free text."""
    if shown is None or isinstance(shown, Mapping):
        return None
    here, there = canonical(sent), canonical(shown)
    return None if there.split("\n", 1)[0].strip() == here.split("\n", 1)[0] else (here, there)


def as_filled(sent: Any, shown: Any) -> tuple[str, str] | None:
    """The same text, where there is one: an empty one is not known."""
    here, there = canonical(sent), canonical(shown)
    return (here, there) if there and there != here else None


def as_code(sent: Any, shown: Any) -> tuple[str, str] | None:
    """The same key of the ERP, where one is shown; case says nothing (R-PRD-2)."""
    here, there = canonical(sent), canonical(shown)
    return (here, there) if here and there and code_key(here) != code_key(there) else None


def as_this_code(sent: Any, shown: Any) -> tuple[str, str] | None:
    """The same key, and shown: a line without it is another line."""
    here, there = str(sent), canonical(shown)
    return (here, there) if code_key(here) != code_key(there) else None


def as_name(sent: Any, shown: Any) -> tuple[str, str] | None:
    """The same but for case and blanks, where there is one."""
    here, there = canonical(sent), canonical(shown)
    return (here, there) if here and there and name_key(here) != name_key(there) else None


def as_shown_name(sent: Any, shown: Any) -> tuple[str, str] | None:
    """The same but for case and blanks; an empty one differs, one that is not shown does not."""
    if shown is None:
        return None
    here, there = canonical(sent), canonical(shown)
    return (here, there) if here and name_key(here) != name_key(there) else None


def as_day(sent: Any, shown: Any) -> tuple[str, str] | None:
    """The same day, whatever the time beside it."""
    here, there = day(sent), day(shown)
    return (here.isoformat(), there.isoformat()) if here and there and here != there else None


def as_flag(sent: Any, shown: Any) -> tuple[str, str] | None:
    """The same yes or no."""
    if shown is None or flag(shown) == bool(sent):
        return None
    return canonical(bool(sent)), canonical(flag(shown))


def as_number(sent: Any, shown: Any) -> tuple[str, str] | None:
    """The same number, without a double's noise; what is not shown, or 0, is not known."""
    there = known_factor(shown)
    return (number_text(sent), number_text(there)) if there and there != sent else None
