"""A mapping as data: one row per field that two registers are kept in step by (docs/mapping.md is made from the rows).

A plain field is one row and nothing else: its row says where both systems have it, how it is compared, which way it flows,
what enters the hash of a record, what is written, and what the pages show.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from domain.conversion import NO_COUNTERPART, TEXT, Conversion, Members
from domain.fields import Direction, Owner
from domain.mapper import read
from domain.merge import FieldRule, Merge, Rule
from domain.model import Json, System

When = Literal["merged", "owned", "created", "given", "key", "seen"]
Values = dict[str, str]

# A version is an integer of 30 bits: the column holds 31, and the registers of a tenant add to it.
_VERSION_BYTES, _VERSION_BITS = 4, 30


@dataclass(frozen=True, slots=True)
class Field:
    """One field in both systems.

    severa, erp   dotted paths in the bodies as read ('' = kept in the bridge, or constant)
    as_           how the two are compared and written
    flows         '→' from Severa to the ERP, '←' back, '↔' both ways
    owner         who wins when both changed: 'rule' = the tenant's rule (R-CON-1)
    when          merged: against the last values both agreed on; owned: the owner's value is put back wherever it differs;
                  created: given to a new record, later differences are only told; given: the same, and never looked at; key: the
                  number or code that links, which moves of its own carry; seen: only looked at, to tell that a record changed
    met           who wins when two records meet: 'rule', or 'nobody' (a difference stays, and is told)
    severa_write, erp_write   dotted path in the body that is sent, where it differs from ``severa`` and ``erp``
    severa_read, erp_read     reads a body where one path is not enough: text, or None where it is not shown
    on_create     whether a new record gets it: 'filled' = where it has one, 'always' = also empty, because the vendor requires the
                  member, 'never' = not with the others
    note          for the pages
    """

    name: str
    severa: str
    erp: str
    as_: Conversion = TEXT
    flows: Direction = "↔"
    owner: Owner = "rule"
    when: When = "merged"
    met: Literal["rule", "nobody"] = "rule"
    severa_write: str = ""
    erp_write: str = ""
    severa_read: Callable[[Json], str | None] | None = None
    erp_read: Callable[[Json], str | None] | None = None
    on_create: Literal["filled", "always", "never"] = "filled"
    note: str = ""

    def path(self, system: System) -> str:
        """Where a body of this system shows it, '' if nowhere."""
        return self.severa if system == "severa" else self.erp

    def written(self, system: System) -> str:
        """Where a body that is sent to this system has it, '' if nowhere."""
        if system == "severa":
            return self.severa_write or self.severa
        return self.erp_write or self.erp

    def rule(self, chosen: Rule, first: Rule) -> FieldRule:
        """How the field is merged by the tenant's rule, and by ``first`` while nothing was agreed on."""
        return FieldRule(
            chosen,
            self.flows,
            first=first if self.met == "rule" else "ask",
            same=self.as_.same,
            form=self.as_.form,
        )


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one pair of registers. Raises ValueError for a name that stands twice."""

    fields: tuple[Field, ...]

    def __post_init__(self) -> None:
        names = [one.name for one in self.fields]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"fields that stand twice: {', '.join(sorted(twice))}")

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    def __getitem__(self, name: str) -> Field:
        """The row of this name. Raises KeyError."""
        for one in self.fields:
            if one.name == name:
                return one
        raise KeyError(name)

    # ------------------------------------------------------------ other tables made of it

    def without(self, names: Collection[str]) -> Table:
        """The table of a tenant, or of a record, that does not carry these."""
        return Table(tuple(one for one in self.fields if one.name not in names))

    def where(self, **conversions: Conversion) -> Table:
        """The table with other conversions: those that take a tenant's reference tables. Raises KeyError for a name that is
        none of its own."""
        for name in conversions:
            self[name]
        return Table(
            tuple(
                replace(one, as_=conversions[one.name]) if one.name in conversions else one
                for one in self.fields
            )
        )

    def one_way(self, name: str, flows: Direction) -> Table:
        """The table with one row flowing otherwise."""
        return Table(tuple(replace(one, flows=flows) if one.name == name else one for one in self.fields))

    def instead(self, row: Field) -> Table:
        """The table with another row of the same name. Raises KeyError for a name that is none of its own."""
        self[row.name]
        return Table(tuple(row if one.name == row.name else one for one in self.fields))

    # ------------------------------------------------------------ reading

    def values(self, system: System, body: Json) -> Values:
        """The fields of a body as they are compared: name → text. What is not shown, or not known, is left out."""
        return _known((one, system, body) for one in self.fields if one.when not in ("seen", "given"))

    def seen(self, system: System, body: Json) -> Values:
        """The same with what is only looked at: a record changed when one of these did."""
        return _known((one, system, body) for one in self.fields if one.when != "given")

    def version(self, system: System) -> int:
        """The mapping version of one side: another one whenever a row is added, taken out, renamed or read elsewhere, and with
        the edition of a conversion that reads otherwise."""
        rows = sorted(
            (one.name, one.path(system), one.as_.name, one.as_.edition)
            for one in self.fields
            if one.path(system) and one.when != "given"
        )
        digest = hashlib.sha256(repr(rows).encode()).digest()[:_VERSION_BYTES]
        return int.from_bytes(digest) >> (8 * _VERSION_BYTES - _VERSION_BITS)

    # ------------------------------------------------------------ merging

    def rules(
        self, chosen: Rule, *, first: Rule | None = None, old: Collection[str] = ()
    ) -> dict[str, FieldRule]:
        """How each merged field is merged, by the tenant's rule; ``first``: while nothing was agreed on, None = the same.

        ``old``: the fields that were carried over when both agreed last (``domain.merge.carried_before``), () while they never did.
        One that is not among them came to the table, or was switched on, since: it is never written by itself. It is agreed
        to differ and told, and the next edit of it flows.
        """
        return {
            one.name: one.rule(chosen, "ask" if old and one.name not in old else first or chosen)
            for one in self.fields
            if one.when == "merged"
        }

    def convertible(
        self, found: Merge, values: tuple[Mapping[str, str], Mapping[str, str]], severa: Json, erp: Json
    ) -> Merge:
        """The merge without what has no counterpart on the other side: both stay, said once (the base agrees to differ).

        ``values`` of both sides, ``severa`` and ``erp`` the bodies that would be overwritten.
        """
        left_out = {
            name
            for name, value in found.to_erp.items()
            if self[name].as_.to_erp(value, erp) is NO_COUNTERPART
        }
        left_out |= {
            name
            for name, value in found.to_severa.items()
            if self[name].as_.to_severa(value, severa) is NO_COUNTERPART
        }
        if not left_out:
            return found
        return replace(
            found,
            to_erp=_without(found.to_erp, left_out),
            to_severa=_without(found.to_severa, left_out),
            agreed={**found.agreed, **{name: [values[0][name], values[1][name]] for name in left_out}},
            overruled=tuple(one for one in found.overruled if one.field not in left_out),
        )

    # ------------------------------------------------------------ writing

    def members(self, system: System, wanted: Mapping[str, str], overwritten: Json) -> dict[str, Any]:
        """Members of an update of one system, dotted path → value, for the fields to be written; an empty text clears a
        field. ``overwritten``: the body there now. What the table does not name, what does not flow there and what cannot be
        said there is left out."""
        found: dict[str, Any] = {}
        there = "←" if system == "severa" else "→"
        for one in self.fields:
            if one.name in wanted and one.flows in ("↔", there) and (path := one.written(system)):
                write = one.as_.to_severa if system == "severa" else one.as_.to_erp
                value = write(wanted[one.name], overwritten)
                if isinstance(value, Members):
                    found |= value
                elif value is not NO_COUNTERPART:
                    found[path] = value
        return found

    def created(self, system: System, values: Mapping[str, str]) -> dict[str, Any]:
        """Members of a new record of one system from the other's ``values``: what is filled, flows there, and is not there
        anyway."""
        wanted = {
            one.name: values[one.name]
            for one in self.fields
            if one.name in values and one.when != "seen" and _given(one, values[one.name])
        }
        return self.members(system, wanted, {})


def _given(one: Field, value: str) -> bool:
    return one.on_create == "always" or (one.on_create == "filled" and value not in ("", one.as_.anyway))


def _known(asked: Iterable[tuple[Field, System, Json]]) -> Values:
    return {
        one.name: value
        for one, system, body in asked
        if one.path(system) and (value := _read(one, system, body)) is not None
    }


def _read(one: Field, system: System, body: Json) -> str | None:
    own = one.severa_read if system == "severa" else one.erp_read
    if own is not None:
        return own(body)
    seen = one.as_.severa if system == "severa" else one.as_.erp
    return seen(read(body, one.path(system)))


def _without(found: Mapping[str, str], names: Collection[str]) -> dict[str, str]:
    return {name: value for name, value in found.items() if name not in names}
