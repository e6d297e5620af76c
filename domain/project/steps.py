"""The moves of a project: wait for its customer, link or create, keep name, customer, start and status in step."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

from domain import mirror, sent
from domain.errors import NotFound, Stop, TryLater, Waiting
from domain.mapper import day, read, text, unwrap, update_body
from domain.merge import Base
from domain.model import Announce, Json, Link, Permission, Record, Settled, Stored
from domain.moves import (
    Aftermath,
    create_once,
    explained,
    guarded,
    join_found,
    key_length,
    must_stand,
    severa_now,
    shown,
    wait_until_read,
    wait_until_settled,
)
from domain.ports import Delivery
from domain.project import plan
from domain.project.description import MIRROR
from domain.project.registers import (
    ERP_PROJECT,
    PROJECT_KEY,
    PROJECTS,
    SALES_STATUSES,
    erp_id,
    natural_key,
)
from domain.project.table import STATUS_BY_STATE

# How soon a project that is to be closed is looked at again while an invoice of it is in transfer (R-PRJ-3).
TRANSFER_WAIT = 300.0

_CREATE = "create project"
# The step of a status move.
STATUS_STEP = "project status"

# The log line of a status move.
STATUS_CODES = {
    "Active": "project.activated",
    "Completed": "project.completed",
    "Cancelled": "project.cancelled",
}


def settle(delivery: Delivery) -> Settled:
    """Brings one sales case or project to the ERP (R-PRJ-1..6). ERP projects without a link concern nobody.

    Raises Waiting for its customer, Stop ``project.*``, TryLater, OutcomeUnknown and what the vendors' calls raise.
    """
    work = _Work(delivery)
    record = delivery.severa_record or delivery.erp_record
    name = record.name if record is not None else (delivery.link.severa_number if delivery.link else "")
    with explained("project", name, work.after):
        if delivery.link is not None:
            work.linked(delivery.link)
        elif delivery.severa_record is not None:
            work.unlinked(delivery.severa_record)
    return work.after.settled()


@dataclass(slots=True)
class _Work:
    delivery: Delivery
    after: Aftermath = field(default_factory=Aftermath)

    # ------------------------------------------------------------ first meeting

    def unlinked(self, record: Record) -> None:
        """A project without a link: link it to the ERP project of its number, or create that."""
        project, books = record.body, self.delivery.books
        if record.gone or plan.is_internal(project, self._customer_record(project)):
            return
        if books.link("project", severa_id=record.id) is not None:
            return
        wait_until_read(books, ("visma_net", ERP_PROJECT), ("severa", SALES_STATUSES))
        state = self._state(project)
        # One that a delivery has begun to make is known to the ERP, and closed there once it is linked.
        again = self.delivery.step(_CREATE) is not None
        begun = again or bool(sent.halves(self.delivery.sent_so_far, record.id))
        if state != "open" and not begun and not self._transferring(record.id):
            # Closed before the bridge knew it: the ERP never heard of it, there is nothing to make inactive. It is
            # made when a late invoice or credit note needs it.
            return
        customer = self._customer(project)
        # What a poll shows under our number once a create was sent is our own.
        found = None if again else self._existing(project, customer)
        if found is not None:
            self._link_new(project, found, state, customer, "project.linked")
            return
        settings = self.delivery.tenant.settings
        length = key_length(self.delivery, PROJECT_KEY)
        number = plan.number_of(project, length, settings.project_number_padding)
        if not again:
            found = self._typed_meanwhile(project, number, customer)
            if found is not None:
                self._link_new(project, found, state, customer, "project.linked")
                return
        if length is not None and len(number) < length:
            described = {**plan.describe(project), "length": len(number), "limit": length}
            self.after.say("project.number_short", level="warning", **described)
        request = update_body(
            plan.new_project(
                project,
                number=number,
                customer=customer,
                template=settings.project_template,
                start=self._start(project),
            )
        )
        self.delivery.hold_key(natural_key({"projectID": number}))
        result = create_once(
            self.delivery,
            _CREATE,
            request,
            lambda permission: self._send(number, request, permission),
            self._look_up,
        )
        try:
            made = shown(self.delivery, _CREATE, lambda: self.delivery.erp.get(ERP_PROJECT, result["number"]))
        except NotFound as error:
            raise self.after.stop("project.not_found_after_create", **plan.describe(project)) from error
        # An unknown outcome may have met somebody else's project of this number.
        step = self.delivery.step(_CREATE)
        self._same_customer(project, made.body, unwrap(step.request["customer"]) if step else customer)
        self._link_new(project, made, "open", customer, "project.created", again=again)
        if state != "open":
            self.after.announce.append(Announce("project", "severa", PROJECTS, record.id))

    def _send(self, number: str, request: Json, permission: Permission) -> Json:
        """Makes the project; the step's result."""
        self.delivery.sending(plan.status_created(STATUS_BY_STATE["open"]), {}, part=_CREATE)
        key = self.delivery.erp.create(ERP_PROJECT, request, not_after=permission.not_after)
        return {"number": number, "key": key}

    def _look_up(self, asked: Json) -> Json | None:
        """What an unanswered create made, under the number that was sent."""
        number = str(unwrap(asked["projectID"]))
        return {"number": number} if self._read(number) is not None else None

    def _existing(self, project: Json, customer: str) -> Stored | None:
        """The ERP project that has this number already. Raises Stop when it is another customer's or linked."""
        own = text(project, "number")
        padded = own.zfill(self.delivery.tenant.settings.project_number_padding)
        found = [
            record
            for number in dict.fromkeys((padded, own) if own else ())
            for record in self.delivery.books.find("visma_net", ERP_PROJECT, number=number)
        ]
        if not found:
            return None
        self._not_linked(project, found[0].id)
        now = self._read(found[0].number)
        if now is not None:
            self._same_customer(project, now.body, customer)
        return now

    def _typed_meanwhile(self, project: Json, number: str, customer: str) -> Stored | None:
        """The ERP project of this number, asked for just now: somebody may have typed it there since the last poll."""
        now = self._read(number)
        if now is not None:
            self._not_linked(project, erp_id(now.body))
            self._same_customer(project, now.body, customer)
        return now

    def _not_linked(self, project: Json, there: str) -> None:
        """Raises Stop ``project.number_linked``, or ``project.number_of_deleted`` when the project it is linked to does
        not exist any more: nobody can give that one another number. Asked for just now, since deletions are seen only
        when a register is read whole."""
        other = self.delivery.books.link("project", erp_id=there)
        if other is None:
            return
        try:
            severa_now(self.delivery, PROJECTS, other.severa_id)
        except NotFound as error:
            raise Stop("project.number_of_deleted", plan.describe(project)) from error
        raise Stop("project.number_linked", {**plan.describe(project), "other": other.severa_number})

    def _same_customer(self, project: Json, there: Json, customer: str) -> None:
        theirs = text(there, "customer.number")
        if theirs != customer:
            raise Stop(
                "project.number_taken",
                {
                    **plan.describe(project),
                    "other": text(there, "description"),
                    "customer": customer,
                    "other_customer": theirs,
                },
            )

    def _read(self, number: str) -> Stored | None:
        try:
            return self.delivery.erp.get(ERP_PROJECT, number)
        except NotFound:
            return None

    # ------------------------------------------------------------ what decides

    def _customer_record(self, project: Json) -> Record | None:
        guid = text(project, "customer.guid")
        return self.delivery.books.record("severa", "customers", guid) if guid else None

    def _customer(self, project: Json) -> str:
        """The ERP number of the project's customer. Raises Waiting (R-PRJ-5) or Stop ``project.customer_missing``."""
        guid = text(project, "customer.guid")
        if not guid:
            raise Stop("project.customer_missing", plan.describe(project))
        link = self.delivery.books.link("customer", severa_id=guid)
        if link is None:
            waiting = Waiting("customer", severa_id=guid, name=text(project, "customer.name"))
            if self.delivery.books.has_problem("customer", severa_id=guid):
                # Waiting would look as if it went on by itself: its problem points at the customer's.
                values = {**plan.describe(project), "customer": waiting.name}
                raise Stop("project.customer_in_error", values, waits_for=waiting)
            raise waiting
        return mirror.last_number(self.delivery, link)

    def _state(self, project: Json) -> plan.State:
        return plan.state_of(project, self.delivery.books.all("severa", SALES_STATUSES))

    def _transferring(self, project_id: str) -> bool:
        books = self.delivery.books
        return plan.in_transfer(
            project_id,
            books.all("severa", "invoices"),
            books.all("severa", "invoicestatuses"),
            self.delivery.tenant.settings,
        )

    # ------------------------------------------------------------ linked

    def linked(self, link: Link) -> None:
        """Writes what differs; both sides are read again before anything is written."""
        severa_record, erp_record = self.delivery.severa_record, self.delivery.erp_record
        self._settle_status()
        wait_until_read(self.delivery.books, ("severa", SALES_STATUSES))
        if (
            severa_record is not None
            and erp_record is not None
            and not (severa_record.gone or erp_record.gone)
            and self._quiet(link, severa_record, erp_record)
        ):
            return
        project = mirror.in_severa(MIRROR, self.delivery, link)
        if plan.is_internal(project, self._customer_record(project)):
            return
        there = mirror.in_erp(MIRROR, self.delivery, link)
        link = replace(link, base=plan.base_of(link.base, sent.of(link.state), there.body))
        state = self._state(project)
        self._write(link, project, there, state, self._customer(project))

    def _quiet(self, link: Link, severa: Record, erp: Record) -> bool:
        """Nothing to write as far as the last seen states tell: then nobody is asked. What was sent by a delivery without an
        end may be newer than they are."""
        if plan.is_internal(severa.body, self._customer_record(severa.body)):
            return True
        if sent.of(link.state):
            return False
        wanted = self._wanted(severa.body, self._state(severa.body), self._customer(severa.body), link)
        start = self._start(severa.body)
        seen = plan.changes(
            wanted,
            erp.body,
            link.base,
            transferring=False,
            fallback_start=start,
            needed=self._needed(link.severa_id),
        )
        return not seen.members and not plan.numbers(link, severa.body, erp.body)[2]

    def _needed(self, project_id: str) -> bool:
        """Whether a late document waits for the project to be Active (docs/never-twice.md rule 20)."""
        return "active" in self.delivery.books.needed("project", severa_id=project_id)

    def _wanted(self, project: Json, state: plan.State, customer: str, link: Link) -> plan.Wanted:
        needed = self._needed(link.severa_id)
        return plan.Wanted(
            name=text(project, "name"),
            customer=customer,
            start=day(read(project, "startDate")),
            status=plan.status_wanted(state, link.base, needed=needed),
            task=self.delivery.tenant.settings.project_task,
            asked=STATUS_BY_STATE[state],
        )

    def _start(self, project: Json) -> date:
        return plan.start_of(project, self.delivery.tenant.time_zone, self.delivery.now())

    def _link_new(
        self,
        project: Json,
        there: Stored,
        state: plan.State,
        customer: str,
        code: str,
        *,
        again: bool = False,
    ) -> None:
        """Links a project and an ERP project, and writes what differs: Severa owns projects, but for a status that somebody
        has set in the ERP after an earlier attempt (``again``: that made it) had gone so far."""
        so_far = self.delivery.sent_so_far
        own = sent.joined(
            so_far.get(_CREATE, {}) if again else {},
            so_far.get(sent.met(text(project, "guid"), erp_id(there.body)), {}),
        )
        link = Link(
            id="",
            domain="project",
            severa_register=PROJECTS,
            severa_id=text(project, "guid"),
            # One that was renumbered since it was made is told as such (R-CUS-8).
            severa_number=text(there.body if again else project, "projectID" if again else "number"),
            erp_register=ERP_PROJECT,
            erp_id=erp_id(there.body),
            erp_number=text(there.body, "projectID"),
            base=plan.base_of({}, own, there.body),
        )
        if code == "project.linked":
            join_found(self.delivery, severa_id=link.severa_id, erp_id=link.erp_id)
        self._keep(link, {}, (link.severa_number, link.erp_number))
        self.after.say(code, **plan.describe(project))
        self._write(link, project, there, state, customer)

    def _write(self, link: Link, project: Json, there: Stored, state: plan.State, customer: str) -> None:
        wanted = self._wanted(project, state, customer, link)
        transferring = plan.is_inactive(wanted.status) and self._transferring(link.severa_id)
        todo = plan.changes(
            wanted,
            there.body,
            link.base,
            transferring=transferring,
            fallback_start=self._start(project),
            needed=self._needed(link.severa_id),
        )
        stored = there.body
        lost: tuple[str, ...] = ()
        # Of a first meeting also what is the same: whoever sets another status before its end has not been overruled.
        if "status" in todo.fields or not link.id:
            part = "" if link.id else sent.met(link.severa_id, link.erp_id)
            self.delivery.sending(plan.status_sent(wanted, stored, todo), {}, part=part)
        if todo.members:
            number = text(stored, "projectID")
            self._update(number, todo, there.etag)
            stored = self.delivery.erp.get(ERP_PROJECT, number).body
            lost = plan.untaken(todo, wanted, there.body, stored)
            todo = replace(todo, fields=tuple(name for name in todo.fields if name not in lost))
            self._say_written(project, todo, wanted)
        self.after.see("severa", PROJECTS, link.severa_id, project)
        self.after.see("visma_net", ERP_PROJECT, link.erp_id, stored)
        severa_number, erp_number, renumbered = plan.numbers(link, project, stored)
        self._keep(link, plan.stored_base(todo, wanted, stored), (severa_number, erp_number))
        must_stand(self.delivery, self.after, lost, system="visma_net", name=text(project, "name"))
        if renumbered:
            raise self.after.stop(
                "project.renumbered",
                **plan.describe(project),
                erp_number=text(stored, "projectID"),
                linked_number=link.erp_number,
            )
        if todo.held:
            raise TryLater(
                "an invoice of the project is in transfer", retry_after=TRANSFER_WAIT, costs_attempt=False
            )

    def _update(self, number: str, todo: plan.Changes, etag: str | None) -> None:
        """One PUT with If-Match. One that moves the status stands in a step: a late *Completed* must not meet a document that
        was promised an active project (docs/never-twice.md rule 21)."""
        members = update_body(todo.members)
        if "status" not in todo.fields:
            self.delivery.erp.update(ERP_PROJECT, number, members, etag=etag)
            return
        guarded(
            self.delivery,
            STATUS_STEP,
            {"status": todo.members["status"]},
            lambda permission: self.delivery.erp.update(
                ERP_PROJECT, number, members, etag=etag, not_after=permission.not_after
            ),
        )
        self.delivery.done(STATUS_STEP, {})

    def _settle_status(self) -> None:
        """A status that nobody answered is waited for before the project is read: what stands then, stands."""
        step = self.delivery.step(STATUS_STEP)
        if step is None or step.done or step.sent_at is None:
            return
        wait_until_settled(self.delivery, step, "it is not known yet whether the project's status was moved")
        self.delivery.undone(STATUS_STEP, "settled: judged by what stands")

    def _say_written(self, project: Json, todo: plan.Changes, wanted: plan.Wanted) -> None:
        described = plan.describe(project)
        if "status" in todo.fields:
            self.after.say(STATUS_CODES[wanted.status], **described)
        others = [name for name in todo.fields if name != "status"]
        if others:
            self.after.say("project.updated", **described, fields=others)

    def _keep(self, link: Link, base: Base, numbers: tuple[str, str]) -> None:
        self.after.link = link.with_(
            severa_number=numbers[0], erp_number=numbers[1], base=base, state=sent.settled(link.state)
        )
