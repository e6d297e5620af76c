"""What should happen to a customer: pure decisions on the bodies of both sides."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from domain.customer import addresses
from domain.customer.fields import COUNTRIES, erp_values, severa_values
from domain.errors import Stop, Waiting
from domain.mapper import flag, read, text
from domain.merge import FieldRule, Merge, merge
from domain.model import Json, Link, Record, System
from domain.reference import CreditTerms
from domain.sent import Values as Sent
from domain.setup.settings import TenantSettings
from domain.text import canonical, code_key, one_line, same_vat_number

# Members of the ERP's update for the fields that are carried over as they are.
_ERP_MEMBERS = {
    "name": "name",
    "vat_number": "vatRegistrationId",
    "email": "mainContact.email",
    "website": "mainContact.web",
    "notes": "mainContact.attention",
    "customer_class": "customerClassId",
}
_SEVERA_MEMBERS = {
    "name": "name",
    "vat_number": "vatNumber",
    "email": "email",
    "website": "website",
    "notes": "notes",
}


def is_internal(severa: Json) -> bool:
    """Severa's internal customer never leaves Severa (R-CUS-2)."""
    return flag(read(severa, "isInternal"), default=False)


def rules(terms: CreditTerms, settings: TenantSettings) -> dict[str, FieldRule]:
    """How each field is merged, by the tenant's rule (R-CON-1)."""
    rule = settings.conflict_customer
    plain = FieldRule(rule, first=rule)
    folded = FieldRule(rule, first=rule, same=lambda severa, erp: severa.casefold() == erp.casefold())
    found = {
        "name": plain,
        "vat_number": FieldRule(rule, first=rule, same=same_vat_number),
        "payment_term": FieldRule(rule, first=rule, same=terms.same),
        "email": folded,
        "website": plain,
        "active": plain,
        # Kept in the bridge: what the ERP has without a choice stays.
        "customer_class": FieldRule(
            direction="→", same=lambda severa, erp: code_key(severa) == code_key(erp)
        ),
        **dict.fromkeys(addresses.FIELD_NAMES, plain),
    }
    for role in addresses.ROLES:
        # Severa's region is a reference that the bridge does not resolve: a county goes to the ERP only.
        found[addresses.field_name(role, "county")] = FieldRule(direction="→", same=folded.same)
    if settings.notes != "off":
        found["notes"] = FieldRule(rule, direction="→" if settings.notes == "to_erp" else "↔", first=rule)
    return found


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides of a customer as they are merged.

    ``places``: its Severa addresses. ``countries``: rows of Severa's countries. ``choice``: the customer class kept in
    the bridge. ``listed``: the ERP body is a last seen one, on which credit terms may be missing.
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

    def values(self) -> tuple[dict[str, str], dict[str, str]]:
        """Canonical values of both sides; what cannot be compared is left out."""
        severa = {
            **severa_values(self.severa),
            **addresses.severa_values(self.severa, self.places, self.countries, self.base),
        }
        erp = erp_values(self.erp, listed=self.listed)
        if self.choice is not None:
            severa["customer_class"] = self.choice
        before = self.base.get("payment_term")
        if self.listed and "payment_term" not in erp and before is not None:
            erp["payment_term"] = canonical(before[1])
        return severa, erp

    def merged(self, latest: System | None = None) -> Merge:
        severa, erp = self.values()
        found = merge(self.base, severa, erp, rules(self.terms, self.settings), latest=latest, sent=self.sent)
        return self.convertible(found, severa, erp)

    def convertible(self, found: Merge, severa: Mapping[str, str], erp: Mapping[str, str]) -> Merge:
        """What has no counterpart is not sent: both stay, said once (the base agrees to differ)."""
        left_out = {name for name in (*found.to_erp, *found.to_severa) if not self._sendable(name, found)}
        if not left_out:
            return found
        return replace(
            found,
            to_erp={key: value for key, value in found.to_erp.items() if key not in left_out},
            to_severa={key: value for key, value in found.to_severa.items() if key not in left_out},
            agreed={**found.agreed, **{name: [severa[name], erp[name]] for name in left_out}},
            overruled=tuple(one for one in found.overruled if one.field not in left_out),
        )

    def _sendable(self, name: str, found: Merge) -> bool:
        to_severa = found.to_severa.get(name)
        if name == "payment_term":
            fits = len(self.terms.terms(found.to_erp[name])) == 1 if name in found.to_erp else True
            return fits and (to_severa is None or bool(self.terms.days(to_severa)))
        if name == "notes":
            # A cut copy is never written back over the full note.
            return to_severa is None or one_line(text(self.severa, "notes")) == self.values()[0]["notes"]
        if name in addresses.FIELD_NAMES and addresses.role_of(name)[1] == "country":
            # The ERP requires a country; Severa knows it by its own list.
            known = any(text(row, "code2").upper() == to_severa for row in self.countries)
            return bool(found.to_erp[name]) if name in found.to_erp else known
        return True

    def unresolved_country(self) -> str:
        """The name of a country that Severa's own list does not have, '' if there is none."""
        for place in addresses.places(self.severa, self.places).values():
            name = addresses.country_name(place) if place is not None else ""
            if place is not None and name and not addresses.country_of(place, self.countries):
                return name
        return ""

    def with_bodies(self, severa: Json, erp: Json, places: tuple[Json, ...] | None = None) -> Sides:
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
    found = rules(sides.terms, sides.settings)
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
    return sides.convertible(Merge(to_erp=written, agreed=agreed), severa, erp)


def erp_members(
    wanted: Mapping[str, str], terms: CreditTerms, before: Json, expected: Mapping[str, str]
) -> dict[str, Any]:
    """Members of an ERP customer's update for the fields to be written; an empty text clears a field.

    ``before``: the customer there; ``expected``: all its fields as they shall be (shared addresses, see addresses.py).
    """
    members: dict[str, Any] = {}
    for name, value in wanted.items():
        match name:
            case "payment_term":
                members["creditTermsId"] = terms.terms(value)[0]
            case "active":
                members["status"] = "Active" if value == "true" else "Inactive"
            case _ if name in _ERP_MEMBERS:
                members[_ERP_MEMBERS[name]] = value
    placed = {name: value for name, value in wanted.items() if name in addresses.FIELD_NAMES}
    return members | addresses.erp_update(placed, before, expected)


def severa_members(merged: Merge, terms: CreditTerms) -> dict[str, Any]:
    """Members of a Severa customer's patch for the fields the merge wants written; its addresses are records of their
    own (addresses.py)."""
    members: dict[str, Any] = {}
    for name, value in merged.to_severa.items():
        match name:
            case "payment_term":
                members["paymentTerm"] = int(terms.days(value))
            case "active":
                members["isActive"] = value == "true"
            case _ if name in _SEVERA_MEMBERS:
                members[_SEVERA_MEMBERS[name]] = value
    return members


def new_severa_customer(erp: Json, terms: CreditTerms, currencies: Iterable[Json]) -> Json:
    """The body of a new Severa customer made from an ERP customer (R-CUS-1)."""
    values = erp_values(erp)
    body: Json = {
        "name": values["name"],
        "number": severa_number(values["number"], values["name"]),
        "isActive": values.get("active", "true") == "true",
    }
    for name in ("vat_number", "email", "website"):
        if values[name]:
            body[_SEVERA_MEMBERS[name]] = values[name]
    days = terms.days(values["payment_term"])
    if days:
        body["paymentTerm"] = int(days)
    code = values["currency"]
    known = next((row for row in currencies if text(row, "code") == code), None)
    if known is not None:
        body["currency"] = {"guid": text(known, "guid"), "code": code}
    return body


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
