"""What is asked of the mapping for each case: values, hash, members written, proof, base. ``code`` is ``golden.mappings``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from golden import mappings
from golden.asking_bookings import cost, invoice, payment
from golden.plain import told
from golden.shapes import Json

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
_HASH_DIGITS = 8


def register_row(code: Any, system: str, register: str, body: Json, *, notes: str = "off") -> Any:
    """A row as the poller stores it: its hash decides whether it changed."""
    made = mappings.register(code, system, register, notes)

    def row() -> Any:
        stored = code.records.row_of(made, body, None, UTC)
        concerns = made.concerns(body)
        return {
            "values": made.projection(body),
            "hash": stored.hash.hex()[:_HASH_DIGITS],
            "known as": [stored.id, stored.number, stored.name, stored.organisation, stored.owner],
            "time": stored.remote_time,
            "concerns": [
                [one.domain, one.register, one.id, one.only_linked, one.number, one.through]
                for one in concerns
            ],
        }

    return told(row)


def _merge(merged: Any) -> Json:
    return {
        "to_severa": merged.to_severa,
        "to_erp": merged.to_erp,
        "agreed": merged.agreed,
        "overruled": {one.field: one.winner for one in merged.overruled},
        "differs": {one.field: True for one in merged.differs},
        "asked": {one.field: True for one in merged.asked},
    }


def _base(
    code: Any, base: Mapping[str, Any], merged: Any, ours: Mapping[str, str], theirs: Mapping[str, str]
) -> Any:
    """The base after both writes, as if either side kept what it was given."""
    return code.merge.settled_base(base, merged, {**ours, **merged.to_severa}, {**theirs, **merged.to_erp})


Once = Callable[[Json, Json, Mapping[str, Any], Json], Json]


def _twice(once: Once, case: Json, golden: Json | None) -> Json:
    """The first meeting; then, after edits, the next one on the base that the first one left. Today's is asked the second
    question on the base that 0.1.0 left (``golden``): that is what stands in a database on the day of the upgrade."""
    then = case["then"]
    met = told(lambda: once(case["severa"], case["erp"], {}, case))
    base = (golden or {"met": met})["met"].get("base", {})
    severa, erp = {**case["severa"], **then["severa"]}, {**case["erp"], **then["erp"]}
    again = {
        name: value for name, value in then.items() if name not in ("severa", "erp") and value is not None
    }
    return {"met": met, "then": told(lambda: once(severa, erp, base, case | again))}


# ---------------------------------------------------------------- registers kept on both sides


def product(code: Any, case: Json, _world: Json, golden: Json | None) -> Json:
    kind = code.product_fields.BY_REGISTER[case["register"]]

    def once(severa: Json, erp: Json, base: Mapping[str, Any], _more: Json) -> Json:
        sides = code.product.Sides(kind, severa, erp, base, case["choice"], case["currency"], case["rule"])
        ours, theirs = sides.values()
        merged = sides.merged(case["latest"])
        made = _base(code, base, merged, ours, theirs)
        return {
            "severa": ours,
            "erp": theirs,
            "merge": _merge(merged),
            "base": made,
            "put": told(lambda: code.mapper.update_body(code.product.erp_members(merged))),
            "patch": told(lambda: code.mapper.patch(code.product.severa_members(sides, merged))),
            "post": told(
                lambda: code.mapper.update_body(
                    code.product.new_item(kind, severa, "X", foreign_price=sides.foreign_price)
                )
            ),
            "new": told(lambda: code.product.new_record(kind, erp, "SEK")),
            "severa row": register_row(code, "severa", case["register"], severa),
            "erp row": register_row(code, "visma_net", "inventory", erp),
        }

    return _twice(once, case, golden)


def _customer_sides(
    code: Any, case: Json, world: Json, severa: Json, erp: Json, base: Mapping[str, Any]
) -> Any:
    settings = code.settings.TenantSettings.model_validate(case["settings"])
    terms = code.terms.CreditTerms.of(case["terms"] or world["creditTerm"], settings.credit_terms)
    return code.customer.Sides(
        severa=severa,
        erp=erp,
        terms=terms,
        settings=settings,
        countries=tuple(world["countries"]),
        places=tuple(case["places"]),
        base=base,
        choice=case["choice"],
        listed=case["listed"],
    )


def customer(code: Any, case: Json, world: Json, golden: Json | None) -> Json:
    plan, mapper = code.customer, code.mapper

    def once(severa: Json, erp: Json, base: Mapping[str, Any], more: Json) -> Json:
        sides = _customer_sides(code, case | {"places": more["places"]}, world, severa, erp, base)
        ours, theirs = sides.values()
        merged = sides.merged(case["latest"])
        made = _base(code, base, merged, ours, theirs)
        return {
            "severa": ours,
            "erp": theirs,
            "merge": _merge(merged),
            "base": made,
            "put": told(
                lambda: mapper.update_body(
                    plan.erp_members(merged.to_erp, sides.terms, erp, sides.expected(merged))
                )
            ),
            "patch": told(lambda: mapper.patch(plan.severa_members(merged, sides.terms))),
            "addresses": told(lambda: _moves(code, sides, merged, world["countries"])),
            "post": told(lambda: mapper.update_body(plan.new_erp_customer(ours, "1"))),
            "after the post": told(lambda: plan.after_create(sides).to_erp),
            "new": told(lambda: plan.new_severa_customer(erp, sides.terms, world["currencies"])),
            "not sent": [_spelt(plan.terms_without_counterpart(sides, merged)), sides.unresolved_country()],
            "currencies differ": plan.currency_differs(severa, erp),
            "severa row": register_row(code, "severa", "customers", severa, notes=case["settings"]["notes"]),
            "erp row": register_row(code, "visma_net", "customer", erp, notes=case["settings"]["notes"]),
            "address rows": [register_row(code, "severa", "addresses", one) for one in more["places"]],
        }

    return _twice(once, case, golden)


def _moves(code: Any, sides: Any, merged: Any, countries: Iterable[Json]) -> Any:
    """What happens to the Severa addresses when the ERP's went there."""
    addresses = code.addresses
    placed = {name: value for name, value in merged.to_severa.items() if name in addresses.FIELD_NAMES}
    now = sides.values()[0]
    found = addresses.moves(addresses.places(sides.severa, sides.places), now, {**now, **placed})
    return {
        "changed": {
            guid: code.mapper.patch(addresses.severa_members(parts, countries))
            for guid, parts in found.changed.items()
        },
        "unflagged": found.unflagged,
        "made": [addresses.new_address(one, countries) for one in found.made],
    }


def contact(code: Any, case: Json, _world: Json, golden: Json | None) -> Json:
    contacts, mapper = code.contacts, code.mapper

    def once(severa: Json, erp: Json, base: Mapping[str, Any], more: Json) -> Json:
        person = contacts.Person(severa, tuple(more["communications"]))
        pair = contacts.Pair(person, erp, base)
        ours, theirs = pair.values()
        merged, emptied = pair.merged(case["rule"], case["latest"])
        made = _base(code, base, merged, ours, theirs)
        pairs, doubtful = contacts.matched([person], [erp])
        return {
            "severa": ours,
            "erp": theirs,
            "merge": _merge(merged),
            "emptied": emptied,
            "base": made,
            "put": told(lambda: mapper.update_body(contacts.erp_members(merged.to_erp))),
            "patch": told(lambda: mapper.patch(contacts.severa_members(merged.to_severa))),
            "post": told(lambda: mapper.update_body(contacts.new_erp_contact(person, "10003"))),
            "new": told(lambda: contacts.new_person(erp, "guid")),
            "matched": [len(pairs), doubtful],
            "severa row": register_row(code, "severa", "contactpersons", severa),
            "erp row": register_row(code, "visma_net", "contact", erp),
            "communication rows": [
                register_row(code, "severa", "contactcommunications", one) for one in more["communications"]
            ],
        }

    return _twice(once, case, golden)


def project(code: Any, case: Json, world: Json, golden: Json | None) -> Json:
    plan, mapper = code.project, code.mapper
    statuses = [
        record(code, "severa", "salesstatustypes", one["guid"], one) for one in world["salesstatustypes"]
    ]
    owner = record(code, "severa", "customers", "c", {"isInternal": case["internal_customer"]})

    def once(severa: Json, erp: Json, base: Mapping[str, Any], _more: Json) -> Json:
        state = plan.state_of(severa, statuses)
        start = code.mapper.day(severa.get("startDate"))
        wanted = plan.Wanted(
            mapper.text(severa, "name"), case["customer"], start, _STATUSES[state], case["task"]
        )
        day = plan.start_of(severa, case["time_zone"], NOW)
        found = plan.changes(wanted, erp, base, transferring=case["transferring"], fallback_start=day)
        stored = code.mapper.update_body(found.members)
        base_now = plan.stored_base(found, wanted, erp)
        return {
            "state": state,
            "internal": plan.is_internal(severa, owner),
            "start": day,
            "number": told(lambda: plan.number_of(severa, case["length"], case["padding"])),
            "erp": plan.erp_values(erp),
            "put": stored,
            "fields": dict.fromkeys(found.fields, True),
            "held": found.held,
            "base": base_now,
            "post": told(
                lambda: mapper.update_body(
                    plan.new_project(severa, number="7", customer=case["customer"], template="Z", start=day)
                )
            ),
            "severa row": register_row(code, "severa", "projects", severa),
            "case row": register_row(code, "severa", "salescases", severa)["hash"],
            "erp row": register_row(code, "visma_net", "project", erp),
        }

    return _twice(once, case, golden)


_STATUSES = {"open": "Active", "closed": "Completed", "lost": "Cancelled"}


def record(code: Any, system: str, register: str, id: str, body: Json) -> Any:
    """A record as the books know it."""
    return code.model.Record(system, register, id, "", "", body, 1, None, NOW)


# ---------------------------------------------------------------- reference rows and normal forms


def reference(code: Any, case: Json, _world: Json, _golden: Json | None) -> Json:
    return register_row(code, case["system"], case["register"], case["body"])  # type: ignore[no-any-return]


def form(code: Any, case: Json, _world: Json, _golden: Json | None) -> Json:
    """Every normal form of two texts and a number."""
    text, mapper, money = code.text, code.mapper, code.money
    one, other, number = case["one"], case["other"], case["number"]
    return {
        "canonical": told(lambda: text.canonical(one)),
        "number": told(lambda: text.canonical(number)),
        "organisation": told(lambda: text.organisation_number(one)),
        "vat": told(lambda: text.vat_key(one)),
        "name": told(lambda: text.name_key(one)),
        "line": told(lambda: text.one_line(one)),
        "lines": told(lambda: text.lines(one)),
        "cut": told(lambda: text.cut(text.canonical(one), 20)),
        "same organisation": told(lambda: text.same_organisation(one, other)),
        "same name": told(lambda: text.same_name(one, other)),
        "rounded": told(
            lambda: [money.rounded(Decimal(number), currency) for currency in ("SEK", "JPY", "KWD")]
        ),
        "money": told(lambda: code.totals.money_text(Decimal(number), "SEK")),
        "body": told(
            lambda: mapper.update_body(
                {
                    "name": one,
                    "a.b": other,
                    "n": number,
                    "lines": [{"x": one, "operation": "Insert"}],
                    "none": None,
                }
            )
        ),
        "patch": told(lambda: mapper.patch({"name": one, "a.b": number})),
        "country": told(lambda: code.addresses.country_code(one, case["countries"])),
        "three lines": told(lambda: code.addresses.three_lines(one)),
    }


ASK: Mapping[str, Callable[[Any, Json, Json, Json | None], Json]] = {
    "product": product,
    "customer": customer,
    "contact": contact,
    "project": project,
    "invoice": invoice,
    "cost": cost,
    "payment": payment,
    "reference": reference,
    "form": form,
}


def _spelt(told: Any) -> Any:
    """What is kept as values today, as 0.1.0 spelt it: its words are no part of the mapping."""
    if not told or isinstance(told["known"], str):
        return told
    return {name: ", ".join(one) if isinstance(one, list) else one for name, one in told.items()} | {
        name: "–" for name, one in told.items() if not one
    }
