"""What every move of a customer needs: the tenant's tables, fresh reads, the link, and the number written back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from domain.customer import plan
from domain.customer.fields import (
    COUNTRIES,
    CREDIT_TERMS,
    CURRENCIES,
    CUSTOMER_CLASSES,
    CUSTOMERS,
    ERP_CUSTOMER,
    INTERIM_NUMBERS,
)
from domain.customer.terms import CreditTerms
from domain.mapper import patch, text
from domain.merge import Base
from domain.moves import Aftermath
from domain.ports import Delivery, Json, Link, LinkUpdate, System


@dataclass(slots=True)
class Work:
    """One delivery of a customer and what it leaves behind."""

    delivery: Delivery
    after: Aftermath = field(default_factory=Aftermath)

    # ------------------------------------------------------------ the tenant's tables

    def terms(self) -> CreditTerms:
        """The ERP's credit terms by days."""
        return CreditTerms.of(self._rows("visma_net", CREDIT_TERMS))

    def countries(self) -> tuple[Json, ...]:
        """Severa's countries."""
        return tuple(self._rows("severa", COUNTRIES))

    def currencies(self) -> list[Json]:
        """Severa's currencies."""
        return self._rows("severa", CURRENCIES)

    def _rows(self, system: System, register: str) -> list[Json]:
        """A reference register as last read; asked for as long as it was never read."""
        rows = [record.body for record in self.delivery.books.all(system, register)]
        if rows or self.delivery.books.complete(system, register):
            return rows
        asked = self.delivery.severa if system == "severa" else self.delivery.erp
        return list(asked.list(register))

    def class_of(self, severa_id: str, name: str) -> str:
        """The customer class kept for this customer, else the tenant's default. Raises Stop ``customer.class_unknown``."""
        chosen = self.delivery.books.choice("customer", severa_id=severa_id)
        customer_class = chosen or self.delivery.tenant.settings.customer_class
        plan.class_exists(customer_class, self.delivery.books.all("visma_net", CUSTOMER_CLASSES), name)
        return customer_class

    # ------------------------------------------------------------ what is left behind

    def see_severa(self, body: Json) -> None:
        self.after.see("severa", CUSTOMERS, text(body, "guid"), body)

    def see_erp(self, body: Json) -> None:
        """The ERP customer as it was read singly, in the form that its list row has.

        Where list rows leave the credit terms empty, a body that shows them would look changed in the next poll.
        """
        own = text(body, "internalId")
        if not self._lists_show_terms(own):
            body = {**body, "creditTerms": None}
        self.after.see("visma_net", ERP_CUSTOMER, own, body)

    def _lists_show_terms(self, own: str) -> bool:
        record = self.delivery.books.record("visma_net", ERP_CUSTOMER, own)
        others = [record] if record is not None else self.delivery.books.all("visma_net", ERP_CUSTOMER)
        return not others or any(text(one.body, "creditTerms.id") for one in others)

    def keep(self, link: Link, base: Base | None, *, numbered: bool) -> None:
        """The link as it will be written; ``numbered``: Severa has had the ERP's number."""
        self.after.link = LinkUpdate(
            link.severa_register,
            link.severa_id,
            link.severa_number,
            link.erp_register,
            link.erp_id,
            link.erp_number,
            base=base,
            state={**link.state, "numbered": numbered},
        )

    def relabel(self, **changes: Any) -> None:
        """Other numbers or another state on the link that will be written."""
        if self.after.link is not None:
            self.after.link = replace(self.after.link, **changes)

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
            self.after.say("customer.numbered", name=text(severa, "name"), number=number, old=old or "–")
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
            other = self.delivery.severa.patch(CUSTOMERS, record.id, patch({"number": interim}))
            self.see_severa(other)
            self.after.say(
                "customer.interim_number", name=text(other, "name"), number=wanted, interim=interim
            )

    def _interim(self, guid: str) -> int:
        """A free number, far from both series, and another one for every customer."""
        first = int.from_bytes(hashlib.sha256(guid.encode()).digest()[:8]) % len(INTERIM_NUMBERS)
        for step in range(len(INTERIM_NUMBERS)):
            number = INTERIM_NUMBERS[(first + step) % len(INTERIM_NUMBERS)]
            if not self.delivery.books.find("severa", CUSTOMERS, number=str(number)):
                return number
        raise self.after.stop("customer.number_occupied", number="–", name="–", own="–")
