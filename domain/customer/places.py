"""The mapping of addresses: one table of an address's parts, and the three roles that a customer has one for.

Severa marks addresses with flags; Visma.net ERP has three blocks. What is the same for every role stands once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal

from domain.conversion import FOLDED, NO_COUNTERPART, Conversion, Members
from domain.mapper import read, text
from domain.model import Json
from domain.table import Field, Table
from domain.text import canonical, lines, name_key

Role = Literal["main", "invoice", "delivery"]
ROLES: tuple[Role, ...] = ("main", "invoice", "delivery")
BLOCKS: Mapping[Role, str] = {
    "main": "mainAddress",
    "invoice": "invoiceAddress",
    "delivery": "deliveryAddress",
}
FLAGS: Mapping[Role, str] = {
    "main": "isVisitAddress",
    "invoice": "isBillingAddress",
    "delivery": "isPostalAddress",
}
_PLACES: Mapping[Role, str] = {
    "main": "headquarterAddress",
    "invoice": f"addresses[{FLAGS['invoice']}]",
    "delivery": f"addresses[{FLAGS['delivery']}]",
}

# Open question: how a PATCH of an address names its country; the object with the country's guid, as in the model.
COUNTRY_PATH = "country"

_ERP_LINES = 3


def three_lines(addressline: str) -> list[str]:
    """The lines of a Severa address as the ERP's three; what is more is joined into the third."""
    found = lines(addressline)
    return found if len(found) <= _ERP_LINES else [*found[:2], ", ".join(found[2:])]


def _severa_lines(value: Any) -> str:
    return "\n".join(three_lines(canonical(value)))


def _erp_lines(block: Json) -> str:
    return "\n".join(line for n in (1, 2, 3) if (line := text(block, f"addressLine{n}")))


def _three_members(value: str, _overwritten: Json) -> Members:
    padded = [*three_lines(value), "", "", ""]
    return Members({f"addressLine{n + 1}": padded[n] for n in range(_ERP_LINES)})


def country_name(place: Json) -> str:
    """What a Severa address calls its country: an address has an object, the headquarter address a name."""
    return _named(read(place, COUNTRY_PATH))


def _named(country: Any) -> str:
    return text(country, "name") if isinstance(country, Mapping) else canonical(country)


def _seen_country(country: Any) -> str:
    return (text(country, "guid") if isinstance(country, Mapping) else "") or _named(country)


def country_of(place: Json, countries: Iterable[Json]) -> str:
    """The two-letter code of a Severa address's country, '' if there is none or it is not resolved."""
    return _code(read(place, COUNTRY_PATH), countries)


def _code(country: Any, countries: Iterable[Json]) -> str:
    own = text(country, "guid") if isinstance(country, Mapping) else ""
    by_guid = next((row for row in countries if own and text(row, "guid") == own), None)
    if by_guid is not None:
        return text(by_guid, "code2").upper()
    return country_code(_named(country), countries)


def country_code(name: str, countries: Iterable[Json]) -> str:
    """The two-letter code of a country by its name (in either language) or code, '' if it is not resolved."""
    wanted = name_key(name)
    for row in countries:
        if wanted and wanted in (
            name_key(text(row, path)) for path in ("name", "englishName", "code2", "code3")
        ):
            return text(row, "code2").upper()
    return ""


# The ERP requires a country: it is never cleared there.
COUNTRY = Conversion(
    "country",
    severa=_seen_country,
    erp=lambda value: canonical(value).upper(),
    to_erp=lambda value, _overwritten: value or NO_COUNTERPART,
)


def country(countries: Iterable[Json]) -> Conversion:
    """Countries by the rows of Severa's own list: compared by their two letters, written as the list's own row. One that the list
    does not have is not known, and has no counterpart."""
    rows = tuple(countries)

    def code(value: Any) -> str | None:
        found = _code(value, rows)
        return None if not found and _named(value) else found

    def row_of(value: str, _overwritten: Json) -> Any:
        found = next((row for row in rows if value and text(row, "code2").upper() == value), None)
        if found is None:
            return NO_COUNTERPART
        return {"guid": text(found, "guid"), "name": text(found, "name")}

    return COUNTRY.but(severa=code, to_severa=row_of)


def _county(place: Json) -> str | None:
    # The headquarter address on the customer itself tells no region.
    return text(place, "countryRegion.name") if FLAGS["main"] in place else None


ADDRESS = Table(
    (
        Field("address_line", "addressline", "addressLine1", Conversion("lines", severa=_severa_lines, to_erp=_three_members),
              erp_read=_erp_lines, note="lines 1-3"),
        Field("postal_code", "postalCode", "postalCode"),
        Field("city", "city", "city"),
        Field("country", COUNTRY_PATH, "country.id", COUNTRY, erp_write="countryId"),
        # Severa's region is a reference that the bridge does not resolve: a county goes to the ERP only.
        Field("county", "countryRegion.name", "county.id", FOLDED, "→", owner="severa", met="nobody", severa_read=_county,
              erp_read=lambda block: text(block, "county.id") or text(block, "county.name"), erp_write="county",
              note="Severa's region is a reference, which the bridge does not resolve"),
        *(Field(flag, flag, "", flows="→", when="seen", note="which roles it has") for flag in FLAGS.values()),
    )
)  # fmt: skip
"""Parts of one address: of a Severa address and of a block of an ERP customer."""

PARTS = tuple(one.name for one in ADDRESS if one.when == "merged")


def field_name(role: Role, part: str) -> str:
    """The field of a role's part as the merge calls it: ``city``, ``invoice_city``."""
    return part if role == "main" else f"{role}_{part}"


def rows() -> tuple[Field, ...]:
    """The rows of all roles in a customer's table: how they are merged, and where both systems have them."""
    return tuple(_row(role, ADDRESS[part]) for role in ROLES for part in PARTS)


def _row(role: Role, part: Field) -> Field:
    here = "" if role == "main" else "no such address: same as the main one"
    note = "; ".join(one for one in (part.note, here) if one)
    return replace(
        part,
        name=field_name(role, part.name),
        severa=f"{_PLACES[role]}.{part.severa}",
        erp=f"{BLOCKS[role]}.{part.erp}",
        erp_write=f"{BLOCKS[role]}.{part.erp_write}" if part.erp_write else "",
        note=note,
    )
