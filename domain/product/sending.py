"""What is sent of a product is remembered first, before there is a pair as well (docs/decisions/0017)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain import sent
from domain.mapper import text, update_body
from domain.merge import Merge, alike
from domain.model import Json, Link, Permission
from domain.ports import Delivery
from domain.product import plan
from domain.product.registers import INVENTORY
from domain.product.table import Kind

# The steps of the creates; what they carry is kept under the same name.
CREATE_ITEM = "create item"
CREATE_IN_SEVERA = "create in Severa"


def item(
    delivery: Delivery,
    code: str,
    members: Mapping[str, Any],
    meant: Mapping[str, str],
    permission: Permission,
) -> Json:
    """Makes an item; ``meant``: its values as the merge compares them. The step's result."""
    delivery.sending(meant, {}, part=CREATE_ITEM)
    key = delivery.erp.create(INVENTORY, update_body(members), not_after=permission.not_after)
    return {"code": key or code}


def record(
    delivery: Delivery, kind: Kind, body: Json, meant: Mapping[str, str], permission: Permission
) -> Json:
    """Makes a Severa record; as ``item``."""
    delivery.sending({}, meant, part=CREATE_IN_SEVERA)
    return {"guid": text(delivery.severa.create(kind.register, body, not_after=permission.not_after), "guid")}


def before(delivery: Delivery, severa_id: str, erp_id: str, made: str) -> sent.Values:
    """What earlier attempts at this meeting have sent: with their create (``made``, its step; '' = none) or over what they met."""
    so_far = delivery.sent_so_far
    return sent.joined(so_far.get(made, {}) if made else {}, so_far.get(sent.met(severa_id, erp_id), {}))


def merged(delivery: Delivery, link: Link, sides: plan.Sides, wanted: Merge) -> None:
    """What is about to be written; of a first meeting also what is the same on both sides."""
    over = sides.values()
    if link.id:
        delivery.sending(wanted.to_erp, wanted.to_severa, over=over)
        return
    met = sent.met(link.severa_id, link.erp_id)
    delivery.sending({**alike(wanted), **wanted.to_erp}, wanted.to_severa, part=met, over=over)
