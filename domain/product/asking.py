"""Severa records of a code as they stand there just now, asked for before one is made and after an answer was lost."""

from __future__ import annotations

from domain.mapper import text
from domain.model import Json, Record
from domain.ports import Delivery
from domain.product.table import KINDS, Kind
from domain.text import code_key


def severa(delivery: Delivery, code: str) -> list[Record]:
    """Records of this code in the three registers: somebody may have typed the same one there since the last poll, and a
    create would make a second one."""
    now = delivery.now()
    return [
        Record("severa", kind.register, text(row, "guid"), code, text(row, "name"), row, 0, None, now)
        for kind in KINDS
        for row in delivery.severa.list(kind.register, code=code)
        if code_key(text(row, "code")) == code_key(code)
    ]


def made_in_severa(delivery: Delivery, kind: Kind, code: str) -> Json | None:
    """What an unanswered create of this code made, as its step's result; None when there is nothing."""
    for row in delivery.severa.list(kind.register, code=code):
        if code_key(text(row, "code")) == code_key(code):
            return {"guid": text(row, "guid")}
    return None
