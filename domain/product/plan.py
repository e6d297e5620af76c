"""What should happen to a product: pure decisions on the bodies of both sides."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from domain.errors import Stop
from domain.mapper import text
from domain.merge import FieldRule, Merge, Rule, in_bridge, merge
from domain.model import Json, Link, Record, System
from domain.product.table import BY_REGISTER, BY_TYPE, Kind, erp_values, table_of
from domain.sent import Values as Sent
from domain.table import Table
from domain.text import code_key


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides of a product as they are merged. ``currency`` is the organisation's, '' if unknown; ``old`` as of ``Table.rules``."""

    kind: Kind
    severa: Json
    erp: Json
    base: Mapping[str, Any] = field(default_factory=dict)
    choice: str | None = None
    currency: str = ""
    rule: Rule = "ask"
    first: Rule | None = None
    sent: Sent = field(default_factory=dict)
    old: Collection[str] = ()

    @property
    def table(self) -> Table:
        """The rows that this record is kept in step by."""
        return table_of(self.kind, self.severa, self.currency)

    def rules(self) -> dict[str, FieldRule]:
        """How each field is merged, by the tenant's rule (R-CON-1)."""
        return self.table.rules(self.rule, first=self.first, old=self.old)

    def merged(self, latest: System | None = None) -> Merge:
        """The merge of both sides."""
        severa, erp = self.values()
        return merge(self.base, severa, erp, self.rules(), latest=latest, sent=self.sent)

    def values(self) -> tuple[dict[str, str], dict[str, str]]:
        """Canonical values of both sides; what cannot be compared is left out on both."""
        severa, erp = self.table.values("severa", self.severa), erp_values(self.erp)
        chosen = in_bridge(self.choice, self.base.get("item_class"))
        if chosen is not None:
            severa["item_class"] = chosen
        if self.foreign_price:
            severa.pop("price", None)
        return severa, erp

    @property
    def foreign_price(self) -> bool:
        """The Severa price is in another currency than the ERP's prices: it is not comparable."""
        own = text(self.severa, f"{self.kind.price}.currencyCode") if self.kind.price else ""
        return bool(own and self.currency and own != self.currency)

    def with_bodies(self, severa: Json, erp: Json) -> Sides:
        """The same product as both sides show it by now."""
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


def new_item(sides: Sides, item_class: str) -> dict[str, Any]:
    """Members of a new item: units, posting class and VAT category come from its class (R-PRD-1)."""
    return sides.table.created("visma_net", {**sides.values()[0], "item_class": item_class})


def new_record(kind: Kind, item: Json, currency: str) -> Json:
    """A record for Severa made from an item. Travel expense types require a price and an expense class."""
    values = {"active": "true", "price": "0", **erp_values(item)}
    # Severa requires a name; an item without description is called by its code. A price is required too.
    values["name"] = values["name"] or values["code"]
    values["price"] = values["price"] or "0"
    made = table_of(kind, {}, currency).created("severa", values)
    return {**made, "isActive": values["active"] == "true", **kind.on_create}


def meant(item: Json) -> dict[str, str]:
    """What a record for Severa is made with (``new_record``), as the merge compares it: an item without description has no name
    to give."""
    values = erp_values(item)
    return values if values.get("name") else {name: own for name, own in values.items() if name != "name"}


def erp_members(sides: Sides, merged: Merge) -> dict[str, Any]:
    """Members of an item's update for the fields the merge wants written."""
    return sides.table.members("visma_net", merged.to_erp, sides.erp)


def severa_members(sides: Sides, merged: Merge) -> dict[str, Any]:
    """Members of a Severa record's patch for the fields the merge wants written."""
    return sides.table.members("severa", merged.to_severa, sides.severa)


def numbers(link: Link, severa: Json, item: Json) -> tuple[str, str, bool]:
    """Codes for the link, and whether exactly one side was renumbered (R-CUS-8): then the link keeps its old ones."""
    ours, theirs = text(severa, "code"), text(item, "inventoryNumber")
    changed = (ours, theirs) != (link.severa_number, link.erp_number)
    if changed and code_key(ours) != code_key(theirs):
        return link.severa_number, link.erp_number, True
    return ours, theirs, False
