"""What should happen to a product: pure decisions on the bodies of both sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from domain.errors import Stop
from domain.mapper import flag, known_factor, read, text
from domain.merge import FieldRule, Merge, Rule, merge
from domain.model import Json, Link, Record, System
from domain.product.fields import (
    BY_REGISTER,
    BY_TYPE,
    PAID_RATES,
    TRAVEL_EXPENSES,
    Kind,
    erp_values,
    severa_values,
)
from domain.sent import Values as Sent
from domain.text import canonical, code_key

# Severa has no empty price in the ERP's eyes: nothing and 0 are the same price.
_NO_PRICE = ("", "0")


def _same_price(severa: str, erp: str) -> bool:
    return severa == erp or (severa in _NO_PRICE and erp in _NO_PRICE)


def rules(kind: Kind, severa: Json, rule: Rule = "ask", *, first: Rule | None = None) -> dict[str, FieldRule]:
    """How each field of this record is merged, by the tenant's ``rule`` (R-CON-1); ``first``: while nothing was agreed on, None =
    the same. Work types have no price; paid rates go to the ERP only."""
    first = first or rule
    found = {
        "name": FieldRule(rule, first=first),
        "active": FieldRule(rule, first=first),
        # Kept in the bridge: what the ERP has without a choice stays.
        "item_class": FieldRule(direction="→", same=lambda severa, erp: code_key(severa) == code_key(erp)),
    }
    if kind.price:
        paid = kind is TRAVEL_EXPENSES and text(severa, "expenseClass") in PAID_RATES
        found["price"] = FieldRule(
            rule,
            "→" if paid else "↔",
            first=first,
            same=_same_price,
            form=lambda price: canonical(known_factor(price)),
        )
    return found


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides of a product as they are merged. ``currency`` is the organisation's, '' if unknown."""

    kind: Kind
    severa: Json
    erp: Json
    base: Mapping[str, Any] = field(default_factory=dict)
    choice: str | None = None
    currency: str = ""
    rule: Rule = "ask"
    first: Rule | None = None
    sent: Sent = field(default_factory=dict)

    def merged(self, latest: System | None = None) -> Merge:
        """The merge of both sides; writes that say nothing in the target's own words are dropped."""
        severa, erp = self.values()
        found = rules(self.kind, self.severa, self.rule, first=self.first)
        return merge(self.base, severa, erp, found, latest=latest, sent=self.sent)

    def values(self) -> tuple[dict[str, str], dict[str, str]]:
        """Canonical values of both sides; what cannot be compared is left out on both."""
        severa, erp = severa_values(self.kind, self.severa), erp_values(self.erp)
        # The class is kept in the bridge: without a choice there is nothing to carry over.
        if self.choice is not None:
            severa["item_class"] = self.choice
        if self.foreign_price:
            severa.pop("price", None)
        return severa, erp

    @property
    def foreign_price(self) -> bool:
        """The Severa price is in another currency than the ERP's prices: it is not comparable."""
        own = text(self.severa, f"{self.kind.price}.currencyCode") if self.kind.price else ""
        return bool(own and self.currency and own != self.currency)

    def with_bodies(self, severa: Json, erp: Json) -> Sides:
        return replace(self, severa=severa, erp=erp)


def needs_code(kind: Kind, record: Record) -> str:
    """The code of a Severa record. Raises Stop ``product.code_missing`` (R-PRD-2)."""
    code = text(record.body, "code")
    if not code:
        raise Stop("product.code_missing", {"name": record.name, "register": kind.register})
    return code


def only_one(kind: Kind, record: Record, others: list[Record]) -> None:
    """Codes are unique over the three registers. Raises Stop ``product.code_not_unique`` naming both records."""
    for other in others:
        if other.id != record.id:
            theirs = BY_REGISTER[other.register]
            raise Stop(
                "product.code_not_unique",
                {
                    "code": record.number or text(record.body, "code"),
                    "name": record.name,
                    "register": kind.register,
                    "other": other.name,
                    "other_register": theirs.register,
                },
            )


def fits(code: str, length: int | None, name: str) -> None:
    """Raises Stop ``product.code_too_long`` for a code longer than the INVENTORY key."""
    if length is not None and len(code) > length:
        raise Stop(
            "product.code_too_long", {"code": code, "name": name, "length": len(code), "limit": length}
        )


def kind_of_item(item: Json) -> Kind | None:
    """The Severa register of an item, None for what is left alone (ChargeItem, stock; R-PRD-1)."""
    return BY_TYPE.get(text(item, "type"))


def belongs(kind: Kind, item: Json, name: str) -> None:
    """The item's type must be one of the register's. Raises Stop ``product.type_differs``."""
    if kind_of_item(item) is not kind:
        raise Stop(
            "product.type_differs",
            {
                "code": text(item, "inventoryNumber"),
                "name": name,
                "register": kind.register,
                "type": text(item, "type"),
                "wanted": list(kind.types),
            },
        )


def class_fits(kind: Kind, item_class: str, classes: list[Record], name: str) -> None:
    """The item class exists and its type is the register's; not judged while the classes were never read.

    Raises Stop ``product.class_unknown`` or ``product.class_type``.
    """
    values = {"name": name, "item_class": item_class, "register": kind.register}
    if not classes:
        return
    found = next((one for one in classes if code_key(text(one.body, "id")) == code_key(item_class)), None)
    if found is None:
        raise Stop("product.class_unknown", {**values, "known": [text(one.body, "id") for one in classes]})
    kind_there = text(found.body, "type")
    if kind_there and kind_there not in kind.types:
        raise Stop("product.class_type", {**values, "type": kind_there, "wanted": list(kind.types)})


def new_item(kind: Kind, severa: Json, item_class: str, *, foreign_price: bool) -> dict[str, Any]:
    """Members of a new item: units, posting class and VAT category come from its class (R-PRD-1)."""
    members: dict[str, Any] = {
        "inventoryNumber": text(severa, "code"),
        "itemClass": item_class,
        "description": text(severa, "name"),
    }
    price = known_factor(read(severa, f"{kind.price}.amount")) if kind.price else None
    if price is not None and not foreign_price:
        members["defaultPrice"] = price
    if not flag(read(severa, "isActive")):
        members["status"] = "Inactive"
    return members


def new_record(kind: Kind, item: Json, currency: str) -> Json:
    """A record for Severa made from an item. Travel expense types require a price and an expense class."""
    code = text(item, "inventoryNumber")
    body: Json = {
        # Severa requires a name; an item without description is called by its code.
        "name": text(item, "description") or code,
        "code": code,
        "isActive": erp_values(item).get("active", "true") == "true",
        **kind.on_create,
    }
    if kind.price:
        body[kind.price] = {"amount": Decimal(erp_values(item)["price"] or 0), "currencyCode": currency}
    return body


def meant(item: Json) -> dict[str, str]:
    """What a record for Severa is made with (``new_record``), as the merge compares it: an item without description has no name
    to give."""
    values = erp_values(item)
    return values if values.get("name") else {name: own for name, own in values.items() if name != "name"}


def erp_members(merged: Merge) -> dict[str, Any]:
    """Members of an item's update for the fields the merge wants written."""
    members: dict[str, Any] = {}
    for name, value in merged.to_erp.items():
        match name:
            case "name":
                members["description"] = value
            case "price":
                members["defaultPrice"] = Decimal(value or 0)
            case "active":
                members["status"] = "Active" if value == "true" else "Inactive"
            case "item_class":
                members["itemClass"] = value
    return members


def severa_members(sides: Sides, merged: Merge) -> dict[str, Any]:
    """Members of a Severa record's patch for the fields the merge wants written."""
    kind = sides.kind
    members: dict[str, Any] = {}
    for name, value in merged.to_severa.items():
        match name:
            case "name":
                members["name"] = value
            case "price":
                currency = text(sides.severa, f"{kind.price}.currencyCode") or sides.currency
                members[kind.price] = {"amount": Decimal(value or 0), "currencyCode": currency}
            case "active":
                members["isActive"] = value == "true"
    return members


def numbers(link: Link, severa: Json, item: Json) -> tuple[str, str, bool]:
    """Codes for the link, and whether exactly one side was renumbered (R-CUS-8): then the link keeps its old ones."""
    ours, theirs = text(severa, "code"), text(item, "inventoryNumber")
    changed = (ours, theirs) != (link.severa_number, link.erp_number)
    if changed and code_key(ours) != code_key(theirs):
        return link.severa_number, link.erp_number, True
    return ours, theirs, False
