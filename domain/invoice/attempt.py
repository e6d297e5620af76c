"""One attempt at an invoice: what it knows, what it leaves behind, and the two ways out of a document that must go.

A document that is removed ends a *round*: the step names of the next document carry the round's number, so that nothing
done for the removed one is taken as done for the new one. The numbers of removed documents are kept in the step
``removals`` until the delivery ends and writes them to the gap list (R-INV-5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from domain.errors import NotFound, Refused, Stop, Waiting
from domain.invoice.document import Choices, Draft
from domain.invoice.fields import DOCUMENTS, INVOICES, STATUS_PATH, projection
from domain.invoice.look_up import read_document
from domain.invoice.model import REGISTER, DocumentType, ErpDocument, Party, SeveraInvoice, document_type
from domain.invoice.plan import KEEPS_STATUS, Needs
from domain.ports import (
    Announce,
    Delivery,
    Effects,
    Json,
    LinkUpdate,
    LogLine,
    NumberGap,
    Seen,
    Settled,
    Step,
)
from domain.setup.statuses import Role, Roles

Key = tuple[DocumentType, str]

# How soon (seconds) a document is looked at again whose release is queued, or whose number the ERP did not tell.
LOOK_AGAIN = 5.0


class StartOver(Exception):
    """The Severa invoice is not the one that was planned for."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to be sent and what the document is judged by. ``project``: Severa's project that it is posted on;
    ``said``: log lines for the day it is booked."""

    need: Needs
    choices: Choices
    sent: Draft
    project: Party | None = None
    said: tuple[LogLine, ...] = ()


@dataclass(slots=True)
class Attempt:
    """``read``: the invoice was read from Severa in this attempt, not only taken from the last poll."""

    delivery: Delivery
    roles: Roles
    guid: str
    invoice: SeveraInvoice
    read: bool = False
    link: LinkUpdate | None = None
    seen: dict[tuple[str, str], Seen] = field(default_factory=dict)
    log: list[LogLine] = field(default_factory=list)
    announce: list[Announce] = field(default_factory=list)

    # ------------------------------------------------------------ Severa's side

    @property
    def role(self) -> Role | None:
        """Role of the invoice's present status."""
        return self.roles.role_of(self.invoice.status)

    def read_invoice(self) -> SeveraInvoice:
        """The invoice as Severa has it now; its rows are kept. Raises NotFound."""
        body = self.delivery.severa.get(INVOICES, self.guid)
        return self.take(body)

    def take(self, body: Json) -> SeveraInvoice:
        """A body that Severa gave back becomes the present state."""
        rows = self.invoice.rows
        self.invoice = replace(SeveraInvoice.of(body), rows=rows)
        self.read = True
        self.seen["severa", self.guid] = Seen("severa", INVOICES, body)
        return self.invoice

    def changed(self, planned: SeveraInvoice, proven: str | None = None) -> bool:
        """Whether the present invoice is no longer the planned one: moved on, edited, or not for transfer any more.
        ``proven``: its ``lastUpdatedDateTime`` when the document was proven, maybe in an earlier attempt."""
        return (
            self.role != "transfer"
            or self.invoice.updated != planned.updated
            or (proven is not None and self.invoice.updated != proven)
            or projection(self.invoice.body) != projection(planned.body)
        )

    # ------------------------------------------------------------ steps of the present round

    def removals(self) -> list[Mapping[str, Any]]:
        """Documents of this delivery that were removed: type, number, reason, and whether that ended a round."""
        step = self.delivery.step("removals")
        return list(step.result.get("rows", [])) if step is not None and step.done else []

    def name(self, base: str, *, back: int = 0) -> str:
        """A step's name in the present round, or ``back`` rounds ago."""
        number = sum(bool(row["round"]) for row in self.removals()) + 1 - back
        return base if number == 1 else f"{base}.{number}"

    def step(self, base: str, *, back: int = 0) -> Step | None:
        return self.delivery.step(self.name(base, back=back))

    def begin(self, base: str, request: Json) -> None:
        """Commits that the call of a step is about to be made; its lease is longer than the call can last."""
        self.delivery.begin(self.name(base), request, limit_seconds=self.delivery.limits.create_seconds)

    def done(self, base: str, result: Json) -> None:
        self.delivery.done(self.name(base), result)

    def undone(self, base: str, reason: str) -> None:
        self.delivery.undone(self.name(base), reason or "refused")

    def gone(self) -> set[str]:
        """Ids of the documents that this delivery removed."""
        return {f"{row['type']}/{row['number']}" for row in self.removals()}

    # ------------------------------------------------------------ what is left behind

    def see(self, document: ErpDocument) -> None:
        self.seen["visma_net", document.id] = Seen("visma_net", DOCUMENTS, document.body)

    def say(self, code: str, *, level: Literal["info", "warning"] = "info", **values: Any) -> None:
        self.log.append(LogLine(code, values, level))

    def effects(self) -> Effects:
        gaps = tuple(
            NumberGap(row["type"], row["number"], self.guid, row["reason"], row.get("values") or {})
            for row in self.removals()
        )
        announce = (*self.announce, *self._held_projects())
        return Effects(self.link, tuple(self.seen.values()), gaps, announce, tuple(self.log))

    def _held_projects(self) -> list[Announce]:
        """Closed projects of this invoice: their closing in the ERP may have been held back by it (R-PRJ-3)."""
        records = [
            self.delivery.books.record("severa", "projects", one.guid) for one in self.invoice.projects
        ]
        return [
            Announce("project", "severa", "projects", record.id)
            for record in records
            if record is not None and record.body.get("isClosed") is True
        ]

    def settled(self) -> Settled:
        return Settled(self.effects())

    def stop(
        self, code: str, values: Mapping[str, Any] | None = None, *, waits_for: Waiting | None = None
    ) -> Stop:
        """A Stop that keeps what has happened so far and always names the customer."""
        named = {"customer": self.invoice.customer.name, "date": str(self.invoice.date or "–")}
        return Stop(code, named | dict(values or {}), effects=self.effects(), waits_for=waits_for)

    # ------------------------------------------------------------ ways out

    def remove(
        self,
        key: Key,
        reason: str,
        then: Mapping[str, Any] | None = None,
        *,
        values: Mapping[str, Any] | None = None,
    ) -> None:
        """Removes an unreleased document of ours and ends the round; its number becomes a gap.

        ``values`` fill the reason's sentence in the gap list. ``then`` (code, values) is the failure that follows: kept in the step, so that a successor goes on with it.
        Raises Stop when the document was released by somebody or the ERP does not let go of it.
        """
        kind, number = key
        self.begin("remove", {"type": kind, "number": number, "reason": reason, "then": dict(then or {})})
        try:
            self.delivery.erp.delete(REGISTER[kind], number)
        except NotFound:
            pass
        except Refused as error:
            self._not_removed(key, error)
        self.delivery.drop_document(kind, number, reason)
        step = self.name("remove")
        self._record_removal(key, reason, values or (then or {}).get("values") or {}, ends_round=True)
        self.delivery.done(step, {})

    def remove_twin(self, key: Key) -> None:
        """Removes a second, held document of the invoice; the first one's round goes on (R-INV-13)."""
        try:
            self.delivery.erp.delete(REGISTER[key[0]], key[1])
        except NotFound:
            pass
        except Refused as error:
            raise self.stop("invoice.not_removed", {"number": key[1], "text": error.message}) from error
        self._record_removal(key, "invoice.doubled", {}, ends_round=False)

    def _record_removal(self, key: Key, reason: str, values: Mapping[str, Any], *, ends_round: bool) -> None:
        told = {
            "customer": self.invoice.customer.name or "–",
            "invoice": self.guid,
            "date": str(self.invoice.date or "–"),
            "number": key[1],
            "status": self.invoice.status_name or "–",
        } | _plain(values)
        row = {"type": key[0], "number": key[1], "reason": reason, "round": ends_round, "values": told}
        self.delivery.done("removals", {"rows": [*self.removals(), row]})

    def _not_removed(self, key: Key, error: Refused) -> None:
        answer = read_document(self.delivery, *key)
        if answer is None:
            return
        if answer[0].released:
            self.undone("remove", error.message)
            raise self.stop("invoice.already_booked", {"number": key[1]}) from error
        # The step stays begun: a retry goes on with the removal instead of making another document.
        raise self.stop("invoice.not_removed", {"number": key[1], "text": error.message}) from error

    def resume_removal(self) -> None:
        """Finishes a removal or a failure that an earlier attempt began."""
        begun = self.step("remove")
        if begun is not None and begun.sent_at is not None:
            request = begun.request
            kind = document_type(request.get("type"))
            if kind is not None:
                self.remove((kind, str(request["number"])), str(request["reason"]), request.get("then"))
        removed = self.step("remove", back=1) if any(row["round"] for row in self.removals()) else None
        then = removed.request.get("then") if removed is not None else None
        if not then:
            return
        failed = self.step("failed", back=1)
        self.read_invoice()
        if failed is None or not failed.done:
            self._set_failed(back=1)
        elif self.role != "failed":
            # Set back to transfer by a person (tried again from the start, R-INV-12), or taken out of the process.
            return
        raise self.stop(str(then["code"]), then["values"])

    def fail(
        self,
        code: str,
        values: Mapping[str, Any],
        key: Key | None = None,
        *,
        waits_for: Waiting | None = None,
    ) -> Stop:
        """The way out before booking: the document is removed, the invoice gets the failed status (if it still is in
        transfer), and the problem is returned to be raised (R-INV-4, R-INV-12).

        Raises StartOver when the invoice was changed since it was planned: the failure may be gone.
        """
        if code in KEEPS_STATUS:
            if key is not None:
                self.remove(key, code, values=values)
            return self.stop(code, values, waits_for=waits_for)
        planned = self.invoice
        if not self.read:
            self.read_invoice()
            if self.changed(planned):
                if key is not None:
                    self.remove(key, "invoice.changed")
                raise StartOver
        if key is not None:
            self.remove(key, code, {"code": code, "values": _plain(values)})
            self._set_failed(back=1)
        else:
            self._set_failed(back=None)
        return self.stop(code, values)

    def _set_failed(self, *, back: int | None) -> None:
        """Moves *transfer* → *failed*; any other present status is left (a person was faster)."""
        written = False
        if self.role == "transfer":
            try:
                self.take(
                    self.delivery.severa.patch(INVOICES, self.guid, {STATUS_PATH: self.roles.failed.guid})
                )
                written = True
            except Refused as error:
                self.say(
                    "invoice.status_not_written",
                    level="warning",
                    status=self.roles.failed.name,
                    text=error.message,
                )
        if back is not None:
            self.delivery.done(self.name("failed", back=back), {"written": written})


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as a step can keep them."""
    return {name: value if isinstance(value, str | int) else str(value) for name, value in values.items()}
