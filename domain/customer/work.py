"""What every move of a customer needs: the tenant's tables, both sides, the link, and the number written back."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from domain import mirror, pingpong, sent
from domain.customer import plan
from domain.customer.registers import (
    ADDRESSES,
    ADDRESSES_OF,
    CUSTOMERS,
    ERP_CUSTOMER,
    INTERIM_NUMBERS,
)
from domain.customer.table import of_tenant
from domain.mapper import flag, patch, read, text
from domain.merge import Base, Difference
from domain.model import Json, Link, Stored, System
from domain.moves import Aftermath, must_stand
from domain.ports import Delivery
from domain.reference import (
    COUNTRIES,
    CREDIT_TERMS,
    CUSTOMER_CLASSES,
    SEVERA_CURRENCIES,
    CreditTerms,
)
from domain.setup.settings import TenantSettings


@dataclass(slots=True)
class Work:
    """One delivery of a customer and what it leaves behind."""

    delivery: Delivery
    after: Aftermath = field(default_factory=Aftermath)
    # Both customers as they are stored now.
    stored: tuple[Json, Json] = field(default_factory=lambda: ({}, {}))
    # Address fields that somebody edited after an earlier attempt had made the address: field → the base that it sent.
    edited: Base = field(default_factory=dict)

    # ------------------------------------------------------------ the tenant's tables

    @property
    def settings(self) -> TenantSettings:
        """The tenant's settings."""
        return self.delivery.tenant.settings

    def terms(self) -> CreditTerms:
        """The ERP's credit terms by days, and the tenant's choice among them."""
        return CreditTerms.of(self.rows("visma_net", CREDIT_TERMS), self.settings.credit_terms)

    def countries(self) -> tuple[Json, ...]:
        """Severa's countries."""
        return tuple(self.rows("severa", COUNTRIES))

    def currencies(self) -> list[Json]:
        """Severa's currencies."""
        return self.rows("severa", SEVERA_CURRENCIES)

    def rows(self, system: System, register: str) -> list[Json]:
        """A reference register as last read; asked for as long as it was never read."""
        rows = [record.body for record in self.delivery.books.all(system, register)]
        if rows or self.delivery.books.complete(system, register):
            return rows
        asked = self.delivery.severa if system == "severa" else self.delivery.erp
        return list(asked.list(register))

    def class_of(self, severa_id: str, name: str, country: str | None = None) -> str:
        """The customer class kept for this customer, else the tenant's default for its country (domestic, EU, other).

        ``country``: two letters, '' counts as domestic; None = only the default. Raises Stop ``customer.class_unknown``.
        """
        chosen = self.delivery.books.choice("customer", severa_id=severa_id)
        customer_class = chosen or self._default_class(country or "")
        plan.class_exists(customer_class, self.delivery.books.all("visma_net", CUSTOMER_CLASSES), name)
        return customer_class

    def _default_class(self, country: str) -> str:
        settings = self.settings
        special = settings.customer_class_eu or settings.customer_class_other
        if not special or not country or country == self._own_country():
            return settings.customer_class
        row = next((row for row in self.countries() if text(row, "code2").upper() == country), None)
        in_eu = row is not None and flag(read(row, "isInEU"), default=False)
        chosen = settings.customer_class_eu if in_eu else settings.customer_class_other
        return chosen or settings.customer_class

    def _own_country(self) -> str:
        """The organisation's own country; asked for only when a customer is made and the tenant tells classes apart."""
        organisation = self.delivery.severa.get("organizationdetails", "")
        own = text(organisation, "country.guid")
        row = next((row for row in self.countries() if own and text(row, "guid") == own), None)
        return text(row, "code2").upper() if row is not None else ""

    # ------------------------------------------------------------ both sides

    def sides(
        self,
        severa: Json,
        erp: Json,
        places: tuple[Json, ...],
        *,
        link: Link | None = None,
        listed: bool = False,
    ) -> plan.Sides:
        """Both sides as they are merged, with the tenant's tables."""
        return plan.Sides(
            severa,
            erp,
            self.terms(),
            self.settings,
            self.countries(),
            places,
            base=mirror.agreed(link, self.settings.conflict_customer) if link is not None else {},
            choice=self.delivery.books.choice("customer", severa_id=link.severa_id) if link else None,
            listed=listed,
            sent=sent.of(link.state) if link is not None else {},
            old=mirror.carried_before(link) if link is not None else (),
        )

    def places(self, guid: str, *, fresh: bool = False) -> tuple[Json, ...]:
        """The Severa addresses of a customer as last seen; ``fresh``: read again, before something is written (one call)."""
        known = self.delivery.books.find("severa", ADDRESSES, owner=guid)
        complete = self.delivery.books.complete("severa", ADDRESSES)
        if complete and not fresh:
            return tuple(one.body for one in known)
        rows = tuple(self.owned(row, guid) for row in self.delivery.severa.list(ADDRESSES_OF, parent=guid))
        for row in rows:
            self.see_place(row)
        return rows

    @staticmethod
    def owned(row: Json, guid: str) -> Json:
        """An address with its customer named, also where a list below the customer leaves it out."""
        return row if text(row, "customer.guid") else {**row, "customer": {"guid": guid}}

    # ------------------------------------------------------------ what is left behind

    def see_severa(self, body: Json) -> None:
        """Remembers the customer as Severa has just shown it."""
        self.after.see("severa", CUSTOMERS, text(body, "guid"), body)

    def see_place(self, row: Json) -> None:
        """Remembers an address as Severa has just shown it."""
        self.after.see("severa", ADDRESSES, text(row, "guid"), row)

    def see_erp(self, body: Json) -> None:
        """The ERP customer as it was read singly, in the form that its list row has.

        Where list rows leave the credit terms empty, or have no note, a body that shows them would look changed in the next poll.
        """
        own = text(body, "internalId")
        body = {name: value for name, value in body.items() if name != "note"}
        if not self._lists_show_terms(own):
            body = {**body, "creditTerms": None}
        self.after.see("visma_net", ERP_CUSTOMER, own, body)

    def with_note(self, found: Stored) -> Stored:
        """The ERP customer with its own note, where the tenant's notes go there: one more call."""
        if not plan.noted_apart(self.settings):
            return found
        note = self.delivery.erp.get(f"{ERP_CUSTOMER}/note", text(found.body, "number")).body
        return replace(found, body={**found.body, "note": read(note, "note") or ""})

    def _lists_show_terms(self, own: str) -> bool:
        record = self.delivery.books.record("visma_net", ERP_CUSTOMER, own)
        others = [record] if record is not None else self.delivery.books.all("visma_net", ERP_CUSTOMER)
        return not others or any(text(one.body, "creditTerms.id") for one in others)

    def keep(self, link: Link, base: Base | None, *, numbered: bool) -> None:
        """The link as it will be written; ``numbered``: Severa has had the ERP's number. A new base tells of what was sent."""
        state = link.state
        if base is not None:
            state = mirror.settled(state, of_tenant(self.terms(), self.settings).rules("ask"), base)
        self.after.link = link.with_(base=base, state={**state, "numbered": numbered})

    def meeting(
        self, link: Link, to_erp: Mapping[str, str], to_severa: Mapping[str, str], over: sent.Sides
    ) -> None:
        """Keeps what a first meeting decides, field by field, before the first write: a second one, after an end that was lost,
        must tell a person's edit from what it met (docs/decisions/0017)."""
        part = sent.met(link.severa_id, link.erp_id)
        self.delivery.sending(to_erp, to_severa, part=part, over=over)
        state = (self.after.link.state if self.after.link is not None else None) or {}
        # An end without a base leaves it with the pair.
        self.relabel(state={**state, sent.KEY: {"": self.delivery.sent_so_far.get(part, {})}})

    def relabel(self, **changes: Any) -> None:
        """Other numbers or another state on the link that will be written."""
        if self.after.link is not None:
            self.after.link = replace(self.after.link, **changes)

    def remember_differing(self, differs: Collection[Difference]) -> None:
        """Fields that a person is asked about since both met; none = nothing is asked any more."""
        if self.after.link is not None:
            self.relabel(state=mirror.asking(self.after.link.state or {}, differs))

    def note(self, *, to_erp: Any = (), to_severa: Any = (), prefix: str = "") -> None:
        """Fields that were written just now, for the ping-pong guard."""
        if self.after.link is not None and (to_erp or to_severa):
            state = pingpong.noted(
                self.after.link.state or {},
                self.delivery.now(),
                to_erp=to_erp,
                to_severa=to_severa,
                prefix=prefix,
            )
            self.relabel(state=state)

    # ------------------------------------------------------------ numbers (R-CUS-4)

    def number_back(self, severa: Json, erp: Json) -> Json:
        """Writes the ERP's number to Severa if it is not there; the Severa customer as it is now.

        Raises Stop ``customer.number_not_integer`` or ``customer.number_occupied``.
        """
        number = text(erp, "number")
        if not plan.same_number(text(severa, "number"), number):
            wanted = plan.severa_number(number, text(severa, "name"))
            old = text(severa, "number")
            self.free_number(wanted, but=text(severa, "guid"))
            severa = self.delivery.severa.patch(CUSTOMERS, text(severa, "guid"), patch({"number": wanted}))
            self.see_severa(severa)
            lost = [] if plan.same_number(text(severa, "number"), number) else ["number"]
            must_stand(
                self.delivery, self.after, lost, system="severa", name=text(severa, "name"), about="number"
            )
            self.after.say("customer.numbered", name=text(severa, "name"), number=number, old=old)
        state: Mapping[str, Any] = {
            **(self.after.link.state or {} if self.after.link else {}),
            "numbered": True,
        }
        self.relabel(severa_number=text(severa, "number"), erp_number=number, state=state)
        return severa

    def free_number(self, wanted: int, *, but: str) -> None:
        """Moves a Severa customer that still has this number from its own series to a free interim number."""
        for record in self.delivery.books.find("severa", CUSTOMERS, number=str(wanted)):
            if record.id == but:
                continue
            other = self.delivery.severa.get(CUSTOMERS, record.id)
            if text(other, "number") != str(wanted):
                continue
            link = self.delivery.books.link("customer", severa_id=record.id)
            if link is not None and link.state.get("numbered"):
                # It has the ERP's number already: somebody gave it this one by hand.
                raise self.after.stop(
                    "customer.number_occupied", number=wanted, name=text(other, "name"), own=link.erp_number
                )
            interim = self._interim(record.id)
            if interim is None:
                raise self.after.stop("customer.number_occupied", number=wanted, name=text(other, "name"))
            other = self.delivery.severa.patch(CUSTOMERS, record.id, patch({"number": interim}))
            self.see_severa(other)
            lost = ["number"] if text(other, "number") == str(wanted) else []
            must_stand(
                self.delivery, self.after, lost, system="severa", name=text(other, "name"), about=record.id
            )
            self.after.say(
                "customer.interim_number", name=text(other, "name"), number=wanted, interim=interim
            )

    def _interim(self, guid: str) -> int | None:
        """A free number, far from both series, and another one for every customer; None when all are taken."""
        first = int.from_bytes(hashlib.sha256(guid.encode()).digest()[:8]) % len(INTERIM_NUMBERS)
        for step in range(len(INTERIM_NUMBERS)):
            number = INTERIM_NUMBERS[(first + step) % len(INTERIM_NUMBERS)]
            if not self.delivery.books.find("severa", CUSTOMERS, number=str(number)):
                return number
        return None
