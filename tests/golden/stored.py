"""The 0.1.0 database of the migration's test, read as text: its records, hashes, links and bases.

A base is what the next edit is compared with. One that today's values do not meet any more lets the bridge overwrite what a
person wrote in the ERP, for every link at once.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import simplejson

from golden.asking import register_row
from golden.plain import plain, told
from golden.shapes import Json

_INSERT = re.compile(r"^insert into (\w+) VALUES \((.*)\);$")
_RECORD = (
    "tenant_id",
    "system",
    "register",
    "id",
    "number",
    "name",
    "name_key",
    "marker",
    "body",
    "hash",
    "mapping_version",
)
_LINK = (
    "tenant_id",
    "id",
    "domain",
    "severa_register",
    "severa_id",
    "severa_number",
    "erp_register",
    "erp_id",
    "erp_number",
    "base",
    "state",
)


def rows(path: Path, table: str, columns: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """The rows that a dump inserts, their first columns by name; NULL as ''."""
    for line in path.read_text(encoding="utf-8").splitlines():
        found = _INSERT.match(line)
        if found is not None and found[1] == table:
            [values] = csv.reader([found[2]], quotechar="'", skipinitialspace=True)
            yield {
                name: "" if value == "NULL" else value for name, value in zip(columns, values, strict=False)
            }


def records(path: Path) -> dict[tuple[str, str, str], tuple[Json, str]]:
    """System, register and id → body and hash."""
    return {
        (one["system"], one["register"], one["id"]): (
            simplejson.loads(bytes.fromhex(one["body"].removeprefix("\\x")), use_decimal=True),
            one["hash"].removeprefix("\\x"),
        )
        for one in rows(path, "record", _RECORD)
    }


def links(path: Path) -> list[dict[str, Any]]:
    """Every link with its base and state."""
    found = list(rows(path, "link", _LINK))
    return [one | {"base": json.loads(one["base"]), "state": json.loads(one["state"])} for one in found]


def answers(code: Any, path: Path) -> list[Any]:
    """Of every record its hash, and of every link what is merged on its base: both as the poller finds them on the first
    day after an upgrade."""
    known = records(path)
    return [
        {
            "records": {" ".join(key): _hash(code, *key[:2], body) for key, (body, _) in known.items()},
            "links": {one["id"]: told(lambda one=one: _merged(code, one, known)) for one in links(path)},
        }
    ]


def versions(code: Any) -> dict[str, int]:
    """Every register's mapping version: where it rises, what is stored is hashed anew, and an upgrade announces nothing."""
    return {f"{one.system} {one.name}": one.mapping_version for one in code.catalogue.registers()}


def _hash(code: Any, system: str, register: str, body: Json) -> Any:
    row = register_row(code, system, register, body)
    return row.get("hash", row)


_WHAT = Mapping[tuple[str, str, str], tuple[Json, str]]


def _merged(code: Any, link: Mapping[str, Any], known: _WHAT) -> Any:
    severa = known.get(("severa", link["severa_register"], link["severa_id"]), ({}, ""))[0]
    erp = known.get(("visma_net", link["erp_register"], link["erp_id"]), ({}, ""))[0]
    base = link["base"]
    match link["domain"]:
        case "product":
            kind = code.product_fields.BY_REGISTER[link["severa_register"]]
            sides = code.product.Sides(kind, severa, erp, base, (base.get("item_class") or [None])[0])
        case "customer":
            sides = _customer(code, severa, erp, base, known)
        case _:
            # Projects are compared with what is wanted, which needs the day; invoices and costs keep no base of fields.
            return {"base": base}
    ours, theirs = sides.values()
    merged = sides.merged()
    return plain(
        {
            "base": base,
            "severa": ours,
            "erp": theirs,
            "written": [merged.to_severa, merged.to_erp],
            "said": [[one.field for one in merged.differs], [one.field for one in merged.asked]],
            "contacts": _contacts(code, link, known),
        }
    )


def _of(known: _WHAT, system: str, register: str) -> list[Json]:
    return [body for key, (body, _) in known.items() if key[:2] == (system, register)]


def _customer(code: Any, severa: Json, erp: Json, base: Mapping[str, Any], known: _WHAT) -> Any:
    own = [
        one
        for one in _of(known, "severa", "addresses")
        if (one.get("customer") or {}).get("guid") == severa.get("guid")
    ]
    return code.customer.Sides(
        severa=severa,
        erp=erp,
        terms=code.terms.CreditTerms.of(_of(known, "visma_net", "creditTerm")),
        settings=code.settings.TenantSettings(),
        countries=tuple(_of(known, "severa", "localization/countries")),
        places=tuple(own),
        base=base,
        choice=(base.get("customer_class") or [None])[0],
        listed=True,
    )


def _contacts(code: Any, link: Mapping[str, Any], known: _WHAT) -> list[Any]:
    found = []
    for guid, entry in (link["state"].get("contacts") or {}).items():
        person = known.get(("severa", "contactpersons", guid))
        other = known.get(("visma_net", "contact", str(entry["id"])))
        if person is None or other is None:
            continue
        spoken = tuple(
            one
            for one in _of(known, "severa", "contactcommunications")
            if (one.get("contact") or {}).get("guid") == guid
        )
        merged, emptied = code.contacts.Pair(
            code.contacts.Person(person[0], spoken), other[0], entry["base"]
        ).merged("ask", None)
        found.append([guid, merged.to_severa, merged.to_erp, emptied])
    return found
