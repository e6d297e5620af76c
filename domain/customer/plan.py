"""What should happen to a customer: pure decisions on the bodies of both sides."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from domain.customer import addresses
from domain.customer.places import country_name, country_of
from domain.customer.registers import erp_values
from domain.customer.table import CUSTOMER, NOTE, credit_terms, currency, of_tenant
from domain.errors import Stop, Waiting
from domain.mapper import flag, read, text
from domain.merge import FieldRule, Merge, in_bridge, merge
from domain.model import Json, Link, Record, System
from domain.reference import COUNTRIES, CreditTerms
from domain.sent import Values as Sent
from domain.setup.settings import TenantSettings
from domain.table import Table
from domain.text import canonical, code_key


def is_internal(severa: Json) -> bool:
    """Severa's internal customer never leaves Severa (R-CUS-2)."""
    return flag(read(severa, "isInternal"), default=False)


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides of a customer as they are merged.

    ``places``: its Severa addresses. ``countries``: rows of Severa's countries. ``choice``: the customer class that somebody
    chose, kept in the bridge. ``listed``: the ERP body is a last seen one, on which credit terms may be missing. ``old`` as of
    ``Table.rules``.
    """

    severa: Json
    erp: Json
    terms: CreditTerms
    settings: TenantSettings
    countries: tuple[Json, ...] = ()
    places: tuple[Json, ...] = ()
    base: Mapping[str, Any] = field(default_factory=dict)
    choice: str | None = None
    listed: bool = False
    sent: Sent = field(default_factory=dict)
    old: Collection[str] = ()

    def values(self) -> tuple[dict[str, str], dict[str, str]]:
        """Canonical values of both sides; what cannot be compared is left out."""
        severa = {
            **CUSTOMER.values("severa", self.severa),
            **addresses.severa_values(self.severa, self.places, self.countries, self.base),
        }
        erp = erp_values(self.erp, listed=self.listed)
        chosen = in_bridge(self.choice, self.base.get("customer_class"))
        if chosen is not None:
            severa["customer_class"] = chosen
        if noted_apart(self.settings):
            del erp["notes"]
            erp |= NOTE.values("visma_net", self.erp)
            severa |= NOTE.values("severa", self.severa)
        for name in ("payment_term", "notes") if self.listed else ():
            if name not in erp and (before := self.base.get(name)) is not None:
                erp[name] = canonical(before[1])
        return severa, erp

    @property
    def note_unread(self) -> bool:
        """Whether the ERP's own note is to be kept in step and was never read: no list shows it."""
        return noted_apart(self.settings) and "notes" not in self.values()[1]

    @property
    def table(self) -> Table:
        """The rows that this customer is kept in step by."""
        return of_tenant(self.terms, self.settings, self.countries)

    def rules(self) -> dict[str, FieldRule]:
        """How each field is merged, by the tenant's rule (R-CON-1)."""
        return self.table.rules(self.settings.conflict_customer, old=self.old)

    def merged(self, latest: System | None = None) -> Merge:
        """The merge of both sides; what has no counterpart on the other is not sent."""
        values = self.values()
        found = merge(self.base, *values, self.rules(), latest=latest, sent=self.sent)
        return self.convertible(found, values)

    def convertible(self, found: Merge, values: tuple[Mapping[str, str], Mapping[str, str]]) -> Merge:
        """What has no counterpart is not sent: both stay, said once (the base agrees to differ)."""
        return self.table.convertible(found, values, self.severa, self.erp)

    def unresolved_country(self) -> str:
        """The name of a country that Severa's own list does not have, '' if there is none."""
        for place in addresses.places(self.severa, self.places).values():
            name = country_name(place) if place is not None else ""
            if place is not None and name and not country_of(place, self.countries):
                return name
        return ""

    def with_bodies(self, severa: Json, erp: Json, places: tuple[Json, ...] | None = None) -> Sides:
        """The same customer as both sides show it by now, read singly."""
        return replace(
            self, severa=severa, erp=erp, listed=False, places=self.places if places is None else places
        )

    def expected(self, merged: Merge) -> dict[str, str]:
        """Every field of the ERP as it shall be afterwards."""
        return {**self.values()[1], **merged.to_erp}


def terms_without_counterpart(sides: Sides, merged: Merge) -> dict[str, Any] | None:
    """The payment terms that changed but could not be sent, with the terms the tenant could choose from."""
    if "payment_term" in merged.to_erp or "payment_term" in merged.to_severa:
        return None
    pair = merged.agreed.get("payment_term")
    if (
        pair is None
        or sides.terms.same(pair[0], pair[1])
        or list(sides.base.get("payment_term") or ()) == pair
    ):
        return None
    return {
        "days": pair[0],
        "term": pair[1],
        "known": list(sides.terms.terms(pair[0])),
    }


def new_erp_customer(severa: Mapping[str, str], customer_class: str) -> dict[str, Any]:
    """Members of the POST: name, class and main address; the class gives the rest (R-CUS-6).

    The class's values are taken once, here; what Severa has different is put over them afterwards. No number is sent:
    the ERP numbers customers (R-CUS-4).
    """
    members: dict[str, Any] = {
        "name": severa["name"],
        "customerClassId": customer_class,
        "overrideWithClassValues": True,
    }
    main = {part: value for part, value in addresses.role_values(severa, "main").items() if value}
    return members | addresses.erp_members("main", main)


def after_create(sides: Sides, *, but: Collection[str] = ()) -> Merge:
    """What a customer that was just made still lacks: every filled Severa field that differs from what its class gave.
    ``but``: fields that somebody has edited since."""
    severa, erp = sides.values()
    found = sides.rules()
    written = {
        name: severa[name]
        for name, rule in found.items()
        if name not in but and severa.get(name) and name in erp and not rule.same(severa[name], erp[name])
    }
    agreed = {
        name: [severa[name], erp[name]]
        for name in found
        if name in severa and name in erp and name not in but
    }
    return sides.convertible(Merge(to_erp=written, agreed=agreed), (severa, erp))


def erp_members(
    wanted: Mapping[str, str],
    terms: CreditTerms,
    before: Json,
    expected: Mapping[str, str],
    settings: TenantSettings | None = None,
) -> dict[str, Any]:
    """Members of an ERP customer's update for the fields to be written; an empty text clears a field.

    ``before``: the customer there; ``expected``: all its fields as they shall be (shared addresses, see addresses.py);
    ``settings`` say where notes go.
    """
    members = _own(terms).members("visma_net", wanted, before)
    if "notes" in wanted and noted_apart(settings):
        members = {path: value for path, value in members.items() if path != CUSTOMER["notes"].erp}
        members |= NOTE.members("visma_net", wanted, before)
    placed = {name: value for name, value in wanted.items() if name in addresses.FIELD_NAMES}
    return members | addresses.erp_update(placed, before, expected)


def severa_members(merged: Merge, terms: CreditTerms, severa: Json) -> dict[str, Any]:
    """Members of a Severa customer's patch for the fields the merge wants written, over ``severa``; its addresses are records
    of their own (addresses.py)."""
    return _own(terms).members("severa", merged.to_severa, severa)


def _own(terms: CreditTerms) -> Table:
    """The rows of a customer's own body."""
    return CUSTOMER.where(payment_term=credit_terms(terms))


def new_severa_customer(erp: Json, terms: CreditTerms, currencies: Iterable[Json]) -> Json:
    """The body of a new Severa customer made from an ERP customer (R-CUS-1)."""
    values = erp_values(erp)
    made = _own(terms).where(currency=currency(currencies)).created("severa", values)
    return {
        **made,
        "number": severa_number(values["number"], values["name"]),
        "isActive": values.get("active", "true") == "true",
    }


def noted_apart(settings: TenantSettings | None) -> bool:
    """Whether notes go to the ERP customer's own note, which only a call of its own shows."""
    return settings is not None and settings.notes == "to_note"


def severa_number(number: str, name: str) -> int:
    """The ERP's number as Severa's integer. Raises Stop ``customer.number_not_integer``."""
    if not (number.isascii() and number.isdigit()):
        raise Stop("customer.number_not_integer", {"number": number, "name": name})
    return int(number)


def same_number(severa: str, erp: str) -> bool:
    """Customer numbers are compared as integers (R-CUS-4); the ERP's may have leading zeros."""
    return severa.isdigit() and erp.isdigit() and int(severa) == int(erp)


def renumbered(link: Link, severa: Json, erp: Json) -> bool:
    """Whether a number was changed on one side since the link was settled (R-CUS-8).

    Before the ERP's number was written to Severa for the first time a difference is ours to remove.
    """
    ours, theirs = text(severa, "number"), text(erp, "number")
    return bool(link.state.get("numbered")) and not same_number(ours, theirs)


def country_listed(sides: Sides, name: str) -> None:
    """Raises Stop ``customer.country_unknown``, which ends when Severa's list of countries has changed."""
    unresolved = sides.unresolved_country()
    if unresolved:
        raise Stop(
            "customer.country_unknown",
            {"name": name, "country": unresolved},
            waits_for=Waiting("reference", severa_id=COUNTRIES),
        )


def class_exists(customer_class: str, classes: list[Record], name: str) -> None:
    """Raises Stop ``customer.class_unknown``; not judged while the classes were never read."""
    known = [text(one.body, "id") for one in classes]
    if known and code_key(customer_class) not in map(code_key, known):
        raise Stop(
            "customer.class_unknown",
            {"name": name, "customer_class": customer_class, "known": known},
        )


def currency_differs(severa: Json, erp: Json) -> tuple[str, str] | None:
    """Both currencies when they differ: a problem after the first day, never a write."""
    ours, theirs = text(severa, "currency.code"), text(erp, "currencyId")
    return (ours, theirs) if ours and theirs and ours != theirs else None
