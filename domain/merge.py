"""Three-way merge of two registers, field by field, against the last state both sides agreed on (R-CON-1).

Values are canonical strings (``domain.text.canonical``), one mapping per side. ``base[field]`` is the pair
``[severa as read, erp as read]`` of the last time the field was settled: a side has changed when it differs from **its
own** base, so a vendor that shortens or reformats what it was given has changed nothing. The two sides are compared with
each other only to call them agreed.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any, Literal

from domain.fields import Direction
from domain.model import System
from domain.text import canonical, same_name

Rule = Literal["severa", "visma_net", "latest", "ask"]
Base = dict[str, list[str]]

_OWNERS: Mapping[Direction, Rule] = {"→": "severa", "←": "visma_net"}


@dataclass(frozen=True, slots=True)
class FieldRule:
    """How one field is merged.

    rule        who wins when both sides changed it differently
    direction   '→' or '←': the other side's changes stay where they are
    first       who wins when there is no agreed state yet; 'ask' and 'latest' = nobody is overwritten, the difference
                is reported (both sides were first seen at the same time). At first link something wins over nothing
    same        whether a Severa value and an ERP value mean the same
    form        a value of the base as it would be read today: bases outlive the program that stored them, and one in an
                older form makes every field that nobody touched look edited
    """

    rule: Rule = "ask"
    direction: Direction = "↔"
    first: Rule = "ask"
    same: Callable[[str, str], bool] = operator.eq
    form: Callable[[str], str] = canonical


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that differs: what stands on each side, and who won ('' = nobody, both stay)."""

    field: str
    severa: str
    erp: str
    winner: System | Literal[""]

    @property
    def lost(self) -> str:
        """The value that was overwritten ('' when nobody won)."""
        return {"severa": self.erp, "visma_net": self.severa, "": ""}[self.winner]


@dataclass(frozen=True, slots=True)
class Merge:
    """What has to be written, and what may be remembered.

    to_severa  field → the ERP's value, to be written to Severa; ``to_erp`` the other way round
    agreed     the new base of fields for which nothing has to be written
    overruled  both sides changed differently and a rule decided (the log names what lost)
    differs    no agreed state and not equal: both stay, and the base says so ('agreed to differ')
    asked      both sides changed differently and a person must decide; base and values stay as they are
    """

    to_severa: dict[str, str] = field(default_factory=dict)
    to_erp: dict[str, str] = field(default_factory=dict)
    agreed: Base = field(default_factory=dict)
    overruled: tuple[Difference, ...] = ()
    differs: tuple[Difference, ...] = ()
    asked: tuple[Difference, ...] = ()

    @property
    def quiet(self) -> bool:
        """Nothing has to be written or said."""
        return not (self.to_severa or self.to_erp or self.overruled or self.differs or self.asked)


def merge(
    base: Mapping[str, Any],
    severa: Mapping[str, str],
    erp: Mapping[str, str],
    rules: Mapping[str, FieldRule],
    *,
    latest: System | None = None,
    sent: Mapping[str, Sequence[Sequence[str]]] = MappingProxyType({}),
) -> Merge:
    """Merges the fields that ``rules`` name and both sides show.

    ``base`` is the link's merge base (missing fields: never agreed). ``latest`` is the side whose change the bridge
    saw last, for the rule 'latest'; None counts as 'ask'. A field that one side does not show is left out. ``sent``:
    values of deliveries that never came to their end (``domain.sent``).
    """
    made = _Making(latest)
    for name, rule in rules.items():
        if name in severa and name in erp:
            pair = _pair(base.get(name), rule)
            if name in sent:
                ours = (
                    _own(pair, sent[name], severa[name], erp[name], rule)
                    if pair is not None
                    else stood(sent[name], severa[name], erp[name], rule)
                )
                if ours is not None and ours != pair:
                    pair = ours
                    made.agreed[name] = list(ours)
                elif pair is not None and (later := _later(pair, sent[name], severa[name], erp[name], rule)):
                    made.write(Difference(name, severa[name], erp[name], later), later)
                    continue
            made.field(name, rule, pair, severa[name], erp[name])
    return made.result()


def _own(
    base: tuple[str, str], sent: Sequence[Sequence[str]], severa: str, erp: str, rule: FieldRule
) -> tuple[str, str]:
    """The base as the end of the delivery would have left it that wrote what stands there now; else as it is."""
    for system, value, *_ in reversed(sent):
        if system == "visma_net" and erp != base[1] and (rule.same(value, erp) or _kept_of(value, erp)):
            return value, erp
        if system == "severa" and severa != base[0] and (rule.same(severa, value) or _kept_of(value, severa)):
            return severa, value
    return base


def _later(
    base: tuple[str, str], sent: Sequence[Sequence[str]], severa: str, erp: str, rule: FieldRule
) -> System | None:
    """The side that somebody edited after it was written to, where the other shows still what was sent; None: nobody, or not told.

    Whether the write had arrived cannot be told. By a rule that lets a side win the edit stands, which is the later one, and what
    lost is said; by 'ask' a person is asked.
    """
    if rule.rule == "ask" or rule.direction != "↔" or severa == base[0] or erp == base[1]:
        return None
    system, value, *_ = sent[-1]
    unchanged = rule.same(severa, value) if system == "visma_net" else rule.same(value, erp)
    if not unchanged or rule.same(severa, erp):
        return None
    return "visma_net" if system == "visma_net" else "severa"


def stood(sent: Sequence[Sequence[str]], severa: str, erp: str, rule: FieldRule) -> tuple[str, str] | None:
    """What two records agreed on that met, or were made from each other, in a delivery that never came to its end: the base
    that its end would have left. None: what stands there is what stood before, so nothing was decided yet.

    What is neither that nor what was sent is somebody's edit of what was sent, and merged as one.
    """
    for system, value, *_ in reversed(sent):
        if system == "visma_net" and (rule.same(value, erp) or _kept_of(value, erp)):
            return value, erp
        if system == "severa" and (rule.same(severa, value) or _kept_of(value, severa)):
            return severa, value
    for system, _, *over in sent:
        if over and over[0] == (erp if system == "visma_net" else severa):
            return None
    return sent[-1][1], sent[-1][1]


def alike(merged: Merge) -> dict[str, str]:
    """What two records that met have in common: field → value."""
    differ = {one.field for one in merged.differs}
    return {name: pair[0] for name, pair in merged.agreed.items() if name not in differ}


def met_differently(merged: Merge) -> dict[str, list[str]]:
    """Fields in which two records differed when they met, and nobody decided: field → [severa, erp].

    A person must decide these. Where one side is empty, or only case and blanks differ, nothing contradicts: that is
    only said.
    """
    return {
        one.field: [one.severa, one.erp]
        for one in merged.differs
        if one.severa and one.erp and not same_name(one.severa, one.erp)
    }


def still_differing(
    differed: Mapping[str, Any], severa: Mapping[str, str], erp: Mapping[str, str]
) -> tuple[Difference, ...]:
    """Which of the fields that differed when both met (``met_differently``) nobody has touched on either side since."""
    return tuple(
        Difference(name, str(pair[0]), str(pair[1]), "")
        for name, pair in differed.items()
        if [severa.get(name), erp.get(name)] == [str(pair[0]), str(pair[1])]
    )


def settled_base(
    base: Mapping[str, Any], merged: Merge, severa: Mapping[str, str], erp: Mapping[str, str]
) -> Base:
    """The base after the writes of ``merged``: ``severa`` and ``erp`` are both sides as they are stored now.

    Source = the value that entered the plan, target = the value as stored. Fields that were neither written nor found
    agreed keep their base.
    """
    new: Base = {name: list(pair) for name, pair in base.items()}
    new.update(merged.agreed)
    for name, value in merged.to_erp.items():
        new[name] = [value, erp.get(name, value)]
    for name, value in merged.to_severa.items():
        new[name] = [severa.get(name, value), value]
    return new


UNAGREED = "unagreed"
"""Member of a link's state (a contact's entry): fields that were carried over when its base was made and are not in it, because
they were not known or the write was not taken. Without it they look like fields that came later."""


def unagreed(carried: Iterable[str], base: Mapping[str, Any]) -> dict[str, list[str]]:
    """What a link's state says of its base (``UNAGREED``): nothing when all that is ``carried`` over is in it."""
    left = sorted(set(carried) - base.keys())
    return {UNAGREED: left} if left else {}


def carried_before(base: Mapping[str, Any], state: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields that were carried over when this base was made, () while there is none; an older program's state does not tell
    what its base lacked."""
    return (*base, *state.get(UNAGREED, ())) if base else ()


def untaken(written: Mapping[str, str], before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """Which of the fields that were written (field → value) still stand as they did before: the yes to them was none.

    What a system keeps of a value in its own way, cut or rounded, was taken, also where that is what stood there before.
    """
    return tuple(
        name
        for name, value in written.items()
        if name in now and now[name] == before.get(name) and not _kept_of(value, now[name])
    )


# No field that is carried over is cut to less than this; a shorter beginning of what was written is the old value, unchanged.
_SHORTEST_CUT = 20
# Decimals that a system keeps of a number at the least.
_KEPT_DECIMALS = 2


def _kept_of(value: str, stored: str) -> bool:
    cut = len(stored) >= _SHORTEST_CUT and value.startswith(stored)
    if cut or same_name(value, stored):
        return True
    try:
        wanted, have = Decimal(value), Decimal(stored)
    except InvalidOperation:
        return False
    exponent = have.normalize().as_tuple().exponent
    digits = max(_KEPT_DECIMALS, -exponent if isinstance(exponent, int) else 0)
    return abs(wanted - have) < Decimal(1).scaleb(-digits)


def in_bridge(choice: str | None, agreed: Sequence[Any] | None) -> str | None:
    """The value of a field that has no place in Severa, as Severa's side of the merge: what somebody chose, else what both
    agreed on last; None = nothing is known, and nothing to carry over."""
    if choice is not None:
        return choice
    return canonical(agreed[0]) if agreed else None


def as_met(name: str, value: str) -> Base:
    """The base of a field that has no place in Severa as it was when both met, nothing for one that is not shown: what somebody
    changes later is a change, a tenant's default never is."""
    return {name: [value, value]} if value else {}


def taken_over(merged: Merge, name: str) -> tuple[Merge, str | None]:
    """A field that has no place in Severa and changed in the ERP: the merge with that as agreed, and the value that the bridge
    keeps of it; None when it did not change there."""
    value = merged.to_severa.get(name)
    if value is None:
        return merged, None
    rest = {one: text for one, text in merged.to_severa.items() if one != name}
    return replace(merged, to_severa=rest, agreed={**merged.agreed, name: [value, value]}), value


def without(merged: Merge, names: Collection[str]) -> Merge:
    """The merge as if these fields were not written: their base stays, so that they are still a change."""
    return replace(
        merged,
        to_erp={name: value for name, value in merged.to_erp.items() if name not in names},
        to_severa={name: value for name, value in merged.to_severa.items() if name not in names},
    )


@dataclass(slots=True)
class _Making:
    latest: System | None = None
    to_severa: dict[str, str] = field(default_factory=dict)
    to_erp: dict[str, str] = field(default_factory=dict)
    agreed: Base = field(default_factory=dict)
    overruled: list[Difference] = field(default_factory=list)
    differs: list[Difference] = field(default_factory=list)
    asked: list[Difference] = field(default_factory=list)

    def result(self) -> Merge:
        return Merge(
            self.to_severa,
            self.to_erp,
            self.agreed,
            tuple(self.overruled),
            tuple(self.differs),
            tuple(self.asked),
        )

    def field(self, name: str, rule: FieldRule, base: tuple[str, str] | None, severa: str, erp: str) -> None:
        """Merges one field."""
        if rule.same(severa, erp):
            self.agreed[name] = [severa, erp]
            return
        if base is None:
            self._decide(Difference(name, severa, erp, ""), rule, rule.first, first=True)
            return
        severa_changed, erp_changed = severa != base[0], erp != base[1]
        if severa_changed and erp_changed:
            self._decide(Difference(name, severa, erp, ""), rule, rule.rule, first=False)
        elif severa_changed and rule.direction != "←":
            self.to_erp[name] = severa
        elif erp_changed and rule.direction != "→":
            self.to_severa[name] = erp
        # Else nothing changed (agreed to differ), or a change on the side that does not flow: it stays where it is,
        # and the base stays too, so that the owner's next change still overwrites it.

    def write(self, open_: Difference, winner: System) -> None:
        """One side's value over the other's, and what lost is said."""
        written = self.to_erp if winner == "severa" else self.to_severa
        written[open_.field] = open_.severa if winner == "severa" else open_.erp
        self.overruled.append(replace(open_, winner=winner))

    def _decide(self, open_: Difference, rule: FieldRule, wanted: Rule, *, first: bool) -> None:
        # A field that flows one way has a fixed owner, whatever the tenant's rule says.
        owner = _OWNERS.get(rule.direction)
        decided = wanted if owner is None or (first and wanted in ("ask", "latest")) else owner
        winner: System | None = None
        if decided in ("severa", "visma_net"):
            winner = "severa" if decided == "severa" else "visma_net"
        elif decided == "latest" and not first:
            winner = self.latest
        if first and winner is not None and not (open_.severa if winner == "severa" else open_.erp):
            other: System = "visma_net" if winner == "severa" else "severa"
            winner = other if rule.direction == "↔" else None
        if winner is not None:
            self.write(open_, winner)
        elif first:
            # No agreed state and nobody decides: a field without base never writes by itself.
            self.agreed[open_.field] = [open_.severa, open_.erp]
            self.differs.append(open_)
        else:
            self.asked.append(open_)


def _pair(stored: Any, rule: FieldRule) -> tuple[str, str] | None:
    return None if stored is None else (rule.form(str(stored[0])), rule.form(str(stored[1])))
