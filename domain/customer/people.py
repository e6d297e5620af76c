"""The moves of a customer's contact persons. They settle with their customer and are linked in its link's state:
``contacts``: Severa guid → {id: ERP contact id, base: {field: [severa, erp]}}.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from domain import pingpong, sent
from domain.customer import contacts, reaching
from domain.customer.contacts import COMMUNICATION_OF, Pair, Person
from domain.customer.reaching import OF_PERSON
from domain.customer.registers import COMMUNICATIONS, CONTACTS, CUSTOMERS, ERP_CONTACT
from domain.customer.work import Work
from domain.errors import OutcomeUnknown, Refused
from domain.mapper import flag, patch, read, text, unwrap, update_body
from domain.merge import Base, Merge, alike, carried_before, settled_base, stood, unagreed, untaken, without
from domain.model import Announce, Json, Permission, Record, Stored, System
from domain.moves import create_once, fields_named, latest_side, must_stand, shown, told
from domain.moves import pairs as differences
from domain.sent import Sides

_REGISTERS: tuple[tuple[System, str], ...] = (
    ("severa", CONTACTS),
    ("severa", COMMUNICATIONS),
    ("visma_net", ERP_CONTACT),
)


_CARRIED = tuple(contacts.rules("ask"))


@dataclass(slots=True)
class Trouble:
    """What a person must look at, after everything else was done."""

    conflicts: list[Json] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    halted: list[str | Json] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Known:
    """A contact with its record on either side."""

    person: Person
    contact: Json
    entry: Mapping[str, Any]


class People:
    """The contacts of one customer as last seen, and what has to happen to them."""

    def __init__(
        self, work: Work, severa_guid: str, erp_numbers: Iterable[str], state: Mapping[str, Any]
    ) -> None:
        """``erp_numbers``: the customer's number now and as linked; the last one is where new contacts go."""
        self.work = work
        self.customer = severa_guid
        self.numbers = [number for number in dict.fromkeys(erp_numbers) if number]
        self.entries: dict[str, dict[str, Any]] = {
            k: dict(v) for k, v in (state.get("contacts") or {}).items()
        }
        self.doubtful_before = set(state.get("doubtful_contacts") or ())
        self.state = state
        books = work.delivery.books
        # Nothing is matched or created before all were read once; their rows bring the customer back.
        self.readable = all(books.complete(system, register) for system, register in _REGISTERS)
        self.records: dict[str, Record] = {}
        self.persons: dict[str, Person] = {}
        self.contacts: dict[str, Json] = {}
        if self.readable:
            self._collect()

    def _collect(self) -> None:
        books = self.work.delivery.books
        for record in books.find("severa", CONTACTS, owner=self.customer):
            self.records[record.id] = record
            self.persons[record.id] = Person(record.body, self._communications(record.id))
        for number in self.numbers:
            for record in books.find("visma_net", ERP_CONTACT, owner=number):
                self.records[record.id] = record
                self.contacts[record.id] = record.body
        for entry in self.entries.values():
            # A linked contact stays linked, also when the ERP has given it another customer.
            if entry["id"] not in self.contacts:
                found = books.record("visma_net", ERP_CONTACT, entry["id"])
                if found is not None and not found.gone:
                    self.records[found.id] = found
                    self.contacts[found.id] = found.body

    def _communications(self, guid: str) -> tuple[Json, ...]:
        return tuple(one.body for one in self.work.delivery.books.find("severa", COMMUNICATIONS, owner=guid))

    # ------------------------------------------------------------ what there is to do

    def _linked(self) -> list[_Known]:
        return [
            _Known(self.persons[guid], self.contacts[entry["id"]], entry)
            for guid, entry in self.entries.items()
            if guid in self.persons and entry["id"] in self.contacts
        ]

    def _free(self) -> tuple[list[Person], list[Json]]:
        taken = {entry["id"] for entry in self.entries.values()}
        persons = [person for guid, person in sorted(self.persons.items()) if guid not in self.entries]
        theirs = [contact for key, contact in sorted(self.contacts.items()) if key not in taken]
        # Contacts that nobody uses any more stay where they are, as inactive customers do (R-CUS-3).
        return (
            [person for person in persons if contacts.severa_values(person)["active"] == "true"],
            [contact for contact in theirs if flag(read(contact, "active"))],
        )

    def quiet(self) -> bool:
        """Nothing to write, link or say as far as the last seen states tell."""
        if not self.readable:
            return True
        persons, theirs = self._free()
        pairs, doubtful = contacts.matched(persons, theirs)
        if pairs or doubtful != self.doubtful_before:
            return False
        if any(one.guid not in doubtful for one in persons):
            return False
        if any(text(contact, "contactId") not in doubtful for contact in theirs):
            return False
        return all(self._quiet(known) for known in self._linked())

    def _quiet(self, known: _Known) -> bool:
        """What a delivery without an end sent may be newer than what was seen last."""
        seen, emptied = self._merged(known)
        return seen.quiet and not emptied and not self._sent(known.person.guid, str(known.entry["id"]))

    def _merged(self, known: _Known) -> tuple[Merge, tuple[str, ...]]:
        pair = Pair(
            known.person,
            known.contact,
            known.entry.get("base") or {},
            self._sent(known.person.guid, str(known.entry["id"])),
            carried_before(known.entry.get("base") or {}, known.entry),
        )
        latest = latest_side(self.records.get(known.person.guid), self.records.get(str(known.entry["id"])))
        return pair.merged(self.work.settings.conflict_customer, latest)

    # ------------------------------------------------------------ doing it

    def settle(self) -> Trouble:
        """Links, makes and merges contacts. The link of the customer must stand in the aftermath already."""
        trouble = Trouble()
        if not self.readable:
            return trouble
        persons, theirs = self._free()
        pairs, doubtful = contacts.matched(persons, theirs)
        for person, contact in pairs:
            self._keep(person.guid, text(contact, "contactId"), {})
            self.work.after.say("customer.contact_linked", contact=_name(person.body))
        paired = {one.guid for one, _ in pairs} | {text(contact, "contactId") for _, contact in pairs}
        for known in self._linked():
            self._guarded(trouble, _name(known.person.body), partial(self._write, known, trouble))
        for person in persons:
            if person.guid not in doubtful | paired:
                self._guarded(trouble, _name(person.body), partial(self._make_in_erp, person))
        for contact in theirs:
            if text(contact, "contactId") not in doubtful | paired:
                self._guarded(trouble, _name(contact), partial(self._make_in_severa, contact))
        self._say_doubtful(doubtful)
        return trouble

    def _guarded(self, trouble: Trouble, name: str, move: Callable[[], None]) -> None:
        """One contact that is refused holds up neither the others nor its customer."""
        try:
            move()
        except Refused as error:
            if error.status == 412:
                raise
            trouble.refused.append(f"{name}: {error.message}")

    def _say_doubtful(self, doubtful: set[str]) -> None:
        if doubtful - self.doubtful_before:
            named = [_name(self.persons[one].body) for one in sorted(doubtful) if one in self.persons]
            self.work.after.say("customer.contacts_ambiguous", level="warning", contacts=named)
        if doubtful != self.doubtful_before:
            self._relabel(doubtful_contacts=sorted(doubtful))

    def _keep(self, guid: str, contact_id: str, base: Mapping[str, Any]) -> None:
        self.entries[guid] = {"id": contact_id, "base": dict(base), **unagreed(_CARRIED, base)}
        self._relabel(contacts=self.entries)
        for part in (_part(guid), _part(contact_id)):
            if self.work.after.link is not None:
                self.work.relabel(state=sent.settled(self.work.after.link.state or {}, part))

    def _relabel(self, **changes: Any) -> None:
        link = self.work.after.link
        if link is not None:
            self.work.relabel(state={**(link.state or {}), **changes})

    def _sent(self, guid: str, contact_id: str) -> sent.Values:
        """What deliveries without an end sent to a contact, or made it with."""
        return sent.joined(sent.of(self.state, _part(contact_id)), sent.of(self.state, _part(guid)))

    def _sending(self, guid: str, pair: Pair, merged: Merge, *, first: bool) -> None:
        """What is about to be written is remembered first; of two that are matched also what is the same on both sides."""
        same = alike(merged) if first else {}
        self.work.delivery.sending(
            {**same, **merged.to_erp}, merged.to_severa, part=_part(guid), over=pair.values()
        )

    # ------------------------------------------------------------ both exist

    def _write(self, known: _Known, trouble: Trouble) -> None:
        guid, contact_id = known.person.guid, str(known.entry["id"])
        seen, _ = self._merged(known)
        base = known.entry.get("base") or {}
        if self._quiet(known):
            ours, theirs = Pair(known.person, known.contact).values()
            self._keep(guid, contact_id, settled_base(base, seen, ours, theirs))
            return
        there = self._contact_now(contact_id)
        person = self._person_now(known.person)
        old = carried_before(base, known.entry)
        pair = Pair(person, there.body, base, self._sent(guid, contact_id), old)
        latest = latest_side(
            self.records.get(guid),
            self.records.get(contact_id),
            severa_newer=contacts.severa_values(person) != contacts.severa_values(known.person),
            erp_newer=contacts.erp_values(there.body) != contacts.erp_values(known.contact),
        )
        merged, emptied = pair.merged(self.work.settings.conflict_customer, latest)
        prefix = f"{_part(guid)}:"
        merged, halted = pingpong.without(
            merged, pingpong.halted(self.state, self.work.delivery.now(), prefix)
        )
        name = _name(person.body)
        contact = there.body
        self._sending(guid, pair, merged, first=not base)
        if merged.to_erp:
            members = update_body(contacts.erp_members(merged.to_erp))
            self.work.delivery.erp.update(ERP_CONTACT, contact_id, members, etag=there.etag)
            contact = self.work.delivery.erp.get(ERP_CONTACT, contact_id).body
        self._see_contact(contact)
        if merged.to_severa:
            person = self._to_severa(person, merged.to_severa)
        merged, lost = self._taken(pair, merged, Pair(person, contact))
        if merged.to_erp:
            self._said("customer.contact_updated_in_erp", name, merged.to_erp)
        if merged.to_severa:
            self._said("customer.contact_updated_in_severa", name, merged.to_severa)
        told(self.work.after, "customer", name, merged)
        if emptied:
            self.work.after.say(
                "customer.contact_emptied", level="warning", contact=name, fields=list(emptied)
            )
        ours, theirs = Pair(person, contact).values()
        self._keep(guid, contact_id, settled_base(base, merged, ours, theirs))
        for system, fields in lost.items():
            must_stand(self.work.delivery, self.work.after, fields, system=system, name=name, about=guid)
        self.work.note(to_erp=merged.to_erp, to_severa=merged.to_severa, prefix=prefix)
        if merged.asked:
            trouble.conflicts += differences(merged.asked, of=name)
        if halted:
            trouble.halted += [{"field": one, "of": name} for one in halted]

    @staticmethod
    def _taken(before: Pair, merged: Merge, now: Pair) -> tuple[Merge, dict[System, tuple[str, ...]]]:
        """The merge without what was answered with a yes and is not shown, and that by system."""
        (ours, theirs), (ours_now, theirs_now) = before.values(), now.values()
        lost: dict[System, tuple[str, ...]] = {
            "visma_net": untaken(merged.to_erp, theirs, theirs_now),
            "severa": untaken(merged.to_severa, ours, ours_now),
        }
        return without(merged, {name for names in lost.values() for name in names}), lost

    def _said(self, code: str, name: str, changes: Mapping[str, str]) -> None:
        self.work.after.say(code, contact=name, fields=fields_named(changes))

    def _contact_now(self, contact_id: str) -> Stored:
        return self.work.delivery.erp.get(ERP_CONTACT, contact_id)

    def _person_now(self, person: Person) -> Person:
        """The contact person and its communications, read again: a person may have edited them since the poll (rule 14)."""
        severa = self.work.delivery.severa
        body = severa.get(CONTACTS, person.guid)
        rows = tuple(_owned(row, person.guid) for row in severa.list(OF_PERSON, parent=person.guid))
        for row in rows:
            self._see_communication(row)
        self._see_person(body)
        return Person(body, rows)

    def _to_severa(self, person: Person, changes: Mapping[str, str]) -> Person:
        severa = self.work.delivery.severa
        body, rows = person.body, {text(row, "guid"): row for row in person.communications}
        members = contacts.severa_members(changes)
        if members:
            body = severa.patch(CONTACTS, person.guid, patch(members))
        self._see_person(body)
        for name, value in changes.items():
            if name not in COMMUNICATION_OF:
                continue
            known = person.communication(name)
            if known is not None:
                row = severa.patch(COMMUNICATIONS, text(known, "guid"), {"/value": value})
            else:
                row = reaching.made(self.work, person.guid, name, value)
            rows[text(row, "guid")] = _owned(row, person.guid)
            self._see_communication(rows[text(row, "guid")])
        return Person(body, tuple(rows.values()))

    # ------------------------------------------------------------ one is missing

    def _make_in_erp(self, person: Person) -> None:
        erp, number = self.work.delivery.erp, self.numbers[-1]
        members = contacts.new_erp_contact(person, number)
        if not members.get("lastName"):
            return
        request = update_body(members)

        def look_up(asked: Json) -> Json | None:
            taken = {entry["id"] for entry in self.entries.values()}
            rows = [
                row
                for row in erp.list(ERP_CONTACT, businessAccount=number)
                if text(row, "contactId") not in taken
            ]
            # Somebody may have renamed it since: then its e-mail address tells.
            for names in (("firstName", "lastName"), ("email",)):
                wanted = [unwrap(asked.get(name)) or "" for name in names]
                for row in rows:
                    if any(wanted) and [text(row, name) for name in names] == wanted:
                        return {"id": text(row, "contactId")}
            return None

        def send(permission: Permission) -> Json:
            self.work.delivery.sending(contacts.made_in_erp(person), {}, part=_part(person.guid))
            key = erp.create(ERP_CONTACT, request, not_after=permission.not_after)
            found = {"id": key} if key else look_up(request)
            if found is None:
                raise OutcomeUnknown("created, but not to be found yet")
            return found

        step = f"create contact of {person.guid}"
        again = self.work.delivery.step(step) is not None
        result = create_once(self.work.delivery, step, request, send, look_up)
        contact = shown(self.work.delivery, step, lambda: erp.get(ERP_CONTACT, result["id"])).body
        self._see_contact(contact)
        self._made(person, contact, "customer.contact_created_in_erp", again=again)

    def _make_in_severa(self, contact: Json) -> None:
        severa, contact_id = self.work.delivery.severa, text(contact, "contactId")
        body = contacts.new_person(contact, self.customer)

        def look_up(asked: Json) -> Json | None:
            for row in severa.list("customers/contactpersons", parent=self.customer):
                same = all(text(row, name) == text(asked, name) for name in ("firstName", "lastName"))
                if same and text(row, "guid") not in self.entries and text(row, "guid") not in self.persons:
                    return {"guid": text(row, "guid")}
            return None

        values = contacts.erp_values(contact)

        def send(permission: Permission) -> Json:
            # Its phone numbers and addresses are made one by one.
            over: Sides = (dict.fromkeys(COMMUNICATION_OF, ""), {})
            self.work.delivery.sending(
                {}, contacts.made_in_severa(contact), part=_part(contact_id), over=over
            )
            return {"guid": text(severa.create(CONTACTS, body, not_after=permission.not_after), "guid")}

        step = f"create contact of {contact_id}"
        again = self.work.delivery.step(step) is not None
        result = create_once(self.work.delivery, step, body, send, look_up)
        guid = result["guid"]
        rows = [
            reaching.made(self.work, guid, name, values[name])
            for name in COMMUNICATION_OF
            if values.get(name)
        ]
        made = shown(self.work.delivery, step, lambda: severa.get(CONTACTS, guid))
        person = Person(made, tuple(_owned(row, guid) for row in rows))
        self._see_person(person.body)
        for row in person.communications:
            self._see_communication(row)
        self._see_contact(contact)
        self._made(person, contact, "customer.contact_created_in_severa", again=again)

    def _made(self, person: Person, contact: Json, code: str, *, again: bool) -> None:
        """``again``: an earlier attempt made it. What somebody edited since keeps what was sent for its base, and the next
        delivery merges it."""
        ours, theirs = Pair(person, contact).values()
        base = {name: [ours[name], theirs[name]] for name in ours if name in theirs}
        contact_id = text(contact, "contactId")
        edited = self._edited(person.guid, contact_id, base) if again else {}
        if edited:
            self.work.after.announce.append(Announce("customer", "severa", CUSTOMERS, self.customer))
        self._keep(person.guid, contact_id, base | edited)
        self.work.after.say(code, contact=_name(person.body))

    def _edited(self, guid: str, contact_id: str, now: Base) -> Base:
        made, rules = self._sent(guid, contact_id), contacts.rules(self.work.settings.conflict_customer)
        found: Base = {}
        for name, (ours, theirs) in now.items():
            if name in made and not rules[name].same(ours, theirs):
                pair = stood(made[name], ours, theirs, rules[name])
                found |= {name: list(pair)} if pair is not None else {}
        return found

    # ------------------------------------------------------------ what is left behind

    def _see_person(self, body: Json) -> None:
        self.work.after.see("severa", CONTACTS, text(body, "guid"), body)

    def _see_communication(self, row: Json) -> None:
        self.work.after.see("severa", COMMUNICATIONS, text(row, "guid"), row)

    def _see_contact(self, contact: Json) -> None:
        self.work.after.see("visma_net", ERP_CONTACT, text(contact, "contactId"), contact)


def _owned(row: Json, guid: str) -> Json:
    return row if text(row, "contact.guid") else {**row, "contact": {"guid": guid}}


def _part(guid: str) -> str:
    return f"contact:{guid}"


def _name(body: Json) -> str:
    parts = (text(body, "firstName"), text(body, "lastName"))
    return " ".join(part for part in parts if part and part != contacts.NO_NAME) or text(body, "email")
