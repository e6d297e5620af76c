"""An invoice on its way to the books: which phase leads where, and the loop that walks (R-INV-1 to R-INV-13).

A plain new invoice costs eight calls: rows · create · read back · Severa again · hold off · release · read · one PATCH. Every
effect stands in a step; whoever comes next derives the phase from what is known and goes on there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from domain.errors import NotFound, Stop, TryLater
from domain.invoice import failing, files, numbering
from domain.invoice.asking import ask, find
from domain.invoice.phases import Phase, Rest, Wish, phase_of
from domain.invoice.registers import INVOICES
from domain.invoice.releasing import follow, prove_and_release
from domain.invoice.whose import audit
from domain.invoice.work import Work

# How often a document is planned anew in one attempt because the invoice was changed while it was being booked.
ROUNDS = 3
# How many moves one attempt makes at most: three rounds with every way out.
BOUND = 24


@dataclass(frozen=True, slots=True)
class Move:
    """How a phase is left. ``run`` makes effects and says what it wishes for, or that the delivery rests; where that leads
    follows from the facts, and must be one of ``to``. ``rests``: the delivery may end here. ``codes``: problems that the
    move itself knows of; judging code has more."""

    run: Callable[[Work], Wish | Rest | None]
    to: tuple[Phase, ...]
    rests: bool = False
    codes: tuple[str, ...] = ()


def rest(work: Work) -> Wish | Rest | None:
    """NUMBERED: nothing is owed to Severa; files that are, go now if nothing else was written."""
    link = work.delivery.link
    if (work.compared or not work.numbered) and files.due(link) and link is not None:
        return files.attach(work, link)
    return Rest(problems_stay=_person_acts(work))


def _person_acts(work: Work) -> bool:
    """Whether a booked invoice stands before *transferred*, or failed: its problems stay open then (R-LOG-3)."""
    return work.role == "failed" or (
        work.roles.position(work.invoice.status) is not None and not work.sent_on
    )


MOVES: Mapping[Phase, Move] = MappingProxyType(
    {
        Phase.NEW: Move(
            ask,
            (Phase.NEW, Phase.ASKED, Phase.HELD, Phase.FAILING),
            rests=True,
            codes=(
                "invoice.held_for_review",
                "invoice.changed_since_review",
                "invoice.project_closed",
                "invoice.sent_unbooked",
            ),
        ),
        Phase.ASKED: Move(
            find, (Phase.NEW, Phase.HELD, Phase.FAILING), codes=("invoice.in_doubt", "invoice.chosen_differs")
        ),
        Phase.HELD: Move(
            prove_and_release,
            (
                Phase.HELD,
                Phase.RELEASING,
                Phase.BOOKED,
                Phase.NUMBERED,
                Phase.REMOVING,
                Phase.FAILING,
            ),
            codes=(
                "invoice.total_differs",
                "invoice.content_differs",
                "invoice.not_releasable",
                "invoice.not_allowed",
            ),
        ),
        Phase.RELEASING: Move(
            follow,
            (Phase.RELEASING, Phase.HELD, Phase.BOOKED, Phase.REMOVING, Phase.NEW, Phase.FAILING),
            codes=("invoice.document_gone", "invoice.not_releasable"),
        ),
        Phase.BOOKED: Move(
            numbering.number,
            (Phase.NUMBERED, Phase.NEW, Phase.FAILING),
            codes=(
                "invoice.already_booked",
                "invoice.booked_not_numbered",
                "invoice.moved_after_booking",
                "invoice.sent_unnumbered",
                "invoice.document_gone",
                "invoice.make_needs_transfer",
            ),
        ),
        Phase.NUMBERED: Move(rest, (Phase.FAILING,), rests=True, codes=("invoice.attachment_failed",)),
        Phase.REMOVING: Move(
            failing.remove,
            (Phase.NEW, Phase.HELD, Phase.RELEASING, Phase.FAILING),
            codes=("invoice.not_removed", "invoice.chosen_differs", "invoice.sent_unbooked"),
        ),
        Phase.FAILING: Move(failing.fail, (Phase.NEW,), rests=True),
    }
)


def book(work: Work) -> Rest:
    """Walks until the invoice stands still. Raises Waiting, TryLater, OutcomeUnknown, LeaseLost: the attempt is over then."""
    planned = 0
    for _ in range(BOUND):
        _look_around(work)
        here = phase_of(work.facts())
        planned += here is Phase.NEW
        if planned > ROUNDS:
            break
        outcome = _taken(work, here)
        if isinstance(outcome, Rest):
            return outcome
        work.wish = outcome
        crossed(here, phase_of(work.facts()))
    raise TryLater("the invoice keeps changing while it is being booked")


def crossed(here: Phase, there: Phase) -> None:
    """Refuses an edge that MOVES does not name: a way nobody has thought about is not walked."""
    if there not in MOVES[here].to:
        raise RuntimeError(f"an invoice does not go from {here} to {there}")


def _look_around(work: Work) -> None:
    """The marker audit, once, as soon as no create and no removal is under way; what it raises is a failure like any other."""
    here = phase_of(work.facts())
    if work.audited or here in (Phase.ASKED, Phase.REMOVING):
        return
    work.audited = True
    try:
        audit(work)
    except Stop as stop:
        work.wish = failing.as_wish(work, stop, here)


def _taken(work: Work, here: Phase) -> Wish | Rest | None:
    """One move. Whatever Stop it raises becomes one failure here; an invoice that Severa deleted is noted, and the move is
    made again knowing that."""
    for _ in range(2):
        try:
            return MOVES[here].run(work)
        except Stop as stop:
            return failing.as_wish(work, stop, here)
        except NotFound as error:
            if error.system != "severa" or INVOICES not in error.operation or work.deleted:
                raise
            work.missed()
            work.deleted = True
    raise TryLater("Severa shows the invoice now and then")
