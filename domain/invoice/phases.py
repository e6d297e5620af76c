"""Where an invoice is on its way to the books: phases, derived from facts and never stored (docs/decisions/0015).

Whatever process looks, and whenever, the same facts give the same phase: there is no place that could say something else
than what the documents, the unanswered steps and Severa say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from domain.errors import Stop
from domain.invoice.model import DocumentType, document_type
from domain.model import Booked, Document, Step

Key = tuple[DocumentType, str]


class Phase(StrEnum):
    """See each member; ``domain.invoice.booking.MOVES`` says how each is left."""

    NEW = "new"
    """Entered when an invoice is first looked at, and after its document was removed or surely never made.
    Left by a create, or by resting: the status asks for nothing.
    Known: the ERP has no document of ours that could be released."""

    ASKED = "asked"
    """Entered by the begin of a create: a document may have been asked for. Left when it shows itself by its marker, or when
    the step has settled without it. Known: a document on hold, at most, under a number that nobody told yet."""

    HELD = "held"
    """Entered when the document has a number. Left by a release after the proof, by removal, or because somebody released it.
    Known: one document, marked, that nobody has released through the bridge. A proof lives for one attempt and is made again."""

    RELEASING = "releasing"
    """Entered by the begin of a release. Left when the document is seen Open or Closed, or cannot be released.
    Known: the document is claimed, and may be in the books already."""

    BOOKED = "booked"
    """Entered when the document was seen Open or Closed (fact *booked*, for good), and again whenever Severa does not show it as
    it is booked. Left by one PATCH of number, reference and status. Known: no way leads back to a create but a person's decision."""

    NUMBERED = "numbered"
    """Entered when Severa shows number, reference and status as booked. Left when Severa asks again.
    Known: nothing is owed but files, which have a delivery of their own."""

    REMOVING = "removing"
    """Entered when an unreleased document has to go: withdrawn, changed, not proven. Left when it is gone, which ends the round.
    Known: which document, why, and the failure that follows, all in the step."""

    FAILING = "failing"
    """Entered when a person must act before anything is booked. Left by the *failed* status and a problem.
    Known: the code and its values; nothing of ours is left in the ERP."""


@dataclass(frozen=True, slots=True)
class Fail:
    """A failure as a value: one move carries it out. ``stop`` is what the person is told; ``keeps``: neither the document nor
    the status is touched, because what is wrong is not the invoice."""

    stop: Stop
    keeps: bool = False


@dataclass(frozen=True, slots=True)
class Remove:
    """The unreleased document has to go; ``reason`` becomes that of the gap, ``then`` the failure that follows."""

    key: Key
    reason: str
    then: Fail | None = None


Wish = Fail | Remove


@dataclass(frozen=True, slots=True)
class Rest:
    """The delivery ends here. ``stop``: with a problem; ``problems_stay``: nothing was done because a person must act."""

    stop: Stop | None = None
    problems_stay: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a phase is derived from.

    round      of the matter: a removal or a retirement begins the next one
    steps      of this round, by name
    before     of the round before, by name
    wish       what the last move of this attempt wants to be carried out
    owes       Severa does not show what is booked
    again      a person decided that a new document is made
    """

    round: int
    documents: tuple[Document, ...] = ()
    booked: Booked | None = None
    steps: Mapping[str, Step] = field(default_factory=dict)
    before: Mapping[str, Step] = field(default_factory=dict)
    wish: Wish | None = None
    owes: bool = False
    again: bool = False

    @property
    def present(self) -> Document | None:
        """The document that counts now, None while there is none."""
        return present(self.documents)

    @property
    def removal(self) -> Step | None:
        """A removal that was begun and not ended."""
        return next(
            (step for step in (self._open("remove"), self._open("remove", self.before)) if step), None
        )

    @property
    def failure_owed(self) -> Step | None:
        """A removal whose failure was not carried out yet, or a *failed* status that nobody answered."""
        removed, failed = self.before.get("remove"), self.before.get("failed")
        if removed is not None and removed.request.get("then") and (failed is None or not failed.done):
            return removed
        return self._open("failed") or self._open("failed", self.before)

    @property
    def asked(self) -> bool:
        """A document was asked for, and nobody knows its number."""
        step = self.steps.get("create")
        unanswered = step is not None and (step.sent_at is not None and not step.done)
        numberless = step is not None and step.done and not step.result.get("number")
        rows = any(
            one.state == "asked" and not one.number and one.round >= self.round for one in self.documents
        )
        return unanswered or (numberless and self.present is None) or (rows and self.present is None)

    @property
    def release_sent(self) -> bool:
        """Whether a release was sent: carried out, or maybe carried out."""
        step = self.steps.get("release")
        return step is not None and (step.done or step.sent_at is not None)

    def _open(self, name: str, among: Mapping[str, Step] | None = None) -> Step | None:
        step = (self.steps if among is None else among).get(name)
        return step if step is not None and step.sent_at is not None and not step.done else None


def phase_of(facts: Facts) -> Phase:
    """The phase, from facts alone."""
    ways_out = _way_out(facts)
    if ways_out is not None:
        return ways_out
    if facts.again:
        return Phase.NEW
    if facts.booked is not None:
        return Phase.BOOKED if facts.owes else Phase.NUMBERED
    if facts.asked:
        return Phase.ASKED
    if facts.present is None:
        return Phase.NEW
    return Phase.RELEASING if facts.release_sent else Phase.HELD


def _way_out(facts: Facts) -> Phase | None:
    wish = facts.wish
    if isinstance(wish, Remove) or facts.removal is not None:
        return Phase.REMOVING
    if wish is not None or facts.failure_owed is not None:
        return Phase.FAILING
    return None


def round_of(documents: Sequence[Document]) -> int:
    """The round that the next document belongs to: one more than the last one that ended. A removed document that turned out
    to stand leaves the round in which it was found: rounds never go back, their steps have names."""
    ended = [one.round for one in documents if one.state in ("removed", "retired") and not one.surplus]
    standing = [one.round for one in documents if one.state in ("made", "claimed", "released", "unknown")]
    return max(1 + max(ended, default=0), *standing, 1)


def present(documents: Sequence[Document]) -> Document | None:
    """The document that may be released, or is: the claimed one, else of those made the one of the newest round."""
    standing = [one for one in documents if one.number and one.state in ("claimed", "released")]
    if standing:
        return standing[-1]
    made = [one for one in documents if one.number and one.state in ("made", "unknown")]
    return max(made, key=lambda one: one.round, default=None)


def key_of(told: Mapping[str, Any] | Document | None) -> Key | None:
    """Type and number of a document, from a step's request or result or from its row; None where one is missing."""
    if isinstance(told, Document):
        told = {"type": told.type, "number": told.number}
    kind = document_type((told or {}).get("type"))
    number = str((told or {}).get("number") or "")
    return (kind, number) if kind is not None and number else None
