"""The moves of a document's costs: find its lines' projects, bring each line once, take back what was voided, add files."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from domain.cost import plan
from domain.cost.asks import chosen
from domain.cost.brought import Brought, brought
from domain.cost.document import MARKER, Document, Line, includes_vat, read_document
from domain.cost.files import Files
from domain.cost.fresh import LINES, ReadFirst, read_again
from domain.cost.places import Places
from domain.cost.plan import named
from domain.cost.registers import (
    FEES,
    ORGANIZATION,
    PROJECTS,
    SUPPLIER_INVOICES,
)
from domain.errors import Forbidden, NotFound, Refused, Stop, Waiting
from domain.mapper import read, text
from domain.model import Json, LinkUpdate, Permission, Record, Settled, Step
from domain.money import currency_of
from domain.moves import (
    Aftermath,
    create_once,
    explained,
    has_settled,
    wait_until_read,
    wait_until_settled,
)
from domain.ports import Delivery
from domain.reference import SEVERA_CURRENCIES, VAT_CATEGORIES
from domain.values import money
from domain.values import record as named_record


def settle(delivery: Delivery) -> Settled:
    """Brings the lines of one supplier document or journal batch to Severa as project costs (R-CST-1..5).

    Everything that can be brought is brought before a problem of one line is told. Raises Waiting for a project that
    is not linked yet, Stop ``cost.*``, TryLater, OutcomeUnknown and what the vendors' calls raise.
    """
    work = _Work(delivery)
    record = delivery.erp_record
    if record is None or delivery.tenant.settings.costs == "off":
        return work.after.settled()
    with explained("cost", f"{record.number} {record.name}".strip(), work.after):
        work.settle(record)
    return work.after.settled()


@dataclass(slots=True)
class _Work:
    delivery: Delivery
    after: Aftermath = field(default_factory=Aftermath)
    lines: dict[str, Brought] = field(default_factory=dict)
    voided: dict[str, Brought] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    problems: list[Stop] = field(default_factory=list)
    waiting: Waiting | None = None
    read: Json | None = None
    _projects: dict[str, Json] = field(default_factory=dict)
    _fees: list[Json] | None = None
    # Fees that carry nobody's marker.
    _unmarked: list[Json] = field(default_factory=list)
    _base: str = ""

    def settle(self, record: Record) -> None:
        """One document, planned from what was polled; from a read of its own as soon as anything is to be written (rule 14)."""
        if _lacks(record) and not self._read(record):
            return
        try:
            self._settle(self._document(record))
        except ReadFirst:
            self.problems, self.waiting = [], None
            # What was said is said again by the pass that counts.
            self.after.log.clear()
            if self._read(record):
                self._settle(self._document(record))

    def _read(self, record: Record) -> bool:
        """Reads the document singly; False when there is none any more."""
        self.read = read_again(self.delivery, record)
        return self.read is not None

    def _settle(self, document: Document) -> None:
        """Its lines, then its files, then what went wrong."""
        settings = self.delivery.tenant.settings
        if document.register != SUPPLIER_INVOICES and not chosen(document.kind, settings):
            return
        self._remember()
        if document.voided:
            self._take_back(document)
        elif document.released:
            self._bring(document)
            self._bring_files(document)
        if self.waiting is not None:
            # The steps remember what was brought meanwhile; the marker in Severa would even without them.
            raise self.waiting
        if self.problems:
            first = self.problems[0]
            raise self.after.stop(first.code, **first.values)

    # ------------------------------------------------------------ the document and what is known of it

    def _document(self, record: Record) -> Document:
        """The document as this delivery read it, else as last seen."""
        body = record.body if self.read is None else self.read
        categories: dict[str, frozenset[str]] = {}
        if includes_vat(body):
            for category in self.delivery.books.all("visma_net", VAT_CATEGORIES):
                rows = read(category.body, "vatCategoryLines") or ()
                categories[category.id] = frozenset(text(row, "vatId") for row in rows)
        return read_document(record.register, body, categories)

    def _before_a_write(self) -> None:
        """Nothing is written on the strength of a poll, however late that was. Raises ReadFirst."""
        if self.read is None:
            raise ReadFirst

    def _remember(self) -> None:
        state = self.delivery.link.state if self.delivery.link is not None else {}
        self.lines = {key: brought(values) for key, values in state.get("lines", {}).items()}
        self.voided = {key: brought(values) for key, values in state.get("voided", {}).items()}
        self.files = dict(state.get("files", {}))

    def _keep(self, document: Document) -> None:
        """The link as it is to be from now on; it outlives a problem of another line."""
        self.after.link = LinkUpdate(
            severa_register=FEES,
            # One document has many fees; the pair is the document and all of them.
            severa_id=f"{document.register}:{document.id}",
            severa_number="",
            erp_register=document.register,
            erp_id=document.id,
            erp_number=document.number,
            state={
                "lines": {key: one.as_json() for key, one in self.lines.items()},
                "voided": {key: one.as_json() for key, one in self.voided.items()},
                "files": self.files,
            },
        )

    # ------------------------------------------------------------ lines

    def _bring(self, document: Document) -> None:
        places = Places(self.delivery, document)
        new: list[Brought] = []
        for line in document.lines:
            if line.key in self.lines or line.amount == 0:
                continue
            try:
                project = places.project_of(line)
                if project is None:
                    continue
                made = self._bring_line(document, line, project)
            except Waiting as error:
                self.waiting = self.waiting or error
                continue
            except Stop as error:
                self.problems.append(error)
                continue
            self.lines[line.key] = made
            new.append(made)
            self._keep(document)
        self._say("cost.brought", document, new)

    def _bring_line(self, document: Document, line: Line, project_guid: str) -> Brought:
        name, marker = f"line {line.key}", document.marker(line.key)
        known = self.delivery.step(name)
        if known is not None and known.done:
            return self._as_done(known, document, line.key)
        self._before_a_write()
        meant = self._meant(document, line, project_guid)
        return self._fee(document, line.key, name, marker, meant)

    def _meant(self, document: Document, line: Line, project_guid: str) -> Brought:
        """What the line is to become. Raises Stop for amounts that cannot be told and projects that take no costs."""
        settings = self.delivery.tenant.settings
        base = currency_of(self.delivery.books, self._base_currency())
        cost = plan.cost_of(line, document, base)
        project = self._project(document, project_guid)
        currency = currency_of(self.delivery.books, plan.project_currency(project, base))
        rates = plan.rates_of(self._currencies(), base)
        price = plan.price_of(cost, settings, base=base, currency=currency, rates=rates)
        if price is None:
            raise Stop(
                "cost.rate_missing", named(document) | _called(project) | {"currency": currency, "base": base}
            )
        return plan.planned(
            line,
            document,
            project,
            cost=cost,
            base=base,
            price=price,
            billable=settings.costs == "cost-and-fee",
            language=self.delivery.tenant.language,
        )

    def _fee(self, document: Document, key: str, name: str, marker: str, meant: Brought) -> Brought:
        """The fee of a line: the one that carries its marker already, else a new one, made once and read back."""
        again = self.delivery.step(name) is not None
        if not again:
            there = self._marked(document, marker)
            if there is not None:
                found = plan.found_as(there, meant)
                self.delivery.done(name, found.as_json())
                return found
        body = plan.fee_body(meant, marker)

        def send(permission: Permission) -> Json:
            created = self.delivery.severa.create(FEES, body, not_after=permission.not_after)
            return meant.as_json() | {"fee": text(created, "guid")}

        def look_up(sent: Json) -> Json | None:
            there = self._marked(document, marker)
            if there is None:
                self._no_look_alike(document, key, name, marker)
                return None
            return plan.sent_as(sent, meant, there).as_json()

        try:
            result = create_once(self.delivery, name, body, send, look_up)
        except Forbidden:
            raise
        except Refused as error:
            raise Stop("cost.line_refused", named(document) | {"line": key, "text": error.message}) from error
        return self._proven(brought(result), document, key, again=again)

    def _as_done(self, known: Step, document: Document, key: str) -> Brought:
        """What an answered step brought; read back if that was in this delivery. People may have changed an older one."""
        one = brought(known.result)
        ours = known.sent_at is not None and known.sent_at >= self.delivery.first_attempt_at
        return self._proven(one, document, key, again=True) if ours else one

    def _proven(self, one: Brought, document: Document, key: str, *, again: bool) -> Brought:
        """The fee just made, read back: amount, price, billable and project are what was sent (R-CST-3). ``again``: an earlier
        attempt made it; what a person has edited since is theirs."""
        if one.adopted:
            return one
        try:
            stored = self.delivery.severa.get(FEES, one.fee)
        except NotFound:
            stored = {}
        found = plan.differences(one, stored)
        if found and not (again and plan.edited(stored)):
            self.problems.append(
                Stop("cost.not_as_sent", named(document) | {"line": key, "differences": found})
            )
        return one

    def _marked(self, document: Document, marker: str) -> Json | None:
        """The fee that carries a marker, on whatever project: people move fees, and a database that was restored knows of
        none of them. Of several the first made counts, and a person is told."""
        if self._fees is None:
            since, severa = document.no_fee_before, self.delivery.severa
            rows = severa.list(FEES) if since is None else severa.list(FEES, changedSince=since)
            self._fees, self._unmarked = [], []
            for fee in rows:
                if document.prefix in text(fee, "description"):
                    self._fees.append(fee)
                elif MARKER not in text(fee, "description"):
                    self._unmarked.append(fee)
        found = [fee for fee in self._fees if marker in text(fee, "description")]
        if len(found) > 1:
            self.problems.append(
                Stop("cost.found_twice", named(document) | {"marker": marker, "count": len(found)})
            )
        return min(found, key=lambda fee: text(fee, "createdDateTime"), default=None)

    def _no_look_alike(self, document: Document, key: str, name: str, marker: str) -> None:
        """Raises Stop ``cost.look_alike`` when a fee without a marker may be the one that an unanswered call made: somebody has
        written over its text, and a second one would cost twice (docs/never-twice.md rule 7)."""
        step = self.delivery.step(name)
        if step is None or not has_settled(self.delivery, name):
            return
        found = [fee for fee in self._unmarked if plan.looks_like(fee, step)]
        if found:
            values = {"line": key, "marker": marker, "fee": text(found[0], "description")}
            raise Stop("cost.look_alike", named(document) | values)

    # ------------------------------------------------------------ voided documents

    def _take_back(self, document: Document) -> None:
        """One negative cost per line that was brought before its document was voided (R-CST-1)."""
        places = Places(self.delivery, document)
        if places.reversed_by_document():
            return
        self._recall(document, places)
        new: list[Brought] = []
        for key, one in self.lines.items():
            if key in self.voided:
                continue
            name = f"void {key}"
            known = self.delivery.step(name)
            try:
                if known is not None and known.done:
                    made = self._as_done(known, document, key)
                else:
                    self._before_a_write()
                    self._project(document, one.project)
                    meant = plan.taken_back(one)
                    made = self._fee(document, key, name, document.marker(key, void=True), meant)
            except Stop as error:
                self.problems.append(error)
                continue
            self.voided[key] = made
            new.append(made)
            self._keep(document)
        self._say("cost.taken_back", document, new)

    def _recall(self, document: Document, places: Places) -> None:
        """Lines that earlier attempts of this delivery brought, when the document was voided before it was settled."""
        for line in document.lines:
            name = f"line {line.key}"
            known = self.delivery.step(name)
            if line.key in self.lines or known is None:
                continue
            result = known.result if known.done else self._outcome(document, line, places, name)
            if result is not None:
                self.lines[line.key] = brought(result)
                self._keep(document)

    def _outcome(self, document: Document, line: Line, places: Places, name: str) -> Json | None:
        """What became of a fee that was sent without an answer, without ever sending it again."""
        known = self.delivery.step(name)
        project = places.project_of(line)
        if known is None or known.sent_at is None or project is None:
            return None
        meant = self._meant(document, line, project)
        there = self._marked(document, document.marker(line.key))
        if there is not None:
            found = plan.found_as(there, meant).as_json()
            self.delivery.done(name, found)
            return found
        wait_until_settled(self.delivery, known, "the outcome is not known yet")
        self._no_look_alike(document, line.key, name, document.marker(line.key))
        self.delivery.undone(name, "looked up after every limit: it was not done")
        return None

    # ------------------------------------------------------------ files

    def _bring_files(self, document: Document) -> None:
        """Files never hold back costs: what failed is told when everything else is done (R-CST-4)."""
        added, problems = Files(self.delivery, self.files, self._before_a_write).bring(document, self.lines)
        self.problems += problems
        if added:
            self._keep(document)
            self.after.say("cost.files", **named(document), files=added, partner=document.partner)

    # ------------------------------------------------------------ what is looked up

    def _project(self, document: Document, guid: str) -> Json:
        """The Severa project as it is now. Raises Stop when it is gone or closed: a cost is never dropped in silence."""
        if guid not in self._projects:
            try:
                self._projects[guid] = self.delivery.severa.get(PROJECTS, guid)
            except NotFound as error:
                raise Stop("cost.project_gone", named(document) | {"guid": guid}) from error
        project = self._projects[guid]
        if read(project, "isClosed"):
            raise Stop("cost.project_closed", named(document) | _called(project))
        return project

    def _currencies(self) -> list[Json]:
        return [record.body for record in self.delivery.books.all("severa", SEVERA_CURRENCIES)]

    def _base_currency(self) -> str:
        if not self._base:
            books = self.delivery.books
            organizations = [record.body for record in books.all("visma_net", ORGANIZATION)]
            self._base = plan.base_currency(organizations, self._currencies())
        if not self._base:
            wait_until_read(self.delivery.books, ("visma_net", ORGANIZATION), ("severa", SEVERA_CURRENCIES))
            raise self.after.stop("cost.currency_unknown")
        return self._base

    def _say(self, code: str, document: Document, new: list[Brought]) -> None:
        if not new:
            return
        links = (self.delivery.books.link("project", severa_id=one.project) for one in new)
        numbers = {link.severa_number for link in links if link is not None}
        total: Decimal = sum((one.cost for one in new), Decimal(0))
        values: dict[str, Any] = {
            "lines": len(new),
            "amount": money(total, new[0].currency),
            "projects": sorted(numbers),
            "partner": document.partner,
        }
        self.after.say(code, **named(document), **values)


def _lacks(record: Record) -> bool:
    """A list may leave the lines out, and the VAT details that lines with VAT are divided by."""
    lines = read(record.body, "invoiceLines" if record.register == SUPPLIER_INVOICES else LINES)
    return lines is None or (includes_vat(record.body) and not read(record.body, "taxDetailLines"))


def _called(project: Json) -> dict[str, Any]:
    return {"project": named_record(text(project, "number"), text(project, "name"))}
