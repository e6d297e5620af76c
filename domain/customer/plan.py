"""What should happen to a customer: pure decisions on the bodies of both sides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from domain.customer.fields import ADDRESS_FIELDS, address_lines, erp_values, severa_values
from domain.customer.terms import CreditTerms
from domain.errors import Stop
from domain.mapper import flag, read, text
from domain.merge import FieldRule, Merge, merge
from domain.ports import Json, Link, Record, System
from domain.text import name_key, vat_key

# Members of the ERP's update for the fields that are carried over as they are.
_ERP_MEMBERS = {
    "name": "name",
    "vat_number": "vatRegistrationId",
    "email": "mainContact.email",
    "website": "mainContact.web",
    "customer_class": "customerClassId",
    "postal_code": "mainAddress.postalCode",
    "city": "mainAddress.city",
}
_SEVERA_MEMBERS = {"name": "name", "vat_number": "vatNumber", "email": "email", "website": "website"}


def is_internal(severa: Json) -> bool:
    """Severa's internal customer never leaves Severa (R-CUS-2)."""
    return flag(read(severa, "isInternal"), default=False)


def country_code(name: str, countries: Iterable[Json]) -> str:
    """The two-letter code of a country by its name (in either language) or code, '' if it is not resolved."""
    wanted = name_key(name)
    for row in countries:
        if wanted and wanted in (
            name_key(text(row, path)) for path in ("name", "englishName", "code2", "code3")
        ):
            return text(row, "code2").upper()
    return ""


def rules(terms: CreditTerms) -> dict[str, FieldRule]:
    """How each field is merged. Addresses go to the ERP only until the bridge writes Severa's (next round)."""
    to_erp = FieldRule(direction="→")
    return {
        "name": FieldRule(),
        "vat_number": FieldRule(same=lambda severa, erp: vat_key(severa) == vat_key(erp)),
        "payment_term": FieldRule(same=terms.same),
        "email": FieldRule(same=lambda severa, erp: severa.casefold() == erp.casefold()),
        "website": FieldRule(),
        "active": FieldRule(),
        "customer_class": to_erp,
        **dict.fromkeys(ADDRESS_FIELDS, to_erp),
    }


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides of a customer as they are merged.

    ``countries``: rows of Severa's countries. ``choice``: the customer class kept in the bridge. ``listed``: the ERP body
    is a last seen one, on which credit terms may be missing. ``address``: a Severa address instead of the headquarter's.
    """

    severa: Json
    erp: Json
    terms: CreditTerms
    countries: tuple[Json, ...] = ()
    base: Mapping[str, Any] = field(default_factory=dict)
    choice: str | None = None
    listed: bool = False
    address: Json | None = None

    def values(self) -> tuple[dict[str, str], dict[str, str]]:
        """Canonical values of both sides; what cannot be compared is left out."""
        severa = severa_values(self.severa, self.address)
        erp = erp_values(self.erp, listed=self.listed)
        if self.choice is not None:
            severa["customer_class"] = self.choice
        if severa.get("country"):
            code = country_code(severa["country"], self.countries)
            if code:
                severa["country"] = code
            else:
                del severa["country"]
        before = self.base.get("payment_term")
        if self.listed and "payment_term" not in erp and before is not None:
            erp["payment_term"] = str(before[1])
        return severa, erp

    def merged(self, latest: System | None = None) -> Merge:
        severa, erp = self.values()
        found = merge(self.base, severa, erp, rules(self.terms), latest=latest)
        return self.convertible(found, severa, erp)

    def convertible(self, found: Merge, severa: Mapping[str, str], erp: Mapping[str, str]) -> Merge:
        """A payment term without its counterpart is not sent: both stay, said once (the base agrees to differ)."""
        name = "payment_term"
        no_term = name in found.to_erp and len(self.terms.terms(found.to_erp[name])) != 1
        no_days = name in found.to_severa and not self.terms.days(found.to_severa[name])
        if not (no_term or no_days):
            return found
        return replace(
            found,
            to_erp={key: value for key, value in found.to_erp.items() if key != name},
            to_severa={key: value for key, value in found.to_severa.items() if key != name},
            agreed={**found.agreed, name: [severa[name], erp[name]]},
            overruled=tuple(one for one in found.overruled if one.field != name),
        )

    def unresolved_country(self) -> str:
        """The name of a country that Severa's own list does not have, '' if there is none."""
        name = severa_values(self.severa, self.address).get("country", "")
        return "" if not name or country_code(name, self.countries) else name

    def with_bodies(self, severa: Json, erp: Json) -> Sides:
        return replace(self, severa=severa, erp=erp, listed=False)


def terms_without_counterpart(sides: Sides, merged: Merge) -> dict[str, str] | None:
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
        "days": pair[0] or "–",
        "term": pair[1] or "–",
        "known": ", ".join(sides.terms.terms(pair[0])) or "–",
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
    for name in ADDRESS_FIELDS:
        if severa.get(name):
            members |= erp_address(name, severa[name])
    return members


def after_create(sides: Sides) -> Merge:
    """What a customer that was just made still lacks: every filled Severa field that differs from what its class gave."""
    severa, erp = sides.values()
    written = {
        name: severa[name]
        for name, rule in rules(sides.terms).items()
        if severa.get(name) and name in erp and not rule.same(severa[name], erp[name])
    }
    agreed = {
        name: [severa[name], erp[name]] for name in rules(sides.terms) if name in severa and name in erp
    }
    return sides.convertible(Merge(to_erp=written, agreed=agreed), severa, erp)


def erp_members(merged: Merge, terms: CreditTerms) -> dict[str, Any]:
    """Members of an ERP customer's update for the fields the merge wants written; an empty text clears a field."""
    members: dict[str, Any] = {}
    for name, value in merged.to_erp.items():
        match name:
            case "payment_term":
                members["creditTermsId"] = terms.terms(value)[0]
            case "active":
                members["status"] = "Active" if value == "true" else "Inactive"
            case "address_line" | "country":
                members |= erp_address(name, value)
            case _:
                members[_ERP_MEMBERS[name]] = value
    return members


def erp_address(name: str, value: str) -> dict[str, Any]:
    """Members of the main address for one address field."""
    match name:
        case "address_line":
            parts = [*address_lines(value), "", "", ""]
            return {f"mainAddress.addressLine{n + 1}": parts[n] for n in range(3)}
        case "country":
            return {"mainAddress.countryId": value}
        case _:
            return {_ERP_MEMBERS[name]: value}


def severa_members(merged: Merge, terms: CreditTerms) -> dict[str, Any]:
    """Members of a Severa customer's patch for the fields the merge wants written."""
    members: dict[str, Any] = {}
    for name, value in merged.to_severa.items():
        match name:
            case "payment_term":
                members["paymentTerm"] = int(terms.days(value))
            case "active":
                members["isActive"] = value == "true"
            case _:
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


def new_address(erp: Json, countries: Iterable[Json]) -> Json | None:
    """The main address as a Severa address, None if there is nothing to write. The country is a reference there."""
    values = erp_values(erp)
    if not any(values[name] for name in ("address_line", "postal_code", "city")):
        return None
    body: Json = {
        "addressline": values["address_line"],
        "postalCode": values["postal_code"],
        "city": values["city"],
        "isBillingAddress": True,
        "isPostalAddress": True,
        "isVisitAddress": True,
    }
    country = next((row for row in countries if text(row, "code2").upper() == values["country"]), None)
    if country is not None and values["country"]:
        body["country"] = {"guid": text(country, "guid"), "name": text(country, "name")}
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


def class_exists(customer_class: str, classes: list[Record], name: str) -> None:
    """Raises Stop ``customer.class_unknown``; not judged while the classes were never read."""
    known = [text(one.body, "id") for one in classes]
    if known and customer_class not in known:
        raise Stop(
            "customer.class_unknown",
            {"name": name, "customer_class": customer_class, "known": ", ".join(known)},
        )


def currency_differs(severa: Json, erp: Json) -> tuple[str, str] | None:
    """Both currencies when they differ: a problem after the first day, never a write."""
    ours, theirs = text(severa, "currency.code"), text(erp, "currencyId")
    return (ours, theirs) if ours and theirs and ours != theirs else None
