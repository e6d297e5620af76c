"""Whose is a document that bears the invoice's marker, and what becomes of one too many (docs/never-twice.md rules 6 to 9).

Every document with the marker is somebody's, and the poll never judges: each delivery of an invoice, with no create under way,
compares the index of markers with the documents that the bridge knows of, and decides about each other one after a single
read. Where all are known this costs no call.

What was removed is known too, but only as far as an answer said so: one that a later reading shows is there (``_returned``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from domain.errors import ForeignWriter, Refused, TryLater
from domain.invoice.documents import Marker, marker_of, read_document, record_key
from domain.invoice.doubt import candidates_of, decided, in_doubt
from domain.invoice.model import REGISTER, ErpDocument
from domain.invoice.phases import Key, key_of
from domain.invoice.registers import DOCUMENTS
from domain.invoice.work import Work, removal_of
from domain.model import Decision, Document

# How often a document is removed that is there again each time; then a person is told.
REMOVALS = 3


def audit(work: Work) -> None:
    """Adopts, removes, tells or doubts what bears the invoice's marker and is not known yet, and what is surplus.

    Raises InDoubt for a released document beside the invoice's own, ForeignWriter when somebody else writes with our marker,
    Stop ``invoice.not_removed`` and ``invoice.comes_back``, TryLater.
    """
    before = set(work.others)
    take_found(work, _strangers(work))
    for row, document in _returned(work):
        _judge_returned(work, row, document)
    link = work.trail.link or work.delivery.link
    if work.others != before and link is not None and link.erp_number:
        work.trail.link = work.link_update(link)


def take_found(work: Work, documents: Iterable[ErpDocument]) -> None:
    """Decides about documents that were read singly, the released ones first, because one of them is the invoice's if any is;
    then what is one too many goes."""
    for document in sorted(documents, key=lambda one: (not one.released, one.number)):
        marker = marker_of(document.note)
        known = {(one.type, one.number) for one in work.delivery.documents}
        if marker is not None and document.key not in known and document.id not in work.others:
            _judge(work, document, marker)
    for row in _surplus(work):
        _judge_surplus(work, row)


def _strangers(work: Work) -> list[ErpDocument]:
    """Documents of the index that the bridge does not know by number, read singly."""
    known = {(one.type, one.number) for one in work.delivery.documents}
    found: list[ErpDocument] = []
    for record in work.delivery.books.find_marker(work.invoice.marker):
        key = record_key(record)
        if key is None or key in known or record.id in work.others:
            continue
        answer = read_document(work.delivery, *key)
        marker = marker_of(answer[0].note) if answer is not None else None
        # Removed since, or a person took the marker away: nobody's.
        ours = marker is not None and marker.guid == work.guid
        if answer is not None and ours and answer[0].status != "Voided":
            found.append(answer[0])
    return found


def _judge(work: Work, document: ErpDocument, marker: Marker) -> None:
    """One document with our marker and a number that the bridge does not know."""
    row = _row_of(work, marker)
    if row is not None and row.number:
        # That nonce is another document's already: a person copied it, note included (S28).
        _tell(work, document, "invoice.copied", number=document.number, original=row.number)
    elif row is not None or (work.delivery.rewound_at is not None and not _foreign(work, marker)):
        _ours(work, document, marker)
    elif marker.nonce:
        raise ForeignWriter(
            "invoice.foreign_writer",
            work.named()
            | {
                "number": document.number,
                "installation": marker.installation,
                "own": work.delivery.installation,
            },
        )
    elif document.released and work.present is None:
        _doubt(work, [document])
    else:
        _tell(work, document, "invoice.marked_unknown", number=document.number)


def _row_of(work: Work, marker: Marker) -> Document | None:
    return next((one for one in work.delivery.documents if marker.nonce and one.nonce == marker.nonce), None)


def _foreign(work: Work, marker: Marker) -> bool:
    return bool(marker.nonce) and marker.installation != work.delivery.installation


def _tell(work: Work, document: ErpDocument, code: str, **values: str) -> None:
    """Said once: from then on it is known not to be ours."""
    work.others.add(document.id)
    work.trail.say(code, level="warning", **values)


def _ours(work: Work, document: ErpDocument, marker: Marker) -> None:
    """A late one of a create that was given up, or one of a history that was restored away."""
    present = work.present
    if present is not None and document.released:
        _doubt(work, [document])
        return
    work.delivery.adopt_document(document.type, document.number, marker.nonce, round=work.round)
    if present is None and document.released:
        # Surely the one: it is in the books.
        work.delivery.claim_document(*document.key)


# ---------------------------------------------------------------- known, and one too many


def _surplus(work: Work) -> list[Document]:
    """Documents made by the bridge that are not the one that may be released."""
    present = work.present
    return [
        one
        for one in work.delivery.documents
        if one.number and one.state in ("made", "unknown") and one is not present
    ]


def _judge_surplus(work: Work, row: Document) -> None:
    key = key_of(row)
    answer = read_document(work.delivery, *key) if key is not None else None
    if key is None:
        return
    if answer is not None and answer[0].released:
        _doubt(work, [answer[0]])
    else:
        remove_surplus(work, key)


# ---------------------------------------------------------------- removed, and there all the same


def _returned(work: Work) -> Iterator[tuple[Document, ErpDocument]]:
    """Documents that the bridge removed and that a reading shows which was asked for when the removal must have shown: its
    yes was none, or somebody undid it. Read singly; the number may be another document's by now.
    """
    live = {(one.type, one.number) for one in work.delivery.documents if one.state != "removed"}
    for row in work.delivery.documents:
        key = key_of(row)
        if row.state != "removed" or key is None or key in live or not _shown_since(work, row):
            continue
        answer = read_document(work.delivery, *key)
        if answer is None:
            _gone_at_last(work, row)
        elif _is_row(work, row, answer[0]) and answer[0].status != "Voided":
            yield row, answer[0]


def _shown_since(work: Work, row: Document) -> bool:
    name = f"{row.type}/{row.number}"
    shown = work.delivery.books.record("visma_net", DOCUMENTS, name)
    return (
        shown is not None
        and not shown.gone
        and row.gone_by is not None
        and shown.requested_at > row.gone_by
        and name not in work.others
    )


def _is_row(work: Work, row: Document, document: ErpDocument) -> bool:
    """Whether it is that very document: the number alone says nothing, and a person may have taken the marker away."""
    marker = marker_of(document.note)
    return marker is not None and marker.guid == work.guid and marker.nonce == row.nonce


def _gone_at_last(work: Work, row: Document) -> None:
    """Ends a removal that nobody answered."""
    if work.open_step(removal_of(row)) is not None:
        work.done(removal_of(row), {})


def _judge_returned(work: Work, row: Document, document: ErpDocument) -> None:
    if document.released:
        _doubt(work, [document])
        return
    if row.removals >= REMOVALS:
        raise work.stop("invoice.comes_back", {"number": row.number, "times": row.removals})
    remove_surplus(work, document.key, row.reason)
    work.trail.say("invoice.removed_again", level="warning", number=row.number)


# ---------------------------------------------------------------- a person decides


def _doubt(work: Work, others: list[ErpDocument]) -> None:
    """Released documents beside the invoice's own, or without one: a person compares them field by field."""
    own = _own(work)
    documents = [*own, *others]
    candidates = candidates_of(documents)
    decision = decided(work, candidates)
    if decision is None:
        raise in_doubt(work, candidates, documents)
    carry_out(work, decision, documents)


def _own(work: Work) -> list[ErpDocument]:
    key = key_of(work.present)
    answer = read_document(work.delivery, *key) if key is not None else None
    return [answer[0]] if answer is not None else []


def carry_out(work: Work, decision: Decision, shown: list[ErpDocument]) -> None:
    """What a person decided: the other candidates are known not to be ours from now on.

    *This* is taken as ours even without a marker, and then read, proven and released, or booked, as any other (rule 9); it must
    exist and be nobody else's. Raises Stop ``invoice.chosen_differs``.
    """
    chosen = key_of({"type": decision.type, "number": decision.number}) if decision.kind == "this" else None
    own = key_of(work.present)
    work.others |= {one.id for one in shown if one.key not in (chosen, own)}
    if decision.kind == "make":
        work.make = True
        return
    if chosen is None or _elsewhere(work, chosen):
        raise work.stop("invoice.chosen_differs", {"number": decision.number, "reasons": []})
    if chosen == own:
        return
    answer = read_document(work.delivery, *chosen)
    if answer is None:
        raise work.stop("invoice.chosen_differs", {"number": decision.number, "reasons": []})
    marker = marker_of(answer[0].note)
    step = work.open_step("create")
    if step is not None:
        work.undone("create", "a person chose a document")
    ours = marker is not None and marker.guid == work.guid and _row_of(work, marker) is not None
    work.delivery.adopt_document(
        *chosen, marker.nonce if marker is not None and ours else "", round=work.round
    )
    work.delivery.claim_document(*chosen)


def _elsewhere(work: Work, key: Key) -> bool:
    return work.delivery.books.document_owner(*key) not in (None, work.guid)


def remove_surplus(work: Work, key: Key, reason: str = "invoice.doubled") -> None:
    """Removes a second, held document of the invoice; the first one's round goes on (rule 6)."""
    name, turn = f"remove {key[0]}/{key[1]}", work.round
    try:
        removed = work.effect(
            name,
            {"type": key[0], "number": key[1], "reason": reason},
            lambda permission: work.delivery.erp.delete(
                REGISTER[key[0]], key[1], not_after=permission.not_after
            ),
            round=turn,
        )
    except Refused as error:
        raise work.stop("invoice.not_removed", {"number": key[1], "text": error.message}) from error
    if not removed and read_document(work.delivery, *key) is not None:
        work.undone(name, "the ERP denied it", round=turn)
        raise TryLater("the ERP denied a document that is there", costs_attempt=True)
    work.delivery.drop_document(*key, reason, surplus=True)
    work.done(name, {}, round=turn)
