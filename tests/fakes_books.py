"""What the bridge remembers, in dictionaries: records, links, choices and problems."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from domain import sent
from domain.model import Domain, Json, Link, LinkUpdate, Record, System
from domain.ports import Answer, Books
from domain.registers import Register
from domain.text import code_key, name_key
from tests.fakes_vendors import Clock, identify


class FakeBooks:
    """What the bridge remembers, in dictionaries."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.links: list[Link] = []
        self.records: dict[tuple[str, str, str], Record] = {}
        self.incomplete: set[tuple[str, str]] = set()
        self.problems: set[tuple[str, str]] = set()
        self.choices: dict[tuple[str, str], str] = {}
        self.branches: dict[str, str] = {}
        self.markers: dict[str, str] = {}
        self.first_seen: dict[tuple[str, str, str], datetime] = {}
        self.needs: dict[tuple[str, str], tuple[str, ...]] = {}
        self.owners: dict[tuple[str, str], str] = {}
        self.registers: dict[tuple[str, str], Register] = {}

    def at_once(self, ask: Callable[[Books], Answer]) -> Answer:
        return ask(self)

    def remember(
        self,
        system: System,
        register: str,
        body: Json,
        *,
        id: str | None = None,
        number: str | None = None,
        name: str | None = None,
        remote_time: datetime | None = None,
    ) -> Record:
        """Stores the last seen state of a record, as the poller or a finished delivery would."""
        own_id = id or identify(system, register, body)
        before = self.records.get((system, register, own_id))
        shown = (
            number if number is not None else _first(body, "number", "code", "inventoryNumber", "projectID")
        )
        record = Record(
            system=system,
            register=register,
            id=own_id,
            number=shown or _first(body, "referenceNumber"),
            name=name if name is not None else _first(body, "name", "description"),
            body=copy.deepcopy(body),
            version=before.version + 1 if before else 1,
            remote_time=remote_time,
            requested_at=self.clock.now(),
            changed_at=before.changed_at if before and before.body == body else self.clock.now(),
        )
        self.records[system, register, own_id] = record
        self.first_seen.setdefault((system, register, own_id), self.clock.now())
        # As in the database: a row that shows no note keeps the marker that an earlier one had.
        if register == "customerdocument" and (note := str(body.get("note") or "").split("\n", 1)[0].split()):
            self.markers[own_id] = note[0]
        return record

    def connect(self, domain: Domain, severa: Record, erp: Record, **more: Any) -> Link:
        """Links two remembered records."""
        made = Link(
            id=f"{domain}-{len(self.links) + 1}",
            domain=domain,
            severa_register=severa.register,
            severa_id=severa.id,
            severa_number=severa.number,
            erp_register=erp.register,
            erp_id=erp.id,
            erp_number=erp.number,
            base=more.pop("base", {}),
            **more,
        )
        self.links.append(made)
        return made

    def write_link(self, domain: Domain, update: LinkUpdate, document: tuple[str, str] | None = None) -> Link:
        """What the finishing transaction does with a LinkUpdate."""
        old = self.link(domain, severa_id=update.severa_id) or self.link(domain, erp_id=update.erp_id)
        made = Link(
            id=old.id if old else f"{domain}-{len(self.links) + 1}",
            domain=domain,
            severa_register=update.severa_register,
            severa_id=update.severa_id,
            severa_number=update.severa_number,
            erp_register=update.erp_register,
            erp_id=update.erp_id,
            erp_number=update.erp_number,
            base=update.base if update.base is not None else (old.base if old else {}),
            document=document or (old.document if old else None),
            booked=old.booked if old else None,
            state=self._state(old, update),
        )
        self.links = [known for known in self.links if known is not old] + [made]
        return made

    @staticmethod
    def _state(old: Link | None, update: LinkUpdate) -> Mapping[str, Any]:
        """Without a new base nothing tells yet of what was sent meanwhile."""
        before = old.state if old else {}
        state = before if update.state is None else update.state
        if update.base is None and sent.KEY in before:
            return {**state, sent.KEY: before[sent.KEY]}
        return state

    def replace_link(self, old: Link, **changes: Any) -> Link:
        new = replace(old, **changes)
        self.links = [new if known is old else known for known in self.links]
        return new

    def link(self, domain: Domain, *, severa_id: str | None = None, erp_id: str | None = None) -> Link | None:
        for known in self.links:
            if known.domain == domain and (
                (severa_id is not None and known.severa_id == severa_id)
                or (erp_id is not None and known.erp_id == erp_id)
            ):
                return known
        return None

    def link_by_number(self, domain: Domain, *, erp_number: str) -> Link | None:
        wanted = code_key(erp_number)
        found = [x for x in self.links if x.domain == domain and code_key(x.erp_number) == wanted]
        return next((x for x in found if x.erp_number == erp_number), found[0] if found else None)

    def record(self, system: System, register: str, id: str) -> Record | None:
        return self.records.get((system, register, id))

    def find(
        self,
        system: System,
        register: str,
        *,
        number: str | None = None,
        name: str | None = None,
        organisation: str | None = None,
        owner: str | None = None,
    ) -> list[Record]:
        """``organisation`` and ``owner`` are told by the register itself: put it in ``registers`` first."""
        told = self.registers.get((system, register))
        return [
            record
            for record in self.all(system, register)
            if (number is None or code_key(record.number) == code_key(number))
            and (name is None or name_key(record.name) == name_key(name))
            and (
                organisation is None or (told is not None and told.organisation(record.body) == organisation)
            )
            and (owner is None or (told is not None and told.owner(record.body) == owner))
            and not record.gone
        ]

    def find_marker(self, marker: str) -> list[Record]:
        return [
            record
            for record in self.all("visma_net", "customerdocument")
            if self.markers.get(record.id) == marker
        ]

    def document_owner(self, type: str, number: str) -> str | None:
        own = self.link("invoice", erp_id=f"{type}/{number}")
        return self.owners.get((type, number)) or (own.severa_id if own is not None else None)

    def knew_before(self, system: System, register: str, id: str, moment: datetime) -> bool:
        seen = self.first_seen.get((system, register, id))
        return seen is not None and seen < moment

    def needed(
        self, domain: Domain, *, severa_id: str | None = None, erp_id: str | None = None
    ) -> tuple[str, ...]:
        return self.needs.get((domain, severa_id or "")) or self.needs.get((domain, erp_id or "")) or ()

    def all(self, system: System, register: str) -> list[Record]:
        return [
            record
            for key, record in sorted(self.records.items())
            if key[:2] == (system, register) and not record.gone
        ]

    def complete(self, system: System, register: str) -> bool:
        return (system, register) not in self.incomplete

    def has_problem(
        self,
        domain: Domain,
        *,
        severa_id: str | None = None,
        erp_id: str | None = None,
    ) -> bool:
        return ("severa", severa_id or "") in self.problems or ("visma_net", erp_id or "") in self.problems

    def choice(
        self,
        domain: Domain,
        *,
        severa_id: str | None = None,
        erp_id: str | None = None,
    ) -> str | None:
        return self.choices.get((domain, severa_id or "")) or self.choices.get((domain, erp_id or ""))

    def branch(self, business_unit_id: str) -> str | None:
        return self.branches.get(business_unit_id)


def _first(body: Json, *names: str) -> str:
    return next((str(body[name]) for name in names if body.get(name) is not None), "")
